"""What strangers write never reaches the terminal as anything but printable text.

One console runs as a person's does: a process on a real pty with Textual's own driver. Hostile text
sits in every string field of the snapshot, of the ledger and of the log; every screen, dialog and
form is walked through. Only sequences that the driver itself needs may come out.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import re
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable

import msgspec
import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.board import Board
from console.conformance import Found
from console.curl import curl
from console.lines import costs, log, requests, rules, services, spending
from console.lines import request as told
from console.lines.sessions import models_over_time, tree
from console.screens import (
    checking,
    overrides,
    picker,
    playground,
    sessions,
    visitors,
)
from console.screens.override_form import scopes
from console.widgets import budget as budgets
from console.widgets.header import Around, header, in_force
from console.widgets.paint import Piece, Span, pieces
from console.widgets.table import Heading, Row
from console.widgets.tabs import Looking, tabs
from router.contract import (
    AlertRaised,
    AlertView,
    BranchLine,
    CostLine,
    Edited,
    Explained,
    LogLine,
    Models,
    Refused,
    Reloaded,
    Replayed,
    RequestDetail,
    Routes,
    ServiceChange,
    Snapshot,
)
from storage.home import Home
from storage.writer import Ledger
from tests.console import scene
from tests.console.fake_router import FakeRouter
from tests.console.poison import PAYLOADS, Marks, filled_in, poison, texts_of

#: the whole of what the driver may say
ALLOWED = re.compile(
    r"""
    \x1b\[ [0-9;]* m                # colours and attributes
  | \x1b\[ [0-9;]* [HABCDJK]        # cursor moves, erasing
  | \x1b\[ \? (7|1049|1000|1002|1003|1004|1006|1015|1016|25|2004|2026|2048) [hl]
  | \x1b\[ \? (2026|2048) \$p       # asks whether the terminal knows these modes
  | \x1b\[ [<>=]? [0-9;]* u         # kitty keyboard protocol on and off
  | \x1b\[ [0-9]* t                 # asks for the size in pixels
  | \x1b\[ [0-9]* \ q               # cursor shape
  | \x1b\]22;[a-z-]+\x07            # pointer shape
  | \x1b\[ c                        # asks what the terminal is
    """,
    re.VERBOSE,
)
WIDTH, HEIGHT = 110, 32
PROGRAM = (
    "from console.app import run\nfrom storage.home import home\nraise SystemExit(run(home()))\n"
)

#: keys, and words that must then stand on the screen (with "!": must be gone)
WALK = (
    ("2", "of late"),
    ("3", "M 30 days"),
    ("4", "Found at start"),
    ("5", "▌Nov 18 14:32:04"),  # its lines came: before that, Enter opens none
    ("\r", "Log line"),
    ("\x1b", "!Log line"),
    ("6", "goes to"),
    ("7", "in force"),
    ("n", "type part of"),
    ("\x1b", "!type part of"),
    ("d", "Clear this"),
    ("\x1b", "!Clear this"),
    ("1", " running"),
    ("x", "Its upstream is closed"),
    ("\x1b", "!Its upstream is closed"),
    ("\r", "cache write 1h"),
    ("\x1b", "!cache write 1h"),
)


class Terminal:
    """A pty with a console on it, and a screen that reads what it writes."""

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        self.process = process
        self.written = ""
        self._master = master
        self._bytes = b""
        self._screen = pyte.Screen(WIDTH, HEIGHT)
        self._stream = pyte.ByteStream(self._screen)
        self._more = asyncio.Event()
        asyncio.get_running_loop().add_reader(master, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._master, 65536)
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._master)
        self._bytes += data
        with contextlib.suppress(Exception):  # pyte knows fewer sequences than we allow
            self._stream.feed(data)
        self._more.set()

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def close(self) -> None:
        """As a terminal that is gone."""
        asyncio.get_running_loop().remove_reader(self._master)
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, self._master)
        os.close(nowhere)

    @property
    def screen(self) -> str:
        rows = (self._screen.buffer[y] for y in range(HEIGHT))  # its own `display` trips over 日
        return "\n".join("".join(row[x].data for x in range(WIDTH)) for row in rows)

    async def until(self, holds: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(20):
                while not holds():
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            pytest.fail(f"it never came to be:\n{self.screen}")

    def output(self) -> str:
        return self._bytes.decode("utf-8", "surrogateescape")


@contextlib.asynccontextmanager
async def terminal(home: Home, **env: str) -> AsyncIterator[Terminal]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM,
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        env={
            "PATH": os.environ["PATH"], "HOME": str(home.config), "TERM": "xterm-256color",
            "POINTSMAN_HOME": str(home.config), "LANG": "C.UTF-8", "TZ": "UTC", **env,
        },
    )  # fmt: skip
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        asyncio.get_running_loop().remove_reader(master)
        if process.returncode is None:
            process.kill()
        await process.wait()
        os.close(master)


def leaks(output: str) -> list[str]:
    """Whatever is neither text nor an allowed sequence."""
    rest = ALLOWED.sub("", output)
    return [
        repr(rest[m.start() : m.start() + 24])
        for m in re.finditer(
            r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\udc80-\udcff\u202a-\u202e\u2066-\u2069]", rest
        )
    ][:5]


def fill(home: Home, text: str) -> None:
    book = Ledger(home.ledger)
    safe = text.encode("utf-8", "replace").decode()  # SQLite takes no half pairs
    for request in scene.REQUESTS:
        book.request(poison(scene.detail(request), safe))
    for line in scene.log_lines(40):
        book.log(poison(line, safe))
    assert book.flush(5.0)
    book.close()


@pytest.mark.long
async def test_nothing_hostile_comes_out_of_a_real_terminal(test_home: Home) -> None:
    together = ["".join(PAYLOADS[at : at + 5]) for at in range(0, len(PAYLOADS), 5)]
    fill(test_home, "".join(PAYLOADS))
    router = FakeRouter(scene.SNAPSHOT)
    async with router.serving(test_home), terminal(test_home) as seen:
        await seen.until(lambda: "2 running" in seen.screen)
        for payload in together:
            safe = payload.encode("utf-8", "replace").decode()
            given_before = router.snapshots_given
            router.snapshot = poison(scene.SNAPSHOT, safe)
            await router.tell(Reloaded(2, safe))
            await router.tell(AlertRaised(poison(filled_in(AlertView), safe)))
            for keys, awaited in WALK:
                seen.press(keys)
                there = not awaited.startswith("!")
                await seen.until(lambda a=awaited, t=there: (a.lstrip("!") in seen.screen) is t)  # type: ignore[misc]
            assert router.snapshots_given > given_before
        seen.press("q")
        await seen.until(lambda: "leave the router running" in seen.screen)
        seen.press("y")
        assert await seen.process.wait() == 0
        await seen.until(lambda: "\x1b[?1049l" in seen.output())
        assert leaks(seen.output()) == []


async def test_the_check_itself_finds_a_leak() -> None:
    assert leaks("fine \x1b[31mred\x1b[0m\r\n") == []
    for payload in PAYLOADS[:6]:
        assert leaks(payload), payload


# ── the drawing functions, by the thousand ────────────────────────────────────────────────────────


def texts(row: Row) -> list[str]:
    if isinstance(row, Heading):
        return [span.text for span in pieces(list(row.pieces))]
    return [span.text for cell in row for span in pieces(cell)]


def words(*parts: Piece) -> list[str]:
    return [span.text for span in pieces(list(parts))]


hostile = st.one_of(
    st.sampled_from(PAYLOADS),
    st.text(alphabet=st.characters(), max_size=60),
    st.text(alphabet="\x1b\x9b\x07[]()@/=;:\\\n\r\t\x00abc$%", max_size=40),
)


#: text that no view of the console draws: it is looked up by, sent on, compared, or cut to a form
NOT_DRAWN = {
    "Apart.service",
    "Listener.address",  # its port, where that is a number
    "Listener.name",
    "Loaded.expires",  # its time of day
    "ModelView.source",
    "OverrideView.id",
    "RuleView.scenario",
    "ServiceChange.kind",
    "ServiceChange.service",
    "Snapshot.home",
    "Snapshot.paused",  # how many
    "Visitor.id",
}
#: drawn in titles, notes and forms, by Bar, `say` of paint and `say` of the console: they clean
#: what they are given, and the walk through a real terminal sees them
IN_TITLES = {
    "AlertView.subject",
    "AlertView.words",
    "Edited.message",
    "Reloaded.error",
    "RequestView.error",
    "RouteValue.name",
    "RouteValue.rule",
    "RouteValue.value",
    "RouteValue.what",
    "Routes.file",
    "Routes.source",
    "Routes.undo",
    "Snapshot.config_error",
    "Snapshot.ledger_trouble",
    "Snapshot.targets",
}


@given(hostile)
def test_every_row_of_every_screen_is_printable(text: str) -> None:
    assert [s for s in everything_drawn(text) if not s.isprintable()] == []


def test_every_text_of_the_contract_is_drawn_by_this_check() -> None:
    """Each field gets a text of its own: one that is new shows up nowhere until what draws it is
    called below, or it is named as one that nothing draws."""
    names: list[str] = []

    def mark(kind: type, name: str) -> str:
        """Short, for what is cut to a column."""
        if (each := f"{kind.__name__}.{name}") not in names:
            names.append(each)
        return f"<{names.index(each)}>"

    shown = " ".join(everything_drawn(mark))
    drawn = {names[int(number)] for number in re.findall(r"<(\d+)>", shown)}
    fields = texts_of(
        *(Snapshot, RequestDetail, LogLine, CostLine, BranchLine, ServiceChange),
        *(Routes, Replayed, Edited, Explained, Models, Refused, Reloaded, AlertView),
    )
    assert fields - drawn == NOT_DRAWN | IN_TITLES
    assert not NOT_DRAWN & IN_TITLES


def everything_drawn(text: str | Marks) -> list[str]:
    """What each function that draws says of values with `text` in every field."""
    mark = text if callable(text) else lambda kind, name: text
    snapshot = poison(scene.SNAPSHOT, text)
    board = Board()
    board.take(snapshot, scene.NOW)
    shown: list[str] = []
    for request in (*snapshot.running, *snapshot.recent[:3]):
        shown += texts(requests.draw(request, scene.NOW))
    for _, service in services.listed(snapshot.services):
        shown += texts(services.service(service, scene.NOW))
        shown += services.whole(service, scene.NOW).plain.split("\n")
    changes = [poison(filled_in(ServiceChange), text)]
    shown += [row.plain for row in services.history(changes, scene.NOW)]
    for finding in snapshot.findings:
        shown += texts(services.finding(finding))
    for override in snapshot.overrides:
        shown += texts(overrides.draw(override, scene.NOW))
        shown.append(overrides.whole(override, scene.NOW).plain)
    for visitor in snapshot.visitors:
        shown += texts(visitors.draw(visitor, scene.NOW))
    for budget in board.budgets:
        shown += words(*budgets.line(budget, scene.NOW, 200))
    line = poison(scene.log_lines(1)[0], text)
    shown += texts(log.draw(line, scene.NOW))
    whole = poison(CostLine("", False, 1, 0, scene.REQUESTS[0].tokens, 1, 0), text)
    shown += texts(costs.draw(whole, spending.total([whole]), "model"))
    one = poison(scene.detail(scene.REQUESTS[4]), text)
    for part in (
        told.trace(one),
        told.attempts(one, scene.NOW),
        told.facts(one),
        told.usage(one.request, 1.0, one.attempts),
        told.about(one.request),
    ):
        shown += [row.plain for row in part]
    shown += rest_of_the_screens(mark, snapshot)
    name = mark(Snapshot, "version")
    left, right = header(board, Around(scene.NOW, version=name), 2_000)
    shown += words(*left, *right, *in_force(snapshot.overrides, scene.NOW, 2_000))
    looking = Looking("live", scene.NOW, who=name)
    shown += words(*(p for side in tabs(looking, snapshot.overrides, 300) for p in side))
    shown += words(*scopes(board, snapshot.running[0]))
    return shown


def rest_of_the_screens(mark: Marks, snapshot: Snapshot) -> list[str]:
    """Sessions, Routes, the Playground, groups and the windows."""
    used = CostLine("", False, 1, 0, scene.REQUESTS[0].tokens, 1, 0)
    branches = [poison(BranchLine("s", agent, 0.0, 9.0, used), mark) for agent in ("", "a")]
    shown: list[str] = []
    for session in tree(branches, snapshot.running):
        for branch in (session, *session.children):
            shown += texts(sessions.draw(branch, scene.NOW, {}, True, Span(""), True))
    shown += [row.plain for row in models_over_time(snapshot.recent, 40)]
    shown += texts(requests.Groups(snapshot.recent, "session", scene.NOW).row(0))
    route_rules = poison(scene.ROUTES, mark).rules
    text = mark(Explained, "candidates")
    for rule in route_rules:
        shown += texts(rules.draw(rule, 1, None, 3, 0.5))
        shown += texts(rules.draw(rule, 1, text, 3, 0.5))
    shown += [row.plain for row in rules.what_if(poison(scene.REPLAYED, mark))]
    shown += [row.plain for row in rules.diff_lines(poison(scene.EDITED, mark))]
    models = {m.target: m for m in poison(scene.MODELS, mark).models}
    for target, model in models.items():
        shown.append(picker.row(target, model, 200).plain)
    refused = poison(filled_in(Refused), mark)
    explained = poison(scene.EXPLAINED, mark)
    nowhere = msgspec.structs.replace(explained, candidates=())
    for answer in (explained, nowhere, refused, None):
        shown += [row.plain for row in playground.preview(answer, models, text)]
    found = [Found(text, works, text, 1.0) for works in (True, False, None)]
    shown += [row.plain for row in checking.rows(found, text)]
    return shown


@given(hostile)
def test_the_copied_command_is_one_line_and_one_command(text: str) -> None:
    import shlex

    request = msgspec.structs.replace(scene.REQUESTS[0], asked=text)
    command = curl(request, "http://127.0.0.1:5000")
    assert command.isprintable()
    assert [w for w in shlex.split(command) if w.startswith("-")] == ["-H", "-d"]
    assert len(shlex.split(command)) == 6


@pytest.mark.parametrize(
    "env", [{"NO_COLOR": "1"}, {"TERM": "xterm"}, {"TERM": "xterm", "COLORTERM": ""}]
)
async def test_the_cursor_is_seen_without_colour(test_home: Home, env: dict[str, str]) -> None:
    router = FakeRouter(scene.SNAPSHOT)
    async with router.serving(test_home), terminal(test_home, **env) as seen:
        await seen.until(lambda: bool(re.search("▌.*14:32:03", seen.screen)))
        assert "38;2;" not in seen.output()
        if "NO_COLOR" in env:
            sent = re.findall(r"\x1b\[([0-9;]*)m", seen.output())
            assert {part for one in sent for part in one.split(";")} <= set("012347") | {""}


async def test_a_closed_terminal_and_a_polite_kill_end_it_cleanly(test_home: Home) -> None:
    async with FakeRouter(scene.SNAPSHOT).serving(test_home), terminal(test_home) as seen:
        await seen.until(lambda: "2 running" in seen.screen)
        seen.process.terminate()
        assert await seen.process.wait() == 0
        await seen.until(lambda: "\x1b[?1049l" in seen.output())
        assert seen.output().rstrip().endswith("\x1b[?25h") or "\x1b[?25h" in seen.output()


async def test_a_terminal_that_goes_without_a_signal_ends_it(test_home: Home) -> None:
    async with FakeRouter(scene.SNAPSHOT).serving(test_home), terminal(test_home) as seen:
        await seen.until(lambda: "2 running" in seen.screen)
        seen.close()
        assert await asyncio.wait_for(seen.process.wait(), 20) == 129
