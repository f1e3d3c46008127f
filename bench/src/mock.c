// mock.c - a very fast fake LLM provider (OpenAI + Anthropic wire formats), one epoll loop per process.
//
//   mock [-p PORT] [-n PROCS]
//
// The behaviour of a request is chosen by the model name in its JSON body, because gateways forward that:
//   mock-c50-d10-s700-l5   50 content chunks, 10 ms apart, (non-stream) content of 700 bytes, 5 ms before the first byte
// Every content chunk carries "@<CLOCK_MONOTONIC ns>@", so a receiver on the same machine sees its exact transit time.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include <stdarg.h>

#define MAXC 8192
#define OUTMAX (1 << 16)

typedef unsigned long long u64;
static u64 now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000ull + t.tv_nsec;
}

typedef struct {
    int fd, used;
    char *in; size_t in_len, in_cap;
    char *out; size_t out_len, out_off, out_cap;
    int streaming;          // 0 none, 1 openai, 2 anthropic
    int kind;               // pending non-stream reply kind while latency runs
    int chunks, sent, delay_ms, size;
    u64 due;                // next emission
    int closing, want_write;
    char model[128];
} conn;

static conn *conns[MAXC];
static int active[MAXC], nactive;  // fds of connections with a timer
static int ep;
static char filler[65536];

