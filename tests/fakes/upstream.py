"""A provider that does what a test tells it to: answer, stall, drip, cut or talk nonsense.

A real server on loopback that writes its own HTTP, so that it can break it. It speaks OpenAI chat,
Anthropic messages and embeddings, streamed and not, keeps every request and its own bill, and knows
when its client left.

    async with FakeUpstream() as upstream:
        upstream.behave("gpt-4o", Behaviour(stall="middle"))    # every request for that model
        upstream.then(Behaviour(status=529), Behaviour())       # the next two, whatever they ask
        … call upstream.url("/v1/chat/completions") …
        await upstream.requests[0].closed.wait()                # its client has gone

A stalled answer goes on when `upstream.release` is set. Nothing here waits for wall-clock time but
`drip`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

import msgspec

from tests.fakes import answers

#: where an answer may stop. "accept": the request is not even read (only by `then`); "headers":
#: before the status line; "first": after the headers; "middle": halfway through the body; "end":
#: all is said, but a chunked answer has not got its end
Point = Literal["accept", "headers", "first", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one request is answered. The default is a good answer of ten words."""

    words: Sequence[str] = ("one ", "two ", "three ", "four ", "five ", "six ", "seven ", "eight ")
    #: stop there until `release` is set (or the client leaves)
    stall: Point | None = None
    #: close there
    cut: Point | None = None
    #: sent right before that, as one chunk of a chunked answer
    last: bytes = b""
    #: close by a reset instead of an orderly end
    reset: bool = False
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    #: sent instead of the model's answer
    body: bytes | None = None
    #: sent instead of all of it, status line included; the connection is then closed…
    raw: bytes | None = None
    #: …or left open
    raw_open: bool = False
    #: sent some time after the answer, when nobody asked
    unasked: bytes = b""
    #: bytes per write; 1 splits at every byte. None: a frame, or all, at once
    split: int | None = None
    #: seconds between writes
    drip: float = 0.0
    framing: Literal["auto", "length", "chunked", "close"] = "auto"
    #: close an idle connection right after this answer, without having said so
    close_after: bool = False
    tool: Mapping[str, Any] | None = None  # {"name": …, "input": {…}}: a tool call after the words
    thinking: str = ""
    seal: str = "c2ln"  # what it signs its thinking with
    stop: str = "end_turn"  # Anthropic's word; OpenAI's is derived
    usage: bool = True  # say what it cost
    #: streamed or whole as it was asked for, or in spite of it
    shape: Literal["asked", "whole", "stream"] = "asked"
    cached: int = 0  # prompt tokens served from a cache


@dataclass(slots=True)
class Seen:
    """One request as it arrived, and what it was billed."""

    method: str
    path: str
    headers: dict[str, str]
    raw_headers: list[tuple[str, str]]
    body: bytes
    connection: int  # counts from 1: two requests with the same number shared a connection
    #: the client closed its connection
    closed: asyncio.Event
    #: it came to the point where it stalls
    stalled: asyncio.Event = field(default_factory=asyncio.Event)
    #: all of the answer was written
    done: asyncio.Event = field(default_factory=asyncio.Event)
    input_tokens: int = 0
    #: tokens of the answer that were written before it ended or was cut
    output_tokens: int = 0
    behaviour: Behaviour = field(default_factory=Behaviour)

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def model(self) -> str:
        try:
            model = self.json.get("model", "")
        except (msgspec.DecodeError, AttributeError):
            return ""
        return model if isinstance(model, str) else ""


