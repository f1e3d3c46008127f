"""Sessions, Routes, the Playground and the command line, as a person uses them. One console for
many asserts: starting one is what takes long."""

from __future__ import annotations

import msgspec
import pytest
from textual import events

from console import commanding, theme
from console.app import ConsoleApp
from console.lines import requests
from console.lines.sessions import Branch
from console.screens.routes import Routes
from console.screens.sessions import Sessions
from console.widgets.notice import Notice
from console.widgets.order import Order, arranged
from console.widgets.paint import plain
from console.widgets.table import Table
from router.contract import (
    BranchLine,
    Cancel,
    ClearCooldown,
    CostLine,
    EditRoutes,
    Finding,
    Pause,
    PausedChanged,
    RequestView,
    Resume,
    SetOverride,
    Tokens,
)
from storage.home import Home
from tests.console import scene
from tests.console.fake_router import FakeRouter
from tests.console.pilot import console, shown, until


def lines(app: ConsoleApp, words: str) -> list[str]:
    return [line for line in shown(app).splitlines() if words in line]


async def test_a_session_is_a_tree_that_folds_and_can_be_paused(test_home: Home) -> None:
    scene.fill(test_home.ledger)
    router = FakeRouter(scene.SNAPSHOT)
    async with router.serving(test_home), console(test_home) as (app, pilot):
        await pilot.press("2")
        await until(pilot, lambda: "└ reviewer-2" in shown(app))
        (main, *_) = lines(app, "7f3c9a52")
        branch = lines(app, "├ main")[0]
        # the sum of its branches; one of them is simulated and its money not part of it
        assert "≥ $1.4378" in main
        assert "≥ $1.3784" in branch
        assert "◇ $0" in lines(app, "├ explore-1")[0]
        assert "89%" in lines(app, "b01d77e4")[0]  # of the 200,000 its model holds
        assert "longer ago" in shown(app)
        await pilot.press("Z")  # all of them
        await until(pilot, lambda: "reviewer-2" not in shown(app))
        await pilot.press("z")
        await until(pilot, lambda: "reviewer-2" in shown(app))
        await pilot.press("z")
        await until(pilot, lambda: "reviewer-2" not in shown(app))
        await pilot.press("X")
        await until(pilot, lambda: "Pause session 7f3c9a52?" in shown(app))
        await pilot.press("X")
        await until(pilot, lambda: bool(router.actions))
        assert router.actions == [Pause("7f3c9a52", by=app.operator)]
        await router.tell(PausedChanged(("7f3c9a52",)))
        await until(pilot, lambda: "‖ paused" in shown(app))
        await pilot.press("X")
        await until(pilot, lambda: len(router.actions) == 2)
        assert router.actions[1] == Resume("7f3c9a52", by=app.operator)
        await pilot.press("enter")
        await until(pilot, lambda: '"session=7f3c9a52"' in shown(app))
        assert app.view.id == "live"
        await pilot.press("b")
        await until(pilot, lambda: "by session" in shown(app))
        assert "9 requests" in lines(app, "7f3c9a52")[1] or "requests" in shown(app)


async def test_what_the_ledger_was_not_asked_yet_is_not_said_to_be_nothing(test_home: Home) -> None:
    async with FakeRouter(scene.SNAPSHOT).serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, lambda: "recent" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: "not read from the ledger yet" in shown(app))
        assert "no provider was asked" not in shown(app)
        assert "What the rules saw" not in shown(app)


async def test_the_order_of_sessions_stands_still_under_the_cursor(test_home: Home) -> None:
    scene.fill(test_home.ledger)
    async with FakeRouter(scene.SNAPSHOT).serving(test_home), console(test_home) as (app, pilot):
        await pilot.press("2")
        await until(pilot, lambda: "└ reviewer-2" in shown(app))
        view = app.query_one(Sessions)
        before = [branch.session for branch in view._sessions or []]
        assert len(before) > 1
        await pilot.press("G")
        await until(pilot, lambda: "order frozen" in shown(app))
        newcomer = Branch("newcomer", "", (view._sessions or [])[0].lines)
        view._sessions = [newcomer, *reversed(view._sessions or [])]
        view.update()
        await until(pilot, lambda: "+1 new" in shown(app))
        assert [branch.session for branch in view._shown] == before
        await pilot.press("g")
        await until(pilot, lambda: "newcomer" in shown(app))
        assert [branch.session for branch in view._shown] == ["newcomer", *reversed(before)]
        assert "order frozen" not in shown(app)


