"""Draws every screen as an SVG from one fixed afternoon of traffic: `make screenshots`.

Its rule: the same code gives the same bytes. The clock is fixed, the router is a scripted one on a
real socket, and the picture is taken only once the screen says what it should.

    python screenshots/make.py [--size 120x36] [--out FOLDER] [--light]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
os.environ.update(TZ="UTC", TEXTUAL_COLOR_SYSTEM="truecolor", COLORTERM="truecolor")
os.environ.pop("NO_COLOR", None)
time.tzset()

from console import theme  # noqa: E402
from storage.home import home  # noqa: E402
from tests.console import scene  # noqa: E402
from tests.console.fake_router import FakeRouter  # noqa: E402
from tests.console.pilot import console, shown, until  # noqa: E402

#: name → keys pressed on a fresh console, and words that must then be on the screen
SCENES: dict[str, tuple[tuple[str, ...], str]] = {
    "live": ((), "longContext"),
    "detail": (("j", "j", "j", "j", "enter"), "Overloaded"),
    "sessions": (("2",), "longer ago"),
    "groups": (("b",), "by session"),
    "costs": (("3", "w"), "never part of real totals"),
    "health": (("4", "down", "down", "down"), "Found at start"),
    "logs": (("5",), "following"),
    "routes": (("6", "G", "enter", *"coder:7b", "enter"), "12 of 200 would move"),
    "playground": (("8", *"How does the_list.py sort?"), "names the_list.py"),
    "overrides": (("7",), "cannot be honoured"),
}
_FONT_FACE = re.compile(r"@font-face\s*\{.*?\}\s*", re.DOTALL)
_RUN = re.compile(
    r'(<text [^>]*?)x="([\d.]+)"([^>]*?)textLength="([\d.]+)"([^>]*>)((?:&#160;)+)([^<]+)</text>'
)


def tidy(svg: str) -> str:
    """Without the web font; and each run of text placed where its first glyph is, since some
    viewers swallow leading spaces."""

    def place(match: re.Match[str]) -> str:
        head, x, middle, length, tail, spaces, words = match.groups()
        count = len(spaces) // len("&#160;")
        cells = count + len(re.sub(r"&#?\w+;", "x", words))
        step = float(length) / cells
        moved, left = float(x) + count * step, float(length) - count * step
        return f'{head}x="{moved:.1f}"{middle}textLength="{left:.1f}"{tail}{words}</text>'

    return _RUN.sub(place, _FONT_FACE.sub("", svg))


async def draw(name: str, size: tuple[int, int], light: bool) -> str:
    keys, words = SCENES[name]
    with tempfile.TemporaryDirectory() as folder:
        place = home({"POINTSMAN_HOME": folder})
        scene.fill(place.ledger)
        async with (
            FakeRouter(scene.SNAPSHOT).serving(place),
            console(place, size=size) as (app, pilot),
        ):
            if light:
                app.theme = theme.LIGHT.name
            await until(pilot, lambda: app.board.link == "live")
            await pilot.press(*keys)
            await until(pilot, lambda: words in shown(app))
            return tidy(app.export_screenshot(title="pointsman"))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", default="120x32")
    options.add_argument("--out", type=Path, default=HERE)
    options.add_argument("--light", action="store_true")
    options.add_argument("names", nargs="*", choices=[*SCENES, []])
    asked = options.parse_args()
    columns, rows = map(int, asked.size.split("x"))
    asked.out.mkdir(parents=True, exist_ok=True)
    for name in asked.names or SCENES:
        svg = asyncio.run(draw(name, (columns, rows), asked.light))
        (asked.out / f"{name}.svg").write_text(svg, encoding="utf-8")
        sys.stdout.write(f"{asked.out / name}.svg\n")


if __name__ == "__main__":
    main()
