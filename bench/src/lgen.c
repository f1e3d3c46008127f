// lgen.c - HTTP/1.1 load generator for LLM gateways: closed loop or open loop (fixed rate), plain or SSE answers.
// One thread, one epoll loop. Prints one JSON object.
//
//   lgen -u http://127.0.0.1:PORT/PATH [-b BODYFILE] [-H 'Name: value']... [-c CONNS] [-t SECS] [-w WARMUP_SECS] [-R RATE] [-k]
//
//   -R RATE  open loop: one request every 1/RATE s whatever happens; latency counts from the instant it was due
//            (so no coordinated omission). Without -R each connection sends the next request when the answer is complete.
//   -k       connection per request (no keep-alive)
// "@<ns>@" marks inside an answer are CLOCK_MONOTONIC stamps of the mock: receipt minus stamp is a chunk's transit time.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
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
#include <time.h>
#include <unistd.h>

typedef unsigned long long u64;
static u64 now_ns(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return (u64)t.tv_sec * 1000000000ull + t.tv_nsec; }

typedef struct { u64 *v; size_t n, cap; } vec;
static void push(vec *a, u64 x) { if (a->n == a->cap) { a->cap = a->cap ? a->cap * 2 : 4096; a->v = realloc(a->v, a->cap * 8); } a->v[a->n++] = x; }
static int cmp(const void *a, const void *b) { u64 x = *(u64 *)a, y = *(u64 *)b; return x < y ? -1 : x > y; }
static double pct(vec *a, double p) { if (!a->n) return -1; size_t i = (size_t)(p * (a->n - 1) + .5); return a->v[i] / 1000.0; }
static void show(const char *k, vec *a) {
    qsort(a->v, a->n, 8, cmp);
    double s = 0; for (size_t i = 0; i < a->n; i++) s += a->v[i];
    printf("\"%s\":{\"n\":%zu,\"mean\":%.1f,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}", k, a->n, a->n ? s / a->n / 1000.0 : -1, pct(a, .5), pct(a, .9), pct(a, .99), pct(a, .999), pct(a, 1));
}

typedef struct {
    int fd, state;                  // 0 idle, 1 connecting, 2 sending, 3 reading
    size_t off;
    u64 start;                      // due instant
    char *buf; size_t len, cap;     // header bytes, then decoded body
    int in_body, status; long clen; int chunked, closes; long got;
    int cs; long cleft;             // chunk decoder: 0 size, 1 data, 2 crlf, 3 trailer
    char line[64]; int ln;
    size_t scan; int seen;          // where the mark scan stands, marks seen
} conn;

static struct sockaddr_in addr;
static char *req; static size_t reqlen;
static int ep, nokeep;
static vec lat, ttft, chunk, mid; static u64 errors, bad, bytes, done_n, warm_until, stop_at, marks; static u64 first_err_status; static char errtext[400];
static int want_marks; static u64 wmarks;

