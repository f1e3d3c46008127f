"""A small client of the CCR role: answers `ccr code` where no Claude Code is installed.

One rule: the answer goes to stdout and nothing else does, so that it can be piped; and no byte of
it reaches a terminal but through console.text.
"""

from __future__ import annotations

import asyncio
import select
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec

from console.link import Link, RouterDownError
from console.output import DOWN, FAILED, INTERRUPTED, dim, fail, red, say
from console.text import clean, clean_lines, money, tokens
from router.contract import RequestView
from storage.home import Home

MAX_TOKENS = 8192
#: seconds; a local model may think long before its first byte
PATIENCE = httpx.Timeout(10.0, read=300.0)
#: seconds that a pipe on stdin may stay silent when a prompt was given: as Claude Code waits
STDIN_PATIENCE = 3.0
INSTALL = "`npm install -g @anthropic-ai/claude-code` installs it"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the words after `ccr code` ask for, as far as it can be done without Claude Code."""

    prompt: str = ""
    model: str = ""
    system: str = ""


class ChatError(Exception):
    """This answer failed; the message is fit to show."""


def chat(home: Home, url: str, key: str, words: Sequence[str], context: str) -> int:
    """Answers one prompt, or converses at a terminal. Returns the exit code."""
    wish = understood(words)
    say(dim(f"no Claude Code is installed, so the router answers itself; {INSTALL}"))
    talk = Talk(home, url, key, wish, context)
    piped = _piped(wait=not wish.prompt)
    prompt = "\n\n".join(part for part in (wish.prompt, piped) if part.strip())
    if prompt:
        return talk.say(prompt)
    if not sys.stdin.isatty():
        fail("there is nothing to ask: give a prompt, or pipe one in")
    while True:
        try:
            prompt = input("\n> ").strip()
        except (EOFError, KeyboardInterrupt):
            say("")
            return 0
        if prompt in ("/exit", "/quit"):
            return 0
        if prompt:
            talk.say(prompt)


def understood(words: Sequence[str]) -> Wish:
    """The prompt and the few of Claude Code's options that mean something here; fails on others."""
    taken = {"--model": "", "--system-prompt": "", "--append-system-prompt": ""}
    prompts: list[str] = []
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if word == "--":
            prompts += rest
        elif name in taken:
            taken[name] = value if equals else next(rest, "")
        elif word in ("-p", "--print"):
            continue
        elif word.startswith("-") and len(word) > 1:
            fail(f"{word} is Claude Code's, and no Claude Code is installed: {INSTALL}")
        else:
            prompts.append(word)
    system = "\n\n".join(taken[key] for key in ("--system-prompt", "--append-system-prompt"))
    return Wish(" ".join(prompts), taken["--model"], system.strip())


@dataclass
class Talk:
    """One conversation: what was said so far goes along with every question."""

    home: Home
    url: str
    key: str
    wish: Wish
    context: str
    messages: list[dict[str, Any]] = field(default_factory=list)

    def say(self, prompt: str) -> int:
        """Asks, prints the answer as it comes. Returns an exit code."""
        self.messages.append({"role": "user", "content": prompt})
        try:
            asyncio.run(self._turn())
        except KeyboardInterrupt:
            self.messages.pop()
            say("\nstopped")
            return INTERRUPTED
        except ChatError as error:
            self.messages.pop()
            say(red(clean(str(error), limit=2000)))
            return FAILED
        except httpx.TransportError as error:
            self.messages.pop()
            say(red(f"the router does not answer at {clean(self.url)}: {clean(str(error))}"))
            return DOWN
        return 0

    async def _turn(self) -> None:
        body: dict[str, Any] = {
            "max_tokens": MAX_TOKENS,
            "messages": self.messages,
            "stream": True,
        }
        if self.wish.model:
            body["model"] = self.wish.model
        if self.wish.system:
            body["system"] = self.wish.system
        headers = {
            "authorization": f"Bearer {self.key}",
            "content-type": "application/json",
            "anthropic-version": "2023-06-01",
            "user-agent": "ccr-code",
        }
        if self.context:
            headers["x-pointsman-context"] = self.context
        # no proxy of the environment: the router is on this machine
        async with (
            httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client,
            client.stream(
                "POST",
                f"{self.url}/v1/messages",
                content=msgspec.json.encode(body),
                headers=headers,
            ) as response,
        ):
            if response.status_code != 200:
                raise ChatError(_error_text(response.status_code, await response.aread()))
            # a pin that could not be honoured: somebody else answers, and that must be seen
            if problem := response.headers.get("x-pointsman-problem"):
                say(red(clean(problem, limit=2000)))
            answer = Answer()
            async for event in events(response.aiter_bytes()):
                answer.take(event)
            answer.end()
        self.messages.append({"role": "assistant", "content": answer.text or "(no text)"})
        say(dim(await self._footer(response.headers.get("x-request-id", ""), answer)))

    async def _footer(self, id: str, answer: Answer) -> str:
        """ "model · tokens · cost", from the router's own record where it can be had."""
        view = await _recorded(self.home, id)
        if view is None or not view.provider:
            counts = f"{tokens(answer.input)} in, {tokens(answer.output)} out"
            return f"{clean(answer.model)} · {counts}"
        used = view.tokens
        mark = " · simulated" if view.simulated else ""
        return (
            f"{clean(view.provider)},{clean(view.model)} ({clean(view.rule)}) · "
            f"{tokens(used.prompt, estimated=used.estimated)} in, "
            f"{tokens(used.output, estimated=used.estimated)} out · {money(view.cost)}{mark}"
        )


