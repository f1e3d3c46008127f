"""Every dialect in, every dialect out: the ledger against bills of many kinds of tokens (M01-M04).

Tiers, long prompts, both ages of cache writes, searches, sound and images; whole and streamed;
answered at once, tried again and failed over; cut off by the provider, and left by the client.
"""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import httpx
import pytest

from console.link import Link
from router.contract import AttemptView, Done, Recost, Recosted, Reload, RequestDetail
from storage.costs import Grouping
from tests.fakes.bills import DIALECTS, Dialect, Used, answer, litellm_prices, used
from tests.fakes.upstream import Behaviour, FakeUpstream, Seen
from tests.stories.provider import home_of, mark_of, served
from tests.waiting import until

AT_ONCE = 8
_TOML = """
[retry]
retries = 1
backoff = 0.001
cooldown = 0
"""
_BUSY = Behaviour(status=500)


@dataclass
class Exchange:
    mark: str
    door: Dialect
    group: Dialect
    stream: bool
    #: failures before it is answered; 2: by the group it falls back to
    failures: int
    chance: random.Random
    #: a stream's: "cut" by the provider after its first word, or "left" by the client there
    end: Literal["good", "cut", "left"] = "good"
    #: what each attempt used, None where it failed
    bills: list[Used | None] = field(default_factory=list)
    served_by: list[str] = field(default_factory=list)
    #: whether the provider was told that the client has gone
    left: asyncio.Event | None = None


def _next(dialect: Dialect) -> Dialect:
    """The one that it falls back to."""
    return DIALECTS[(DIALECTS.index(dialect) + 1) % len(DIALECTS)]


def _configure(folder: Path, upstream: FakeUpstream, times: int = 1) -> None:
    """`times`: what everything costs, in multiples of its rate."""
    at = {
        "chat": ("openai/chat", upstream.base),
        "responses": ("openai/responses/responses", upstream.base),
        "anthropic": ("anthropic/anthropic", upstream.url("")),
        "ollama": ("ollama_chat/ollama", upstream.url("")),
        "gemini": ("gemini/gemini", upstream.url("/v1beta")),
    }
    models = [
        {
            "model_name": name,
            "litellm_params": {
                "model": model, "api_base": base, "api_key": "k", **litellm_prices(times),
            },
        }
        for name, (model, base) in at.items()
    ]  # fmt: skip
    fallbacks = [{name: [_next(name)]} for name in DIALECTS]
    folder.mkdir(exist_ok=True)
    (folder / "litellm-config.yaml").write_text(
        json.dumps({"model_list": models, "router_settings": {"fallbacks": fallbacks}})
    )
    (folder / "pointsman.toml").write_text(_TOML)


def _spoken(path: str) -> Dialect | None:
    """The dialect that was asked for an answer."""
    plain = path.partition("?")[0]
    if plain.startswith("/v1beta/"):
        return "gemini"
    ends: dict[str, Dialect] = {
        "/chat/completions": "chat",
        "/responses": "responses",
        "/messages": "anthropic",
        "/api/chat": "ollama",
    }
    return next((dialect for end, dialect in ends.items() if plain.endswith(end)), None)


def _asked(exchange: Exchange) -> tuple[str, dict[str, Any]]:
    text, group, stream = f"a question {exchange.mark}", exchange.group, exchange.stream
    turns = [{"role": "user", "content": text}]
    body: dict[str, Any] = {"model": group, "messages": turns, "stream": stream}
    match exchange.door:
        case "chat":
            return "/litellm/v1/chat/completions", body
        case "anthropic":
            return "/litellm/v1/messages", body | {"max_tokens": 50}
        case "responses":
            asked = {"model": group, "input": text, "stream": stream, "store": False}
            return "/litellm/v1/responses", asked
        case "ollama":
            return "/ollama/api/chat", body
        case _:
            verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
            contents = [{"role": "user", "parts": [{"text": text}]}]
            return f"/gemini/v1beta/models/{group}:{verb}", {"contents": contents}