static void out_append(conn *c, const char *p, size_t n) {
    if (c->out_len + n > c->out_cap) {
        c->out_cap = (c->out_len + n) * 2;
        c->out = realloc(c->out, c->out_cap);
    }
    memcpy(c->out + c->out_len, p, n);
    c->out_len += n;
}
static void drop(conn *c) {
    for (int i = 0; i < nactive; i++)
        if (active[i] == c->fd) { active[i] = active[--nactive]; break; }
    conns[c->fd] = NULL;
    close(c->fd);
    free(c->in); free(c->out); free(c);
}
static int flush_out(conn *c) {  // -1: connection gone
    while (c->out_off < c->out_len) {
        ssize_t n = send(c->fd, c->out + c->out_off, c->out_len - c->out_off, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno == EAGAIN) {
                if (!c->want_write) {
                    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.fd = c->fd};
                    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
                    c->want_write = 1;
                }
                return 0;
            }
            return -1;
        }
        c->out_off += n;
    }
    c->out_len = c->out_off = 0;
    if (c->want_write) {
        struct epoll_event e = {.events = EPOLLIN, .data.fd = c->fd};
        epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
        c->want_write = 0;
    }
    return 0;
}
static void reply(conn *c, const char *ctype, const char *body, size_t n) {
    char h[256];
    int k = snprintf(h, sizeof h, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", ctype, n);
    out_append(c, h, k);
    out_append(c, body, n);
}
static void sse(conn *c, const char *p, size_t n) {  // one HTTP chunk
    char h[32];
    int k = snprintf(h, sizeof h, "%zx\r\n", n);
    out_append(c, h, k);
    out_append(c, p, n);
    out_append(c, "\r\n", 2);
}
static void ssef(conn *c, const char *fmt, ...) {
    char b[2048];
    va_list a;
    va_start(a, fmt);
    int n = vsnprintf(b, sizeof b, fmt, a);
    va_end(a);
    sse(c, b, n);
}
static void plain_reply(conn *c) {
    static char b[200000];
    int n = 0, s = c->size > 0 ? c->size : 700;
    if (s > 60000) s = 60000;
    u64 t = now_ns();
    if (c->kind == 1)
        n = snprintf(b, sizeof b,
            "{\"id\":\"chatcmpl-%llx\",\"object\":\"chat.completion\",\"created\":1760000000,\"model\":\"%s\",\"choices\":[{\"index\":0,"
            "\"message\":{\"role\":\"assistant\",\"content\":\"@%llu@ %.*s\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
            "\"usage\":{\"prompt_tokens\":211,\"completion_tokens\":160,\"total_tokens\":371,\"prompt_tokens_details\":{\"cached_tokens\":64}},"
            "\"system_fingerprint\":\"fp_mock\"}", t, c->model, t, s, filler);
    else if (c->kind == 2)
        n = snprintf(b, sizeof b,
            "{\"id\":\"msg_%llx\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"%s\",\"content\":[{\"type\":\"text\",\"text\":\"@%llu@ %.*s\"}],"
            "\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":{\"input_tokens\":211,\"cache_creation_input_tokens\":0,"
            "\"cache_read_input_tokens\":64,\"output_tokens\":160}}", t, c->model, t, s, filler);
    else if (c->kind == 3) {
        n = snprintf(b, sizeof b, "{\"object\":\"list\",\"model\":\"%s\",\"data\":[{\"object\":\"embedding\",\"index\":0,\"embedding\":[", c->model);
        for (int i = 0; i < 256; i++) n += snprintf(b + n, sizeof b - n, "%s0.0%d", i ? "," : "", 1000 + i * 7);
        n += snprintf(b + n, sizeof b - n, "]}],\"usage\":{\"prompt_tokens\":12,\"total_tokens\":12}}");
    } else
        n = snprintf(b, sizeof b, "{\"object\":\"list\",\"data\":[{\"id\":\"mock\",\"object\":\"model\",\"created\":1760000000,\"owned_by\":\"mock\"}]}");
    reply(c, "application/json", b, n);
    c->kind = 0;
}
static void stream_head(conn *c) {
    static const char h[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
    out_append(c, h, sizeof h - 1);
    if (c->streaming == 1)
        ssef(c, "data: {\"id\":\"chatcmpl-m\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"%s\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n", c->model);
    else {
        ssef(c, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"%s\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":211,\"cache_read_input_tokens\":64,\"output_tokens\":1}}}\n\n", c->model);
        ssef(c, "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n");
    }
}
static int stream_step(conn *c) {  // emits one content chunk or the tail; 1: finished, -1: gone
    if (c->sent < c->chunks) {
        if (c->streaming == 1)
            ssef(c, "data: {\"id\":\"chatcmpl-m\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"%s\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"@%llu@ token \"},\"finish_reason\":null}]}\n\n", c->model, now_ns());
        else
            ssef(c, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"@%llu@ token \"}}\n\n", now_ns());
        c->sent++;
        return flush_out(c);
    }
    if (c->streaming == 1) {
        ssef(c, "data: {\"id\":\"chatcmpl-m\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"%s\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n", c->model);
        ssef(c, "data: {\"id\":\"chatcmpl-m\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"%s\",\"choices\":[],\"usage\":{\"prompt_tokens\":211,\"completion_tokens\":%d,\"total_tokens\":%d,\"prompt_tokens_details\":{\"cached_tokens\":64}}}\n\n", c->model, c->chunks, 211 + c->chunks);
        ssef(c, "data: [DONE]\n\n");
    } else {
        ssef(c, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n");
        ssef(c, "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":%d}}\n\n", c->chunks);
        ssef(c, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
    }
    out_append(c, "0\r\n\r\n", 5);
    c->streaming = 0;
    if (flush_out(c) < 0) return -1;
    return 1;
}
static int param(const char *m, char k, int dflt) {
    char pat[3] = {'-', k, 0};
    const char *p = m;
    while ((p = strstr(p, pat))) {
        if (p[2] >= '0' && p[2] <= '9') return atoi(p + 2);
        p += 2;
    }
    return dflt;
}
static void arm(conn *c, u64 due) { c->due = due; active[nactive++] = c->fd; }

static int begin(conn *c, int kind, const char *body, size_t n) {
    strcpy(c->model, "mock");
    const char *m = memmem(body, n, "\"model\"", 7);
    if (m) {
        const char *e = body + n;
        m += 7;
        while (m < e && (*m == ' ' || *m == ':')) m++;
        if (m < e && *m == '"') {
            int i = 0;
            for (m++; m < e && *m != '"' && i < 120; m++) c->model[i++] = *m;
            c->model[i] = 0;
        }
    }
    int stream = 0;
    const char *s = body, *e = body + n;
    while ((s = memmem(s, e - s, "\"stream\"", 8))) {
        s += 8;
        while (s < e && (*s == ' ' || *s == ':')) s++;
        if (e - s >= 4 && !memcmp(s, "true", 4)) stream = 1;
    }
    c->chunks = param(c->model, 'c', 100);
    c->delay_ms = param(c->model, 'd', 0);
    c->size = param(c->model, 's', 700);
    int lat = param(c->model, 'l', 0);
    c->sent = 0;
    if (stream && (kind == 1 || kind == 2)) {
        c->streaming = kind;
        c->kind = 0;
        if (lat || c->delay_ms) {
            if (!lat) { stream_head(c); if (flush_out(c) < 0) return -1; }
            else c->kind = 9;  // head still to send
            arm(c, now_ns() + (lat ? lat * 1000000ull : c->delay_ms * 1000000ull));
            return 0;
        }
        stream_head(c);
        int r;
        while ((r = stream_step(c)) == 0) ;
        return r < 0 ? -1 : 0;
    }
    c->kind = kind;
    if (lat) { c->streaming = 0; arm(c, now_ns() + lat * 1000000ull); c->kind = kind; return 0; }
    plain_reply(c);
    return flush_out(c);
}
static int busy(conn *c) {
    if (c->streaming || c->kind) return 1;
    return 0;
}
static int dechunk(char *p, size_t n, size_t *body_len, size_t *used) {  // in place; 0 incomplete
    size_t i = 0, o = 0;
    for (;;) {
        char *nl = memmem(p + i, n - i, "\r\n", 2);
        if (!nl) return 0;
        size_t len = strtoul(p + i, NULL, 16);
        size_t d = (nl - p) + 2;
        if (d + len + 2 > n) return 0;
        if (!len) { *body_len = o; *used = d + 2; return 1; }
        memmove(p + o, p + d, len);
        o += len;
        i = d + len + 2;
    }
}
static int handle(conn *c) {
    while (!busy(c)) {
        if (c->in_len < 4) return 0;
        char *he = memmem(c->in, c->in_len, "\r\n\r\n", 4);
        if (!he) return 0;
        size_t hl = he - c->in + 4, cl = 0, total;
        int chunked = 0, want_continue = 0;
        for (char *l = c->in; l < he;) {
            char *e = memmem(l, he + 2 - l, "\r\n", 2);
            if (!e) break;
            if (!strncasecmp(l, "content-length:", 15)) cl = strtoul(l + 15, NULL, 10);
            else if (!strncasecmp(l, "transfer-encoding:", 18)) chunked = 1;
            else if (!strncasecmp(l, "expect:", 7)) want_continue = 1;
            else if (!strncasecmp(l, "connection: close", 17)) c->closing = 1;
            l = e + 2;
        }
        char *body = c->in + hl;
        size_t blen = cl;
        if (chunked) {
            // decode a copy, so that an incomplete body is left alone
            size_t n = c->in_len - hl, used;
            char *t = malloc(n + 1);
            memcpy(t, body, n); t[n] = 0;
            if (!dechunk(t, n, &blen, &used)) { free(t); return 0; }
            memcpy(body, t, blen);
            free(t);
            total = hl + used;
        } else {
            total = hl + cl;
            if (c->in_len < total) {
                if (want_continue && c->in_len == hl) { out_append(c, "HTTP/1.1 100 Continue\r\n\r\n", 25); return flush_out(c); }
                return 0;
            }
        }
        char path[128] = {0};
        char *sp = memchr(c->in, ' ', hl);
        if (sp) { sp++; int i = 0; while (i < 120 && sp[i] != ' ' && sp[i] != '?') { path[i] = sp[i]; i++; } }
        int kind = strstr(path, "chat/completions") ? 1 : strstr(path, "/messages") ? 2 : strstr(path, "embeddings") ? 3 : 4;
        int r = begin(c, kind, body, blen);
        if (r < 0) return -1;
        memmove(c->in, c->in + total, c->in_len - total);
        c->in_len -= total;
    }
    return 0;
}
static void serve(int port) {
    int ls = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(ls, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(ls, (void *)&a, sizeof a) || listen(ls, 4096)) { perror("mock: bind"); exit(1); }
    ep = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = ls};
    epoll_ctl(ep, EPOLL_CTL_ADD, ls, &e);
    struct epoll_event ev[256];
    for (;;) {
        struct timespec ts, *tp = NULL;
        if (nactive) {
            u64 t = now_ns(), best = ~0ull;
            for (int i = 0; i < nactive; i++) if (conns[active[i]]->due < best) best = conns[active[i]]->due;
            u64 w = best > t ? best - t : 0;
            ts.tv_sec = w / 1000000000ull; ts.tv_nsec = w % 1000000000ull; tp = &ts;
        }
        int n = epoll_pwait2(ep, ev, 256, tp, NULL);
        for (int i = 0; i < n; i++) {
            int fd = ev[i].data.fd;
            if (fd == ls) {
                for (int k = 0; k < 64; k++) {
                    int s = accept4(ls, NULL, NULL, SOCK_NONBLOCK);
                    if (s < 0) break;
                    if (s >= MAXC) { close(s); break; }
                    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    conn *c = calloc(1, sizeof *c);
                    c->fd = s; c->in_cap = 16384; c->in = malloc(c->in_cap);
                    c->out_cap = 16384; c->out = malloc(c->out_cap);
                    conns[s] = c;
                    struct epoll_event ee = {.events = EPOLLIN, .data.fd = s};
                    epoll_ctl(ep, EPOLL_CTL_ADD, s, &ee);
                }
                continue;
            }
            conn *c = conns[fd];
            if (!c) continue;
            if (ev[i].events & EPOLLOUT) if (flush_out(c) < 0) { drop(c); continue; }
            if (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
                int gone = 0;
                for (;;) {
                    if (c->in_cap - c->in_len < 8192) { c->in_cap *= 2; c->in = realloc(c->in, c->in_cap); }
                    size_t room = c->in_cap - c->in_len;
                    ssize_t r = recv(fd, c->in + c->in_len, room, 0);
                    if (r > 0) { c->in_len += r; if ((size_t)r < room) break; }
                    else if (r == 0) { gone = 1; break; }
                    else { if (errno != EAGAIN) gone = 1; break; }
                }
                if (gone || handle(c) < 0) { drop(c); continue; }
                if (c->closing && !busy(c) && !c->out_len) drop(c);
            }
        }
        if (nactive) {
            u64 t = now_ns();
            for (int i = 0; i < nactive;) {
                conn *c = conns[active[i]];
                if (c->due > t) { i++; continue; }
                int fin = 0, gone = 0;
                if (c->streaming) {
                    if (c->kind == 9) { c->kind = 0; stream_head(c); }
                    int r = stream_step(c);
                    if (r < 0) gone = 1;
                    else if (r == 1) fin = 1;
                    else if (!c->delay_ms) { while ((r = stream_step(c)) == 0) ; if (r < 0) gone = 1; else fin = 1; }
                    else if (c->sent < c->chunks) c->due += c->delay_ms * 1000000ull;
                } else { plain_reply(c); fin = 1; if (flush_out(c) < 0) gone = 1; }
                if (gone) { drop(c); continue; }
                if (fin) {
                    active[i] = active[--nactive];
                    if (handle(c) < 0) drop(c);
                    else if (c->closing && !busy(c) && !c->out_len) drop(c);
                    continue;
                }
                i++;
            }
        }
    }
}
int main(int argc, char **argv) {
    int port = 9100, procs = 1, o;
    while ((o = getopt(argc, argv, "p:n:")) != -1) { if (o == 'p') port = atoi(optarg); else if (o == 'n') procs = atoi(optarg); }
    signal(SIGPIPE, SIG_IGN);
    static const char w[] = "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor ";
    for (size_t i = 0; i < sizeof filler; i++) filler[i] = w[i % (sizeof w - 1)];
    for (int i = 1; i < procs; i++) if (!fork()) { prctl(PR_SET_PDEATHSIG, SIGTERM); break; }
    serve(port);
}
