"""What a connection must do before it is a request: the bounds that uvicorn does not have.

uvicorn's httptools protocol has no deadline for headers, no bound on them, and lets a missing or
double Host, a trailer and a half-refused Transfer-Encoding through to the app. One rule: whatever
is refused here is answered once, and the connection is never used again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from router.cycle import Cycle
from router.guards.tunnel import Tunnel
from router.outbox import Outbox
from router.settings import Limits

#: more headers than any client sends; Claude Code sends about 25
HEADER_COUNT = 100
#: seconds a refused client may go on sending, so that it reads the answer before the reset
LINGER = 1.0
NEVER = float("inf")


class _RefusedError(Exception):
    """Stops the parser inside a callback."""


class GuardedProtocol(HttpToolsProtocol):
    """One client connection. `emptied` is called when the last connection has gone."""

    def __init__(
        self,
        config: Config,
        state: ServerState,
        limits: Limits,
        loop: asyncio.AbstractEventLoop,
        emptied: Callable[[], None],
        outbox: Outbox,
    ) -> None:
        super().__init__(config, state, {}, loop)
        self._limits = limits
        self._emptied = emptied
        self._outbox = outbox
        self._in_head = False
        self._head_bytes = 0
        self._packet = 0
        self._upgrade = False
        #: nothing more is read: the connection was refused, or will close after this answer
        self._deaf = False
        #: set by a WebSocket's handshake: nothing more is read as HTTP
        self._tunnel: Tunnel | None = None
        self._why: tuple[int, str] = (400, "not a valid HTTP request")
        #: when what is arriving must be whole (loop time)
        self._late_at = NEVER
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = NEVER

    # ── asyncio.Protocol ──────────────────────────────────────────────────────────────────────────

    # as uvicorn's own, which narrows what asyncio hands over
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections:
            self._refuse(503, "too many connections: try again in a moment")
            return
        self._expect(self._limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._unset_keepalive_if_required()
        super().connection_lost(exc)
        if self._tunnel is not None:
            self._tunnel.ended()
        if isinstance(self.cycle, Cycle) and not self.cycle.response_complete:
            self.cycle.leaving.happened()
        if not self.connections:
            self._emptied()

    def shutdown(self) -> None:
        if self._tunnel is not None and self._tunnel.stop is not None:
            self._tunnel.stop()
        else:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            if self._tunnel is not None:
                self._tunnel.fed(data)
            return
        self._unset_keepalive_if_required()
        self._packet = len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            if not self._deaf:
                self._refuse(*self._why)
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.header_bytes:
                self._refuse(431, f"headers of more than {self._limits.header_bytes} bytes")
                return
        if self._late_at == NEVER:
            cycle = self.cycle
            if cycle is None or cycle.response_complete:
                self._expect(self._limits.header_seconds)
            elif cycle.more_body:
                self._expect(self._limits.body_seconds)

    def _feed(self, data: bytes) -> None:
        """An offer to upgrade (Java and `curl --http2` make one on each request) is not taken up:
        the parser stops at it, so it is started anew on the same request without the offer. But a
        WebSocket's is: the request is over, and what follows belongs to whoever takes it."""
        while True:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as stop:
                rest = data[stop.args[0] :]
            if self._tunnel is not None:
                self._deaf = True
                self._tunnel.fed(rest)
                return
            closing = any(n == b"connection" and b"close" in v.lower() for n, v in self.headers)
            kept = [
                b"%b: %b\r\n" % (name, value)
                for name, value in self.headers
                if name not in (b"connection", b"upgrade", b"http2-settings")
            ]
            if closing:
                kept.append(b"connection: close\r\n")
            start = b"%b %b HTTP/1.1\r\n" % (self.parser.get_method(), self.url)
            self.parser = httptools.HttpRequestParser(self)
            data = b"".join((start, *kept, b"\r\n", rest))

    # ── deadlines ─────────────────────────────────────────────────────────────────────────────────

    def _expect(self, seconds: float) -> None:
        """What has begun to arrive must be whole in `seconds`. The timer in place is moved only
        when it would be late; a request that comes in one packet, as nearly all do, costs none."""
        due = self._late_at = self.loop.time() + seconds
        if due < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = due
            self._timer = self.loop.call_at(due, self._check_time)

    def _check_time(self) -> None:
        self._timer = None
        self._timer_at = NEVER
        if self._late_at == NEVER or self._deaf or self.transport.is_closing():
            return
        if self.loop.time() + 0.001 < self._late_at:  # uvloop's clock ticks in milliseconds
            self._timer_at = self._late_at
            self._timer = self.loop.call_at(self._late_at, self._check_time)
        elif self._in_head:
            seconds = self._limits.header_seconds
            self._refuse(408, f"the request's headers took longer than {seconds:g} s")
        elif self.cycle is not None and not self.cycle.response_complete:
            seconds = self._limits.body_seconds
            self._refuse(408, f"the request's body took longer than {seconds:g} s")
        else:  # nothing was asked, or what was asked is answered
            self.transport.close()

    def on_response_complete(self) -> None:
        self._late_at = NEVER
        super().on_response_complete()

    # ── httptools ─────────────────────────────────────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            # A pipelined request. RFC 9112 9.3.2 lets us close after the answer instead, and
            # uvicorn would not tell the running request that its client has gone.
            self.cycle.keep_alive = False
            self._deaf = True
            raise _RefusedError
        super().on_message_begin()
        self._in_head = True
        self._upgrade = False
        self._head_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # a trailer: it must not look like a header
        if b"_" in name:
            self._stop(400, "a header's name holds an underscore")
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        headers = self.headers
        names = [name for name, _ in headers]
        codings = names.count(b"transfer-encoding")
        if codings and any(
            n == b"transfer-encoding" and v.lower() != b"chunked" for n, v in headers
        ):
            self._stop(400, "only the transfer coding 'chunked' is understood")
        if b"expect" in names:
            self.expect_100_continue = dict(headers)[b"expect"].lower() == b"100-continue"
        if names.count(b"host") != 1:
            self._stop(400, "exactly one Host header is needed")
        if codings > 1 or (codings and self.parser.get_http_version() != "1.1"):
            self._stop(400, "Transfer-Encoding does not belong there")
        if not self.url.startswith(b"/"):
            self._stop(400, "the request's target is not a path")
        limit = self._limits.header_bytes
        if len(headers) > HEADER_COUNT:
            self._stop(431, f"more than {HEADER_COUNT} headers")
        # a packet within the limit cannot hold more headers than the limit: no need to add them up
        if self._packet > limit and sum(len(n) + len(v) + 4 for n, v in headers) > limit:
            self._stop(431, f"headers of more than {limit} bytes")
        if self.parser.should_upgrade():
            if not self._is_websocket():
                self._upgrade = True
                return
            self._tunnel = Tunnel(self.transport, self.flow)
            # a name of our own, as `leaving` is (cycle.py)
            self.scope["tunnel"] = self._tunnel  # type: ignore[typeddict-unknown-key]
        self._in_head = False
        self._late_at = NEVER
        self._begin_cycle()

    def _is_websocket(self) -> bool:
        offers = [v.lower() for n, v in self.headers if n == b"upgrade"]
        framed = any(n in (b"content-length", b"transfer-encoding") for n, _ in self.headers)
        return offers == [b"websocket"] and self.parser.get_method() == b"GET" and not framed

    def _begin_cycle(self) -> None:
        """As uvicorn does, with a Cycle of ours; a pipelined request never gets here."""
        url, scope = httptools.parse_url(self.url), self.scope
        version = self.parser.get_http_version()
        path = url.path.decode("ascii")
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["http_version"] = version
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = url.path
        scope["query_string"] = url.query or b""
        self.cycle = Cycle(
            self._outbox,
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0"
            and self._tunnel is None
            and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if self._tunnel is not None:
            self._tunnel.offered(self.cycle)
        self._start_asgi_task(self.cycle, self.app)

    def on_message_complete(self) -> None:
        if not self._upgrade:
            self._late_at = NEVER
            super().on_message_complete()

    # ── refusing ──────────────────────────────────────────────────────────────────────────────────

    def _stop(self, status: int, words: str) -> None:
        self._why = (status, words)
        raise _RefusedError

    def _refuse(self, status: int, words: str) -> None:
        """Answers, unless an answer is under way, and closes."""
        self._deaf = True
        cycle: Any = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
            cycle.leaving.happened()
            if cycle.response_started:
                self.transport.abort()
                return
        body = json.dumps({"error": {"type": "invalid_request_error", "message": words}}).encode()
        self._outbox.flush()
        self.transport.write(
            b"%bcontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
            % (STATUS_LINE[status], len(body), body)
        )
        # closing while the client still sends would reset the connection under the answer
        if self.transport.can_write_eof():
            self.transport.write_eof()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(LINGER, self.transport.abort)
