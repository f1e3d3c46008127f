"""The simulator as an ASGI app: paths, waiting, and what happens when a client leaves.

One rule: here alone is waited and looked at a clock; what is answered is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NoReturn

import msgspec

from router.simulator import anthropic, embeddings, models, ollama, openai
from router.simulator.answer import answer
from router.simulator.cache import PromptCache
from router.simulator.dialect import Dialect, Reply, encode
from router.simulator.models import Drill, Pace
from router.simulator.prompt import JSON, BadRequestError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LARGEST_BODY = 64 * 1024 * 1024
#: seconds to the first token of simulate-slow
SLOW = 30.0
PACE_HEADER = b"x-pointsman-simulator-pace"

_CHAT = openai.Chat()
_MESSAGES = anthropic.Messages()
_SPEAKS: dict[str, Dialect] = {
    "/chat/completions": _CHAT,
    "/completions": openai.Completions(),
    "/messages": _MESSAGES,
    "/api/chat": ollama.chat(),
    "/api/generate": ollama.generate(),
}
#: answers that are computed at once, and the dialect of their errors
_ANSWERS: dict[str, tuple[Callable[[JSON], JSON], Dialect]] = {
    "/messages/count_tokens": (anthropic.count_tokens, _MESSAGES),
    "/embeddings": (embeddings.openai, _CHAT),
    "/api/embed": (embeddings.ollama, _SPEAKS["/api/chat"]),
    "/api/show": (ollama.show, _SPEAKS["/api/chat"]),
}


class Gone(Exception):
    """The client has left."""


class Simulator:
    """`pace` is a factor on every wait; 0: none."""

    def __init__(self, pace: float = 1.0) -> None:
        self._pace = pace
        self._cache = PromptCache()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = _Exchange(scope, send)
        path = scope["path"].rstrip("/")
        try:
            if scope["method"] in ("GET", "HEAD"):
                await self._look_up(exchange, path)
            elif scope["method"] == "POST":
                await self._post(exchange, path, await _body(receive), receive)
            else:
                await exchange.whole(405, {"error": "the simulator knows GET and POST"})
        except Gone:
            return

    async def _look_up(self, exchange: _Exchange, path: str) -> None:
        found = _look_up(path, "anthropic-version" in exchange.headers)
        await exchange.whole(200 if found else 404, found or {"error": f"no such path: {path}"})

    async def _post(self, exchange: _Exchange, path: str, raw: bytes, receive: Receive) -> None:
        for suffix, (compute, dialect) in _ANSWERS.items():
            if path.endswith(suffix):
                try:
                    await exchange.whole(200, compute(_decode(raw)))
                except BadRequestError as error:
                    await exchange.whole(400, dialect.error(400, error.message, error.param))
                return
        for suffix, dialect in _SPEAKS.items():
            if path.endswith(suffix):
                speaking = self._speak(exchange, dialect, raw)
                await _while_there(speaking, receive)
                return
        await exchange.whole(404, {"error": f"no such path: {path}"})

    async def _speak(self, exchange: _Exchange, dialect: Dialect, raw: bytes) -> None:
        try:
            prompt = dialect.parse(_decode(raw))
        except BadRequestError as error:
            await exchange.whole(400, dialect.error(400, error.message, error.param))
            return
        except RecursionError:  # decoded in C, but too deep to be walked
            await exchange.whole(400, dialect.error(400, "the body is nested too deeply", None))
            return
        drill = models.drill(prompt.model, prompt.tokens)
        if drill is not None and drill.kind == "status":
            more = [(b"retry-after", b"1")] if drill.status in (429, 503, 529) else []
            body = dialect.error(drill.status, drill.message)
            await exchange.whole(drill.status, body, more)
            return
        id, now = secrets.token_hex(12), time.time()
        pace = models.pace(prompt.model, id)
        reply = Reply(
            prompt=prompt,
            answer=answer(prompt),
            input=dialect.cached(self._cache, prompt, now),
            now=int(now),
            id=id,
            group=pace.group,
        )
        clock = _Metronome(pace, self._factor(exchange), SLOW if _is(drill, "slow") else 0.0)
        if prompt.stream:
            await _stream(exchange, dialect, reply, clock, drill)
        else:
            await _answer(exchange, dialect, reply, clock, drill)

    def _factor(self, exchange: _Exchange) -> float:
        try:
            return float(exchange.headers.get(PACE_HEADER.decode(), self._pace))
        except ValueError:
            return self._pace


class _Exchange:
    """One request's headers (lower-case names) and the way to answer it."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        self._send = send

    async def start(
        self, status: int, content_type: str, more: list[tuple[bytes, bytes]] | None = None
    ) -> None:
        headers = [
            (b"content-type", content_type.encode()),
            (b"x-pointsman-simulated", b"1"),
            *(more or ()),
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, data: bytes, more: bool = True) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def whole(
        self, status: int, body: JSON, more: list[tuple[bytes, bytes]] | None = None
    ) -> None:
        data = encode(body)
        length = (b"content-length", str(len(data)).encode())
        await self.start(status, "application/json", [length, *(more or ())])
        await self.write(data, more=False)


