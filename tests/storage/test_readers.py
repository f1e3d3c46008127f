"""What a console reads: pages, costs, the log; equal sums however they are grouped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sqlite3
import time
from array import array
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest

from router.contract import (
    LogFilter,
    RequestDetail,
    RequestFilter,
    RequestView,
    ServiceChange,
    Tokens,
    Totals,
)
from storage import database
from storage.costs import Grouping
from storage.readers import Archive, ArchiveError
from storage.writer import Ledger
from tests.storage.make import attempt, detail, ledger, line, modes, override, view


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with ledger(tmp_path / "ledger.db") as opened:
        yield opened


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[Archive]:
    opened = Archive(tmp_path / "ledger.db")
    yield opened
    await opened.close()


async def test_without_a_ledger_every_answer_is_empty_until_one_appears(
    tmp_path: Path, archive: Archive
) -> None:
    path = tmp_path / "ledger.db"
    for turn in ("no file", "a file without tables"):
        assert await archive.requests() == [], turn
        assert await archive.requests(RequestFilter(door="ccr", since=1.0, until=2.0)) == []
        assert await archive.request("r") is None
        assert await archive.costs() == []
        assert await archive.totals(0) == Totals()
        assert await archive.logs() == []
        assert await archive.log_ids() == array("q")
        assert await archive.log_lines([1]) == {}
        assert await archive.overrides() == []
        assert await archive.data_version() == 0
        path.touch()
    with ledger(path) as book:
        book.request(detail("r_1"))
        assert book.flush(5)
        assert [found.id for found in await archive.requests()] == ["r_1"]
        assert await archive.data_version() > 0


async def test_what_was_stored_is_read_back_equal(book: Ledger, archive: Archive) -> None:
    whole = detail("r_1", simulated=True)
    bare = type(whole)(view("r_2", cost=None, status=None, ttft_ms=None, duration_ms=None))
    lines = [
        line("a", level="error", request="r_1", simulated=True, source="ssh"),
        line("b", level="debug"),
    ]
    kept = override("o_1", expires_at=5.0, forced=True, served=3, set_by="ada")
    book.request(whole)
    book.request(bare)
    for one in lines:
        book.log(one)
    book.override(kept)
    assert book.flush(5)

    found = await archive.request("r_1")
    assert found is not None
    assert found == type(whole)(
        view("r_1", simulated=True, seq=1), whole.looks, whole.attempts, whole.facts
    )
    assert found.request.simulated is True  # a boolean again, not 1
    assert found.request.tokens.estimated is True
    assert found.looks[1].hit is True
    assert await archive.request("r_2") == type(bare)(
        view("r_2", seq=2, cost=None, status=None, ttft_ms=None, duration_ms=None)
    )
    assert await archive.requests() == [(await _get(archive, "r_2")).request, found.request]
    assert await archive.logs() == [
        line("a", id=1, level="error", request="r_1", simulated=True, source="ssh"),
        line("b", id=2, level="debug"),
    ]
    assert await archive.overrides() == [kept]


async def test_an_id_may_be_shortened_while_it_is_unique(book: Ledger, archive: Archive) -> None:
    for id in ("req_a1", "req_a1b", "req_b2", "x%_'"):
        book.request(detail(id))
    assert book.flush(5)
    wanted = {
        "req_a1": "req_a1",  # exact, though another begins so
        "req_a1b": "req_a1b",
        "req_b": "req_b2",
        "x%": "x%_'",
        "req_": None,
        "%": None,
        "nothing": None,
        "": None,
    }
    got = {id: await archive.request(id) for id in wanted}
    assert {id: found and found.request.id for id, found in got.items()} == wanted


async def test_pages_and_filters(book: Ledger, archive: Archive) -> None:
    changes: list[dict[str, Any]] = [
        {"asked": "100%_sure", "status": 200},
        {"provider": "openrouter", "model": "x", "session": "s2", "door": "litellm"},
        {"status": 429, "state": "failed", "error": "Rate Limit"},
        {"simulated": True, "started_at": 2000.0},
        {"status": None, "state": "running", "started_at": 3000.0},
    ]
    for number, change in enumerate(changes, 1):
        book.request(detail(f"r_{number}", **change))
    assert book.flush(5)

    async def ids(limit: int = 200, before: int | None = None, **filter: Any) -> list[int]:
        found = await archive.requests(RequestFilter(**filter), limit, before)
        assert [f"r_{one.seq}" for one in found] == [one.id for one in found]
        return [one.seq for one in found]

    assert await ids() == [5, 4, 3, 2, 1]
    assert await ids(2) == [5, 4]
    assert await ids(2, 4) == [3, 2]
    assert await ids(since=2000.0) == [5, 4]
    assert await ids(until=2000.0) == [3, 2, 1]
    assert await ids(text="rate limit") == [3]
    assert await ids(text="100%_SURE") == [1]
    assert await ids(text="0_s") == []  # signs of LIKE mean themselves
    assert await ids(text="OPENROUTER") == [2]
    assert await ids(text="r_4") == [4]
    for size in (1, 2, 3):  # stretches that begin and end among the rows
        apart = Archive(book.path, stretch=size)
        try:
            for text, seqs in (("r_", [5, 4, 3]), ("OPENROUTER", [2]), ("nowhere", [])):
                found = await apart.requests(RequestFilter(text=text), 3)
                assert [one.seq for one in found] == seqs
            page = await apart.requests(RequestFilter(text="r_"), 2, 3)
            assert [one.seq for one in page] == [2, 1]
        finally:
            await apart.close()
    assert await ids(provider="openrouter", model="x", session="s2", door="litellm") == [2]
    assert await ids(provider="openrouter", door="ccr") == []
    assert await ids(status_from=400) == [3]
    assert await ids(simulated=True) == [4]
    assert await ids(simulated=False, since=2000.0) == [5]


@pytest.mark.parametrize(("tail", "bare"), [(7, 0), (7, 40), (1, 0)])
async def test_a_search_finds_what_a_look_at_every_row_finds(
    tmp_path: Path, tail: int, bare: int
) -> None:
    """Also what ran while its words were noted, what is too new for it, and what was there before
    there were notes (`bare`)."""
    chance = random.Random(tail)

    def made(number: int, **changes: Any) -> RequestDetail:
        fields = {
            "provider": chance.choice(["near", "far", ""]),
            "asked": f"m{number // 25}",
            "user": "Bob" if number in (3, 90) else "ann",
            "error": "odd one" if number == 57 else "",
            "session": f"S{number // 10}",
            "started_at": 1000.0 + number,
            "sent_id": "trace-9" if number == 12 else "",
        }
        return detail(f"req_{number:03}", **(fields | changes))

    with ledger(tmp_path / "ledger.db", tail=tail) as book:
        kept = {n: made(n, state="running" if n % 30 == 0 else "done") for n in range(120)}
        for one in kept.values():
            book.request(one)
        assert book.flush(5)
        for number in (0, 60):  # one that went elsewhere meanwhile; 30 and 90 run on
            kept[number] = made(number, provider="late", started_at=1000.0 + number)
            book.request(kept[number])
        assert book.flush(5)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as db:
        db.execute("UPDATE meta SET value = ? WHERE name = 'gist_from'", (bare,))
        db.execute("DELETE FROM gist WHERE last <= ?", (bare,))
        db.commit()
    views = [one.request for one in reversed(kept.values())]
    wanted: list[tuple[RequestFilter, Callable[[RequestView], bool]]] = [
        (RequestFilter(provider="far"), lambda one: one.provider == "far"),
        (RequestFilter(provider="late"), lambda one: one.provider == "late"),
        (RequestFilter(provider="gone"), lambda one: False),
        (RequestFilter(user="Bob"), lambda one: one.user == "Bob"),
        (RequestFilter(user="bob"), lambda one: False),
        (RequestFilter(text="ODD"), lambda one: bool(one.error)),
        (RequestFilter(text="m2", provider="near"),
         lambda one: one.asked == "m2" and one.provider == "near"),
        (RequestFilter(words=("m1", "s3")), lambda one: one.asked == "m1" and one.session == "S3"),
        (RequestFilter(text="req_01"), lambda one: one.id.startswith("req_01")),
        (RequestFilter(text="trace-"), lambda one: one.sent_id == "trace-9"),
        (RequestFilter(door="ccr", since=1030.0, until=1077.0),
         lambda one: 1030 <= one.started_at < 1077),
    ]  # fmt: skip
    for stretch in (1, 3, 2_000):
        archive = Archive(tmp_path / "ledger.db", stretch)
        for filter, holds in wanted:
            right = [one.id for one in views if holds(one)]
            assert [one.id for one in await archive.requests(filter)] == right, filter
            page = await archive.requests(filter, 2)
            assert [one.id for one in page] == right[:2], filter
            if page:
                next_page = await archive.requests(filter, 2, page[-1].seq)
                assert [one.id for one in next_page] == right[2:4], filter
        assert [one.id for one in await archive.named("trace-9")] == ["req_012"]
        await archive.close()


async def test_M04_the_sum_over_any_grouping_is_the_same(book: Ledger, archive: Archive) -> None:
    day = 86_400.0
    kinds = product(("a", "b"), ("m", "n"), ("ccr", "litellm"), (None, 0, 5), (False, True))
    for number, (provider, model, door, cost, simulated) in enumerate(kinds):
        book.request(
            detail(
                f"r_{number}",
                provider=provider if number % 7 else "",
                model=model if number % 7 else "",
                door=door,
                cost=None if cost is None else cost + number,
                simulated=simulated,
                session=f"s{number % 3}",
                key=f"k{number % 5}",
                started_at=100 * day + number * day / 4,
                state="failed" if number % 11 == 0 else "done",
                tokens=Tokens(number, 1, 2, 3, 4 * number, 5, estimated=number == 13),
            )
        )
    book.request(detail("running", state="running", cost=9, started_at=101 * day))
    assert book.flush(5)

    every = {by: await archive.costs(by=by) for by in get_args(Grouping)}
    sums = {by: [_sum(lines, played) for played in (False, True)] for by, lines in every.items()}
    assert all(one == sums["model"] for one in sums.values()), sums
    dear = sum(5 + number for number in range(4, 48, 6))
    free = sum(number for number in range(2, 48, 6))
    assert sums["model"][0] == (24, 3, 552, 2208, dear + free, 8)
    assert {name: len(lines) for name, lines in every.items()} == {
        "model": 10,  # four targets and "" for those that had none, real and simulated apart
        "provider": 6,
        "door": 4,
        "session": 6,
        "key": 10,
        "project": 2,
        "team": 2,
        "user": 2,
        "rule": 10,
        "outcome": 6,  # answered, failed, and the first attempts that were retried
        "day": len({(one.name, one.simulated) for one in every["day"]}),
    }
    names = [one.name for one in every["day"]]
    assert names == sorted(names)
    assert len(set(names)) in (12, 13)  # by the time zone of this machine

    totals = await archive.totals(0)
    assert (totals.requests, totals.errors, totals.cost) == (24, 3, dear + free)
    assert totals.unpriced == 8
    assert (totals.simulated_requests, totals.simulated_cost) == (24, _sum(every["key"], True)[4])
    assert await archive.costs(100 * day, 101 * day, "door") != await archive.costs(by="door")
    part = [await archive.costs(None, 103 * day), await archive.costs(103 * day, None)]
    assert _add(*(_sum(lines, False) for lines in part)) == sums["model"][0]


async def test_the_log_is_read_in_order_from_either_end(book: Ledger, archive: Archive) -> None:
    levels = ("debug", "info", "warning", "error")
    for number in range(1, 41):
        book.log(
            line(
                f"line {number}",
                at=float(number),
                level=levels[number % 4],
                source="ssh" if number % 2 else "config",
                request="r_1" if number > 38 else "",
            )
        )
    assert book.flush(5)

    async def ids(filter: LogFilter = LogFilter(), **page: int) -> list[int]:  # noqa: B008
        return [one.id for one in await archive.logs(filter, **page)]

    assert await ids(limit=3) == [38, 39, 40]
    assert await ids(limit=3, before_id=38) == [35, 36, 37]
    assert await ids(limit=3, after_id=38) == [39, 40]
    assert await ids(limit=3, after_id=0) == [1, 2, 3]
    assert await ids(limit=9, after_id=5, before_id=8) == [6, 7]
    assert await ids(LogFilter(level="error"), limit=2) == [35, 39]
    assert await ids(LogFilter(level="warning"), limit=3) == [35, 38, 39]
    assert await ids(LogFilter(text="LINE 4"), limit=5) == [4, 40]
    assert await ids(LogFilter(source="ssh", since=37.0), limit=5) == [37, 39]
    assert await ids(LogFilter(request="r_1")) == [39, 40]

    some = await archive.log_ids(LogFilter(level="error"))
    assert some == array("q", range(3, 40, 4))
    assert await archive.log_ids(LogFilter(level="error"), 3, 11) == array("q", (7, 11))
    assert await archive.log_reach() == (1, 40)
    assert await archive.log_reach(37.0) == (37, 40)
    assert await archive.log_reach(99.0) == (0, -1)
    assert await archive.log_whole()
    lines = await archive.log_lines([*some, 999])
    assert list(some) == sorted(lines)
    assert all(one.level == "error" and one.id == id for id, one in lines.items())
    assert len(await archive.log_lines(range(1, 3001))) == 40


async def test_a_commit_of_the_writer_is_noticed(book: Ledger, archive: Archive) -> None:
    before = await archive.data_version()
    assert await archive.data_version() == before
    book.log(line("x"))
    assert book.flush(5)
    assert await archive.data_version() != before


async def test_it_never_writes(tmp_path: Path, archive: Archive) -> None:
    path = tmp_path / "ledger.db"
    with ledger(path) as book:
        book.request(detail("r_1"))
    content, umask = path.read_bytes(), os.umask(0)
    try:
        assert len(await archive.requests()) == 1  # with no router running
    finally:
        os.umask(umask)
    await archive.close()
    assert path.read_bytes() == content
    assert modes(tmp_path) == {0o600}


async def test_a_damaged_file_is_named(tmp_path: Path, archive: Archive) -> None:
    (tmp_path / "ledger.db").write_bytes(os.urandom(8192))
    with pytest.raises(ArchiveError, match=r"ledger\.db cannot be read"):
        await archive.requests()


async def test_a_file_of_an_older_version_says_how_to_read_it(
    tmp_path: Path, archive: Archive
) -> None:
    first = database.migrations()[0][1]
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db")) as old:
        old.executescript(first.read_text())
        old.execute("PRAGMA user_version = 1")
        old.commit()
    with pytest.raises(ArchiveError, match=r"older version .*`pointsman start`"):
        await archive.requests()
    with ledger(tmp_path / "ledger.db"):
        assert await archive.requests() == []


def test_a_full_disk_is_no_damage(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as small:
        small.execute("PRAGMA max_page_count = 1")
        with pytest.raises(sqlite3.OperationalError) as full:
            small.execute("CREATE TABLE t (x)")
    assert "space" in database.advice(full.value, tmp_path / "l")
    assert "damaged" in database.advice(sqlite3.DatabaseError("malformed"), tmp_path / "l")


async def test_days_are_those_of_the_person_looking(
    book: Ledger, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.request(detail("late", started_at=1_763_769_600.0 - 1))  # 2025-11-21T23:59:59Z
    book.request(detail("early", started_at=1_763_769_600.0))
    assert book.flush(5)
    for zone, days in (("UTC", ["2025-11-21", "2025-11-22"]), ("UTC-5", ["2025-11-22"])):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert [one.name for one in await archive.costs(by="day")] == days
    monkeypatch.undo()
    time.tzset()


async def _get(archive: Archive, id: str) -> Any:
    found = await archive.request(id)
    assert found is not None
    assert found.attempts == () or found.attempts[0] == attempt(1)
    return found


def _sum(lines: list[Any], simulated: bool) -> tuple[int, ...]:
    return _add(
        *(
            (one.requests, one.errors, one.tokens.input, one.tokens.output, one.cost, one.unpriced)
            for one in lines
            if one.simulated is simulated
        )
    )


def _add(*rows: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sum(column) for column in zip(*rows, strict=True))


async def test_the_history_of_health(book: Ledger, archive: Archive) -> None:
    changes = [
        ServiceChange(100_000.0, "CCR", "role", "up"),
        ServiceChange(200_000.0, "deepseek", "provider", "up"),
        ServiceChange(300_000.0, "deepseek", "provider", "down", "refused \x1b[31m"),
        ServiceChange(400_000.0, "deepseek", "provider", "up"),
    ]
    for change in changes:
        book.health(change)
    assert await asyncio.to_thread(book.flush, 5)
    assert await archive.health() == changes[::-1]
    assert await archive.health(250_000.0, "deepseek", 1) == [changes[3]]
    book.prune(350_000.0)
    while len(kept := await archive.health()) > 2:
        await asyncio.to_thread(book.flush, 5)
    assert kept == [changes[3], changes[0]]  # how each is since then stays
