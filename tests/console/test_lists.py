"""Every list: sorted by its columns, filtered as one types, its rows marked for what follows."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from textual.pilot import Pilot

from console import commanding, prefs
from console.app import ConsoleApp
from console.lines import costs, requests
from console.lines.services import SERVICES
from console.row_filter import words
from console.screens import sessions
from console.screens.live import Live
from console.widgets.columns import Column, lay_out
from console.widgets.order import Order, Standing, arranged, named, natural
from console.widgets.paint import plain
from console.widgets.rows import Heading
from console.widgets.table import Table
from router.contract import Cancel, ClearOverride
from storage.home import Home
from tests.console import scene
from tests.console.fake_router import FakeRouter
from tests.console.pilot import console, shown, until


@dataclass(frozen=True)
class Item:
    name: str
    cost: int | None = None


COLUMNS = (
    Column("name", 6, by=lambda i: i.name),
    Column("cost", 6, number=True, by=lambda i: i.cost),
    Column("ago", 6, number=True, rising=True, by=lambda i: i.cost),
    Column("state", 6, words=lambda i: "down" if i.cost is None else "up"),
)
ITEMS = (Item("b", 2), Item("C", None), Item("a", 9), Item("d", 2))


def test_items_are_arranged_and_what_is_unknown_comes_last() -> None:
    def names(order: Order) -> str:
        return "".join(item.name for item in arranged(ITEMS, COLUMNS, order))

    assert [names(Order(*o)) for o in (("", True), ("name",), ("name", True))] == [
        "bCad", "abCd", "dCba",
    ]  # fmt: skip
    assert (names(Order("cost")), names(Order("cost", True))) == ("bdaC", "abdC")
    assert [natural(column).written for column in COLUMNS] == ["+name", "-cost", "+ago", "+state"]
    said = {"cost": Order("cost", True), "+co": Order("cost"), "-NAME": Order("name", True)}
    assert {text: named(text, COLUMNS) for text in said} == said
    assert [named(text, COLUMNS) for text in ("", "nothing", "state")] == [None] * 3


def test_a_filter_is_words_and_columns() -> None:
    said = {
        "": "bCad",
        "a": "a",
        "!a": "bCd",
        "state:down": "C",
        "!state:down b": "b",
        "up": "bad",
        "state=dow": "",
        "!state=down": "bad",
        "no:such": "",  # a word, as any
    }
    strange = {"cost>5": "", "!cost:2": "bCad", "status>=400": "", "!model:x": "bCad"}
    for text, left in {**said, **strange}.items():
        wanted = words(text, [column.name for column in COLUMNS], ("name", "state"))
        kept = [i for i in ITEMS if wanted.hold({c.name: c.text(i) for c in COLUMNS})]
        assert "".join(item.name for item in kept) == left, text
        why = f"no {text.removeprefix('!')} here: words, name: state:"
        assert wanted.misread == (why if text in strange else ""), text


@pytest.mark.parametrize(
    ("wait", "stays", "expected", "waiting"),
    [(False, False, "acx", 0), (True, False, "ac", 1), (True, True, "aBc", 1)],
)
def test_what_stands_still_keeps_its_order(
    wait: bool, stays: bool, expected: str, waiting: int
) -> None:
    """What went is gone, unless its list says as what it stays; a new one comes last or waits."""
    standing: Standing[str] = Standing()
    latest = str.upper if stays else None
    for still, wanted, seen in ((False, "abc", "abc"), (True, "xca", expected)):
        found = standing.take(wanted, str.lower, still=still, wait=wait, latest=latest)
        assert "".join(found) == seen
    assert standing.waiting == waiting
    standing.forget()
    assert standing.take("xca", str.lower, still=True, wait=wait) == ["x", "c", "a"]


#: screen → its key, a column to sort by, its list, and a word that leaves some of its rows
SCREENS = {
    "live": ("1", "cost", "requests", "mixtral"),
    "sessions": ("2", "cost", "sessions-table", "b01d77e4"),
    "costs": ("3", "requests", "models", "deepseek"),
    "health": ("4", "errors", "services", "groq"),
    "routes": ("6", "today", "rules", "longContext"),
    "overrides": ("7", "served", "overrides-table", "think"),
}


async def test_lists_are_sorted_filtered_and_acted_on(test_home: Home) -> None:
    """One console for all of it: starting one is what takes long."""
    scene.fill(test_home.ledger)
    router = FakeRouter(scene.SNAPSHOT)
    async with router.serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, lambda: "2 running" in shown(app))
        for screen in ("live", "overrides"):
            await _sorts_filters_and_says_so(app, pilot, test_home, screen)
        assert "sort by" in (commanding.run(app, "sort nonsense") or "")
        await _the_log_turns_round(app, pilot)
        await _times_are_told_as_ages(app, pilot, test_home)
        await _acts_on_what_is_marked(app, pilot, router)
        await _opens_the_row_under_the_cursor(app, pilot)


@pytest.mark.long
async def test_every_list_sorts_filters_and_says_so(test_home: Home) -> None:
    scene.fill(test_home.ledger)
    async with FakeRouter(scene.SNAPSHOT).serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, lambda: "2 running" in shown(app))
        for screen in SCREENS:
            await _sorts_filters_and_says_so(app, pilot, test_home, screen)


async def _sorts_filters_and_says_so(
    app: ConsoleApp, pilot: Pilot[int], home: Home, screen: str
) -> None:
    """The order is in the header and the title, freezes under the cursor, and is remembered."""
    key, column, id, word = SCREENS[screen]

    def rows() -> int:
        return len(_table(app, id).rows) if app.query(f"#{id}") else 0

    await pilot.press(key)
    await until(pilot, lambda: rows() > 1)
    table, many, usual = _table(app, id), rows(), _keys(_table(app, id))
    assert commanding.run(app, f"sort {column}") is None, screen
    await pilot.press("j", "S")
    await until(pilot, lambda: f"   {column}↑" in _title(app))
    assert f"{column}↑" in table.render_line(0).text
    assert table.following, "from its first row on"
    assert prefs.read(home.console_toml).sort[table.name or ""] == f"+{column}"
    commanding.run(app, f"filter {word}")
    await until(pilot, lambda: 0 < rows() < many and f'"{word}"' in _title(app))
    assert (" found" if screen == "live" else " of ") in _title(app)
    await pilot.press("escape")
    commanding.run(app, "sort none")
    await until(pilot, lambda: _keys(table) == usual)
    assert (table.name or "") not in prefs.read(home.console_toml).sort


async def _times_are_told_as_ages(app: ConsoleApp, pilot: Pilot[int], test_home: Home) -> None:
    """Of what stands in the last row. The header's clock goes on."""
    for screen, name in (("1", "requests"), ("5", "lines")):
        await pilot.press(screen)
        table = _table(app, name)
        await until(pilot, lambda table=table: _times(table))  # type: ignore[misc]
        await pilot.press("t")
        await until(pilot, lambda table=table: not _times(table))  # type: ignore[misc]
        assert prefs.read(test_home.console_toml).ago
        await pilot.press("t")
        await until(pilot, lambda table=table: _times(table))  # type: ignore[misc]