async def test_an_edit_of_the_routes_is_tried_shown_applied_or_dropped(test_home: Home) -> None:
    scene.fill(test_home.ledger)
    router = FakeRouter(scene.SNAPSHOT)
    router.answers.pop(EditRoutes)
    router.answer = lambda action: (
        scene.EDITED
        if isinstance(action, EditRoutes) and action.dry
        else msgspec.structs.replace(scene.EDITED, applied=True, message="default → small")
    )
    async with router.serving(test_home), console(test_home, size=(100, 40)) as (app, pilot):
        await pilot.press("6")
        await until(pilot, lambda: "everything else" in shown(app))
        assert app.view.query_one(Table).selected == "forced "
        await pilot.press("enter")  # a rule without a target of its own
        await until(pilot, lambda: "has no target of its own" in shown(app))
        await pilot.press("G", "enter", *"coder:7b")
        await until(pilot, lambda: "free" in lines(app, "ollama-local")[-1])
        await pilot.press("enter")
        await until(pilot, lambda: "12 of 200 would move, ≈ −$0.84" in shown(app))
        assert "was deepseek,deepseek-chat" in shown(app) or "1 not applied" in shown(app)
        view = app.view
        assert isinstance(view, Routes)
        assert view.command() == "pointsman routes set default=ollama-local,qwen2.5-coder:7b"
        await pilot.press("a")
        await until(pilot, lambda: "+default = " in shown(app))
        await pilot.press("enter")  # the default answer is no
        await until(pilot, lambda: "+default = " not in shown(app))
        assert [a.dry for a in router.actions if isinstance(a, EditRoutes)] == [True]
        await pilot.press("a")
        await until(pilot, lambda: "+default = " in shown(app))
        await pilot.press("a")
        await until(pilot, lambda: "not applied" not in shown(app))
        assert "fallback.default" in shown(app)
        await pilot.press("g", *"jjjjjjj", "v")
        await until(pilot, lambda: "longContextThreshold" in shown(app))
        await pilot.press("ctrl+a", "ctrl+k", *"80000", "enter")
        await until(pilot, lambda: "80000   was 60000" in shown(app))
        assert view.command() == "pointsman routes set longContextThreshold=80000"
        await pilot.press("v", "ctrl+a", "ctrl+k", *"60000", "enter")
        await until(pilot, lambda: "was 60000" not in shown(app))
        (_, _, written) = (a for a in router.actions if isinstance(a, EditRoutes))
        assert not written.dry
        assert written.edits == {"default": "ollama-local,qwen2.5-coder:7b"}


async def test_commands_complete_act_and_are_remembered(test_home: Home) -> None:
    router = FakeRouter(scene.SNAPSHOT)
    async with router.serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, lambda: "2 running" in shown(app))
        await pilot.press("colon", *"thpoint", "escape")
        assert not app.query_one("#command").display
        await pilot.press("colon", "t", "h", "tab", *"pointsman-l", "tab", "enter")
        await until(pilot, lambda: app.theme == theme.LIGHT.name)
        assert 'theme = "pointsman-light"' in test_home.console_toml.read_text()
        running = scene.REQUESTS[0].id
        said = {
            f"cancel {running}": Cancel(running, by=app.operator),
            "pause 7f3c9a52": Pause("7f3c9a52", by=app.operator),
            "wake groq": ClearCooldown("groq", by=app.operator),
            "override a,b session:x 30m": SetOverride("session:x", "a,b", 1800, by=app.operator),
        }
        for line, action in said.items():
            assert commanding.run(app, line) is None
            await until(pilot, lambda a=action: a in router.actions)  # type: ignore[misc]
        assert commanding.completions(app, "pl") == ["playground"]
        assert commanding.completions(app, "wake gr") == ["wake groq"]
        assert commanding.completions(app, "override deepseek,deepseek-r") == [
            "override deepseek,deepseek-reasoner"
        ]
        assert "no command 'nonsense'" in (commanding.run(app, "nonsense") or "")
        assert "write cancel ID" in (commanding.run(app, "cancel") or "")
        assert "no theme 'x'" in (commanding.run(app, "theme x") or "")
        commanding.run(app, "filter mixtral")
        await until(pilot, lambda: '"mixtral"' in shown(app))
        commanding.run(app, "save mix")
        commanding.run(app, "filter")
        commanding.run(app, "filter mix")
        await until(pilot, lambda: app.view.query_one("FilterLine").value == "mixtral")  # type: ignore[attr-defined]
        await pilot.press("slash")
        for key in ("x", "enter", "2"):  # as a slow line brings them: all at once
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: app.view.id == "sessions")
        await pilot.press("1")
        await until(pilot, lambda: getattr(app.view, "filter", "") == "mixtralx")
        commanding.run(app, "filter mix")
        await until(pilot, lambda: getattr(app.view, "filter", "") == "mixtral")
        commanding.run(app, "budget 20")
        await until(pilot, lambda: "of $20 today" in shown(app))
        await pilot.press("colon", *"cmd", "enter")
        await until(pilot, lambda: "pointsman requests mixtral" in shown(app))


