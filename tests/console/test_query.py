"""What is typed into a filter means the same on the screen and in the ledger."""

from __future__ import annotations

from array import array

import msgspec
import pytest

from console.lines.log import PAGE, PAGES, LogRows
from console.lines.spending import cost_on, export, month_left, over_time, stack, total
from console.query import parse, written
from console.screens.overrides import served
from console.searching import matching
from router.contract import (
    CostLine,
    CostPoint,
    LogLine,
    ModelView,
    OverrideView,
    RequestDetail,
    Spend,
    Tokens,
)
from storage.home import Home
from storage.readers import Archive
from storage.writer import Ledger
from tests.console import scene

FAILED = scene.REQUESTS[7]


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("SONNET", True),
        ("sonnet !think", False),
        ("sonnet !haiku", True),
        ("status>=400", True),
        ("status>=530", False),
        ("model:sonnet provider:openrouter rule:think", True),
        ("model:opus", False),
        ("since:1m", False),
        ("since:2m", True),
        ('"no other candidate"', True),
        ('"no other cand', True),  # a quote that is still being typed
        ("nonsense:x", False),  # no field, so a word
        ("state:failed !provider:groq", True),
        ("!model:sonnet", False),
        ("!rule:think", False),
        ("!level:info", True),  # the log's: no request has one
        ("level:error", False),
        (f"request:{FAILED.id}", True),
        ("openrouter,anthropic/claude", True),  # as it stands in the list
        ("model:openrouter,anthropic", True),
        ("!status=404", True),
        ("status!=404 provider!=open", True),
        ("status!=529", False),
        ("!status!=529", True),
        ("provider!=openrouter", False),
        ("a!=b", False),  # no field, so a word
        ('"Error: openrouter"', True),  # as a client says it
        ("provider=openrouter !provider=open", True),
        ("provider=open", False),  # the whole of it
        ("status=529", True),
        ("status:530", False),
        ("status<500", False),
        ("!status>=500", False),
        ("took>1s took<1.3s took<=1210ms", True),
        ("took>1m", False),
        ("!took>1m in>=84k out=0", True),
        ("in>0.08M IN<1K", False),
        ("in>0.08M Took>1S", True),
        ("ttft>0s", False),  # there was no first token
        ("cost>$0.0001", False),  # nobody knows
        ("tries>1", True),
        ("took>soon", False),  # no length, so a word
        ("until:1m", True),
        ("until:2m", False),
        ("!", True),
    ],
)
def test_a_filter_of_requests(text: str, holds: bool) -> None:
    assert parse(text, scene.NOW).holds(FAILED) is holds


@pytest.mark.parametrize(
    ("text", "misread"),
    [
        ("took>soon", "took>soon: write took>10s"),
        ("!status:4xx", "status:4xx: write status>=400"),
        ("until:99:99", "until:99:99: write until:14:00"),
        ("level:loud", "level:loud: write level:warning"),
        ("model>3 key:", "model>3: write model:…; key:: write key:…"),
        ("level:info !source:x", "level: is of the log; source: is of the log"),
        ("http://x a:b sonnet", ""),
    ],
)
def test_what_cannot_be_read_is_told(text: str, misread: str) -> None:
    """It must not look as if it had let everything through."""
    wanted = parse(text, scene.NOW)
    assert wanted.misread("requests") == misread
    assert wanted.misread("log") == ("" if "of the log" in misread else misread)


PARTS = (
    "slow", "status=529", "status:404", "status>=500", "status<600", "took>1s", "ttft>0s",
    "cost>0.0001", "in>50k", "out=0", "tries>1", "model:sonnet", "model=anthropic", "since:1m",
    "until:1m", "session:7f3c", f"request:{FAILED.id}", "provider:openrouter", "state:failed",
    "level=warning", "source:ru", "source=rule", "door:ccr", "error:candidate",
)  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_what_is_turned_around_is_all_the_others(part: str) -> None:
    """Also of requests of which a figure is not known, and of fields that they have none of."""
    some, others = parse(part, scene.NOW), parse(f"!{part}", scene.NOW)
    assert [some.holds(r) for r in scene.REQUESTS] == [not others.holds(r) for r in scene.REQUESTS]


