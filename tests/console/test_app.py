"""The console as a person uses it: keys in, words on the screen and actions at the router out."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
import pytest
from textual import events
from textual.css.query import NoMatches

from console import commanding
from console.app import ConsoleApp, who
from console.screens.logs import Logs
from console.screens.override_form import OverrideForm
from console.widgets.header import _fit
from console.widgets.notice import Notice
from console.widgets.paint import plain
from console.widgets.table import Table
from router.contract import (
    AlertRaised,
    AlertView,
    Beat,
    Cancel,
    ClearOverride,
    LogLine,
    OverridesChanged,
    Refused,
    Reloaded,
    RequestView,
    ServicesChanged,
    SetOverride,
    Stop,
)
from storage.home import Home
from storage.writer import Ledger
from tests.console import scene
from tests.console.fake_router import FakeRouter
from tests.console.pilot import console, shown, until

RUNNING = scene.REQUESTS[0]


def beat(*requests: RequestView) -> Beat:
    return msgspec.structs.replace(scene.BEAT, requests=requests)


def says(app: ConsoleApp, words: str) -> Callable[[], bool]:
    return lambda: words in shown(app)


def holds(app: ConsoleApp, text: str) -> Callable[[], bool]:
    """Whether the line that is typed on has `text`."""
    return lambda: getattr(app.focused, "value", None) == text


def fresh(number: int) -> RequestView:
    return msgspec.structs.replace(
        scene.REQUESTS[3],
        id=f"req_fresh{number}",
        started_at=scene.NOW + number,
        asked=f"new-{number}",
    )


def typed(app: ConsoleApp, keys: str) -> None:
    """All in one moment, as over a slow line; "⏎" and "⎋" are Enter and Escape, "⇥" pastes."""
    named = {"⏎": "enter", "⎋": "escape", ":": "colon", "/": "slash", " ": "space"}
    for one in keys:
        if one == "⇥":
            app.post_message(events.Paste("pasted"))
        else:
            app.post_message(events.Key(named.get(one, one), None if one in "⏎⎋" else one))


async def test_what_is_typed_at_once_is_for_what_it_opens(test_home: Home) -> None:
    """A key never goes to what lies under the dialog, line or screen that the one before opened."""
    scene.fill(test_home.ledger)
    router = FakeRouter(scene.SNAPSHOT)
    async with router.serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "● up 2h05m"))
        for keys, text in (
            (":visitors:", "visitors:"),
            ("⎋/vi/", "vi/"),
            ("⎋ogpt", "gpt"),
            ("⎋:overr⎋o⇥x", "pastedx"),
            ("⎋3vopus", "opus"),  # its prices are asked for first
            ("⎋1:override groq,⎋/x⏎/y", "xy"),
            ("⎋⇥/y", "pastedy"),  # what is pasted on a list is looked for
        ):
            typed(app, keys)
            await until(pilot, holds(app, text))
        app.post_message(events.Key("escape", None))
        app.post_message(events.Paste('API Error: 529\n{"request_id":"req_1a207d6981dc7ced"}\n'))
        await until(pilot, says(app, '"req_1a207d6981dc7ced"'))
        typed(app, "⎋⎋:live⏎o⏎")
        await until(pilot, lambda: bool(router.actions))
        typed(app, ":help⏎⎋G⏎")
        await until(pilot, says(app, "12 of 12"))
        typed(app, "⎋4hq:q⏎⎋:quit⏎y")
        await until(pilot, lambda: app.return_code == 0)


async def test_an_answer_that_does_not_come_is_waited_for_once(test_home: Home) -> None:
    async with FakeRouter(scene.SNAPSHOT).serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "● up 2h05m"))
        never = asyncio.Event()
        app.run_worker(app.keys_after(never.wait()))
        typed(app, "p" * 20 + "4")  # a second for each would be longer than anybody waits here
        await until(pilot, lambda: app.current == "health")


async def test_each_number_opens_its_screen(test_home: Home) -> None:
    scene.fill(test_home.ledger)
    expected = {
        "2": "of late",
        "3": "never part of real totals",
        "4": "refused by groq",
        "5": "following",
        "7": "cannot be honoured",
        "1": "2 running",
    }
    async with FakeRouter(scene.SNAPSHOT).serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "● up 2h05m"))
        for key, words in expected.items():
            await pilot.press(key)
            await until(pilot, says(app, words))
            assert isinstance(app.focused, Table), key


async def test_a_finished_request_shows_at_once_and_a_running_one_ticks(test_home: Home) -> None:
    router = FakeRouter(scene.SNAPSHOT)
    async with router.serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "86,628"))
        await router.tell(beat())  # the first change is followed by a second snapshot
        await until(pilot, lambda: router.snapshots_given == 2)
        ticked = msgspec.structs.replace(
            RUNNING, tokens=msgspec.structs.replace(RUNNING.tokens, output=4_321)
        )
        await router.tell(beat(fresh(1), ticked))
        await until(pilot, says(app, "new-1"))
        assert "4,321" in shown(app)
        assert router.snapshots_given == 2
        await router.tell(Reloaded(2, "config.json:7: Router.think: no such provider"))
        await until(pilot, lambda: router.snapshots_given == 3)


async def test_the_order_stands_still_under_the_cursor(test_home: Home) -> None:
    router = FakeRouter(scene.SNAPSHOT)
    async with router.serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "2 running"))
        await pilot.press("j", "j")
        table = app.query_one("#requests", Table)
        chosen, before = table.selected, _ids(app)
        await router.tell(beat(fresh(1)))
        await router.tell(
            beat(fresh(2), msgspec.structs.replace(RUNNING, state="done", status=201))
        )
        await until(pilot, says(app, "+2 new"))
        assert _ids(app) == before
        assert table.selected == chosen
        assert "✓ 201" in shown(app)  # rows still change in place
        await pilot.press("g")
        await until(pilot, says(app, "new-2"))
        assert _ids(app)[0] == scene.REQUESTS[1].id  # the one still running, then the newest
        assert _ids(app)[1:3] == ["req_fresh2", "req_fresh1"]


def _ids(app: ConsoleApp) -> list[str]:
    table = app.query_one("#requests", Table)
    return [str(table.rows.key(place)) for place in range(len(table.rows))]


async def test_the_filter_finds_what_the_screen_has_and_what_the_ledger_has(
    test_home: Home,
) -> None:
    scene.fill(test_home.ledger)
    async with FakeRouter(scene.SNAPSHOT).serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "2 running"))
        await pilot.press("slash", *"mixtral")
        await until(pilot, lambda: len(_ids(app)) == 6)  # one of today, five of days before
        assert "claude-sonnet" not in shown(app)
        await pilot.press("enter")
        assert isinstance(app.focused, Table)
        await pilot.press("escape")
        await until(pilot, lambda: len(_ids(app)) == len(scene.REQUESTS))


async def test_a_request_is_meant_by_last_or_the_beginning_of_its_id(test_home: Home) -> None:
    scene.fill(test_home.ledger)
    async with FakeRouter(scene.SNAPSHOT).serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "2 running"))
        for typed_id, words in (
            (scene.REQUESTS[4].id[:-1], scene.REQUESTS[4].id),
            ("nosuch", "No request has the id nosuch"),
            ("last", "What the rules saw"),
        ):
            commanding.run(app, f"why {typed_id}")
            await until(pilot, says(app, words))
        assert re.search(r"Request +req_", shown(app))


async def test_a_request_tells_its_whole_story(test_home: Home) -> None:
    scene.fill(test_home.ledger)
    async with FakeRouter(scene.SNAPSHOT).serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "2 running"))
        await pilot.press("j", "j", "j", "j", "enter")
        await until(pilot, says(app, "Overloaded: too many"))
        screen = shown(app)
        for words in (
            "longContext  81,204 > 60,000",
            "✗ 529 overload",
            "fallback",
            "first byte 1.18s",
            "$0.1203",
            "41, 18 tools, 0 images",
            "curl http://127.0.0.1:5000/claude-code/v1/messages",
        ):
            assert words in screen, words
        await pilot.press("right_square_bracket")
        await until(pilot, says(app, scene.REQUESTS[5].id))
        await pilot.press("y", "i")
        assert app.clipboard == scene.REQUESTS[5].id
        await pilot.press("y", "c")
        assert app.clipboard.startswith("curl ")
        assert '"input":"hello"' in app.clipboard
        app.copy("two", "one", "two\nrm\x1b[2J")
        assert app.clipboard == "one\ntwo⏎rm␛[2J"
        await pilot.press("l")
        await until(pilot, says(app, f"request:{scene.REQUESTS[5].id}"))
        await pilot.press("escape")  # back, and the filter that led there is gone
        await until(pilot, says(app, "6 of 12"))
        await pilot.press("s")
        await until(pilot, says(app, "names no session"))
        await pilot.press("left_square_bracket", "s")
        await until(pilot, says(app, "session=7f3c9a52"))
        await pilot.press("escape")
        await until(pilot, says(app, "5 of 12"))
        await pilot.press("escape")
        await until(pilot, says(app, "10 recent"))
        typed(app, "/claude⏎⏎s")  # a filter of one's own is there again
        await until(pilot, says(app, "session=7f3c9a52"))
        typed(app, "⎋⎋")
        await until(pilot, says(app, '"claude"'))
        typed(app, "⎋")
        await until(pilot, says(app, "10 recent"))


async def test_cancelling_asks_first_and_no_is_the_default(test_home: Home) -> None:
    router = FakeRouter(scene.SNAPSHOT)
    async with router.serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "2 running"))
        await pilot.press("x")
        await until(pilot, says(app, f"Cancel {RUNNING.id}?"))
        await pilot.press("enter")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert router.actions == []
        await pilot.press("x")
        await until(pilot, says(app, "Cancel"))
        await pilot.press("x")
        await until(pilot, lambda: bool(router.actions))
        assert router.actions == [Cancel(RUNNING.id, by=app.operator)]
        await pilot.press("R")
        await until(pilot, says(app, "Restart the router?"))
        assert "2 in flight: they finish first" in shown(app)
        await pilot.press("enter")  # no
        await until(pilot, lambda: len(app.screen_stack) == 1)
        await pilot.press("j", "j", "x")  # this one has ended
        await until(pilot, says(app, "it has ended"))


async def test_news_of_each_model_does_not_hold_the_bottom_line(test_home: Home) -> None:
    async with FakeRouter(scene.SNAPSHOT).serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "2 running"))
        now = scene.NOW
        app.now = lambda: now
        shown_each: list[list[str]] = []
        for later, models in ((0.0, "ab"), (9.0, "c"), (400.0, "d")):
            now += later
            app.query_one(Notice).hush()
            app.query_one(Notice).hush()
            for model in models:
                app.board.apply(AlertRaised(AlertView(now, "unpriced", model, "has no price")), now)
            app.board.apply(AlertRaised(AlertView(now, "provider", "x", "is down")), now)
            before = len(app.told)
            app.say_alerts()
            await pilot.pause()
            assert len(app.told) == before + len(models) + 1, "all of it is in :messages"
            shown_each.append([str(app.query_one(Notice).content)])
        assert shown_each == [
            ["▲ unpriced: a has no price"],
            ["▲ provider: x is down"],
            ["▲ unpriced (and 2 before, in `:messages`): d has no price"],
        ]
        # and what was raised before this console looked
        app.board.alerts += (AlertView(now - 86_400, "budget", "house", "is spent"),)
        app.show_messages()
        await until(pilot, says(app, "budget: house is spent"))
        told = [line for line in shown(app).splitlines()[:-1] if "has no price" in line]
        assert len(told) == 4, "each once"


@pytest.mark.parametrize(
    ("keys", "action"),
    [
        ("glm⏎", SetOverride("session:7f3c9a52", "openrouter,z-ai/glm-4.6", 1800.0)),
        ("deep↓⇥→⇥→→→⇥→⏎", SetOverride("everywhere", "deepseek,deepseek-coder", None, forced=True)),
        ("⏎", ClearOverride("ov2")),  # the one that is in force for its session
        ("↓⇥→→→⇥⏎", SetOverride("scenario:think", "deepseek,deepseek-chat", 1800.0)),
    ],
)
async def test_an_override_is_set_by_typing_part_of_a_name(
    test_home: Home, keys: str, action: SetOverride | ClearOverride
) -> None:
    router = FakeRouter(scene.SNAPSHOT)
    named = {"⏎": "enter", "↓": "down", "→": "right", "⇥": "tab"}
    async with router.serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "2 running"))
        await pilot.press("o")
        await until(pilot, says(app, "the rules decide again  now openrouter,z-ai/glm-4.6"))
        await pilot.press(*(named.get(key, key) for key in keys))
        await until(pilot, lambda: bool(router.actions))
        assert router.actions == [msgspec.structs.replace(action, by=app.operator)]


async def test_a_form_that_is_left_takes_no_answer(test_home: Home) -> None:
    """Also where it comes while the form is being taken down."""
    asked, gone = asyncio.Event(), asyncio.Event()

    async def weigh(scope: str, target: str) -> str:
        asked.set()
        await gone.wait()
        return "warm caches"

    async with console(test_home) as (app, pilot):
        app.board.take(scene.SNAPSHOT, scene.NOW)
        form = OverrideForm(app.board, RUNNING, "me", weigh)
        app.push_screen(form)
        await pilot.press(*"glm")
        await asked.wait()
        form.dismiss(None)
        while form.query("#lost"):  # noqa: ASYNC110 there is no event for it
            await asyncio.sleep(0)
        gone.set()
        form.know({})
        await until(pilot, lambda: len(app.screen_stack) == 1)


async def test_a_model_nobody_offers_cannot_be_set(test_home: Home) -> None:
    router = FakeRouter(scene.SNAPSHOT)
    async with router.serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "2 running"))
        await pilot.press("7", "n", *"nonesuch", "enter")
        await until(pilot, says(app, "no model of this name"))
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert router.actions == []


async def test_an_override_is_cleared_and_a_refusal_is_said(test_home: Home) -> None:
    router = FakeRouter(scene.SNAPSHOT)
    router.answer = lambda _: Refused("overrides are locked by the operator's file")
    async with router.serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "2 running"))
        await pilot.press("7", "d")
        await until(pilot, says(app, "Clear this override?"))
        await pilot.press("d")
        await until(pilot, says(app, "locked by the operator"))
        assert router.actions == [ClearOverride("ov1", by=app.operator)]
        await router.tell(OverridesChanged(scene.OVERRIDES[:1]))
        await until(pilot, says(app, "1 in force"))
        await router.tell(OverridesChanged(()))
        await until(pilot, says(app, "the rules decide"))


@pytest.mark.parametrize(("key", "actions"), [("y", []), ("s", [Stop])])
async def test_quitting_asks_whether_the_router_stays(
    test_home: Home, key: str, actions: list[type]
) -> None:
    router = FakeRouter(scene.SNAPSHOT)
    async with router.serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "2 running"))
        await pilot.press("q")
        await until(pilot, says(app, "leave the router running"))
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        await pilot.press("q", key)
        await until(pilot, lambda: not app.is_running)
        assert app.return_code == 0
        assert [type(action) for action in router.actions] == actions


async def test_quitting_a_demo_leaves_nothing(test_home: Home) -> None:
    async with (
        FakeRouter(scene.SNAPSHOT).serving(test_home),
        console(test_home, demo=True) as (app, pilot),
    ):
        await until(pilot, says(app, "2 running"))
        await pilot.press("q")
        await until(pilot, says(app, "its router goes with it"))
        assert "stop the router" not in shown(app)


async def test_ctrl_c_twice_quits_and_once_only_says_so(test_home: Home) -> None:
    clock = [scene.NOW]
    async with console(test_home, now=lambda: clock[0]) as (app, pilot):
        await pilot.press("ctrl+c")
        await until(pilot, says(app, "ctrl+c again quits"))
        clock[0] += 5.0
        await pilot.press("ctrl+c")
        assert app.is_running
        clock[0] += 1.0
        await pilot.press("ctrl+c")
        await until(pilot, lambda: not app.is_running)
        assert app.return_code == 0


async def test_paused_means_that_nothing_moves(test_home: Home) -> None:
    router = FakeRouter(scene.SNAPSHOT)
    async with router.serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "2 running"))
        await pilot.press("p")
        await until(pilot, says(app, "PAUSED"))
        await router.tell(beat(fresh(1)))
        await until(pilot, lambda: "req_fresh1" in app.board.requests)
        assert "new-1" not in shown(app)
        await pilot.press("p")
        await until(pilot, says(app, "new-1"))


async def test_without_a_router_the_archive_is_shown_and_it_comes_back(test_home: Home) -> None:
    scene.fill(test_home.ledger)
    router = FakeRouter(scene.SNAPSHOT)
    async with console(test_home) as (app, pilot):
        await until(pilot, says(app, "✗ router down"))
        await until(pilot, says(app, "longContext"))
        assert "ARCHIVE" in shown(app)
        assert "R start the router" in shown(app)
        assert "Live  0 running" in shown(app)
        await pilot.press("3")
        await until(pilot, says(app, "never part of real totals"))
        await pilot.press("5")
        await until(pilot, says(app, "120 lines"))
        await pilot.press("o", "7")
        await until(pilot, says(app, "3 in force"))
        async with router.serving(test_home):
            await until(pilot, says(app, "LIVE"))
            await router.tell(ServicesChanged(scene.SERVICES[:2]))
            await pilot.press("4")
            await until(pilot, says(app, "2 up"))
        await until(pilot, says(app, "ARCHIVE"))
        assert "as it was before the router went down" in shown(app)
        await pilot.press("q")  # nothing to ask
        await until(pilot, lambda: not app.is_running)


async def test_a_router_that_hangs_is_stale_not_live(test_home: Home) -> None:
    ticking = [scene.NOW]
    router = FakeRouter(scene.SNAPSHOT)
    async with (
        router.serving(test_home),
        console(test_home, now=lambda: ticking[0]) as (app, pilot),
    ):
        await until(pilot, says(app, "LIVE"))
        assert app.link is not None
        app.link._http.timeout = httpx.Timeout(0.2)
        router.mute = True
        ticking[0] += 12.0
        await until(pilot, says(app, "STALE 12s"))


async def test_another_protocol_is_said_and_not_guessed(test_home: Home) -> None:
    other = msgspec.structs.replace(scene.SNAPSHOT, protocol=99, version="9.9.9")
    async with FakeRouter(other).serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "✗ router down"))
        await until(pilot, says(app, "version 9.9.9"))


async def test_a_first_run_leads_by_the_hand(test_home: Home) -> None:
    async with (
        FakeRouter(scene.EMPTY).serving(test_home),
        console(test_home, size=(80, 24)) as (
            app,
            pilot,
        ),
    ):
        await until(pilot, says(app, "Waiting for the first request"))
        screen = shown(app)
        for words in (
            "◇ simulator",
            "CCR config",
            "config.json",
            "curl http://127.0.0.1:5000/ccr/v1/messages",
            "or ANTHROPIC_BASE_URL=http://127.0.0.1:5000/claude-code \\",
            "     ANTHROPIC_AUTH_TOKEN=any claude",
        ):
            assert words in screen, words
        # with nothing to list the keys of a screen work all the same
        await pilot.press("slash", *"x")
        await until(pilot, lambda: getattr(app.view, "filter", "") == "x")
        await pilot.press("escape", "7")
        await until(pilot, says(app, "Press n to send requests"))
        await pilot.press("n")
        await until(pilot, says(app, "wins over"))


async def test_the_log_follows_until_one_goes_up(test_home: Home) -> None:
    scene.fill(test_home.ledger, logs=700)
    book = Ledger(test_home.ledger)
    try:
        async with (
            FakeRouter(scene.SNAPSHOT).serving(test_home),
            console(test_home) as (app, pilot),
        ):
            await pilot.press("5")
            await until(pilot, says(app, "700 lines"))
            table = app.query_one("#lines", Table)
            await until(pilot, says(app, "81,204 tokens, 41 messages"))
            _say(book, "the newest line")
            await until(pilot, says(app, "the newest line"))
            await pilot.press("k", "k")
            stands = table.selected
            _say(book, "one that waits")
            await until(pilot, says(app, "+1 new"))
            assert "one that waits" not in shown(app)
            assert table.selected == stands
            await pilot.press("g")
            await until(pilot, says(app, "4 providers and 6 routes"))
            await pilot.press("G")
            await until(pilot, says(app, "one that waits"))
            await pilot.press("l", "l", "l")
            await until(pilot, says(app, "error and worse"))
            await until(pilot, says(app, "70 of 702 lines"))
            await pilot.press("slash", *"nothing like it")
            await until(pilot, says(app, "0 of 702 lines"))
    finally:
        book.close()


def _say(book: Ledger, message: str) -> None:
    book.log(LogLine(0, scene.NOW, "info", "test", message))
    assert book.flush(5.0)


async def test_a_log_line_opens_whole_and_leads_to_its_request(test_home: Home) -> None:
    scene.fill(test_home.ledger)
    async with FakeRouter(scene.SNAPSHOT).serving(test_home), console(test_home) as (app, pilot):
        await pilot.press("5")
        await until(pilot, says(app, "following"))
        await until(pilot, lambda: app.query_one(Logs)._chosen() is not None)
        line = app.query_one(Logs)._chosen()
        assert line is not None
        assert line.request
        await pilot.press("enter")
        await until(pilot, says(app, "enter opens the request"))
        await pilot.press("enter")
        await until(pilot, says(app, f"Request  {line.request}"))
        await pilot.press("escape")
        await until(pilot, says(app, "following"))


async def test_an_unreadable_ledger_is_a_line_not_an_end(test_home: Home) -> None:
    test_home.ledger.write_bytes(b"this is not a database, and long enough to be looked at" * 40)
    async with FakeRouter(scene.SNAPSHOT).serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "2 running"))
        for key in ("3", "5"):
            await pilot.press(key)
            await until(pilot, says(app, "cannot be read"))


async def test_help_is_of_this_screen_and_the_palette_has_everything(test_home: Home) -> None:
    async with FakeRouter(scene.SNAPSHOT).serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "2 running"))
        await pilot.press("question_mark")
        await until(pilot, says(app, "Cancel the running request"))
        assert "Twice: quit" in shown(app)
        await pilot.press("escape", "7", "question_mark")
        await until(pilot, says(app, "Clear the selected override"))
        await pilot.press("escape", "ctrl+p", *"clear the selected")  # a key of this screen
        await until(pilot, says(app, "Overrides: d"))
        await pilot.press("enter")
        await until(pilot, says(app, "Clear this override?"))
        await pilot.press("escape", "ctrl+p")
        await until(pilot, says(app, "Light colours"))
        await pilot.press(*"light", "enter")
        await until(pilot, lambda: app.theme == "pointsman-light")


async def test_a_click_on_a_hint_presses_its_key(test_home: Home) -> None:
    async with FakeRouter(scene.SNAPSHOT).serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "2 running"))
        at = shown(app).splitlines()[1].index("4 Health")
        await pilot.click("#tabs", offset=(at, 0))
        await until(pilot, says(app, "Found at start"))


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40), (200, 50)])
async def test_what_must_always_stand_in_the_header(test_home: Home, size: tuple[int, int]) -> None:
    async with (
        FakeRouter(scene.SNAPSHOT).serving(test_home),
        console(test_home, size=size, who="ana@buildhost") as (app, pilot),
    ):
        await until(pilot, says(app, "● up"))
        first, second = shown(app).splitlines()[:2]
        for words in ("Pointsman", "● up", "3.4", "0.4%", "≥ $8.4121", "◇ sim", "$0.0314", "LIVE"):
            assert words in first, words
        for words in ("1 Live", "7 Over", "ana@buildhost", "✗"):
            assert words in second, words
        assert len(first) == len(second) == size[0]


def test_room_that_is_left_in_the_header_goes_to_what_matters_most() -> None:
    parts: list[tuple[int, tuple[tuple[str, ...], ...]]] = [
        (2, (("Pointsman", " 0.1.0"), ("Pointsman",))),
        (4, (("$2.0686", " of $2"), ("$2.0686",))),
        (5, (("20 cells of listeners",), ("5",))),
    ]
    shown = {room: plain(_fit(parts, room)) for room in (41, 39, 30, 10)}
    assert shown == {
        41: "Pointsman  $2.0686  20 cells of listeners",
        39: "Pointsman  $2.0686 of $2  5",
        30: "Pointsman  $2.0686 of $2  5",
        10: "Pointsman  $2.0686  5",
    }


async def test_an_error_inside_leaves_an_id_and_a_file_without_locals(test_home: Home) -> None:
    secret = "sk-canary-0123456789"  # a local of the frame that fails

    class Broken(ConsoleApp):
        def action_pause(self) -> None:
            key = secret
            raise RuntimeError("deliberate" + key[:0])

    app = Broken(test_home, now=lambda: scene.NOW)

    async def press() -> None:
        async with app.run_test() as pilot:
            await pilot.press("p")
            await pilot.pause()

    with pytest.raises(RuntimeError, match="deliberate"):
        await press()
    assert app.return_code == 1
    (file,) = test_home.logs.glob("console-*.log")
    trace = file.read_text()
    assert "RuntimeError: deliberate" in trace
    assert secret not in trace
    assert file.stat().st_mode & 0o777 == 0o600
    incident = file.stem.removeprefix("console-")
    assert re.fullmatch("[0-9a-f]{8}", incident)
    assert incident in app._failure
    assert "deliberate" not in app._failure


def test_a_window_that_a_late_key_opens_is_no_failure(test_home: Home) -> None:
    """Typed ahead of `q`, `s`: it is mounted while the app is taken down, without its children."""
    app = ConsoleApp(test_home)
    app.exit(0)
    app._handle_exception(NoMatches("No nodes match 'Input'"))
    assert (app.return_code, app._failure) == (0, "")
    assert not list(test_home.logs.glob("console-*.log"))


def test_the_trace_of_a_demo_outlives_its_home(
    test_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ConsoleApp(test_home, demo=True)._handle_exception(RuntimeError("deliberate"))
    assert len(list(tmp_path.glob("console-*.log"))) == 1
    assert not list(test_home.logs.glob("console-*.log"))


def test_who_is_said_only_over_ssh() -> None:
    assert who({"USER": "ana"}) == ""
    said = who({"SSH_CONNECTION": "::1 1 ::1 2", "POINTSMAN_SSH_USER": "dev", "USER": "x"})
    assert said.startswith("dev@")


async def test_a_dialog_is_answered_once(test_home: Home) -> None:
    """A key that is held down in it would take away the console's own screen with the second."""
    async with FakeRouter(scene.SNAPSHOT).serving(test_home), console(test_home) as (app, pilot):
        await until(pilot, says(app, "2 running"))
        await pilot.press("q")
        await until(pilot, says(app, "Quit?"))
        dialog = app.screen
        for _ in range(3):
            dialog.post_message(events.Key("escape", None))
            dialog.call_next(dialog.action_choose, "")  # type: ignore[attr-defined]
        await until(pilot, lambda: not says(app, "Quit?")())
        assert app.is_running
        assert len(app.screen_stack) == 1
