"""Each screen, cell by cell, at the smallest terminal we promise and at a roomy one, in dark and in
light; and the published pictures are what the code draws today.

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

from console import theme
from console.widgets.table import Table
from storage.home import Home
from tests.console import scene
from tests.console.fake_router import FakeRouter
from tests.console.picture import painted
from tests.console.pilot import console, shown, until

ROOT = Path(__file__).parents[2]
SIZES = ((80, 24), (120, 40))
THEMES = {"dark": theme.DARK.name, "light": theme.LIGHT.name}
#: screen → keys to it from the one before, words it must show first, the id of what then has the
#: focus, and keys that leave it as it was found
WALK: dict[str, tuple[tuple[str, ...], str, str, tuple[str, ...]]] = {
    "live": ((), "longContext", "requests", ()),
    "groups": (("b",), "by session", "requests", ("b",) * 4),
    "command": (("colon", *"theme "), "pointsman-contrast", "", ("escape",)),
    "override": (("o", *"glm"), "z-ai/glm-4.6", "target", ("escape",)),
    "keys": (("question_mark",), "This list", "", ("escape",)),
    "quit": (("q",), "leave the router running", "", ("escape",)),
    "detail": (("j", "j", "j", "j", "enter"), "Overloaded", "pages", ("escape",)),
    "sessions": (("2",), "longer ago", "sessions-table", ()),
    "costs": (("3", "w"), "a day", "models", ()),
    "health": (("4", "down", "down", "down"), "3 of the last 20 answers were 529", "services", ()),
    "logs": (("5",), "following", "lines", ()),
    "wrapped": (("w",), "following", "lines", ("w",)),
    "picker": (("6", "G", "enter"), "enter chooses", "target", ("escape",)),
    "routes": (("enter", *"coder:7b", "enter"), "12 of 200 would move", "rules", ()),
    "overrides": (("7", "j", "j"), "set by ana", "overrides-table", ()),
    "playground": (("8", *"How does the_list.py sort?"), "names the_list.py", "prompt", ()),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
async def test_every_screen(
    test_home: Home, snapshot: SnapshotAssertion, size: tuple[int, int]
) -> None:
    """One console is walked through, so that thirty pictures cost two starts."""
    scene.fill(test_home.ledger)
    router = FakeRouter(scene.SNAPSHOT)
    others: list[str] = []
    async with router.serving(test_home), console(test_home, size=size) as (app, pilot):
        await until(pilot, lambda: "LIVE" in shown(app))
        for name, (keys, words, focused, leave) in WALK.items():
            await pilot.press(*keys)
            await until(pilot, lambda words=words: words in shown(app))  # type: ignore[misc]
            if focused:
                await until(
                    pilot,
                    lambda id=focused: app.focused is not None and app.focused.id == id,  # type: ignore[misc]
                )
            if name == "logs":
                await until(pilot, lambda: all(_read(app.query_one("#lines", Table))))
            text = shown(app)
            assert all(len(line) == size[0] for line in text.splitlines() if line.isascii())
            paints = {app.theme: painted(app)}
            app.theme = next(other for other in THEMES.values() if other != app.theme)
            await pilot.pause()
            paints[app.theme] = painted(app)
            assert shown(app) == text, f"{name}: other words in other colours"
            picture = [text]
            for called, wanted in THEMES.items():
                picture += ["", f"── {called} ──", paints[wanted]]
            if snapshot(name=name) != "\n".join(picture):
                others.append(name)
            await pilot.press(*leave)
    assert others == [], "not as they were"


def _read(table: Table) -> list[bool]:
    return [table.rows.row(place) is not None for place in table._visible()] or [False]


def test_no_two_pictures_are_the_same() -> None:
    """A picture of the wrong screen is stored as readily as one of the right; and one in which
    light is dark, too."""
    stored = (Path(__file__).parent / "__snapshots__" / "test_pictures.ambr").read_text()
    pictures = [part.partition("\n")[2] for part in stored.split("# name: ")[1:]]
    assert len(pictures) == len(WALK) * len(SIZES) + 1
    assert len(set(pictures)) == len(pictures)
    for picture in pictures:
        if picture.count("── dark ──") != 1:
            assert "Waiting for the first request" in picture
            continue
        dark, _, light = picture.partition("── dark ──")[2].partition("── light ──")
        assert f"on {theme.DARK.background}" in dark
        assert f"on {theme.DARK.background}" not in light
        assert f"on {theme.LIGHT.background}" in light


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
        assert "Press R to start the router" in picture


@pytest.mark.long
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
