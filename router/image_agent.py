"""CCR's image agent: models that see nothing are told what is in a picture (forceUseImageAgent).

Each picture of the conversation is described once by the Router's `image` model, and stands as
those words from then on, the same in every turn. The description is a request of its own, through
our own door: it has its row, its retries and its price. CCR injects a tool for this, whose calls
leak to clients without a session; words need no tool.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import sha256

import msgspec
from msgspec.structs import replace

from router.errors import RequestError, UpstreamError
from router.formats.anthropic_messages.render import block_of
from router.messages import Image, Message, Part, Request, Text, ToolResult
from router.settings import Generation, Timeouts
from router.transport import Transport

#: descriptions remembered
REMEMBERED = 500
#: tokens that a description may have
LONGEST = 1_500
_WISH = (
    "Describe this picture for someone who cannot see it and has to work with what it shows. Copy "
    "all text in it word for word; name what is where, sizes, colours and states of controls. "
    "Write nothing but the description."
)

#: asks our own door: the body, and the session it belongs to; gives the answer's text
Ask = Callable[[bytes, str], Awaitable[str]]


class ImageAgent:
    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._known: OrderedDict[str, asyncio.Task[str]] = OrderedDict()

    async def described(
        self, request: Request, target: str, session: str
    ) -> tuple[Request, tuple[str, ...]]:
        """The request with words for pictures, and why a picture stayed one; the same object where
        there is none. `target` is the model that sees; a request for it is left alone."""
        if request.model == target:
            return request, ()
        pictures = [image for m in request.messages if m.role == "user" for image in _images(m)]
        if not pictures:
            return request, ()
        tasks = {_key(image): self._look(image, target, session) for image in pictures}
        # shielded: another request may wait for the same picture
        waits = (asyncio.shield(task) for task in tasks.values())
        results = await asyncio.gather(*waits, return_exceptions=True)
        words: dict[str, str] = {}
        problems: list[str] = []
        for key, result in zip(tasks, results, strict=True):
            if isinstance(result, str):
                words[key] = result
            elif isinstance(result, RequestError):
                self._known.pop(key, None)
                problems.append(f"image agent: {result.message}"[:300])
            else:
                self._known.pop(key, None)
                raise result
        numbers = {key: number for number, key in enumerate(words, 1)}

        def told(part: Part) -> Part:
            if isinstance(part, ToolResult):
                return replace(part, parts=[told(inner) for inner in part.parts])
            if isinstance(part, Image) and (key := _key(part)) in words:
                return Text(f"[Image #{numbers[key]}: {words[key]}]", part.cache)
            return part

        messages = [
            Message(m.role, [told(part) for part in m.parts], m.extra) if m.role == "user" else m
            for m in request.messages
        ]
        return replace(request, messages=messages, raw=b""), tuple(dict.fromkeys(problems))

    def _look(self, image: Image, target: str, session: str) -> asyncio.Task[str]:
        key = _key(image)
        task = self._known.get(key)
        if task is None:
            content = [block_of(replace(image, cache=None)), {"type": "text", "text": _WISH}]
            body = {
                "model": target,
                "max_tokens": LONGEST,
                "messages": [{"role": "user", "content": content}],
            }
            task = asyncio.create_task(self._answer(msgspec.json.encode(body), session))
            self._known[key] = task
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return task

    async def _answer(self, body: bytes, session: str) -> str:
        return (await self._ask(body, session)).strip() or "(nothing to be seen)"


def _images(message: Message) -> list[Image]:
    found: list[Image] = []
    for part in message.parts:
        if isinstance(part, Image):
            found.append(part)
        elif isinstance(part, ToolResult):
            found += [inner for inner in part.parts if isinstance(inner, Image)]
    return found


def _key(image: Image) -> str:
    return sha256((image.data or image.url or "").encode()).hexdigest()


def own_door(transport: Transport, generation: Callable[[], Generation]) -> Ask:
    """Asks this router itself, as CCR's agent does: the description is a request like any other."""

    async def ask(body: bytes, session: str) -> str:
        now = generation()
        host = "127.0.0.1" if now.listen.host in ("0.0.0.0", "::") else now.listen.host  # noqa: S104
        headers = [
            ("content-type", "application/json"),
            ("anthropic-version", "2023-06-01"),
            ("user-agent", "pointsman-image-agent"),
            ("x-claude-code-agent-id", "image-agent"),
        ]
        if session:
            headers.append(("x-claude-code-session-id", session))
        if now.ccr.keys:
            headers.append(("x-api-key", now.ccr.keys[0].reveal()))
        answer = await transport.send(
            "POST",
            f"http://{host}:{now.listen.port}/ccr/v1/messages",
            headers,
            body,
            timeouts=Timeouts(),
            provider="image agent",
        )
        try:
            told = msgspec.json.decode(await answer.body(1024 * 1024))
        except msgspec.DecodeError:
            told = {}
        finally:
            answer.abort()
        if answer.status != 200:
            words = told.get("error", {}).get("message") or f"HTTP {answer.status}"
            raise UpstreamError(str(words), kind="upstream", status=502)
        return "\n".join(
            block["text"] for block in told.get("content", ()) if block.get("type") == "text"
        )

    return ask
