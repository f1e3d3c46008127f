"""The table: numbers are never cut, selection follows the row, only what changed is painted."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.strip import Strip

from console import theme
from console.widgets.columns import Column, lay_out
from console.widgets.paint import Span, plain
from console.widgets.strips import fold
from console.widgets.table import Heading, Key, ListRows, Row, Table

Item = tuple[str, int]
COLUMNS = (Column("name", 6, grow=1), Column("in", 2, number=True), Column("more", 9, drop=1))


class Counting(Table):
    """Counts the lines it paints."""

    painted = 0

    def _paint(self, row: Row, mark: str) -> tuple[Strip, ...]:
        self.painted += 1
        return super()._paint(row, mark)


class Bench(App[None]):
    CSS = "Table { height: 1fr; }" + "".join(f".table--{t} {{ color: red; }}" for t in theme.TONES)

    def __init__(self, columns: Sequence[Column] = COLUMNS, edge: str = "") -> None:
        super().__init__()
        self.columns = columns
        self.edge = edge

    def compose(self) -> ComposeResult:
        yield Counting(self.columns, edge=self.edge)  # type: ignore[arg-type]

    @property
    def table(self) -> Counting:
        return self.query_one(Counting)

    def lines(self) -> list[str]:
        return [self.table.render_line(y).text.rstrip() for y in range(self.table.size.height)]


def rows(*items: Item) -> ListRows[Item]:
    return ListRows(items, lambda i: i[0], lambda i: (i[0], f"{i[1]}", Span("x")))


@pytest.mark.parametrize("width", [20, 24, 40, 80])
async def test_a_number_that_grows_widens_its_column(width: int) -> None:
    app = Bench()
    async with app.run_test(size=(width, 6)) as pilot:
        app.table.show(rows(("a", 0), ("b", 1)))
        await pilot.pause()
        before = app.lines()
        app.table.show(rows(("a", 123_456), ("b", 1)))
        await pilot.pause()
        assert "123456" in app.lines()[1]
        assert app.lines()[1].split()[-2 if "more" in app.lines()[0] else -1] == "123456"
        app.table.unsettle()  # as when the filter changes: the room is for other columns again
        app.table.show(rows(("a", 0), ("b", 1)))
        await pilot.pause()
        assert app.lines() == before


async def test_a_number_that_came_while_the_table_was_hidden_is_whole_at_its_first_paint() -> None:
    app = Bench()
    async with app.run_test(size=(30, 6)) as pilot:
        app.table.show(rows(("a", 0)))
        app.table.display = False
        await pilot.pause()
        app.table.show(rows(("a", 9_876_543)))
        first: list[str] = []
        paint = app.table.render_line

        def painted(y: int) -> Strip:
            strip = paint(y)
            first.append(strip.text)
            return strip

        app.table.render_line = painted  # type: ignore[method-assign]
        app.table.display = True
        await pilot.pause()
        assert any("9876543" in text for text in first)
        assert not any("#" in text for text in first)


async def test_a_number_far_below_is_whole_when_it_comes_into_sight() -> None:
    app = Bench()
    async with app.run_test(size=(30, 6)) as pilot:
        app.table.show(rows(*((f"r{n}", n) for n in range(50)), ("last", 9_876_543)))
        await pilot.press("G")
        await pilot.pause()
        assert "9876543" in app.lines()[-1]


async def test_selection_follows_the_row_and_not_its_place() -> None:
    app = Bench()
    async with app.run_test(size=(30, 8)) as pilot:
        app.table.show(rows(("a", 1), ("b", 2), ("c", 3)))
        await pilot.press("j")
        assert app.table.selected == "b"
        app.table.show(rows(("new", 0), ("a", 1), ("b", 2), ("c", 3)))
        assert (app.table.selected, app.table.cursor) == ("b", 2)
        app.table.show(rows(("a", 1), ("c", 3)))
        assert app.table.selected == "c"
        app.table.show(rows())
        assert app.table.selected is None


class Endless:
    """More rows than any memory holds."""

    def __len__(self) -> int:
        return 10**15

    def key(self, index: int) -> int:
        return index

    def row(self, index: int) -> Row:
        return f"row {index}", "1", ""

    def index(self, key: Key) -> int | None:
        return int(key)


async def test_what_is_not_seen_costs_nothing() -> None:
    app = Bench(edge="bottom")
    async with app.run_test(size=(40, 8)) as pilot:
        app.table.show(Endless())
        for key, place in (("k", 2), ("pageup", 8), ("g", 10**15), ("G", 1), ("k", 2)):
            await pilot.press(key)
            assert app.table.selected == 10**15 - place
            app.table.show(Endless())


async def test_at_its_edge_it_follows_and_elsewhere_it_does_not() -> None:
    app = Bench(edge="bottom")
    async with app.run_test(size=(30, 5)) as pilot:
        app.table.show(rows(*((f"r{n}", n) for n in range(10))))
        assert app.table.selected == "r9"
        await pilot.press("k")
        app.table.show(rows(*((f"r{n}", n) for n in range(12))))
        assert (app.table.selected, app.table.following) == ("r8", False)
        await pilot.press("G")
        app.table.show(rows(*((f"r{n}", n) for n in range(20))))
        assert (app.table.selected, app.table.following) == ("r19", True)


async def test_a_click_on_a_columns_name_sorts_by_it() -> None:
    columns = (
        Column("通义", 6, grow=1, by=lambda i: i[0]),
        Column("in", 4, number=True, by=lambda i: i[1]),
        Column("more", 5),
    )
    app = Bench(columns)
    async with app.run_test(size=(30, 5)) as pilot:
        app.table.show(rows(("a", 1)))
        await pilot.pause()
        orders = []
        for x in (app.lines()[0].index("in"), 1, 2, 28):  # that of the last says nothing
            await pilot.click(app.table, offset=(x, 0))
            orders.append(app.table.order.written)
        assert orders == ["-in", "+通义", "-通义", "-通义"]


WRAPPING = (Column("n", 3, number=True), Column("text", 10, grow=1, wraps=True))


def wrapping(*texts: str) -> ListRows[Item]:
    items = [(text, number) for number, text in enumerate(texts)]
    return ListRows(items, lambda i: i[1], lambda i: (f"{i[1]}", Span(i[0], "warn")))


async def test_rows_that_wrap_are_whole_wherever_the_cursor_goes() -> None:
    """Their heights differ; the marked row is always seen whole, and a page skips nothing."""
    texts = [f"row{n} " + "and more words " * (n % 4) for n in range(16)]
    app = Bench(WRAPPING, edge="bottom")
    async with app.run_test(size=(26, 12)) as pilot:
        app.table.wrap = True
        app.table.show(wrapping(*texts))
        await pilot.pause()
        assert (app.table.selected, app.table.following) == (15, True)

        def check() -> set[int]:
            """The rows on the screen, of which the marked one is whole."""
            seen = app.lines()[1:]
            marked = " ".join(line[5:] for line in seen if line.startswith("▌"))
            assert marked.split() == texts[app.table.cursor].split(), "\n".join(seen)
            return {int(line[1:4]) for line in seen if line[1:4].strip()}

        met: set[int] = check()
        for key, times in (("pageup", 7), ("pagedown", 7), ("k", 16), ("j", 16)):
            for _ in range(times):
                await pilot.press(key)
                met |= check()
            assert met == set(range(16)), key
            met = check()
        await pilot.press("k")
        assert not app.table.following
        await pilot.resize_terminal(60, 12)
        assert len(check()) > 3, "wider: fewer lines to a row"
        await pilot.click(app.table, offset=(6, 1))
        check()
        app.table.wrap = False
        await pilot.pause()
        assert len([line for line in app.lines()[1:] if line[1:4].strip()]) == 11
        app.table.wrap = True
        app.table.show(wrapping())
        assert "".join(app.lines()[1:]) == ""


@pytest.mark.parametrize(
    ("text", "cells", "folded"),
    [
        ("a short one", 20, ["a short one"]),
        ("a short one", 7, ["a short", "one"]),
        ("abcdefg kl", 4, ["abcd", "efg", "kl"]),
        ("two\nlines", 20, ["two", "lines"]),
        ("漢字漢字 ok", 5, ["漢字", "漢字", "ok"]),
        ("\x1b[2J[b]x[/b]", 20, ["␛[2J[b]x[/b]"]),
        ("", 5, [""]),
        ("one two three four five six", 5, ["one", "two", "thre…"]),
    ],
)
def test_words_are_folded_whole_and_clean(text: str, cells: int, folded: list[str]) -> None:
    assert [plain(line) for line in fold(Span(text, "warn"), cells, 3)] == folded


async def test_headings_are_passed_over() -> None:
    items: list[Item] = [("h1", -1), ("a", 1), ("h2", -1), ("b", 2)]
    table_rows: ListRows[Item] = ListRows(
        items,
        lambda i: i[0],
        lambda i: Heading((i[0],)) if i[1] < 0 else (i[0], f"{i[1]}", ""),
    )
    app = Bench()
    async with app.run_test(size=(30, 8)) as pilot:
        app.table.show(table_rows)
        seen = [app.table.selected]
        for key in ("j", "j", "k", "k", "g", "G"):
            await pilot.press(key)
            seen.append(app.table.selected)
        assert seen == ["a", "b", "b", "a", "a", "a", "b"]


async def test_under_a_heading_it_follows_again() -> None:
    items: list[Item] = [("group", -1), ("a", 1), ("b", 2)]
    table_rows: ListRows[Item] = ListRows(
        items,
        lambda i: i[0],
        lambda i: Heading((i[0],)) if i[1] < 0 else (i[0], f"{i[1]}", ""),
    )
    app = Bench(edge="top")
    async with app.run_test(size=(30, 8)) as pilot:
        app.table.show(table_rows)
        await pilot.press("j")
        assert not app.table.following
        await pilot.press("g")
        assert (app.table.selected, app.table.following) == ("a", True)


async def test_rows_that_only_moved_are_not_drawn_again() -> None:
    app = Bench(edge="top")
    async with app.run_test(size=(40, 8)) as pilot:
        old = [(f"row {n}", n) for n in range(30)]
        app.table.show(rows(*old))
        await pilot.pause()
        app.table.painted = 0
        app.table.show(rows(("new", 1), *old))
        await pilot.pause()
        assert app.lines()[1].startswith("▌new")
        assert app.lines()[2].split() == ["row", "0", "0", "x"]
        assert app.table.painted == 2  # the new one, and the one that lost the cursor
        assert app.table.virtual_size.height == app.table.vertical_scrollbar.window_virtual_size
        app.table.show(rows(*old[:3]))
        await pilot.pause()
        assert not app.table.show_vertical_scrollbar
        assert [line.split()[-2:] for line in app.lines()[1:4]] == [
            ["0", "x"],
            ["1", "x"],
            ["2", "x"],
        ]
        assert "".join(app.lines()[4:]) == ""


async def test_only_the_changed_line_is_painted_again() -> None:
    app = Bench()
    async with app.run_test(size=(30, 10)) as pilot:
        app.table.show(rows(("a", 1), ("b", 2), ("c", 3)))
        await pilot.pause()
        app.table.painted = 0
        app.table.show(rows(("a", 1), ("b", 7), ("c", 3)))
        await pilot.pause()
        assert app.table.painted == 1
        app.table.show(rows(("a", 1), ("b", 7), ("c", 3)))
        await pilot.pause()
        assert app.table.painted == 1


def test_columns_go_by_their_importance_and_numbers_keep_their_width() -> None:
    columns = (
        Column("a", 10, grow=1),
        Column("b", 5, number=True, drop=2),
        Column("c", 5, drop=1),
    )
    widths = [10, 5, 5]
    assert lay_out(columns, widths, 22).hidden == ()
    assert lay_out(columns, widths, 21).hidden == ("b",)
    assert lay_out(columns, widths, 15).hidden == ("b", "c")
    narrow_again = (Column("a", 10), Column("b", 5, drop=2), Column("c", 12, drop=1))
    assert lay_out(narrow_again, [10, 5, 12], 16).hidden == ("c",)
    luxuries = (Column("a", 10, wish=14), Column("b", 5, drop=6), Column("c", 5, drop=7))
    hidden = [lay_out(luxuries, widths, room).hidden for room in (26, 25, 20, 19)]
    assert hidden == [(), ("c",), ("c",), ("b", "c")], "no more of them than there is need"
    roomy = lay_out(columns, widths, 60)
    assert sum(w for _, w in roomy.places) + roomy.gap * 2 == 60
    assert dict(roomy.places)[1] == 5


async def test_other_rows_than_before_begin_with_the_first() -> None:
    """As a filter leaves them; but who still is there stays chosen."""
    app = Bench(edge="top")
    async with app.run_test(size=(40, 9)) as pilot:
        app.table.show(rows(*((name, 0) for name in "abcdef")))
        await pilot.press("j", "j", "j")
        for left, chosen, follows in (("ad", "d", False), ("bce", "b", True)):
            app.table.unsettle()
            app.table.show(rows(*((name, 0) for name in left)))
            assert (app.table.selected, app.table.following) == (chosen, follows)


async def test_a_list_without_rows_takes_every_key() -> None:
    app = Bench(edge="bottom")
    async with app.run_test(size=(40, 6)) as pilot:
        app.table.focus()
        for wrap in (False, True):
            app.table.wrap = wrap
            app.table.show(rows())
            for key, _ in app.table._bindings:
                app.post_message(events.Key(key, None))
            await pilot.click(Counting, offset=(3, 3))
            assert app.table.selected is None
        app.table.show(rows(("a", 1), ("b", 2)))
        assert app.table.selected == "b"
