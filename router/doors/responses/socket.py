"""The Responses API over a WebSocket: `GET /v1/responses` with an offer to upgrade.

Its one rule: nothing is decided here. Each `response.create` goes through the door it came by as a
POST of its own, with the handshake's headers; what is written back goes out as messages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from websockets.frames import CloseCode

from router.asgi import Message, Receive, Scope
from router.call import Call
from router.contract import VERSION
from router.delivery import DONE
from router.doors.border import guarded
from router.doors.responses import GOES_ON
from router.errors import CallerError, RequestError, UpstreamError
from router.formats import Format
from router.framing import Framer
from router.messages import Event, Finish, Start, Usage, UsageSeen
from router.responses.latest import Asked, Latest
from router.websocket import Socket, handshake

if TYPE_CHECKING:
    from router.service import Router

Serve = Callable[[Call], Awaitable[None]]
Known = Callable[[str], bool]

#: headers of the handshake that no turn has
_HANDSHAKE = frozenset(
    (b"connection", b"upgrade", b"content-type", b"content-length", b"openai-beta")
)
#: headers of an error that a client acts upon
_TOLD = (b"retry-after", b"x-should-retry")
_ANSWERED = ("response.completed", "response.incomplete")


async def converse(router: Router, call: Call, format: Format, known: Known, serve: Serve) -> None:
    """Serves one connection, one turn after the other. `serve` is the door; `known` is Latest's.
    Raises CallerError while it can still be answered by HTTP."""
    limits = router.generation.limits
    socket = Socket(call.scope["tunnel"], limits.body_bytes)
    latest = Latest(limits.body_bytes)
    until = router.now() + limits.socket_seconds
    scope = _scope(call.scope, socket)
    told = [("x-pointsman", VERSION), ("x-request-id", call.named())]
    sent = call.headers.get("x-request-id", "")[:100]
    if sent.isascii() and sent.isprintable() and sent:
        told.append(("x-client-request-id", sent))
    socket.open(handshake(call.scope, told))
    try:
        while (message := await _next(router, socket, until)) is not None:
            turn = Turn(socket)
            post = Call({**scope}, call.receive, turn.send, call.path)
            work = _answer(router, post, turn, format, latest, message, known, serve)
            await guarded(router, post, format, work)
            socket.leaving.forget()
            turn.end(format)
        if not socket.stopping and not socket.leaving.gone:
            words = f"a connection lasts {limits.socket_seconds:g} s: open another"
            code = "websocket_connection_limit_reached"
            Turn(socket).refuse(format, CallerError(words, code=code))
    finally:
        await socket.close(CloseCode.GOING_AWAY if socket.stopping else CloseCode.NORMAL_CLOSURE)


async def _next(router: Router, socket: Socket, until: float) -> bytes | None:
    """None where the connection is to end."""
    left = until - router.now()
    if left <= 0:
        return None
    try:
        async with asyncio.timeout(left):
            return await socket.message()
    except TimeoutError:
        return None


async def _answer(
    router: Router,
    post: Call,
    turn: Turn,
    format: Format,
    latest: Latest,
    message: bytes,
    known: Known,
    serve: Serve,
) -> None:
    """Raises CallerError."""
    try:
        asked = latest.asked(message, known)
    except CallerError as error:
        post.receive = _receive(error)  # refused where a body is read: with a row, as by HTTP
        await serve(post)
        return
    try:
        if asked.generate:
            post.scope[GOES_ON] = asked.previous
            post.receive = _receive(asked.body)
            await serve(post)
        else:
            events = _nothing(router, format, asked)
            await post.begin(200, format.content_type)
            await post.end(events)
    finally:
        if turn.id:
            latest.answered(asked, turn.id, turn.output)
        else:
            latest.failed(asked)


def _nothing(router: Router, format: Format, asked: Asked) -> bytes:
    """A response without output. Codex asks for one (`generate: false`) before its user has said a
    word, so that OpenAI reads its tools and instructions early: no provider of ours need know."""
    request = format.parse_request(asked.body)
    writer = format.writer(request, now=int(router.wall()), id=router.new_id())
    model = request.model or ""
    events: tuple[Event, ...] = (
        Start("", model, Usage()),
        UsageSeen(Usage()),
        Finish("end_turn"),
    )
    return b"".join(map(writer.feed, events)) + writer.close()


def _scope(handshake: Scope, socket: Socket) -> Scope:
    """That of every turn's POST."""
    headers = [
        (name, value)
        for name, value in handshake["headers"]
        if name not in _HANDSHAKE and not name.startswith(b"sec-websocket-")
    ]
    headers.append((b"content-type", b"application/json"))
    scope = {**handshake, "method": "POST", "headers": headers, "leaving": socket.leaving}
    del scope["tunnel"]
    return scope


def _receive(body: bytes | CallerError) -> Receive:
    async def receive() -> Message:
        if isinstance(body, CallerError):
            raise body
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


class _Event(Struct):
    type: str = ""
    response: msgspec.Raw = msgspec.Raw(b"{}")


class _Response(Struct):
    id: str = ""
    output: msgspec.Raw = msgspec.Raw(b"[]")


_event = msgspec.json.Decoder(_Event).decode
_response = msgspec.json.Decoder(_Response).decode


class Turn:
    """Where the answer of one turn goes, as a Cycle is where that of a request goes. `id` and
    `output` are the response's, once it was answered."""

    def __init__(self, socket: Socket) -> None:
        self.flow = socket.flow
        self.id = ""
        self.output = b"[]"
        self._socket = socket
        self._framer = Framer()
        self._status = 0
        self._told: dict[str, str] = {}
        self._body = b""  # of an error
        self._ended = False

    def arrived(self) -> bytes | None:
        return None  # it came as a message, and a Call's `receive` tells it

    async def ready(self) -> None:
        await self._socket.ready()

    async def send(self, message: Message) -> None:
        """ASGI's send: a Call finds its way out by it, and writes past it."""
        self.write(message.get("body", b""), message.get("more_body", False))

    def begin(self, status: int, lines: bytes, length: int | None) -> None:
        self._status = status
        if status >= 400:
            pairs = (line.partition(b": ") for line in lines.split(b"\r\n"))
            self._told = {n.decode(): v.decode("latin-1") for n, _, v in pairs if n in _TOLD}

    def write(self, body: bytes, more: bool) -> None:
        if self._status < 400:
            for frame in self._framer.feed(body):
                self._say(frame.data)
            return
        self._body += body
        if not more:
            self._fail(self._status, self._body)

    def end(self, format: Format) -> None:
        """After all was written: what broke off is said to have."""
        if not self._ended:
            self.refuse(format, UpstreamError("the answer broke off", kind="upstream", status=502))

    def refuse(self, format: Format, error: RequestError) -> None:
        self._fail(format.client_status(error), format.render_error(error))

    def _say(self, data: bytes) -> None:
        if self._ended or not data or data == DONE:
            return  # a ping is the connection's own here
        event = _event(data)
        self._socket.send(data)
        if event.type == "response.failed":
            self._ended = True
        elif event.type in _ANSWERED:
            self._ended = True
            response = _response(event.response)
            self.id, self.output = response.id, bytes(response.output)

    def _fail(self, status: int, body: bytes) -> None:
        error: dict[str, Any] = msgspec.json.decode(body)["error"]
        error["code"] = str(error.get("code") or error.get("type") or "error")
        envelope: dict[str, Any] = {"type": "error", "status": status, "error": error}
        if self._told:
            envelope["headers"] = self._told
        self._socket.send(msgspec.json.encode(envelope))
        self._ended = True