def _play(upstream: FakeUpstream, exchanges: list[Exchange]) -> None:
    by_mark = {exchange.mark: exchange for exchange in exchanges}

    def script(seen: Seen) -> Behaviour | None:
        dialect, exchange = _spoken(seen.path), by_mark.get(mark_of(seen))
        if dialect is None or exchange is None:  # an Ollama is asked what it has
            return Behaviour(body=b"{}")
        exchange.served_by.append(dialect)
        if len(exchange.bills) < exchange.failures:
            exchange.bills.append(None)
            return _BUSY
        bill = used(dialect, exchange.chance)
        exchange.bills.append(bill)
        stream = "streamGenerate" in seen.path or bool(seen.json.get("stream"))
        body, kind = answer(dialect, bill, stream=stream)
        told = Behaviour(body=body, headers={"content-type": kind})
        if exchange.end == "good":
            return told
        begun = replace(told, body=_begun(body), framing="chunked")
        if exchange.end == "cut":
            return replace(begun, cut="middle")
        exchange.left = seen.closed
        return replace(begun, stall="middle")

    upstream.script = script


def _begun(body: bytes) -> bytes:
    """A stream up to its first word."""
    end = b"\n\n" if b"\n\n" in body else b"\n"
    told = body.split(end)
    first = next(place for place, frame in enumerate(told) if b'"hi"' in frame)
    return b"".join(frame + end for frame in told[: first + 1])


def _check_begun(attempt: AttemptView, bill: Used) -> Used:
    """What is owed for an answer that broke off: what was told until then, else an estimate. The
    bill, added up by hand from the tokens that are in the ledger."""
    tokens = attempt.tokens
    assert tokens.estimated
    assert attempt.outcome != "ok"
    assert 1 <= tokens.output <= 3
    if attempt.model in ("anthropic", "gemini"):  # they tell the prompt at the start
        assert tokens.prompt == bill.prompt
    assert tokens.prompt > 0
    kinds = (tokens.cache_read, tokens.cache_write, tokens.cache_write_1h)
    tier = attempt.apart.service if attempt.apart else ""
    used = Used(tokens.input, tokens.output, *kinds, tier=tier)
    assert attempt.cost == used.owed(), (attempt.apart, attempt.price)
    return used


def _check(exchange: Exchange, detail: RequestDetail) -> None:
    view = detail.request
    states = {"good": "done", "cut": "failed", "left": "cancelled"}
    assert view.state == states[exchange.end], view.error
    assert len(detail.attempts) == len(exchange.bills) == exchange.failures + 1
    for place, (attempt, bill, dialect) in enumerate(
        zip(detail.attempts, exchange.bills, exchange.served_by, strict=True)
    ):
        assert attempt.model == dialect
        if bill is None:
            assert (attempt.cost, attempt.tokens.prompt) == (0, 0)
        elif exchange.end == "good":
            _check_attempt(attempt, bill)
        else:
            exchange.bills[place] = _check_begun(attempt, bill)
    assert view.cost == sum(attempt.cost or 0 for attempt in detail.attempts)


def _check_attempt(attempt: AttemptView, bill: Used) -> None:
    tokens = attempt.tokens
    assert (tokens.input, tokens.cache_read, tokens.output) == (bill.input, bill.read, bill.output)
    assert (tokens.cache_write, tokens.cache_write_1h) == (bill.written, bill.written_1h)
    assert tokens.reasoning == bill.thought
    assert not tokens.estimated
    assert attempt.cost == bill.owed(), (attempt.apart, attempt.price)
    parts = attempt.spend
    assert attempt.cost == (
        parts.input + parts.cache_read + parts.cache_write + parts.output + parts.fees
    )


