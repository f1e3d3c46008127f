"""The console: the header, the screens, and the keys that work everywhere.

Its rule: it paints before it imports anything it does not need for that, draws only what the board
says, and whatever goes wrong in it, the terminal is left clean and the router is not touched.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult, SuspendNotSupported, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import ContentSwitcher

from console import commanding, escape, palette, prefs, theme
from console.actions import Actions
from console.board import Board
from console.ending import Ending
from console.guard import guarded
from console.keys import help_rows, hints, named_rows, twin_rows, unknown
from console.keystrokes import Keystrokes
from console.navigation import Navigation
from console.niceness import step_aside
from console.no_color import honour
from console.pace import STEPS, Pace
from console.screens import SCREENS
from console.screens.dialogs import Sheet
from console.screens.live import Live
from console.widgets.bar import Bar
from console.widgets.command_line import CommandLine
from console.widgets.header import Around, header
from console.widgets.naming import named
from console.widgets.notice import Notice
from console.widgets.tabs import Looking, tabs
from router.contract import VERSION
from storage.home import Home

if TYPE_CHECKING:
    from console.feed import Feed
    from console.link import Archive, Link

#: seconds within which a second ctrl+c quits
TWICE = 2.0
DOOR = "http://127.0.0.1:5000"


class ConsoleApp(Keystrokes, Ending, Navigation, Actions):
    """`now` is the clock, Unix seconds; `who` is "user@host" over SSH; a `demo` says that it is."""

    TITLE = "Pointsman"
    #: of the keys below, those that change something
    CHANGES: ClassVar[frozenset[str]] = frozenset(("R",))
    CSS_PATH = Path(__file__).with_name("styles.tcss")
    BINDINGS: ClassVar[list[BindingType]] = named(
        "everywhere",
        [
            *(Binding(n, f"view('{id}')", name) for n, (id, name) in SCREENS.items()),
            Binding("question_mark", "help", "The keys of this screen", key_display="?"),
            Binding("colon", "command", "A command, with completion", key_display=":"),
            Binding("p", "pause", "Pause or go on"),
            Binding("R", "start", "Start the router, or restart it"),
            Binding("plus", "interval(1)", "Paint less often", key_display="+"),
            Binding("minus", "interval(-1)", "Paint more often", key_display="-"),
            Binding("exclamation_mark", "shell", "A shell, and back", key_display="!"),
            Binding("m", "mouse", "Mouse on or off (off: the terminal selects text)"),
            Binding("q", "quit", "Quit"),
            Binding("ctrl+q", "quit", "Quit", show=False, system=True),
            Binding("ctrl+c", "interrupt", "Twice: quit", priority=True, system=True),
        ],
    )

    def __init__(
        self,
        home: Home,
        *,
        now: Callable[[], float] = time.time,
        who: str = "",
        version: str = VERSION,
        screen: str = "",
        request: str = "",
        read_only: bool = False,
        role: str = "",
        demo: bool = False,
    ) -> None:
        no_color = os.environ.get("NO_COLOR")
        super().__init__()
        honour(self, no_color)
        self.demo = demo
        self.role = role
        self.first = screen, request
        self.animation_level = "none"
        self.read_only = read_only
        self.prefs = prefs.read(home.console_toml)
        for each in theme.OURS.values():
            self.register_theme(each)
        wanted = theme.DARK.name if self.no_color else self.prefs.theme
        self.theme = wanted if wanted in self.available_themes else theme.DARK.name
        self.set_keymap(self.prefs.keys)
        self.home = home
        self.now = now
        self.who = who
        self.version = version
        self.board = Board()
        self.link: Link | None = None
        self.feed: Feed | None = None
        self.paused = False
        self.pace = Pace(self._paint, self.set_timer, self.prefs.interval)
        self._interrupted = 0.0
        self._mouse = True
        self._aside = False

    # ── layout ────────────────────────────────────────────────────────────────────────────────────

    def compose(self) -> ComposeResult:
        yield Bar(id="header")
        yield Bar(id="tabs")
        with ContentSwitcher(initial="live", id="views"):
            yield Live()
        with Vertical(id="bottom"):
            yield CommandLine(lambda line: commanding.completions(self, line), commanding.usage)
            yield Bar(id="keys")
            yield Notice()

    def on_mount(self) -> None:
        self.set_interval(1.0, self._tick)
        self.end_on_signals()
        if not self.prefs.mouse:
            self._switch_mouse(False)
        if self.prefs.trouble:
            self.say(f"not taken: {self.prefs.trouble}", bad=True)
        self.view.shown()
        self.draw_bars()
        self.call_after_refresh(self._connect)
        self.call_after_refresh(self.go_to_first)
        if self.prefs.keys:
            self.call_after_refresh(self._check_keys)

    def _check_keys(self) -> None:
        for name in unknown(self.prefs.keys, ConsoleApp):
            place = self.prefs.place(name)
            self.say(f"{place}: no key is named {name!r}; `:keys` lists the names", bad=True)

    def on_resize(self, event: Resize) -> None:
        self.call_after_refresh(self.draw_bars)

    @work
    async def _connect(self) -> None:
        """The link brings in an HTTP client, a quarter of a second: after the first paint."""
        link_module = await asyncio.to_thread(importlib.import_module, "console.link")
        feed_module = await asyncio.to_thread(importlib.import_module, "console.feed")
        self.link = link_module.Link(self.home)
        self.feed = feed_module.Feed(self.link, self.board, self._changed, self.now)
        await self.feed.run()

    async def on_unmount(self) -> None:
        """Here, not at the end of the worker: a worker may be cancelled a second time while it
        cleans up, and an archive that is not closed keeps its thread, and so the process, alive."""
        self.workers.cancel_all()
        if self.link is not None:
            await self.link.close()

    @property
    def archive(self) -> Archive | None:
        """None until the link is there."""
        return None if self.link is None else self.link.archive

    def front_door(self) -> str:
        """The address clients use."""
        listeners = self.board.snapshot.listeners if self.board.snapshot else ()
        found = next((listener for listener in listeners if listener.name == "front door"), None)
        return found.address.rstrip("/") if found else DOOR

    # ── drawing ───────────────────────────────────────────────────────────────────────────────────

    def _changed(self) -> None:
        self.say_alerts()
        self.pace.ask()

    def _paint(self) -> None:
        self.draw_bars()
        if not self.paused and self.is_running:
            self.view.update()

    def _tick(self) -> None:
        self.end_without_terminal()
        self._aside = self._aside or step_aside()
        self.draw_bars()
        if not self.paused and self.is_running and self.pace.ticked():
            self.view.tick()

    def draw_bars(self) -> None:
        if not self.is_running:
            return  # being taken down
        base = self.screen_stack[0]
        now = self.now()
        budget = self.prefs.budget_nano
        every = self.pace.seconds if self.pace.seconds > STEPS[0] else 0.0
        around = Around(now, self.paused, self.who, self.version, budget, self.demo, every)
        bar = base.query_one("#header", Bar)
        bar.say(*header(self.board, around, bar.content_size.width))
        looking = Looking(self.current, now, self.who, self.read_only)
        room = self.size.width - 2
        base.query_one("#tabs", Bar).say(*tabs(looking, self.board.overrides, room))
        down = self.board.link == "down" and not self.read_only
        first = [("R", "start the router")] if down else []
        own = self.prefs.keys
        base.query_one("#keys", Bar).say(*hints(self.view, own, self.read_only, first, room))

    # ── keys that work everywhere ─────────────────────────────────────────────────────────────────

    def action_pause(self) -> None:
        self.paused = not self.paused
        self.draw_bars()
        if not self.paused:
            self.view.update()

    def action_interval(self, by: int) -> None:
        self.choose_interval(self.pace.step(by))

    def choose_interval(self, wanted: float) -> None:
        seconds = self.pace.choose(wanted)
        self.remember(interval=seconds)
        self.say(f"painted every {seconds:g} s")
        self.draw_bars()

    def action_start(self) -> None:
        """Where none runs; else it is asked whether to restart it."""
        if self.board.link != "down":
            self.ask_restart()
        elif not self.refuses_change() and not self.under_way():
            self._start()

    @work(group="start")
    async def _start(self) -> None:
        from console.options import arguments_after
        from console.process.starting import StartError, start_router

        self.say("starting the router…")
        try:
            await start_router(self.home, arguments_after(self.board.snapshot))
        except StartError as error:
            self.say(str(error), bad=True)

    def action_shell(self) -> None:
        """Suspends the console for a shell; only for who is the Unix user anyway."""
        if os.environ.get("POINTSMAN_ROLE", "shell") != "shell":
            self.say("your role has no shell", bad=True)
            return
        try:
            with self.suspend():
                sys.stdout.write("the console waits: `exit` leads back\n")
                sys.stdout.flush()
                subprocess.run([os.environ.get("SHELL") or "/bin/sh", "-i"], check=False)
        except SuspendNotSupported:
            self.say("no shell here: this terminal cannot be handed over", bad=True)
        self.refresh()

    def action_mouse(self) -> None:
        self._switch_mouse(not self._mouse)
        self.remember(mouse=self._mouse)
        self.say(f"mouse {'on' if self._mouse else 'off: the terminal selects text'}")

    def _switch_mouse(self, on: bool) -> None:
        self._mouse = on
        name = "_enable_mouse_support" if on else "_disable_mouse_support"
        if switch := getattr(self._driver, name, None):
            switch()

    def remember(self, **values: object) -> None:
        if trouble := self.prefs.remember(**values):
            self.say(trouble, bad=True)

    # ── the command line ──────────────────────────────────────────────────────────────────────────

    def action_command(self) -> None:
        self.open_command()

    def open_command(self, begun: str = "") -> None:
        self.query_one(CommandLine).open(begun)

    def on_command_line_left(self) -> None:
        self.query_one(CommandLine).display = False
        self.view.focus_body()

    def on_command_line_given(self, event: CommandLine.Given) -> None:
        self.on_command_line_left()
        if event.line and (wrong := commanding.run(self, event.line)):
            self.say(wrong, bad=True)

    def show_command(self) -> None:
        """What one would type in a shell for what this screen shows."""
        command = self.view.command()

        def then(how: str | None) -> None:
            if how == "enter":
                self.copy("the command", command)

        rows = twin_rows(self.view, command, self.prefs.keys)
        self.push_screen(Sheet("The same from a shell", rows, "enter copies, esc closes"), then)

    def choose_theme(self, name: str) -> None:
        if self.no_color:
            self.say("NO_COLOR is set: there are no colours to choose", bad=True)
            return
        self.theme = name
        self.remember(theme=name)

    async def action_quit(self) -> None:
        self.ask_quit()

    def action_interrupt(self) -> None:
        if self.now() - self._interrupted < TWICE:
            self.exit(0)
            return
        self._interrupted = self.now()
        self.say("ctrl+c again quits; the router keeps running")

    def action_help(self) -> None:
        rows = help_rows(self.view, ConsoleApp, self.prefs.keys, self.read_only)
        self.push_screen(Sheet("Keys", rows))

    def show_key_names(self) -> None:
        rows = named_rows(self.view, ConsoleApp, self.prefs.keys, str(self.prefs.path))
        self.push_screen(Sheet("Keys by name", rows))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        yield from palette.commands(self)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """For themes that are not ours."""
        return {**super().get_theme_variable_defaults(), **theme.FOR_OTHERS}


def who(env: Mapping[str, str] = os.environ) -> str:
    """ "user@host" when this terminal came over SSH, else ""."""
    if not env.get("SSH_CONNECTION"):
        return ""
    user = env.get("POINTSMAN_SSH_USER") or env.get("USER") or env.get("LOGNAME") or "?"
    return f"{user}@{platform.node().partition('.')[0]}"


def run(
    home: Home,
    *,
    screen: str = "",
    request: str = "",
    read_only: bool = False,
    demo: bool = False,
) -> int:
    """The console until it is quit, opened at `screen` or at one request. Returns the exit code.
    A `demo` says so in its header."""
    role = os.environ.get("POINTSMAN_ROLE", "")
    app = ConsoleApp(
        home,
        who=who(),
        screen=screen,
        request=request,
        read_only=read_only or role == "view",
        role="" if read_only else role,
        demo=demo,
    )
    escape.stands_alone()
    with guarded():
        app.run()
    return app.return_code or 0