class _Metronome:
    """Waits as long as a model would have taken, without drifting."""

    def __init__(self, pace: Pace, factor: float, delay: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._per_token = factor / pace.rate
        self._due = self._loop.time() + factor * (pace.first + delay)
        self._waits = factor > 0

    async def tokens(self, count: int) -> None:
        if self._waits and count:
            self._due += count * self._per_token
            await asyncio.sleep(self._due - self._loop.time())


async def _answer(
    exchange: _Exchange, dialect: Dialect, reply: Reply, clock: _Metronome, drill: Drill | None
) -> None:
    if _is(drill, "stall"):
        await _forever()
    await clock.tokens(reply.answer.tokens)
    if _is(drill, "error"):
        await exchange.whole(529, dialect.error(529, "Overloaded (simulated)"))
        return
    body = dialect.whole(reply)
    if _is(drill, "cut"):
        data = encode(body)
        length = (b"content-length", str(len(data)).encode())
        await exchange.start(200, "application/json", [length])
        await exchange.write(data[: len(data) // 2])
        return  # the server closes a connection on which an answer was left unfinished
    await exchange.whole(200, body)


async def _stream(
    exchange: _Exchange, dialect: Dialect, reply: Reply, clock: _Metronome, drill: Drill | None
) -> None:
    await exchange.start(200, dialect.content_type, [(b"cache-control", b"no-cache")])
    breaks = drill is not None and drill.kind in ("stall", "cut", "error")
    sent = 0
    for piece in dialect.stream(reply):
        if breaks and sent >= models.BREAKS_AFTER:
            if _is(drill, "stall"):
                await _forever()
            if _is(drill, "error"):
                await exchange.write(dialect.broken("Overloaded (simulated)"), more=False)
            return  # "cut": left unfinished, as above
        await clock.tokens(piece.tokens)
        await exchange.write(piece.data)
        sent += piece.tokens
    await exchange.write(b"", more=False)


async def _forever() -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError("unreachable: nothing sets the event")


async def _while_there(work: Awaitable[None], receive: Receive) -> None:
    """Does `work` until it is done or the client leaves. Raises Gone."""
    speaking = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((speaking, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not speaking.done():
            raise Gone
        await speaking
    finally:
        for task in (speaking, leaving):
            task.cancel()
        await asyncio.gather(speaking, leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(receive: Receive) -> bytes:
    """Raises Gone; a body beyond LARGEST_BODY is not waited for either."""
    parts, size, more = [], 0, True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise Gone
        size += len(event.get("body", b""))
        if size > LARGEST_BODY:
            raise Gone
        parts.append(event.get("body", b""))
        more = event.get("more_body", False)
    return b"".join(parts)


def _decode(raw: bytes) -> JSON:
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequestError(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise BadRequestError("the body must be a JSON object")
    return body


def _look_up(path: str, anthropic_client: bool) -> JSON | None:
    now = int(time.time())
    match path.rpartition("/")[2]:
        case "tags":
            return ollama.tags(models.LOCAL_MODELS, now)
        case "ps":
            return ollama.loaded(models.LOCAL_MODELS, now)
        case "version":
            return {"version": ollama.VERSION}
        case "models":
            return models.anthropic_list() if anthropic_client else models.openai_list()
        case "" | "health":
            return {"status": "ok", "simulated": True}
    _, listed, name = path.partition("/models/")
    if listed and name:
        return models.anthropic_card(name) if anthropic_client else models.openai_card(name)
    return None


def _is(drill: Drill | None, kind: str) -> bool:
    return drill is not None and drill.kind == kind