async def _story(folder: Path, count: int, seed: int) -> None:
    chance = random.Random(seed)
    exchanges = [
        Exchange(
            f"mark-{number}",
            DIALECTS[number % 5],
            DIALECTS[number // 5 % 5],
            chance.random() < 0.5,
            chance.choices((0, 1, 2), (7, 2, 1))[0],
            random.Random(seed * 100_000 + number),
        )
        for number in range(count)
    ]
    for exchange in exchanges:
        if exchange.stream:
            exchange.end = chance.choices(("good", "cut", "left"), (6, 2, 2))[0]
    places = asyncio.Semaphore(AT_ONCE)
    async with FakeUpstream() as upstream:
        _configure(folder, upstream)
        _play(upstream, exchanges)
        async with served(folder) as router:
            link = Link(home_of(router))
            ids: dict[str, str] = {}

            async def ask(http: httpx.AsyncClient, exchange: Exchange) -> None:
                async with places:
                    path, body = _asked(exchange)
                    async with http.stream("POST", path, json=body) as answered:
                        ids[exchange.mark] = answered.headers["x-request-id"]
                        if exchange.end != "left":
                            with suppress(httpx.RemoteProtocolError):  # no words for an error
                                await answered.aread()
                        else:
                            await _word(answered)
                    assert answered.status_code == 200, exchange
                    if exchange.end == "left":
                        assert exchange.left is not None
                        await asyncio.wait_for(exchange.left.wait(), 5)

            try:
                async with (
                    httpx.AsyncClient(base_url=router.front, timeout=30) as http,
                    asyncio.TaskGroup() as group,
                ):
                    for exchange in exchanges:
                        group.create_task(ask(http, exchange))
                await _audit(link, exchanges, ids)
                _configure(folder, upstream, times=2)
                await _audit_recost(link, _owed(exchanges))
            finally:
                await link.close()


async def _word(answered: httpx.Response) -> None:
    """Reads until the first word."""
    text = ""
    async for chunk in answered.aiter_text():
        text += chunk
        if '"hi"' in text:
            return
    raise AssertionError(text)


async def _audit(link: Link, exchanges: list[Exchange], ids: dict[str, str]) -> None:
    async def stored() -> bool:  # the ledger writes a moment later
        return (await link.archive.totals(0)).requests >= len(exchanges)

    await until(stored)
    wrong: list[AssertionError] = []
    for exchange in exchanges:
        detail = await link.archive.request(ids[exchange.mark])
        assert detail is not None
        try:
            _check(exchange, detail)
        except AssertionError as error:
            error.add_note(f"{exchange}\n{detail.attempts}")
            wrong.append(error)
    if wrong:
        raise ExceptionGroup(f"{len(wrong)} of {len(exchanges)} are wrong", wrong)
    owed = _owed(exchanges)
    for by in get_args(Grouping):
        lines = await link.archive.costs(by=by)
        assert sum(line.cost for line in lines) == owed, by
        assert sum(line.requests for line in lines) == len(exchanges), by
    today = (await link.snapshot()).beat.today
    assert (today.cost, today.unpriced) == (owed, 0)


def _owed(exchanges: list[Exchange]) -> int:
    return sum(bill.owed() for exchange in exchanges for bill in exchange.bills if bill)


async def _audit_recost(link: Link, owed: int) -> None:
    """At twice the prices all of history costs twice as much, in every sum."""
    assert isinstance(await link.act(Reload()), Done)
    for dry_run, cost in ((True, owed), (False, 2 * owed)):
        done = await link.act(Recost(dry_run=dry_run))
        assert isinstance(done, Recosted)
        assert (done.before, done.after, done.next) == (owed, 2 * owed, None)
        for by in get_args(Grouping):
            assert sum(line.cost for line in await link.archive.costs(by=by)) == cost, by
    assert (await link.snapshot()).beat.today.cost == 2 * owed
    rows = await link.archive.requests(limit=5_000)
    assert sum(row.cost or 0 for row in rows) == 2 * owed
    again = await link.act(Recost())
    assert isinstance(again, Recosted)
    assert (again.changed, again.after) == (0, 2 * owed)


async def test_M01_M02_R10_every_dialect_costs_what_its_provider_asks(tmp_path: Path) -> None:
    await _story(tmp_path / "home", 200, seed=1)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_two_thousand_of_every_dialect(tmp_path: Path) -> None:
    await _story(tmp_path / "home", 2_000, seed=2)
