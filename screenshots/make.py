"""Draws every screen as an SVG, from what `pointsman demo` begins with: `make screenshots`.

Its rule: the same code gives the same bytes. The clock is fixed, the demo's month has a seed, the
router is a scripted one on a real socket, and a picture is taken only once the screen says what it
should.

    python screenshots/make.py [--size 120x32] [--out FOLDER] [--light]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
os.environ.update(TZ="UTC", TEXTUAL_COLOR_SYSTEM="truecolor", COLORTERM="truecolor")
os.environ.pop("NO_COLOR", None)
time.tzset()

import msgspec  # noqa: E402

from console import theme  # noqa: E402
from console.demo.past import past, running  # noqa: E402
from router.contract import VERSION, LogLine, RequestDetail, Snapshot, Tokens, Totals  # noqa: E402
from storage.home import home  # noqa: E402
from storage.writer import Ledger  # noqa: E402
from tests.console import scene  # noqa: E402
from tests.console.fake_router import FakeRouter  # noqa: E402
from tests.console.pilot import console, shown, until  # noqa: E402

#: the row of Live whose request was tried again
RETRIED = 4
#: name → keys from the screen before, words that must then be there, and keys that lead back
SCENES: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    "live": (("1",), "longContext", ()),
    "groups": (("b",), "by session", ("b",) * 4),
    "detail": (("j",) * RETRIED + ("enter",), "Overloaded", ("escape",)),
    "sessions": (("2", *"jjjjjj"), "of late", ()),
    "costs": (("3", "w"), "at this rate", ()),
    "health": (("4", "down", "down", "down"), "Found at start", ()),
    "logs": (("5",), "following", ()),
    "routes": (("6", "G", "enter", *"coder:7b", "enter"), "12 of 200 would move", ()),
    "overrides": (("7",), "cannot be honoured", ()),
    "playground": (("8", *"How does the_list.py sort?"), "names the_list.py", ()),
}
#: rows of Live
RECENT = 60
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


def snapshot(month: Sequence[RequestDetail]) -> Snapshot:
    """The scripted router's, with the demo's requests in it."""
    today = [one.request for one in month if one.request.started_at > scene.NOW - 14 * 3600]
    beat = msgspec.structs.replace(
        scene.BEAT,
        running=3,
        today=Totals(
            requests=len(today),
            errors=sum(r.state == "failed" for r in today),
            tokens=Tokens(output=sum(r.tokens.output for r in today)),
            cost=sum(r.cost or 0 for r in today),
            unpriced=sum(r.cost is None for r in today),
        ),
    )
    return msgspec.structs.replace(
        scene.SNAPSHOT,
        running=tuple(running(scene.NOW)),
        recent=tuple(one.request for one in month[: -RECENT - 1 : -1]),
        beat=beat,
    )


async def draw(names: Sequence[str], size: tuple[int, int], light: bool, out: Path) -> None:
    """One console, led from screen to screen."""
    with tempfile.TemporaryDirectory() as folder:
        place = home({"POINTSMAN_HOME": folder})
        month = past(scene.NOW)
        fill(place.ledger, month)
        async with (
            FakeRouter(snapshot(month)).serving(place),
            console(place, size=size, demo=True, version=VERSION) as (app, pilot),
        ):
            if light:
                app.theme = theme.LIGHT.name
            await until(pilot, lambda: app.board.link == "live")
            for name in names:
                keys, words, back = SCENES[name]
                await pilot.press(*keys)
                await until(pilot, lambda words=words: words in shown(app))  # type: ignore[misc]
                svg = tidy(app.export_screenshot(title="pointsman demo"))
                (out / f"{name}.svg").write_text(svg, encoding="utf-8")
                sys.stdout.write(f"{out / name}.svg\n")
                await pilot.press(*back)


def fill(ledger: Path, month: Sequence[RequestDetail]) -> None:
    ledger.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    book = Ledger(ledger)
    try:
        for one in month:
            book.request(one)
        for override in scene.OVERRIDES:
            book.override(override)
        for line in logged(month[-120:]):
            book.log(line)
        if not book.flush(30.0):
            raise SystemExit(f"the demo's month could not be written: {book.last_error}")
    finally:
        book.close()


def logged(month: Sequence[RequestDetail]) -> list[LogLine]:
    """What a router writes of these requests, and of what people do meanwhile."""
    lines = [
        LogLine(0, scene.NOW - ago, level, source, message)
        for ago, level, source, message in (
            (640.0, "info", "ssh", "ana from 127.0.0.1 with a key, console 120x40"),
            (421.0, "info", "control", "ana: override scenario:think → deepseek,deepseek-reasoner"),
            (300.0, "warning", "health", "groq: the key in GROQ_API_KEY was refused (401)"),
            (66.0, "info", "control", "ana: override session:7f3c9a52 → openrouter,z-ai/glm-4.6"),
        )
    ]
    for one in month:
        view = one.request
        for attempt in one.attempts:
            at = attempt.started_at + (attempt.duration_ms or 0) / 1000
            where = f"attempt {attempt.number} at {attempt.provider},{attempt.model}"
            if attempt.error:
                words = f"{where} failed ({attempt.outcome}): {attempt.error}"
                lines.append(LogLine(0, at, "warning", "exchange", words, view.id))
        words = (
            f"{view.door} {view.asked or '(no model)'} → {view.provider},{view.model}"
            f" {view.state} {view.status} by {view.rule}"
        )
        level = "warning" if view.state == "failed" else "info"
        ended = view.started_at + (view.duration_ms or 0) / 1000
        lines.append(LogLine(0, ended, level, "exchange", words, view.id))
    return sorted(lines, key=lambda line: line.at)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", default="120x32")
    options.add_argument("--out", type=Path, default=HERE)
    options.add_argument("--light", action="store_true")
    options.add_argument("names", nargs="*", choices=[*SCENES, []])
    asked = options.parse_args()
    columns, rows = map(int, asked.size.split("x"))
    asked.out.mkdir(parents=True, exist_ok=True)
    asyncio.run(draw(asked.names or list(SCENES), (columns, rows), asked.light, asked.out))


if __name__ == "__main__":
    main()