def _times(table: Table) -> bool:
    row = table.rows.row(len(table.rows) - 1)
    assert not isinstance(row, Heading)
    return row is not None and bool(re.search(r"\d\d:\d\d:\d\d$", plain(row[0])))


async def _the_log_turns_round(app: ConsoleApp, pilot: Pilot[int]) -> None:
    await pilot.press("5")
    await until(pilot, lambda: "following" in shown(app))
    lines = _table(app, "lines")
    oldest = lines.rows.key(0)
    await pilot.press("s")
    await until(pilot, lambda: "newest first" in _title(app))
    assert (lines.rows.key(len(lines.rows) - 1), lines.cursor) == (oldest, 0)


async def _acts_on_what_is_marked(app: ConsoleApp, pilot: Pilot[int], router: FakeRouter) -> None:
    """Together, after one question."""
    await pilot.press("1")
    await until(pilot, lambda: "2 running" in _title(app))
    await pilot.press("s")
    await until(pilot, lambda: "   door↑" in _title(app))
    await pilot.press("less_than_sign")
    await until(pilot, lambda: "door↑" not in _title(app))
    await pilot.press("space", "space", "space")
    await until(pilot, lambda: "◆ 3 marked" in _title(app))
    assert "◆" in _table(app, "requests").render_line(1).text
    await pilot.press("x")
    await until(pilot, lambda: "Cancel 2 requests?" in shown(app))
    assert "1 more have ended" in shown(app)
    await pilot.press("enter")  # no is the default, and the marks stay
    await until(pilot, lambda: "Cancel 2" not in shown(app))
    await pilot.press("x", "x")
    await until(pilot, lambda: len(router.actions) == 2)
    ids = [r.id for r in scene.REQUESTS[:2]]
    assert [a.id for a in router.actions if isinstance(a, Cancel)] == ids
    await until(pilot, lambda: "marked" not in _title(app))
    await pilot.press("7")
    await until(pilot, lambda: len(_table(app, "overrides-table").rows) > 1)
    await pilot.press("space", "space")
    await until(pilot, lambda: "◆ 2 marked" in _title(app))
    await pilot.press("escape")
    await until(pilot, lambda: "marked" not in _title(app))
    await pilot.press("g", "space", "space", "d")
    await until(pilot, lambda: "Clear 2 overrides?" in shown(app))
    await pilot.press("d")
    await until(pilot, lambda: len(router.actions) == 4)
    assert all(isinstance(action, ClearOverride) for action in router.actions[2:])


async def _opens_the_row_under_the_cursor(app: ConsoleApp, pilot: Pilot[int]) -> None:
    """Whatever else is marked."""
    await pilot.press("3")
    await until(pilot, lambda: len(_table(app, "models").rows) > 2)
    await pilot.press("g", "space")
    await until(pilot, lambda: bool(_table(app, "models").marked))
    table = _table(app, "models")
    assert table.selected not in table.marked
    provider, _, model = str(table.selected).removeprefix("real ").partition(",")
    await pilot.press("enter")
    wanted = f"provider={provider} model={model} since:"
    await until(pilot, lambda: app.query_one(Live).filter.startswith(wanted))


def _table(app: ConsoleApp, id: str) -> Table:
    return app.query_one(f"#{id}", Table)


def _keys(table: Table) -> list[str]:
    return [str(table.rows.key(place)) for place in range(len(table.rows))]


def _title(app: ConsoleApp) -> str:
    return shown(app).splitlines()[2]


def test_half_a_screen_beside_an_editor_holds_whole_columns() -> None:
    """At 60 cells nothing that is shown is cut off by the edge."""
    for listed in (requests.COLUMNS, costs.columns("session"), sessions.COLUMNS, SERVICES):
        widths = [max(column.width, len(column.name) + 1) for column in listed]
        layout = lay_out(listed, widths, 58)
        used = sum(cells for _, cells in layout.places) + layout.gap * (len(layout.places) - 1)
        assert used <= 58, [listed[index].name for index, _ in layout.places]
