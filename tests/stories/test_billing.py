"""The ledger against the provider's own bill, over hundreds of exchanges of every kind at once.

Each exchange carries a mark; the fake knows by it what it served. In the end every row, every
attempt and every sum must agree with what the fake says it is owed.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from contextlib import aclosing, closing
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from console.link import Link
from router.contract import AttemptView, Cancel, CostLine, Done, RequestDetail, Tokens
from storage.costs import Grouping
from tests.fakes.upstream import Behaviour, FakeUpstream, Seen
from tests.harness import Running
from tests.stories.provider import (
    CACHED,
    INPUT,
    OUTPUT,
    WORD,
    Book,
    anthropic_body,
    configure,
    home_of,
    openai_body,
    owed,
    served,
)
from tests.waiting import until

#: exchanges at a time
AT_ONCE = 16
GROUPINGS: tuple[Grouping, ...] = ("model", "provider", "door", "key", "day")
DOORS = {
    "/litellm/v1/chat/completions": openai_body,
    "/litellm/v1/messages": anthropic_body,
    "/ccr/v1/messages": anthropic_body,
    "/claude-code/v1/messages": anthropic_body,
    "/ccr/v1/chat/completions": openai_body,
}
GOOD = [
    Behaviour(),
    Behaviour(cached=1),
    Behaviour(thinking="hm so "),
    Behaviour(tool={"name": "Read", "input": {"path": "a"}}),
    Behaviour(split=7),
    Behaviour(usage=False),
    Behaviour(shape="whole"),
    Behaviour(shape="stream"),
]
BAD = [
    *(Behaviour(status=status) for status in (400, 401, 404, 429, 500, 529)),
    Behaviour(cut="first"),
    Behaviour(cut="middle"),
    Behaviour(cut="middle", reset=True),
    Behaviour(cut="middle", shape="stream"),
    Behaviour(cut="middle", shape="whole"),
    Behaviour(status=429, headers={"retry-after": "0"}),
    Behaviour(body=b"{", status=200),
]
STATES = {
    "good": "done",
    "stalled": "failed",
    "client": "cancelled",
    "operator": "cancelled",
    "early": "cancelled",
}


@dataclass
class Exchange:
    mark: str
    path: str
    group: str
    stream: bool
    #: "good", "bad", "retried", "stalled", "simulated"; "client" and "operator" stop it in
    #: mid-stream, "early" the client leaves before anything came
    end: str
    plan: list[Behaviour]
    status: int = 0
    words: int = 0  # that the client read


def _worded(behaviour: Behaviour, words: int) -> Behaviour:
    return replace(behaviour, words=(WORD,) * words)


def _exchanges(count: int, seed: int) -> list[Exchange]:
    chance = random.Random(seed)
    made = []
    for number in range(count):
        end = chance.choices(
            ["good", "bad", "retried", "stalled", "client", "operator", "early", "simulated"],
            [40, 15, 15, 5, 8, 7, 5, 5],
        )[0]
        dialect = chance.choice(["openai", "anthropic"])
        group = dialect + chance.choice(["", "", "-weak", "-dark"])
        stream = chance.random() < 0.6
        plan = [chance.choice(GOOD)]
        if end == "bad":
            plan = [chance.choice(BAD)]
        elif end == "retried":
            plan.insert(0, chance.choice(BAD))
        elif end == "stalled":
            plan, group = [Behaviour(stall="middle")], f"{dialect}-brisk"
        elif end in ("client", "operator"):
            plan, stream = [Behaviour(stall="middle")], True
        elif end == "early":
            plan = [Behaviour(stall=chance.choice(["headers", "first"]))]
        elif end == "simulated":
            group = "simulated"
        words = chance.randint(4, 12)
        path = chance.choice(list(DOORS))
        plan = [_worded(behaviour, words) for behaviour in plan]
        made.append(Exchange(f"mark-{number}", path, group, stream, end, plan))
    return made


class Crowd:
    """The clients."""

    def __init__(self, router: Running, book: Book, link: Link) -> None:
        self._router = router
        self._book = book
        self._link = link
        self._places = asyncio.Semaphore(AT_ONCE)
        self._http = httpx.AsyncClient(
            base_url=router.front, timeout=30, limits=httpx.Limits(max_connections=AT_ONCE)
        )

    async def run(self, exchanges: list[Exchange]) -> None:
        async with self._http, asyncio.TaskGroup() as group:
            for exchange in exchanges:
                group.create_task(self._one(exchange))

    async def _one(self, exchange: Exchange) -> None:
        async with self._places:
            self._book.plan(exchange.mark, *exchange.plan)
            plane = "" if exchange.path.startswith("/litellm") else "litellm-internal,"
            body = DOORS[exchange.path](
                plane + exchange.group, f"a question {exchange.mark}", stream=exchange.stream
            )
            asked = self._http.build_request(
                "POST",
                exchange.path,
                content=body,
                headers={"x-claude-code-session-id": exchange.mark},
            )
            if exchange.end == "early":
                await self._never_mind(exchange, asked)
                return
            async with aclosing(await self._http.send(asked, stream=True)) as answer:
                exchange.status = answer.status_code
                if exchange.end in ("client", "operator"):
                    await self._leave(exchange, answer)
                else:
                    text = (await answer.aread()).decode()
                    exchange.words = text.count(WORD)

    async def _never_mind(self, exchange: Exchange, asked: httpx.Request) -> None:
        """Goes when the provider has the request and has not said a word."""
        call = asyncio.create_task(self._http.send(asked))
        seen = await self._book.arrived(exchange.mark)
        await seen.stalled.wait()
        call.cancel()
        await asyncio.wait_for(seen.closed.wait(), 1)

    async def _leave(self, exchange: Exchange, answer: httpx.Response) -> None:
        """Reads all that the provider wrote before it stalled; then goes, or is sent away."""
        seen = self._book.seen[exchange.mark][-1]
        await seen.stalled.wait()
        chunks = answer.aiter_text()
        text = ""
        while text.count(WORD) < seen.output_tokens:
            text += await anext(chunks)
        exchange.words = text.count(WORD)
        if exchange.end == "operator":
            assert isinstance(await self._link.act(Cancel(_id(answer))), Done)
            end = "".join([chunk async for chunk in chunks])
            assert "stopped by the operator" in end
        else:
            await answer.aclose()
        await asyncio.wait_for(seen.closed.wait(), 1)


def _id(answer: httpx.Response) -> str:
    return answer.headers.get("x-request-id") or answer.headers["x-litellm-call-id"]


# ── the audit ─────────────────────────────────────────────────────────────────────────────────────


def _money(tokens: Tokens) -> int:
    return tokens.input * INPUT + tokens.cache_read * CACHED + tokens.output * OUTPUT


def _audit_attempt(view: AttemptView, seen: Seen) -> None:
    cost, output, told = owed(seen)
    tokens = view.tokens
    if view.model.endswith("-dark"):
        assert view.cost is None or (view.cost == 0 and tokens == Tokens())
    elif told:
        assert view.cost == cost
    else:
        assert view.cost == _money(tokens)
    if told:
        assert tokens.output == output
        assert tokens.prompt == (seen.input_tokens if cost else 0)
        assert not tokens.estimated
    else:
        assert tokens.estimated
        # Anthropic tells 1 at the start, before the words; a tool call and thinking are estimated
        # by their length
        assert output <= tokens.output <= output + 8
        assert tokens.prompt > 0
        if view.provider.endswith("-2"):
            assert tokens.prompt == seen.input_tokens


def _audit(exchange: Exchange, detail: RequestDetail, seen: list[Seen]) -> None:
    view = detail.request
    assert view.stream == exchange.stream
    if exchange.end == "simulated":
        assert view.simulated
        assert not seen
        return
    assert not view.simulated
    assert len(detail.attempts) == len(seen) == view.attempts
    for attempt, one in zip(detail.attempts, seen, strict=True):
        assert attempt.model == one.model
        assert attempt.outcome != ""
        _audit_attempt(attempt, one)
    costs = [attempt.cost for attempt in detail.attempts]
    known = [cost for cost in costs if cost is not None]
    assert view.cost == (sum(known) if len(known) == len(costs) else None)
    assert view.tokens.output == sum(a.tokens.output for a in detail.attempts)
    assert view.tokens.prompt == sum(a.tokens.prompt for a in detail.attempts)
    assert view.status == (exchange.status or None)
    if exchange.end in STATES:
        assert view.state == STATES[exchange.end]
    if view.state == "done":
        assert exchange.words == len(seen[-1].behaviour.words)


def _sums(lines: list[CostLine], simulated: bool) -> tuple[int, ...]:
    chosen = [line for line in lines if line.simulated is simulated]
    return (
        sum(line.requests for line in chosen),
        sum(line.errors for line in chosen),
        sum(line.tokens.input for line in chosen),
        sum(line.tokens.cache_read for line in chosen),
        sum(line.tokens.output for line in chosen),
        sum(line.cost for line in chosen),
        sum(line.unpriced for line in chosen),
    )


async def _audit_sums(link: Link, details: list[RequestDetail]) -> None:
    rows = [detail.request for detail in details]
    for simulated in (False, True):
        mine = [row for row in rows if row.simulated is simulated]
        expected = (
            len(mine),
            sum(row.state == "failed" for row in mine),
            sum(row.tokens.input for row in mine),
            sum(row.tokens.cache_read for row in mine),
            sum(row.tokens.output for row in mine),
            sum(row.cost or 0 for row in mine),
            # each attempt whose cost is not known, also those of one request
            sum(
                one.cost is None
                for detail in details
                for one in detail.attempts or (detail.request,)
                if one.simulated is simulated
            ),
        )
        for by in GROUPINGS:
            assert _sums(await link.archive.costs(by=by), simulated) == expected, by
    real = [row for row in rows if not row.simulated]
    today = (await link.snapshot()).beat.today
    assert today == await link.archive.totals(0)
    assert today.requests == len(real)
    assert today.cost == sum(row.cost or 0 for row in real)
    assert today.simulated_requests == len(rows) - len(real)


async def _story(folder: Path, count: int, seed: int) -> None:
    exchanges = _exchanges(count, seed)
    async with FakeUpstream() as upstream:
        configure(folder, upstream)
        book = Book(upstream)
        async with served(folder) as router:
            link = Link(home_of(router))
            try:
                await Crowd(router, book, link).run(exchanges)
                details = await _stored(link, home_of(router).ledger, exchanges)
                assert len(upstream.requests) == sum(
                    len(d.attempts) for d in details if not d.request.simulated
                )
                wrong = []
                for exchange, detail in zip(exchanges, details, strict=True):
                    try:
                        _audit(exchange, detail, book.seen[exchange.mark])
                    except AssertionError as error:
                        error.add_note(f"{exchange}\n{detail}")
                        wrong.append(error)
                if wrong:
                    raise ExceptionGroup(f"{len(wrong)} of {count} are wrong", wrong)
                await _audit_sums(link, details)
                ends = Counter(exchange.end for exchange in exchanges)
                assert all(ends[end] for end in ("client", "operator", "stalled", "retried"))
            finally:
                await link.close()


async def _stored(link: Link, path: Path, exchanges: list[Exchange]) -> list[RequestDetail]:
    """Every exchange's row, once all are written."""
    query = "SELECT COUNT(*), SUM(state = 'running') FROM request"
    with closing(sqlite3.connect(path)) as db:
        await until(lambda: db.execute(query).fetchone() == (len(exchanges), 0))
        ids = dict(db.execute("SELECT session, id FROM request").fetchall())
    details = [await link.archive.request(ids[exchange.mark]) for exchange in exchanges]
    return [detail for detail in details if detail is not None]


async def test_M01_M04_every_row_is_what_the_provider_is_owed(tmp_path: Path) -> None:
    await _story(tmp_path / "home", 300, seed=1)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [2, 3])
async def test_two_thousand_of_them(tmp_path: Path, seed: int) -> None:
    await _story(tmp_path / "home", 2_000, seed)
