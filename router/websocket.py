"""A WebSocket that a client opened at a door of ours: its messages one by one, and ours to it.

One rule: what a client can make us hold is bounded, in messages and in bytes, and a client that
has gone is noticed, whether it is being served or not.
"""

from __future__ import annotations

import asyncio
from collections import deque

from websockets.datastructures import Headers
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import Protocol, Side, State
from websockets.server import ServerProtocol

from router.asgi import Scope
from router.cycle import Leaving
from router.errors import CallerError
from router.guards.tunnel import Tunnel

#: seconds of silence after which a client is pinged; after as many again it has gone
SILENCE = 30.0
#: messages that may wait while one is answered
WAITING = 8
#: seconds for a client to close as well
LINGER = 1.0


def handshake(scope: Scope, headers: list[tuple[str, str]]) -> bytes:
    """The answer that accepts a client's handshake, with `headers`. Raises CallerError."""
    asked = Headers((n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"])
    response = ServerProtocol().accept(Request(scope["path"], asked))
    if response.status_code != 101:
        words = bytes(response.body or b"").decode("latin-1").partition("\n")[0]
        raise CallerError(words, status=response.status_code)
    response.headers.update(headers)
    return response.serialize()


class Socket:
    """One connection. `limit` is in bytes, for one message and for all that wait."""

    def __init__(self, tunnel: Tunnel, limit: int, silence: float = SILENCE) -> None:
        self.flow = tunnel.flow
        self.leaving = Leaving()  # of the client, while it is served
        self.stopping = False  # the router ends
        self._tunnel = tunnel
        self._limit = limit
        self._silence = silence
        self._protocol = Protocol(Side.SERVER, max_size=limit)
        self._begun = bytearray()  # of a message in pieces
        self._waiting: deque[bytes] = deque()
        self._size = 0  # bytes of those
        self._arrived = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    def open(self, head: bytes) -> None:
        """Takes the connection over. `head` answers the handshake; `close` is the door's duty."""
        self._tunnel.take(self._stop)
        self._tunnel.put(head)
        self._listening = asyncio.create_task(self._listen())

    async def message(self) -> bytes | None:
        """The next one; None when there will be none, or none is to be served any more."""
        while not (self._waiting or self.stopping or self.leaving.gone):
            self._arrived.clear()
            await self._arrived.wait()
        if self.stopping or self.leaving.gone:
            return None
        message = self._waiting.popleft()
        self._size -= len(message)
        return message

    async def ready(self) -> None:
        """Waits while the client reads more slowly than we write."""
        await self._tunnel.ready()

    def send(self, text: bytes) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_text(text)
            self._flush()

    async def close(self, code: CloseCode = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        """Ends the connection, in order where the client has not gone."""
        assert self._listening is not None
        try:
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(code, reason)
                self._flush()
            await asyncio.wait((self._listening,), timeout=LINGER)
        finally:
            self._listening.cancel()
            self._tunnel.close()

    def _stop(self) -> None:
        self.stopping = True
        self._arrived.set()

    # ── what comes ────────────────────────────────────────────────────────────────────────────────

    async def _listen(self) -> None:
        over = False
        try:
            while not over and (data := await self._heard()):
                self._protocol.receive_data(data)
                for event in self._protocol.events_received():
                    if isinstance(event, Frame):
                        self._take(event)
                over = self._flush()
                await self.ready()  # whoever does not read our pongs is not read either
        finally:
            self.leaving.happened()
            self._arrived.set()

    async def _heard(self) -> bytes:
        """b"" when the client has left, or says nothing although it was asked."""
        asked = False
        while True:
            try:
                async with asyncio.timeout(self._silence):
                    return await self._tunnel.read()
            except TimeoutError:
                if self.flow.write_paused:
                    continue  # a ping would come after all that it has yet to read
                if asked:
                    return b""
            asked = True
            if self._protocol.state is State.OPEN:
                self._protocol.send_ping(b"")
                self._flush()

    def _take(self, frame: Frame) -> None:
        if frame.opcode is Opcode.BINARY:
            self._protocol.fail(CloseCode.UNSUPPORTED_DATA, "messages are JSON, as text")
        if frame.opcode not in (Opcode.TEXT, Opcode.CONT):
            return
        self._begun += frame.data
        if not frame.fin:
            return
        message = bytes(self._begun)
        self._begun.clear()
        if len(self._waiting) >= WAITING or self._size + len(message) > self._limit:
            self._protocol.fail(CloseCode.POLICY_VIOLATION, "too much waits for its turn")
            return
        self._waiting.append(message)
        self._size += len(message)
        self._arrived.set()

    def _flush(self) -> bool:
        """Whether that was all that either side will say."""
        over = False
        for data in self._protocol.data_to_send():
            self._tunnel.put(data)
            over = not data
        return over
