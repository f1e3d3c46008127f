"""Details, lines and overrides for the storage tests: every field set to something of its own."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from router.contract import (
    Apart,
    AttemptView,
    Facts,
    LogLine,
    Look,
    OverrideView,
    RequestDetail,
    RequestView,
    Spend,
    Tokens,
)
from storage.writer import Ledger

TOKENS = Tokens(1, 20, 300, 4000, 50_000, 6, estimated=True)


def view(id: str, **changes: Any) -> RequestView:
    fields: dict[str, Any] = {
        "started_at": 1000.5,
        "state": "done",
        "door": "ccr",
        "dialect": "anthropic_messages",
        "client": "claude-cli/2.1.330",
        "session": "session-1",
        "agent": "agent-1",
        "key": "key-1",
        "endpoint": "chat",
        "asked": "claude-sonnet",
        "provider": "deepseek",
        "model": "deepseek-chat",
        "simulated": False,
        "rule": "longContext",
        "value": "61,204 > 60,000",
        "stream": True,
        "status": 200,
        "tokens": TOKENS,
        "cost": 1_234_567,
        "attempts": 2,
        "ttft_ms": 12.5,
        "duration_ms": 99.25,
        "error": "",
        "sent_id": "sent-1",
        "project": "project-1",
        "team": "team-1",
        "user": "user-1",
        "tags": ("a,b", "c"),
    }
    return RequestView(id=id, **(fields | changes))


def attempt(number: int, **changes: Any) -> AttemptView:
    fields: dict[str, Any] = {
        "provider": "deepseek",
        "model": "deepseek-chat",
        "started_at": 1000.75,
        "simulated": True,
        "status": 529,
        "outcome": "overload",
        "error": "busy",
        "first_byte_ms": 3.5,
        "duration_ms": 4.5,
        "tokens": TOKENS,
        "cost": None,
        "reason": "rule default",
        "spend": Spend(1, 2, 3, 4, 5, -6),
        "price": "config",
        "apart": Apart(audio_in=7, searches=8, service="flex"),
        "dropped": ("seed", "a, b"),
    }
    return AttemptView(number=number, **(fields | changes))


def detail(id: str, **changes: Any) -> RequestDetail:
    """A request whose first attempt failed and used nothing."""
    made = view(id, **changes)
    went = {"provider": made.provider, "model": made.model, "simulated": made.simulated}
    spent = {"tokens": made.tokens, "cost": made.cost}
    return RequestDetail(
        request=made,
        looks=(Look("image", "none"), Look("longContext", "61,204 > 60,000", True, "a,b", "note")),
        attempts=(
            attempt(1, **went, tokens=Tokens(), cost=0),
            attempt(2, **went, **spent, outcome="ok", status=200),
        ),
        facts=Facts(tokens=61_204, tokens_exact=True, thinking="on 31,999", side_call="title"),
    )


def line(message: str, **changes: Any) -> LogLine:
    fields: dict[str, Any] = {"id": 0, "at": 1000.0, "level": "info", "source": "exchange"}
    return LogLine(message=message, **(fields | changes))


def override(id: str, **changes: Any) -> OverrideView:
    fields: dict[str, Any] = {"scope": "everywhere", "target": "a,b", "set_at": 1.0}
    return OverrideView(id=id, **(fields | changes))


@contextmanager
def ledger(path: Path, bound: int = 10_000, tail: int = 5_000) -> Iterator[Ledger]:
    opened = Ledger(path, bound, tail)
    try:
        yield opened
    finally:
        opened.close()


def stored(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """What a stranger's connection sees."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def modes(folder: Path) -> set[int]:
    """The permission bits of the files in it."""
    return {os.stat(path).st_mode & 0o777 for path in folder.iterdir()}