class Answer:
    """Prints a stream of Anthropic events: text to stdout, what else happens to stderr."""

    def __init__(self) -> None:
        self.text = ""
        self.model = ""
        self.input = 0
        self.output = 0
        self._finished = False
        self._tools: dict[int, tuple[str, str]] = {}

    def take(self, event: dict[str, Any]) -> None:
        """Raises ChatError for an error event. What is not as it should be is skipped."""
        match event:
            case {"type": "message_start", "message": {"model": str(model), **rest}}:
                self.model = model
                self._count(rest.get("usage"))
            case {"type": "content_block_start", "content_block": {"type": "thinking"}}:
                say(dim("thinking…"))
            case {
                "type": "content_block_start",
                "index": int(index),
                "content_block": {"type": "tool_use", "name": str(name)},
            }:
                self._tools[index] = (name, "")
            case {
                "type": "content_block_delta",
                "delta": {"type": "text_delta", "text": str(text)},
            }:
                self.text += text
                sys.stdout.write(clean_lines(text, limit=len(text) * 4 + 1))
                sys.stdout.flush()
            case {
                "type": "content_block_delta",
                "index": int(index),
                "delta": {"type": "input_json_delta", "partial_json": str(json)},
            } if index in self._tools:
                name, before = self._tools[index]
                self._tools[index] = (name, before + json)
            case {"type": "content_block_stop", "index": int(index)} if index in self._tools:
                name, json = self._tools.pop(index)
                say(dim(f"wants to use {clean(name)} {clean(json, limit=200)}"))
            case {"type": "message_delta", "usage": usage}:
                self._count(usage)
            case {"type": "message_stop"}:
                self._finished = True
            case {"type": "error", "error": {"message": str(message)}}:
                self._newline()
                raise ChatError(message)

    def end(self) -> None:
        self._newline()
        if not self._finished:
            raise ChatError("the answer was cut off")

    def _newline(self) -> None:
        if self.text and not self.text.endswith("\n"):
            sys.stdout.write("\n")
            sys.stdout.flush()

    def _count(self, usage: Any) -> None:
        if isinstance(usage, dict):
            self.input = usage.get("input_tokens") or self.input
            self.output = usage.get("output_tokens") or self.output


async def events(chunks: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
    """The JSON objects of an event stream, whatever its chunks are; others are skipped."""
    waiting = b""
    async for chunk in chunks:
        *lines, waiting = (waiting + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                try:
                    event = msgspec.json.decode(line[5:])
                except msgspec.DecodeError:
                    continue
                if isinstance(event, dict):
                    yield event


async def _recorded(home: Home, id: str) -> RequestView | None:
    """The router's row of one request; it is complete a moment after the last byte was read."""
    link = Link(home)
    try:
        for _ in range(10):
            snapshot = await link.snapshot()
            for view in (*snapshot.recent, *snapshot.running):
                if view.id == id and view.state != "running":
                    return view
            await asyncio.sleep(0.02)
    except RouterDownError:
        pass
    finally:
        await link.close()
    return None


def _error_text(status: int, body: bytes) -> str:
    try:
        message = msgspec.json.decode(body)["error"]["message"]
    except (msgspec.DecodeError, KeyError, TypeError):
        message = body.decode("utf-8", "replace").strip()
    return f"{status}: {message}"


def _piped(*, wait: bool) -> str:
    """What stands on stdin, "" at a terminal. With a prompt given (`wait` False) a pipe that says
    nothing for a while is left alone: it may be someone else's and never end."""
    if sys.stdin.isatty():
        return ""
    if not wait:
        ready, _, _ = select.select([sys.stdin], [], [], STDIN_PATIENCE)
        if not ready:
            return ""
    return sys.stdin.buffer.read().decode("utf-8", "replace")
