"""Each screen, character by character, at the smallest terminal we promise and at a roomy one; and
the published pictures are what the code draws today.

After a wanted change: `pytest tests/console/test_pictures.py --snapshot-update`, look at the diff,
then `make screenshots`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from console.widgets.table import Table
from storage.home import Home
from tests.console import scene
from tests.console.fake_router import FakeRouter
from tests.console.pilot import console, shown, until

ROOT = Path(__file__).parents[2]
SIZES = ((80, 24), (120, 40))
#: screen → keys to it, words it must show first, and the id of what then has the focus
SCREENS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "live": ((), "longContext", "requests"),
    "groups": (("b",), "by session", "requests"),
    "command": (("colon", *"theme "), "pointsman-contrast", ""),
    "detail": (("j", "j", "j", "j", "enter"), "Overloaded", "pages"),
    "sessions": (("2",), "longer ago", "sessions-table"),
    "costs": (("3", "w"), "at this rate", "models"),
    "health": (("4", "down", "down", "down"), "3 of the last 20 answers were 529", "services"),
    "logs": (("5",), "following", "lines"),
    "routes": (("6", "G", "enter", *"coder:7b", "enter"), "12 of 200 would move", "rules"),
    "picker": (("6", "G", "enter"), "enter chooses", "target"),
    "playground": (("8", *"How does the_list.py sort?"), "names the_list.py", "prompt"),
    "overrides": (("7", "j", "j"), "set by ana", "overrides-table"),
    "quit": (("q",), "leave the router running", ""),
    "override": (("o", *"glm"), "z-ai/glm-4.6", "target"),
    "keys": (("question_mark",), "Everywhere", ""),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("name", SCREENS)
async def test_screen(
    test_home: Home, snapshot: SnapshotAssertion, name: str, size: tuple[int, int]
) -> None:
    keys, words, focused = SCREENS[name]
    scene.fill(test_home.ledger)
    router = FakeRouter(scene.SNAPSHOT)
    async with router.serving(test_home), console(test_home, size=size) as (app, pilot):
        await until(pilot, lambda: "LIVE" in shown(app))
        await pilot.press(*keys)
        await until(pilot, lambda: words in shown(app))
        if focused:
            await until(pilot, lambda: app.focused is not None and app.focused.id == focused)
        if name == "logs":
            await until(pilot, lambda: all(_read(app.query_one("#lines", Table))))
        picture = shown(app)
    assert all(len(line) == size[0] for line in picture.splitlines() if line.isascii())
    assert picture == snapshot


def _read(table: Table) -> list[bool]:
    return [table.rows.row(place) is not None for place in table._visible()] or [False]


def test_no_two_pictures_are_the_same() -> None:
    """A picture of the wrong screen is stored as readily as one of the right."""
    stored = (Path(__file__).parent / "__snapshots__" / "test_pictures.ambr").read_text()
    pictures = [part.partition("\n")[2] for part in stored.split("# name: ")[1:]]
    assert len(pictures) == len(SCREENS) * len(SIZES) + 1
    assert len(set(pictures)) == len(pictures)


@pytest.mark.parametrize("name", ["down", "first run"])
async def test_without_a_router_and_without_a_request(
    test_home: Home, snapshot: SnapshotAssertion, name: str
) -> None:
    router = FakeRouter(scene.EMPTY)
    words = "No router is running" if name == "down" else "Waiting for the first request"
    if name == "first run":
        await router.start(test_home)
    async with console(test_home, size=(80, 24)) as (app, pilot):
        await until(pilot, lambda: words in shown(app))
        picture = shown(app).replace(str(test_home.socket), "SOCKET")
    if name == "first run":
        await router.stop()
        assert picture == snapshot
    else:
        assert "Press s to start the router" in picture


def test_the_published_pictures_are_todays(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "screenshots/make.py", "--out", str(tmp_path)],
        cwd=ROOT, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    names = sorted(path.name for path in tmp_path.glob("*.svg"))
    assert len(names) == 10
    for name in names:
        text = (tmp_path / name).read_text()
        assert "@font-face" not in text
        assert text == (ROOT / "screenshots" / name).read_text(), f"{name}: run make screenshots"


def test_the_console_imports_nothing_of_the_router_and_paints_before_the_client() -> None:
    program = (
        "import sys, console.app\n"
        "print(*sorted(sys.modules), sep='\\n')\n"
        "import console.feed, console.link, console.screens.detail, console.screens.costs\n"
        "print('--')\n"
        "print(*sorted(sys.modules), sep='\\n')\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    first, _, later = ran.stdout.partition("--\n")
    before, after = set(first.split()), set(later.split())
    assert before & {"httpx", "aiosqlite", "console.link", "console.screens.logs"} == set()
    assert after & {"uvicorn", "asyncssh", "pydantic", "tiktoken", "router.settings"} == set()
    ours = {m for m in after if m.startswith("router") and not m.startswith("router.contract.")}
    assert ours == {"router", "router.contract"}