class FakeUpstream:
    """`requests` holds all that arrived, oldest first; `connections` how many were ever opened."""

    def __init__(
        self, default: Behaviour | None = None, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self._tls = tls
        self.default = default or Behaviour()
        self.requests: list[Seen] = []
        self.connections = 0
        self.release = asyncio.Event()
        #: chooses by the request itself, after `then` and before `behave`
        self.script: Callable[[Seen], Behaviour | None] | None = None
        self.port = 0
        self._by_model: dict[str, Behaviour] = {}
        self._next: deque[Behaviour] = deque()
        self._arrived = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    # ── the script ────────────────────────────────────────────────────────────────────────────────

    def behave(self, model: str, behaviour: Behaviour) -> None:
        """Every request that names `model`."""
        self._by_model[model] = behaviour

    def then(self, *behaviours: Behaviour) -> None:
        """The next requests, whatever they ask; they go before `behave`."""
        self._next.extend(behaviours)

    # ── what happened ─────────────────────────────────────────────────────────────────────────────

    @property
    def base(self) -> str:
        return self.url("/v1")

    def url(self, path: str) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}{path}"

    @property
    def billed(self) -> tuple[int, int]:
        """Input and output tokens of all requests."""
        return (
            sum(seen.input_tokens for seen in self.requests),
            sum(seen.output_tokens for seen in self.requests),
        )

    async def arrived(self, count: int) -> Seen:
        """Waits until `count` requests have arrived; returns the newest of them."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)
        return self.requests[count - 1]

    # ── the server ────────────────────────────────────────────────────────────────────────────────

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.StreamReaderProtocol:
            return asyncio.StreamReaderProtocol(_Reader(loop=loop), self._connected, loop)

        self._server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        assert isinstance(reader, _Reader)
        try:
            await self._serve(reader, writer, self.connections)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            pass  # the fake is closing; asyncio would log it
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: _Reader, writer: asyncio.StreamWriter, number: int) -> None:
        if self._next and self._next[0].stall == "accept":
            self._next.popleft()
            await self.release.wait()
        if self._next and self._next[0].cut == "accept":
            self._next.popleft()
            return
        while True:
            seen = await _read(reader, number)
            behaviour = seen.behaviour = self._choose(seen)
            async with self._arrived:
                self.requests.append(seen)
                self._arrived.notify_all()
            if not await self._answer(writer, seen, behaviour):
                return

    def _choose(self, seen: Seen) -> Behaviour:
        if self._next:
            return self._next.popleft()
        scripted = self.script(seen) if self.script is not None else None
        return scripted or self._by_model.get(seen.model, self.default)

    async def _answer(self, writer: asyncio.StreamWriter, seen: Seen, behaviour: Behaviour) -> bool:
        """Writes one answer. True if the connection serves on."""
        pieces, tokens = answers.pieces(seen, behaviour)
        middle = max(2, len(pieces) // 2)
        points: dict[int, Point] = {len(pieces) - 1: "end", middle: "middle", 1: "first"}
        points[0] = "headers"
        for index, piece in enumerate(pieces):
            point = points.get(index)
            if point is not None and behaviour.stall == point:
                seen.stalled.set()
                await _either(self.release, seen.closed)
            if seen.closed.is_set():
                return False
            if point is not None and behaviour.cut == point:
                if behaviour.last:
                    last = behaviour.last
                    await _write(writer, b"%x\r\n%b\r\n" % (len(last), last), behaviour)
                if behaviour.reset:
                    writer.transport.abort()
                return False
            await _write(writer, piece, behaviour)
            seen.output_tokens += tokens[index]
        seen.done.set()
        if behaviour.unasked:
            await self.release.wait()
            writer.write(behaviour.unasked)
        if behaviour.raw is not None and not behaviour.raw_open:
            return False
        if behaviour.framing == "close" or behaviour.close_after:
            return False
        return seen.headers.get("connection", "").lower() != "close"


class _Reader(asyncio.StreamReader):
    """Says that its client has closed even while nobody reads."""

    def __init__(self, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self.closed = asyncio.Event()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.closed.set()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self.closed.set()


async def _read(reader: _Reader, number: int) -> Seen:
    """One request. Raises IncompleteReadError at the end of the connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    start, *lines = head[:-4].split("\r\n")
    method, path, _ = start.split(" ")
    pairs = [(name.lower(), value.strip()) for name, _, value in (x.partition(":") for x in lines)]
    headers = dict(pairs)
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    seen = Seen(method, path, headers, pairs, body, number, reader.closed)
    seen.input_tokens = answers.count(body.decode("utf-8", "replace"))
    return seen


async def _write(writer: asyncio.StreamWriter, piece: bytes, behaviour: Behaviour) -> None:
    size = behaviour.split or max(len(piece), 1)
    for start in range(0, len(piece), size):
        writer.write(piece[start : start + size])
        await writer.drain()
        if behaviour.split or behaviour.drip:  # a packet of its own for each
            await asyncio.sleep(behaviour.drip)


async def _either(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
