"""The fake provider as a router knows it: the files of a home that points at it, and its bill.

Prices are dollars per million tokens, so that one token costs a whole number of nano-dollars.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from storage.home import Home, home
from tests.fakes.upstream import Behaviour, FakeUpstream, Seen
from tests.harness import Running, environment, start

#: nano-dollars per token
INPUT, OUTPUT, CACHED = 3_000, 15_000, 300
#: four characters: what an estimate takes for one token is one
WORD = "abc "
_MARK = re.compile(rb"mark-\d+")

_TOML = """
[litellm]
mode = "embedded"
[ccr]
mode = "embedded"
[retry]
retries = 1
backoff = 0.01
longest_wait = 2
cooldown = 0
"""
_PRICED = "input_cost_per_token: 3e-6, output_cost_per_token: 15e-6, " + (
    "cache_read_input_token_cost: 3e-7"
)


def configure(folder: Path, upstream: FakeUpstream, toml: str = _TOML) -> None:
    """Model groups by what they stand for: `openai…` and `anthropic…` name the provider's dialect;
    `-brisk` has deadlines of 0.4 s, `-weak` falls back to the other dialect, `-dark` has no price,
    `simulated` is no real provider."""

    def entry(group: str, timeout: float | None = None, *, priced: bool = True) -> str:
        dialect = group.partition("-")[0]
        base = upstream.base if dialect == "openai" else upstream.url("")
        more = f", timeout: {timeout}" if timeout else ""
        more += f", {_PRICED}" if priced else ""
        return (
            f"  - model_name: {group}\n    litellm_params: {{model: {dialect}/{group},"
            f" api_base: '{base}', api_key: a-provider-key{more}}}\n"
        )

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "litellm-config.yaml").write_text(
        "model_list:\n"
        + "".join(entry(dialect) for dialect in ("openai", "anthropic"))
        + "".join(entry(f"{dialect}-weak") for dialect in ("openai", "anthropic"))
        + "".join(entry(f"{dialect}-dark", priced=False) for dialect in ("openai", "anthropic"))
        + "".join(entry(f"{dialect}-brisk", 0.4) for dialect in ("openai", "anthropic"))
        + "  - model_name: simulated\n    litellm_params: {model: openai/gpt-4o,"
        " mock_response: yes}\n"
        "router_settings:\n  fallbacks:\n    - openai-weak: [anthropic]\n"
        "    - anthropic-weak: [openai]\n"
    )
    (folder / "pointsman.toml").write_text(toml)


def mark_of(seen: Seen) -> str:
    """The word by which a test knows its exchange again: "mark-17"."""
    found = _MARK.search(seen.body)
    return found[0].decode() if found else ""


class Book:
    """What the provider saw and what it is told to do, by mark: one behaviour for each attempt,
    the last of them for all that follow."""

    def __init__(self, upstream: FakeUpstream) -> None:
        self.seen: dict[str, list[Seen]] = defaultdict(list)
        self._plans: dict[str, list[Behaviour]] = {}
        self._arrived: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        upstream.script = self._next

    def plan(self, mark: str, *behaviours: Behaviour) -> None:
        self._plans[mark] = list(behaviours)

    async def arrived(self, mark: str) -> Seen:
        """The newest request of this mark, once there is one."""
        await self._arrived[mark].wait()
        return self.seen[mark][-1]

    def _next(self, seen: Seen) -> Behaviour | None:
        mark = mark_of(seen)
        self.seen[mark].append(seen)
        self._arrived[mark].set()
        plan = self._plans.get(mark)
        if not plan:
            return None
        return plan.pop(0) if len(plan) > 1 else plan[0]


def owed(seen: Seen) -> tuple[int, int, bool]:
    """The provider's own bill for one request: nano-dollars, output tokens, and whether it told so
    itself (else the router can only estimate)."""
    behaviour = seen.behaviour
    if behaviour.status >= 400 or behaviour.body is not None:
        return 0, 0, True
    whole = seen.done.is_set()
    if not whole and not seen.output_tokens:
        return 0, 0, True
    cached = behaviour.cached if whole or "messages" in seen.path else 0
    told = whole and (behaviour.usage or "messages" in seen.path)  # Anthropic always tells
    if behaviour.shape == "stream" and "messages" not in seen.path:
        # OpenAI's dialect tells in a stream only where it was asked to
        told = told and (seen.json.get("stream_options") or {}).get("include_usage") is True
    cost = (seen.input_tokens - cached) * INPUT + cached * CACHED + seen.output_tokens * OUTPUT
    return cost, seen.output_tokens, told


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Running]:
    """A router process on the home that `configure` wrote. Starting and stopping off the loop, so
    that the fake serves meanwhile."""
    router = await asyncio.to_thread(start, folder)
    try:
        yield router
    finally:
        await asyncio.to_thread(router.stop)
        for stream in (router.process.stdout, router.process.stderr):
            if stream is not None:
                stream.close()


def home_of(router: Running) -> Home:
    return home(environment(router.home))


def openai_body(model: str, text: str, **more: object) -> bytes:
    return msgspec.json.encode(
        {"model": model, "messages": [{"role": "user", "content": text}], **more}
    )


def anthropic_body(model: str, text: str, **more: object) -> bytes:
    return msgspec.json.encode(
        {
            "model": model,
            "max_tokens": 500,
            "messages": [{"role": "user", "content": text}],
            **more,
        }
    )
