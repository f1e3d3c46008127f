"""What a connection must do before it is a request: the bounds that uvicorn does not have.

uvicorn's httptools protocol has no deadline for headers, no bound on them, and lets a missing or
double Host, a trailer and a half-refused Transfer-Encoding through to the app. One rule: whatever
is refused here is answered once, and the connection is never used again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from router.asgi import Scope
from router.cycle import Cycle, Serving
from router.guards import head
from router.guards.presence import Presence
from router.guards.refusal import refusal
from router.guards.room import make_room
from router.guards.tunnel import Tunnel
from router.guards.unread import Unread
from router.outbox import Outbox
from router.settings import Limits

#: more headers than any client sends; Claude Code sends about 25
HEADER_COUNT = 100
#: bytes of a body that give it another second: less is no line but a trick
RATE = 8192
#: seconds a refused client may go on sending, so that it reads the answer before the reset
LINGER = 1.0
NEVER = float("inf")
_ASGI = {"version": "3.0", "spec_version": "2.3"}


class _RefusedError(Exception):
    """Stops the parser inside a callback."""


class GuardedProtocol(HttpToolsProtocol):
    """One client connection. `emptied` is called when the last connection has gone.

    Of uvicorn's own, what is done for every request is done here instead: for one whose answers
    are Cycles, which takes no second request before the first is answered.
    """

    cycle: Cycle | None  # type: ignore[assignment]

    def __init__(
        self,
        config: Config,
        state: Serving,
        limits: Limits,
        loop: asyncio.AbstractEventLoop,
        emptied: Callable[[], None],
        outbox: Outbox,
    ) -> None:
        super().__init__(config, state, {}, loop)
        self._serving = state
        self._limits = limits
        self._emptied = emptied
        self._outbox = outbox
        self._in_head = False
        self._head_bytes = 0
        self._packet = 0
        self._upgrade = False
        #: the URL that was last asked for, and what a scope holds of it
        self._asked = b""
        self._scope: Scope = {}
        #: bytes of a request since the last of its body; None: the last packet held some
        self._bare: int | None = 0
        #: nothing more is read: the connection was refused, or will close after this answer
        self._deaf = False
        #: set by a WebSocket's handshake: nothing more is read as HTTP
        self._tunnel: Tunnel | None = None
        #: set by a client that ended its side while it waits for an answer
        self._presence: Presence | None = None
        self._why: tuple[int, str] | None = None
        #: when what is arriving must be whole (loop time)
        self._late_at = NEVER
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = NEVER

    # ── asyncio.Protocol ──────────────────────────────────────────────────────────────────────────

    # as uvicorn's own, which narrows what asyncio hands over
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        #: whether the client takes what waits for it
        self._unread = Unread(self.loop, transport, self._limits.unread_seconds)
        if len(self.connections) > self._limits.connections and not self._make_room():
            self._refuse(503, "too many connections: try again in a moment")
            return
        self._expect(self._limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._presence is not None:
            self._presence.over()
        self.connections.discard(self)
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.left()
        self.resume_writing()
        if self._tunnel is not None:
            self._tunnel.ended()
        if exc is None:
            self.transport.close()
        self.parser = None  # type: ignore[assignment]  # else a ring for the collector
        if not self.connections:
            self._emptied()

    # uvicorn's own leaves it to asyncio, which closes
    def eof_received(self) -> bool:  # type: ignore[override]
        """Whether the way back stays open. A client that ends its side while it reads an answer has
        left; one that does so before may have done with sending alone."""
        cycle = self.cycle
        if self._presence is not None:  # told anew, as reading was taken up again
            return True
        if cycle is None or cycle.response_complete:
            self._outbox.flush()  # else its answer, made in this turn, would be lost
            return False
        if cycle.more_body or cycle.response_started or cycle.disconnected or self._tunnel:
            return False
        cycle.keep_alive = False
        self._presence = Presence(self.loop, self.transport, cycle)
        return True

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
        self._packet = len(data)
        try:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as stop:
                self._offered(data[stop.args[0] :])
        except httptools.HttpParserError as error:
            if not self._deaf:
                self._refuse(*(self._why or head.unclear(error, data)))
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
        elif not self._in_head:
            self._more_came(len(data))

    def _more_came(self, size: int) -> None:
        """Of a body in several packets. Puts off its end, as a slow line may need longer for a
        large one, and bounds a trailer, of which the parser keeps each line until it is whole."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._late_at += size / RATE
        if self._bare is None:
            self._bare = 0
            return
        self._bare += size
        if self._bare > self._limits.header_bytes:
            self._refuse(431, f"trailers of more than {self._limits.header_bytes} bytes")

    def _offered(self, rest: bytes) -> None:
        """An offer to upgrade (Java and `curl --http2` make one on each request) is not taken up:
        the parser stops at it, so it is started anew on the same request without the offer. But a
        WebSocket's is: the request is over, and what follows belongs to whoever takes it."""
        while self._tunnel is None:
            parser = self.parser
            method, version = parser.get_method(), parser.get_http_version()
            self.parser = httptools.HttpRequestParser(self)
            data = head.without_offer(method, self.url, version, self.headers) + rest
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as stop:  # of a request behind it
                rest = data[stop.args[0] :]
        self._deaf = True
        self._tunnel.fed(rest)

    # ── room ─────────────────────────────────────────────────────────────────────────────────────

    def _make_room(self) -> bool:
        everyone = cast(set[GuardedProtocol], self.connections)
        return make_room(each for each in everyone if each is not self)

    @property
    def unused_since(self) -> float:
        """Loop time; 0.0 while it is used."""
        if self._deaf or self._in_head or self.transport.is_closing():
            return 0.0
        if self.cycle is None:
            return self._late_at - self._limits.header_seconds
        return self._late_at - self.timeout_keep_alive if self.cycle.response_complete else 0.0

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
        if self.transport.is_closing():  # and waits for a client to read its last answer
            self._unread.watch()
            return
        if self._late_at == NEVER or self._deaf:
            return
        if self.loop.time() + 0.001 < self._late_at:  # uvloop's clock ticks in milliseconds
            self._timer_at = self._late_at
            self._timer = self.loop.call_at(self._late_at, self._check_time)
        elif self._in_head:
            seconds = self._limits.header_seconds
            self._refuse(408, f"the request's headers took longer than {seconds:g} s")
        elif self.cycle is not None and not self.cycle.response_complete:
            seconds = self._limits.body_seconds
            # set by a door that sends a body on as it comes: then it need not end, only go on
            scope = cast(Scope, self.cycle.scope)
            if scope.get("moved") or ("moved" in scope and self.flow.read_paused):
                scope["moved"] = False
                self._expect(seconds)
                return
            how = "fell silent for" if "moved" in scope else "took longer than"
            self._refuse(408, f"the request's body {how} {seconds:g} s")
        else:  # nothing was asked, or what was asked is answered
            self.transport.close()
            self._unread.watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread.watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread.over()

    def on_response_complete(self) -> None:
        if self.flow.read_paused:
            self.flow.resume_reading()
        self._expect(self.timeout_keep_alive)

    # ── httptools ─────────────────────────────────────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            # A pipelined request. RFC 9112 9.3.2 lets us close after the answer instead, and
            # uvicorn would not tell the running request that its client has gone.
            cycle.keep_alive = False
            self._deaf = True
            raise _RefusedError
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._in_head = True
        self._upgrade = False
        self._head_bytes = 0
        self._late_at = NEVER

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # else a trailer: it must not look like a header
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        headers = self.headers
        found = dict(headers)
        if b"_" in b"".join(found):
            self._stop(400, "a header's name holds an underscore")
        if b"transfer-encoding" in found:
            self._bare = 0
            self._stop_for(head.coding_fault(headers, self.parser.get_http_version()))
        if b"expect" in found:
            wants = found[b"expect"].lower() == b"100-continue"
            self.expect_100_continue = wants and self.parser.get_http_version() != "1.0"
        if b"host" not in found or len(found) < len(headers):
            self._name(found)
        if not self.url.startswith(b"/"):
            self._stop_for(head.target_fault(self.url, found[b"host"]))
            self.url = head.path_of(self.url)
        limit = self._limits.header_bytes
        if len(headers) > HEADER_COUNT:
            self._stop(431, f"more than {HEADER_COUNT} headers")
        # a packet within the limit cannot hold more headers than the limit: no need to add them up
        if self._packet > limit:
            size = sum((len(n) + len(v) + 4 for n, v in headers), start=len(self.url))
            if size > limit:
                self._stop(431, f"headers of more than {limit} bytes")
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":  # an upgrade, whatever its headers are
                self._stop(400, "no tunnels are made: this is not a proxy")
            if not head.is_websocket(self.parser.get_method(), headers):
                self._upgrade = True
                return
            self._tunnel = Tunnel(self.transport, self.flow)
        self._in_head = False
        self._late_at = NEVER
        self._begin_cycle()

    def _name(self, found: dict[bytes, bytes]) -> None:
        """Of a head without a Host, or with something twice."""
        if b"host" not in found and self.server and self.parser.get_http_version() == "1.0":
            found[b"host"] = head.host_of(self.server[0])
            self.headers.append((b"host", found[b"host"]))
        if [name for name, _ in self.headers].count(b"host") != 1:
            self._stop(400, "exactly one Host header is needed")

    def _begin_cycle(self) -> None:
        """As uvicorn does, with a Cycle of ours; a pipelined request never gets here."""
        parser = self.parser
        version = parser.get_http_version()
        if self.url != self._asked:
            self._place()
        scope: Scope = {
            **self._scope,
            "http_version": version,
            "method": parser.get_method().decode("ascii"),
            "headers": self.headers,
        }
        tunnel = self._tunnel
        cycle = self.cycle = Cycle(
            scope,
            self.transport,
            self.flow,
            self._outbox,
            self._serving,
            version != "1.0" and tunnel is None and parser.should_keep_alive(),
            self.expect_100_continue,
            self.on_response_complete,
        )
        if tunnel is not None:
            scope["tunnel"] = tunnel  # a name of our own, as `leaving` is (cycle.py)
            tunnel.offered(cycle)
        task = self.loop.create_task(cycle.run_asgi(self.app))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _place(self) -> None:
        """What a scope holds of the connection and the URL: a client asks for the same again."""
        if self.parser.get_http_version() not in ("1.1", "1.0"):
            self._stop(505, "only HTTP/1.1 and HTTP/1.0 are spoken here")
        self._asked, url = self.url, httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        self._scope = {
            "type": "http",
            "asgi": _ASGI,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "root_path": "",
            "path": unquote(path) if "%" in path else path,
            "raw_path": url.path,
            "query_string": url.query or b"",
        }

    def on_body(self, data: bytes) -> None:
        self._bare = None
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.fed(data)

    def on_message_complete(self) -> None:
        cycle = self.cycle
        if self._upgrade or cycle is None:
            return
        if not cycle.response_complete:
            self._late_at = NEVER
            cycle.ended()
        elif not cycle.keep_alive:  # it was answered before it was whole
            self.transport.close()
            self._deaf = True
            raise _RefusedError

    # ── refusing ──────────────────────────────────────────────────────────────────────────────────

    def _stop(self, status: int, words: str) -> None:
        self._why = (status, words)
        raise _RefusedError

    def _stop_for(self, fault: str) -> None:
        if fault:
            self._stop(400, fault)

    def _refuse(self, status: int, words: str) -> None:
        """Answers, unless an answer is under way, and closes."""
        self._deaf = True
        id = self._serving.turned(status, words, self._asking())
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.leaving.refused = (status, words)
            cycle.left()
            if cycle.response_started:
                self.transport.abort()
                return
        self._outbox.flush()
        self.transport.write(refusal(status, words, id, self._serving.lines))
        # closing while the client still sends would reset the connection under the answer
        if self.transport.can_write_eof():
            self.transport.write_eof()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(LINGER, self.transport.abort)

    def _asking(self) -> str:
        """Who was refused, and for what path as far as one is known; a query may hold a key."""
        who = self.client[0] if self.client else "a local program"
        path = self.url.partition(b"?")[0].decode("latin-1") if self.headers is not None else ""
        return f"{who}, for {path}" if path else who
