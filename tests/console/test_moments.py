"""Points in time as people write them, on a Wednesday at 14:32."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from console.moments import point, seconds_of

NOW = datetime(2026, 11, 18, 14, 32, 7)


@pytest.fixture(autouse=True)
def _berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where clocks change: on the 25th of October 2026 from 03:00 back to 02:00."""
    monkeypatch.setitem(os.environ, "TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("today", "11-18 00:00"),
        (" Yesterday", "11-17 00:00"),
        ("monday", "11-16 00:00"),
        ("wed", "11-18 00:00"),
        ("Thu", "11-12 00:00"),
        ("week", "11-16 00:00"),
        ("month", "11-01 00:00"),
        ("2h", "11-18 12:32"),
        ("1d12h", "11-17 02:32"),
        ("14:00", "11-18 14:00"),
        ("18:30", "11-17 18:30"),
        ("yesterdayT18:00", "11-17 18:00"),
        ("saturday 9:05", "11-14 09:05"),
        ("2026-11-02", "11-02 00:00"),
        ("2026-11-02T08:15", "11-02 08:15"),
        ("2026-11-02 08:15", "11-02 08:15"),
        *((text, "") for text in ("", "tomorrow", "we", "25:00", "nodayT10:00", "T", "7", "10:7")),
    ],
)
def test_a_point_in_time(text: str, at: str) -> None:
    found = point(text, NOW.timestamp())
    assert at == ("" if found is None else datetime.fromtimestamp(found).strftime("%m-%d %H:%M"))


def test_all_is_from_the_first_on_and_a_day_begins_at_midnight_where_clocks_change() -> None:
    assert point("all", NOW.timestamp()) == 0.0
    late = datetime(2026, 10, 25, 23, 0).timestamp()
    assert point("today", late) == late - 24 * 3600  # it has 25 hours
    assert (seconds_of("1h30m"), seconds_of("90"), seconds_of("")) == (5400, 0, 0)
