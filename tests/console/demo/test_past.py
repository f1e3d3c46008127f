"""The month that a demo begins with: the same each time, whole, and kept as it was made."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import msgspec

from console.board import Board
from console.demo.past import past, running
from console.widgets.header import Around, header
from console.widgets.paint import plain
from router.contract import RequestFilter, RequestView
from router.rules import PINS, TABLE, groups
from storage.home import Home
from storage.readers import Archive
from tests.console import scene

RULES = [rule.name for rule in (*PINS, *TABLE, groups.RULE)]


def test_the_same_moment_has_the_same_month() -> None:
    month = past(scene.NOW)
    assert month == past(scene.NOW)
    assert len({one.request.id for one in month}) == len(month) > 1_000
    for one in month:
        view = one.request
        assert view.started_at < scene.NOW
        assert view.attempts == len(one.attempts)
        assert view.tokens == one.attempts[-1].tokens
        spend = one.attempts[-1].spend
        parts = (spend.input, spend.cache_read, spend.cache_write, spend.output)
        assert view.cost in (None, sum(parts))
        assert sum(look.hit for look in one.looks) == 1
        order = [RULES.index(look.rule) for look in one.looks]
        assert order == sorted(order)
        long = view.tokens.prompt > 60_000
        assert (view.rule == "longContext") is long
    states = {one.request.state for one in month}
    assert states == {"done", "failed", "cancelled"}
    assert {view.state for view in running(scene.NOW)} == {"running"}


async def _kept(ledger: Path) -> list[RequestView]:
    archive = Archive(ledger)
    try:
        return await archive.requests(RequestFilter(), limit=1_000)
    finally:
        await archive.close()


def test_it_is_restored_into_a_ledger_as_it_was(test_home: Home) -> None:
    month = past(scene.NOW)[-300:]
    lines = b"\n".join(map(msgspec.json.encode, month))
    words = [sys.executable, "-m", "storage.restore", str(test_home.ledger)]
    subprocess.run(words, input=lines, check=True)
    kept = asyncio.run(_kept(test_home.ledger))
    plainly = [msgspec.structs.replace(view, seq=0) for view in reversed(kept)]
    assert plainly == [one.request for one in month]

    broken = subprocess.run(words, input=b"{}\n", capture_output=True, check=False)
    assert (broken.returncode, broken.stderr.count(b"\n")) == (1, 1)
    assert b"line 1: " in broken.stderr


def test_a_demo_says_that_it_is_one() -> None:
    board = Board()
    board.take(scene.SNAPSHOT, scene.NOW)
    for demo in (True, False):
        _, right = header(board, Around(scene.NOW, demo=demo), 80)
        assert any("DEMO" in plain(piece) for piece in right) is demo