LOG_FILTERS = {
    "": ["up", "slow answer", "slow again", "broke 100% of it"],
    "slow": ["slow answer", "slow again"],
    "slow !again": ["slow answer"],
    "level:warn": ["slow again", "broke 100% of it"],
    "level=warning": ["slow again"],
    "!level:warn": ["up", "slow answer", "broke 100% of it"],
    "!level:debug": ["up", "slow answer", "slow again", "broke 100% of it"],
    "source:ru": ["slow again"],
    "source=ru": [],
    "source:rules source:exchange": [],
    "status>=500": ["broke 100% of it"],
    "model:sonnet": ["broke 100% of it"],
    "model=sonnet": [],
    f"model={FAILED.provider},{FAILED.model}": ["broke 100% of it"],
    "session:7f3c !broke": [],
    "100%": ["broke 100% of it"],
    "since:90s": ["slow again", "broke 100% of it"],
    "!since:90s": ["up", "slow answer"],
    "until:90s": ["up", "slow answer"],
    "status=529": ["broke 100% of it"],
    "!status=529": ["up", "slow answer", "slow again"],
    "!status=404": ["up", "slow answer", "slow again", "broke 100% of it"],
    "status!=529 model!=sonnet": ["up", "slow answer", "slow again"],
    "!model:sonnet slow": ["slow answer", "slow again"],
    "status<529": [],
    "status>=529 status>=400 status<600": ["broke 100% of it"],
    "status>529 status>=400": [],
    "took>1s took<1.3s tries>1": ["broke 100% of it"],
    "took>1m": [],
    "!source:rules slow": ["slow answer"],
    "door:100%": ["broke 100% of it"],  # of no field of the log: a word
    f"request:{FAILED.id}": ["broke 100% of it"],
}


async def test_filters_of_the_log(test_home: Home) -> None:
    test_home.make()
    book = Ledger(test_home.ledger)
    book.request(RequestDetail(FAILED))
    said = (
        (200, "info", "exchange", "up", ""),
        (100, "info", "exchange", "slow answer", ""),
        (60, "warning", "rules", "slow again", ""),
        (10, "error", "exchange", "broke 100% of it", FAILED.id),
    )
    for ago, level, source, message, request in said:
        book.log(LogLine(0, scene.NOW - ago, level, source, message, request))  # type: ignore[arg-type]
    assert book.flush(5.0)
    book.close()
    archive = Archive(test_home.ledger)

    async def found(text: str) -> list[str]:
        wanted = parse(text, scene.NOW).lines("debug", None)
        lines = [line.message for line in await archive.logs(wanted)]
        assert len(await archive.log_ids(wanted)) == len(lines)
        return lines

    try:
        assert {text: await found(text) for text in LOG_FILTERS} == LOG_FILTERS
        for part in PARTS:
            both = [*await found(part), *await found(f"!{part}")]
            assert sorted(both) == sorted(LOG_FILTERS[""]), part
    finally:
        await archive.close()


def test_a_written_filter_finds_just_these() -> None:
    text = written(provider="openrouter", model="a b/c'd", session="", agent="x")
    assert parse(text, 0.0).fields == (
        ("provider", "=openrouter"), ("model", "=a b/c'd"), ("agent", "=x"),
    )  # fmt: skip
    assert parse(text, 0.0).requests().words == ("openrouter", "a b/c'd", "x")


async def test_what_matches_is_looked_for_in_the_whole_ledger(test_home: Home) -> None:
    """Also what the ledger itself cannot look for; where one gave up, that is said."""
    test_home.make()
    book = Ledger(test_home.ledger)
    for number in range(12):
        view = msgspec.structs.replace(
            FAILED,
            id=f"req_{number:02}",
            state="done" if number % 4 else "failed",
            duration_ms=number * 1000.0,
            cost=number * 1_000_000,
        )
        book.request(RequestDetail(view))
    assert book.flush(5.0)
    book.close()
    archive = Archive(test_home.ledger)

    async def found(text: str, most: int = 9, pages: int = 9) -> tuple[str, bool]:
        wanted = parse(text, scene.NOW)
        views, whole = await matching(archive, wanted, most, page=3, pages=pages)
        return " ".join(view.id[-2:] for view in views), whole

    try:
        assert await found("state:failed") == ("08 04 00", True)
        assert await found("state:failed", 2) == ("08 04", False)
        assert await found("took>8s !took>10s") == ("10 09", True)
        assert await found("cost>=0.01") == ("11 10", True)
        for huge in ("cost>99999999999", "status>=99999999999999999999", f"cost>{'9' * 400}"):
            assert await found(huge) == ("", True), huge
        assert await found("state:failed", pages=2) == ("08", False)
        assert await found("took>=9s state:done", pages=2) == ("11 10 09", True)
    finally:
        await archive.close()


