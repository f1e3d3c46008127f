"""Who is here and may be sent away; what may be spent; and a console that may only look."""

from __future__ import annotations

import re

import msgspec

from console import commanding
from console.keys import hints
from console.screens.live import Live
from console.text import width
from console.widgets.budget import line
from console.widgets.paint import plain
from router.contract import BudgetView, Dismiss, Visitor
from storage.home import Home
from tests.console import scene
from tests.console.fake_router import FakeRouter
from tests.console.pilot import console, shown, until

NANO = 1_000_000_000
VISITORS = (
    Visitor("v1", "ssh:ana", "operate", "10.1.2.3", "console", scene.NOW - 600),
    Visitor("v2", "web:\x1b]52;c;eA==\x07bob", "view", "10.1.2.4", "console", scene.NOW - 60),
)
BUDGETS = (
    BudgetView("key", "ci", "30d", 5 * NANO, None, 6 * NANO, 0, scene.NOW + 86_400, state="over"),
    BudgetView(
        *("house", "", "day", 20 * NANO, 15 * NANO, 8 * NANO, NANO, scene.NOW + 7200),
        runs_out_at=scene.NOW + 3600,
    ),
    BudgetView("user", "a-very-long-name-of-somebody", "forever", None, NANO, 0, 0, None),
)


async def test_visitors_budgets_and_looking_only(test_home: Home) -> None:
    """One console for all three: what each adds shows in it."""
    beat = msgspec.structs.replace(scene.SNAPSHOT.beat, budgets=BUDGETS)
    snapshot = msgspec.structs.replace(scene.SNAPSHOT, visitors=VISITORS, beat=beat)
    router = FakeRouter(snapshot)
    async with router.serving(test_home), console(test_home, size=(160, 40)) as (app, pilot):
        await until(pilot, lambda: "LIVE" in shown(app))
        assert "≥ $8.4121 of $20 today" in shown(app)
        assert "✗ 1 budget spent" in shown(app)
        await pilot.press("3")
        await until(pilot, lambda: "≈ spent in 1h00m" in shown(app))
        assert "120%" in shown(app)

        await pilot.press("4", "v")
        await until(pilot, lambda: "ssh:ana" in shown(app))
        assert "\x1b" not in shown(app)
        await pilot.press("down", "d", "escape", "d", "d")
        await until(pilot, lambda: bool(router.actions))
        assert [(a.who, bool(a.by)) for a in router.actions if isinstance(a, Dismiss)] == [
            ("v2", True)
        ]
        await pilot.press("escape")
        await until(pilot, lambda: "Found at start" in shown(app))

        app.read_only, app.role = True, "view"
        await pilot.press("v", "d")
        await until(pilot, lambda: "your role is view" in shown(app))
        await pilot.press("escape", "1")
        await until(pilot, lambda: "look only" in shown(app))
        offered = plain(hints(app.view, {}, True, (), 118)[0])
        assert "cancel" not in offered
        assert "filter" in offered
        names = [command.title for command in app.get_system_commands(app.screen)]
        assert "Visitors" in names
        assert "Set an override" not in names
        assert len(router.actions) == 1


def test_a_budget_never_outgrows_its_line_nor_loses_its_money() -> None:
    for room in (58, 80, 120):
        for budget in BUDGETS:
            words = plain(line(budget, scene.NOW, room))
            assert width(words) <= room
            assert " of $" in words
    assert "✗ spent   anew in 1d" in plain(line(BUDGETS[0], scene.NOW, 120))
    assert "$1.0000 held" in plain(line(BUDGETS[1], scene.NOW, 120))


async def test_costs_of_a_range_that_a_person_names(test_home: Home) -> None:
    scene.fill(test_home.ledger)
    async with (
        FakeRouter(scene.SNAPSHOT).serving(test_home),
        console(test_home, size=(120, 40)) as (app, pilot),
    ):
        await until(pilot, lambda: "LIVE" in shown(app))
        assert commanding.run(app, "range 2001-01-02 2001-01-01") == "a range ends after it begins"
        assert "write today, yesterday" in (commanding.run(app, "range yesteryear") or "")
        assert commanding.run(app, "range 2001-01-01 2001-01-03") is None
        await until(pilot, lambda: "no request in this time" in shown(app))
        assert "2001-01-01 00:00 to 2001-01-03 00:00" in shown(app)
        assert "--since 2001-01-01T00:00 --until 2001-01-03T00:00" in app.view.command()
        assert commanding.run(app, "range 2001-01-01") is None
        await until(pilot, lambda: "since Mon 2001-01-01 00:00" in shown(app))
        assert app.view.command().endswith("--since 2001-01-01T00:00 --by model")
        await pilot.press("w")
        await until(pilot, lambda: "openrouter,claude-sonnet-4-5" in shown(app))
        await pilot.press("enter")  # the dearest
        await until(pilot, lambda: " found" in shown(app))
        assert isinstance(app.view, Live)
        assert re.fullmatch(r"provider=\S+ model=\S+ since:2026-11-12T00:00", app.view.filter)
        await until(pilot, lambda: re.search(r"[1-9]\d* found", shown(app)) is not None)
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.current == "costs")