static int open_conn(conn *c) {
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int one = 1; setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int r = connect(c->fd, (void *)&addr, sizeof addr);
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
    if (r < 0 && errno != EINPROGRESS) return -1;
    return 0;
}
static int send_more(conn *c) {
    while (c->off < reqlen) {
        ssize_t n = send(c->fd, req + c->off, reqlen - c->off, MSG_NOSIGNAL);
        if (n < 0) { if (errno == EAGAIN || errno == ENOTCONN) return 0; return -1; }
        c->off += n;
    }
    c->state = 3;
    return 0;
}
static int start_req(conn *c, u64 due) {
    c->start = due; c->off = 0; c->len = 0; c->in_body = 0; c->status = 0; c->clen = -1; c->chunked = 0; c->closes = 0; c->got = 0;
    c->cs = 0; c->cleft = 0; c->ln = 0; c->scan = 0; c->seen = 0; c->state = 2;
    if (c->fd < 0 && open_conn(c) < 0) return -1;
    return send_more(c);
}
static void scan_marks(conn *c, u64 t) {
    // marks: '@' 12-20 digits '@'
    for (;;) {
        char *p = memchr(c->buf + c->scan, '@', c->len - c->scan);
        if (!p) { c->scan = c->len; return; }
        size_t i = p - c->buf, j = i + 1;
        while (j < c->len && isdigit((unsigned char)c->buf[j])) j++;
        if (j == c->len) { c->scan = i; return; }
        if (c->buf[j] == '@' && j - i > 10) {
            u64 s = strtoull(c->buf + i + 1, NULL, 10);
            if (t >= warm_until && t <= stop_at) wmarks++;
            if (c->start >= warm_until && t <= stop_at + 2000000000ull) {
                if (!c->seen) push(&ttft, t - c->start);
                push(c->seen ? &chunk : &mid, t > s ? t - s : 0);
                marks++;
            }
            c->seen++;
            c->scan = j + 1;
        } else c->scan = i + 1;
    }
}
static void body_add(conn *c, const char *p, size_t n) {
    if (c->len + n + 1 > c->cap) { c->cap = (c->len + n + 1) * 2; c->buf = realloc(c->buf, c->cap); }
    memcpy(c->buf + c->len, p, n); c->len += n; c->buf[c->len] = 0;
}
static int body_feed(conn *c, const char *p, size_t n) {  // 1 complete
    if (!c->chunked) { body_add(c, p, n); c->got += n; return c->clen >= 0 && c->got >= c->clen; }
    while (n) {
        if (c->cs == 0) {
            char ch = *p++; n--;
            if (ch == '\n') { c->line[c->ln] = 0; c->ln = 0; c->cleft = strtol(c->line, NULL, 16); c->cs = c->cleft ? 1 : 3; }
            else if (ch != '\r' && c->ln < 60) c->line[c->ln++] = ch;
        } else if (c->cs == 1) {
            size_t k = n < (size_t)c->cleft ? n : (size_t)c->cleft;
            body_add(c, p, k); p += k; n -= k; c->cleft -= k;
            if (!c->cleft) c->cs = 2;
        } else if (c->cs == 2) { if (*p == '\n') c->cs = 0; p++; n--; }
        else { char ch = *p++; n--; if (ch == '\n') { if (c->ln == 0) return 1; c->ln = 0; } else if (ch != '\r') c->ln++; }
    }
    return 0;
}
// 0 go on, 1 answer complete, -1 broken
static int feed(conn *c, const char *p, size_t n, u64 t) {
    bytes += n;
    if (!c->in_body) {
        body_add(c, p, n);
        char *he = memmem(c->buf, c->len, "\r\n\r\n", 4);
        if (!he) return 0;
        size_t hl = he - c->buf + 4;
        c->status = atoi(c->buf + 9);
        for (char *l = c->buf; l < he;) {
            char *e = memmem(l, he + 2 - l, "\r\n", 2); if (!e) break;
            if (!strncasecmp(l, "content-length:", 15)) c->clen = strtol(l + 15, NULL, 10);
            else if (!strncasecmp(l, "transfer-encoding:", 18) && memmem(l, e - l, "chunked", 7)) c->chunked = 1;
            else if (!strncasecmp(l, "connection: close", 17)) c->closes = 1;
            l = e + 2;
        }
        size_t rest = c->len - hl;
        char *copy = malloc(rest + 1); memcpy(copy, c->buf + hl, rest);
        c->in_body = 1; c->len = 0;
        int d = 0;
        if (rest || c->clen == 0) d = body_feed(c, copy, rest);
        free(copy);
        if (c->len) scan_marks(c, t);
        return d;
    }
    int d = body_feed(c, p, n);
    scan_marks(c, t);
    return d;
}
int main(int argc, char **argv) {
    char *url = NULL, *bodyf = NULL, *hdr[32]; int nh = 0, C = 1, o; double T = 5, W = 1, R = 0;
    while ((o = getopt(argc, argv, "u:b:H:c:t:w:R:km")) != -1) switch (o) {
        case 'u': url = optarg; break; case 'b': bodyf = optarg; break; case 'H': hdr[nh++] = optarg; break;
        case 'c': C = atoi(optarg); break; case 't': T = atof(optarg); break; case 'w': W = atof(optarg); break;
        case 'R': R = atof(optarg); break; case 'k': nokeep = 1; break; case 'm': want_marks = 1; break; }
    if (!url || strncmp(url, "http://127.0.0.1:", 17)) { fprintf(stderr, "lgen: only http://127.0.0.1:PORT/PATH\n"); return 2; }
    if (T > 20) T = 20;
    int port = atoi(url + 17); char *path = strchr(url + 17, '/'); if (!path) path = "/";
    addr.sin_family = AF_INET; addr.sin_port = htons(port); addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    char *body = NULL; size_t bl = 0;
    if (bodyf) { FILE *f = fopen(bodyf, "rb"); if (!f) { perror(bodyf); return 2; } fseek(f, 0, SEEK_END); bl = ftell(f); rewind(f); body = malloc(bl + 1); if (fread(body, 1, bl, f) != bl) return 2; fclose(f); }
    req = malloc(bl + 8192);
    int n = sprintf(req, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: lgen\r\nAccept: */*\r\n", body ? "POST" : "GET", path, port);
    for (int i = 0; i < nh; i++) n += sprintf(req + n, "%s\r\n", hdr[i]);
    if (nokeep) n += sprintf(req + n, "Connection: close\r\n");
    if (body) n += sprintf(req + n, "Content-Type: application/json\r\nContent-Length: %zu\r\n", bl);
    n += sprintf(req + n, "\r\n");
    if (body) memcpy(req + n, body, bl);
    reqlen = n + bl;
    signal(SIGPIPE, SIG_IGN);
    ep = epoll_create1(0);
    conn *cs = calloc(C, sizeof *cs); int *idle = malloc(C * sizeof(int)), nidle = 0;
    for (int i = 0; i < C; i++) { cs[i].fd = -1; cs[i].cap = 65536; cs[i].buf = malloc(cs[i].cap); }
    u64 t0 = now_ns(); warm_until = t0 + (u64)(W * 1e9); stop_at = warm_until + (u64)(T * 1e9);
    u64 gap = R > 0 ? (u64)(1e9 / R) : 0, next = t0;
    // open loop: a queue of due instants is just (next .. ) - requests not yet handed to a connection
    for (int i = C - 1; i >= 0; i--) { if (R > 0) idle[nidle++] = i; else start_req(&cs[i], now_ns()); }
    static char rb[1 << 18];
    struct epoll_event ev[256];
    u64 win = 0;
    for (;;) {
        u64 t = now_ns();
        if (t >= stop_at + (R > 0 ? 3000000000ull : 0) || (R > 0 && t >= stop_at && nidle == C)) break;
        if (R > 0) while (nidle && next <= t && next < stop_at) {
            conn *c = &cs[idle[--nidle]];
            if (start_req(c, next) < 0) { errors++; close(c->fd); c->fd = -1; c->state = 0; idle[nidle++] = c - cs; }
            next += gap;
        }
        t = now_ns();
        u64 wake = stop_at > t ? stop_at : t + 1000000;
        if (R > 0 && nidle && next < stop_at) wake = next > t ? next : t;
        struct timespec ts = {.tv_sec = (wake - t) / 1000000000ull, .tv_nsec = (wake - t) % 1000000000ull};
        int k = epoll_pwait2(ep, ev, 256, &ts, NULL);
        for (int i = 0; i < k; i++) {
            conn *c = ev[i].data.ptr;
            if (c->fd < 0) continue;
            int fin = 0;
            if (c->state == 2 && send_more(c) < 0) fin = -1;
            if (!fin && (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) for (;;) {
                ssize_t r = recv(c->fd, rb, sizeof rb, 0);
                u64 tt = now_ns();
                if (r > 0) {
                    if (c->state == 0) { continue; }
                    fin = feed(c, rb, r, tt);
                    if (fin) break;
                    if ((size_t)r < sizeof rb) break;
                } else if (r == 0) { fin = (c->in_body && !c->chunked && c->clen < 0) ? 2 : -1; break; }
                else { if (errno != EAGAIN) fin = -1; break; }
            }
            if (!fin) continue;
            u64 e = now_ns();
            if (fin == -1) {
                if (c->state) errors++;
                close(c->fd); c->fd = -1;
                if (c->state == 0) continue;
            } else {
                if (e >= warm_until && e <= stop_at) win++;
                if (c->start >= warm_until) { done_n++; push(&lat, e - c->start); }
                if (c->status != 200 || (want_marks && !c->seen)) { bad++; first_err_status = c->status; if (!errtext[0]) { snprintf(errtext, 300, "%.*s", (int)(c->len < 290 ? c->len : 290), c->buf); } }
                if (fin == 2 || c->closes || nokeep) { close(c->fd); c->fd = -1; }
            }
            c->state = 0;
            if (R > 0) idle[nidle++] = c - cs;
            else if (e < stop_at) { if (start_req(c, now_ns()) < 0) { errors++; close(c->fd); c->fd = -1; start_req(c, now_ns()); } }
            if (errors > 20000) { fprintf(stderr, "lgen: too many errors\n"); goto out; }
        }
    }
out:;
    double secs = T;
    for (char *p = errtext; *p; p++) if (*p == '"' || *p == '\\' || *p < 32) *p = '\'';
    printf("{\"reqs\":%llu,\"rps\":%.1f,\"errors\":%llu,\"non200\":%llu,\"bad_status\":%llu,\"bad_text\":\"%s\",\"marks\":%llu,\"marks_ps\":%.1f,", win, win / secs, errors, bad, first_err_status, errtext, wmarks, wmarks / secs);
    show("lat_us", &lat); printf(","); show("ttft_us", &ttft); printf(","); show("first_transit_us", &mid); printf(","); show("chunk_transit_us", &chunk);
    printf("}\n");
    return 0;
}