def test_older_lines_come_before_those_that_are_shown() -> None:
    asked: list[int] = []
    rows = LogRows(array("q", range(1_000, 1_300)), asked.append, 0.0)

    def read(page: int) -> None:
        ids = rows.page_ids(page)
        lines = {id: LogLine(id, 0.0, "info", "x", f"line {id}") for id in ids}
        rows.put(page, lines, len(ids))

    def shown(place: int) -> str:
        asked.clear()
        if (line := rows.line(place)) is None:
            (page,) = asked
            read(page)
            line = rows.line(place)
        return "" if line is None else line.message

    assert shown(0) == "line 1000"
    for older in (range(900, 1_000), range(10, 900)):
        rows.prepend(array("q", older))
        first = len(older)
        assert shown(first - 1) == f"line {older[-1]}"
        assert shown(0) == f"line {older[0]}"
        assert shown(len(rows) - 300) == "line 1000"
        assert not asked, "a page at hand stays"
    # a page that was not full keeps what it has while what came before it is read
    few = LogRows(array("q", range(1_000, 1_300)), asked.append, 0.0)
    few.prepend(array("q", range(990, 1_000)))
    few.put(-1, {id: LogLine(id, 0.0, "info", "x", f"line {id}") for id in few.page_ids(-1)}, 10)
    few.prepend(array("q", range(900, 990)))
    asked.clear()
    seen = [few.line(99), few.line(0)]
    assert ([one and one.message for one in seen], asked) == (["line 999", None], [-1])
    rows.append([LogLine(1_300, 0.0, "info", "x", "new")])
    assert shown(len(rows) - 1) in ("new", "line 1300")
    assert (len(rows), rows.index(1_300), rows.key(0)) == (1_291, 1_290, 10)
    assert [shown(place) for place in range(0, 1_290, 100)] == [
        f"line {rows.key(place)}" for place in range(0, 1_290, 100)
    ]


def test_what_is_followed_is_read_again_rather_than_kept() -> None:
    asked: list[int] = []
    rows = LogRows(array("q", [1]), asked.append, 0.0)

    def come(upto: int) -> None:
        first = len(rows) + 1
        rows.append([LogLine(id, 0.0, "info", "x", f"line {id}") for id in range(first, upto + 1)])

    # one comes while the page is read that it belongs to
    assert (rows.line(0), asked) == (None, [0])
    come(2)
    rows.put(0, {1: LogLine(1, 0.0, "info", "x", "line 1")}, 1)
    assert (rows.line(1), asked) == (None, [0, 0])
    asked.clear()
    come((PAGES + 2) * PAGE)
    newest = [rows.line(len(rows) - 1 - back * PAGE) for back in (0, PAGES - 1)]
    assert (None in newest, asked) == (False, [])
    assert (rows.line(1), asked) == (None, [0]), "of all that came only the newest pages are kept"


def line(cost: int, **more: object) -> CostLine:
    made = CostLine("a,b", False, 2, 0, Tokens(input=10, cache_read=90, output=5), cost, 0, 2)
    return msgspec.structs.replace(made, **more)


def test_money_over_time_by_kind_and_elsewhere(test_home: Home) -> None:
    used = total([line(100), line(50)]).tokens
    assert (used.input, used.cache_read, used.output) == (20, 180, 10)
    dear = ModelView("x,y", input=3, output=15, cache_read=None)
    assert cost_on(used, dear) == 20 * 3 + 180 * 3 + 10 * 15  # without a price of its own for it
    assert cost_on(used, ModelView("x,y", input=3)) is None
    assert cost_on(Tokens(), ModelView("x,y")) == 0
    spend = Spend(input=50, cache_read=0, cache_write=25, output=25)
    shown = stack(line(100, spend=spend), 8)
    assert isinstance(shown, list)
    assert "".join(part if isinstance(part, str) else part.text for part in shown) == "━━━━┅┅══"
    points = [CostPoint(0.0, line(100, spend=spend)), CostPoint(95.0, line(3, spend=Spend(fees=1)))]
    points += [CostPoint(9.0, line(100, spend=spend)), CostPoint(10.0, line(9, simulated=True))]
    nothing = (0, 0, 0, 0, 0)
    assert over_time(points, 0.0, 10.0, 10) == [
        (100, 0, 50, 50, 0),
        *[nothing] * 8,
        (0, 0, 0, 0, 3),  # fees, and what was never told apart
    ]
    to_day, to_month = month_left(scene.NOW)  # 14:32:07 of the 18th of November
    assert to_day == 9 * 3600 + 27 * 60 + 53
    assert to_month == to_day + 12 * 86_400
    path = test_home.config / "costs"
    test_home.make()
    export(path, [line(7, name="=HYPERLINK(0)")])
    assert "'=HYPERLINK(0)" in path.with_name("costs.csv").read_text()
    assert b'"cost": 7' in path.with_name("costs.json").read_bytes()
    assert path.with_name("costs.csv").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("scope", "forced", "filter"),
    [
        ("everywhere", False, "provider=a model=b/c rule=override"),
        ("scenario:think", False, "provider=a model=b/c rule=think"),
        ("session:7f", True, "provider=a model=b/c session=7f rule=forced"),
        ("key:k 1", False, "provider=a model=b/c 'key=k 1' rule=override"),
    ],
)
def test_what_an_override_served_is_a_filter(scope: str, forced: bool, filter: str) -> None:
    override = OverrideView("o_1", scope, "a,b/c", scene.NOW, None, forced=forced)
    assert served(override).startswith(f"{filter} since:2026-11-18T")
    assert parse(served(override), scene.NOW).since == scene.NOW // 1