async def test_keys_of_ones_own_and_a_console_that_may_only_look(test_home: Home) -> None:
    test_home.make()
    test_home.console_toml.write_text(
        'theme = "pointsman-contrast"\ngroup = "key"\nwrap = true\n'
        '[keys]\n"live.cancel" = "ctrl+x"\n"live.group" = "z"\n"live.gruop" = "Z"\n'
    )
    router = FakeRouter(scene.SNAPSHOT)
    app = ConsoleApp(test_home, now=lambda: scene.NOW, read_only=True)
    async with router.serving(test_home), app.run_test(size=(120, 30), notifications=True) as pilot:
        await until(pilot, lambda: "2 running" in shown(app))
        assert app.theme == theme.CONTRAST.name
        assert "look only" in shown(app)
        app.query_one(Notice).hush()
        await until(pilot, lambda: "z group" in shown(app))
        assert "by key" in shown(app)
        place = f"{test_home.console_toml}:7"
        assert any(f"{place}: no key is named 'live.gruop'" in one.words for one in app.told)
        await pilot.press("z")
        await until(pilot, lambda: "by door" in shown(app))
        assert 'group = "door"' in test_home.console_toml.read_text()
        await pilot.press("question_mark")
        await until(pilot, lambda: "z        Group by session" in shown(app))
        assert "ctrl+x   Cancel the running request (look only)" in shown(app)
        await pilot.press("escape")
        commanding.run(app, "keys")
        await until(pilot, lambda: '"live.group" = "z"' in shown(app))
        assert '"table.move.back" = "up,k"' in shown(app)
        await pilot.press("escape")
        commanding.run(app, "cmd")
        await until(pilot, lambda: "ctrl+x    cancel it" in shown(app))
        await pilot.press("escape")
        await pilot.press("ctrl+x")
        await until(pilot, lambda: "may only look" in shown(app))
        for line in ("pause 7f3c9a52", "clear all", "reload"):
            commanding.run(app, line)
        await pilot.press("7", "d", "n", "5")
        await pilot.pause()
        assert app.view.query_one(Table).wrap
        assert router.actions == []


async def test_a_finding_is_told_whole_with_what_to_type(test_home: Home) -> None:
    words = "holds keys and others may read it, which is no place for them: chmod 600 THE-FILE"
    finding = Finding("pointsman.toml", "/somewhere/pointsman.toml", "problem", words)
    snapshot = msgspec.structs.replace(scene.SNAPSHOT, findings=(finding,))
    async with FakeRouter(snapshot).serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, lambda: "LIVE" in shown(app))
        await pilot.press("4")
        await until(pilot, lambda: "problem" in shown(app))
        assert "THE-FILE" not in shown(app)
        await pilot.press("tab")
        await until(pilot, lambda: "THE-FILE" in shown(app))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"attempts": 1}, "✓ 200"),
        ({"attempts": 1, "passed": "openai,gpt-9"}, "✓ 200 ↷"),
        ({"attempts": 3, "passed": "openai,gpt-9"}, "✓ 200 ×3↷"),
        ({"state": "running", "passed": "openai,gpt-9"}, "▸ ↷"),
    ],
)
def test_a_row_marks_a_first_choice_that_was_passed_over(
    changes: dict[str, object], words: str
) -> None:
    request = msgspec.structs.replace(scene.REQUESTS[3], status=200, state="done")
    request = msgspec.structs.replace(request, **changes)
    row = requests.draw(request, request.started_at + 7)
    assert plain(row[-1]) == words
    assert ("↷ not openai,gpt-9" in plain(row[4])) is ("passed" in changes)


def test_a_row_says_how_long_it_took_and_why_it_failed() -> None:
    whole = scene.REQUESTS[3]
    took = [column.name for column in requests.COLUMNS].index("took")
    rows: dict[str, RequestView] = {}
    said: tuple[tuple[str, dict[str, object]], ...] = (
        ("failed", {"state": "failed", "error": "Rate limit reached", "duration_ms": 61_200.0}),
        ("done", {"state": "done", "duration_ms": 900.0}),
        ("older", {"state": "running", "started_at": whole.started_at - 100}),
        ("runs", {"state": "running"}),
        ("lost", {"state": "interrupted"}),
    )
    for name, changes in said:
        rows[name] = msgspec.structs.replace(whole, **{"duration_ms": None, **changes})
    drawn = {name: requests.draw(one, whole.started_at + 7) for name, one in rows.items()}
    assert {name: plain(row[took]) for name, row in drawn.items()} == {
        "failed": "1m01s", "done": "900ms", "older": "1m47s", "runs": "7s", "lost": "—",
    }  # fmt: skip
    assert plain(drawn["failed"][4]) == f"{whole.rule} Rate limit reached"
    assert plain(drawn["done"][4]) == f"{whole.rule} {whole.value}"
    longest = arranged(rows.values(), requests.COLUMNS, Order("took", falling=True))
    assert [name for one in longest for name, each in rows.items() if each is one] == [
        "older", "runs", "failed", "done", "lost",
    ]  # fmt: skip


@pytest.mark.parametrize(("real", "shown"), [(None, 9), (0, 9), (5, 5)])
def test_simulated_money_is_shown_where_nothing_real_was_asked(
    real: int | None, shown: int
) -> None:
    """A request that was refused at the door is real, and says nothing of what a session used."""
    lines = [BranchLine("s", "", 0.0, 9.0, CostLine("a,b", True, 1, 0, Tokens(input=9), 0, 0, 1))]
    if real is not None:
        used = CostLine("", False, 1, 1, Tokens(input=real), 0, 0, 1)
        lines.append(BranchLine("s", "", 0.0, 9.0, used))
    assert Branch("s", "", lines).used().tokens.prompt == shown
