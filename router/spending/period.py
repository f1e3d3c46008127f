"""How long a budget lasts: "day", "month", LiteLLM's "30d", or for ever. Pure.

Windows begin on quarter hours, where the ledger's sums are exact; shorter ones begin anywhere and
are empty after a restart.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import NamedTuple

QUARTER = 900
_SECONDS = {"s": 1, "m": 60, "h": 3600, "hr": 3600, "d": 86_400, "w": 604_800}
_WRITTEN = re.compile(r"(\d{1,6})\s*(s|m|mo|h|hr|d|w)")
_CALENDAR = ("hour", "day", "week", "month")


class Period(NamedTuple):
    """`seconds` 0 and `months` 0: without an end. `calendar`: begins with the local hour, day,
    week (Monday) or month, whenever it was set."""

    text: str
    seconds: int = 0
    months: int = 0
    calendar: str = ""

    def window(self, anchor: float, at: float) -> tuple[float, float | None]:
        """Unix seconds: where the window of `at` begins and ends (None: never). Windows that are
        not of the calendar are counted from `anchor`."""
        if self.calendar:
            return _calendar(self.calendar, at)
        if self.months:
            return _months(self.months, anchor, at)
        if not self.seconds:
            return 0.0, None
        start = anchor + max(0.0, at - anchor) // self.seconds * self.seconds
        if self.seconds < QUARTER:
            return start, start + self.seconds
        # both ends are put on a quarter hour, so that windows still meet
        begin, end = _quarter(start), _quarter(start + self.seconds)
        return (end, _quarter(start + 2 * self.seconds)) if at >= end else (begin, end)


FOREVER = Period("forever")


def parse(text: str | None) -> Period:
    """Raises ValueError that says what is written instead."""
    text = (text or "forever").strip().lower()
    if text in _CALENDAR:
        return Period(text, calendar=text)
    if text == "forever":
        return FOREVER
    found = _WRITTEN.fullmatch(text)
    if found is None or not int(found[1]):
        raise ValueError(
            f"{text[:40]!r} is no duration: write 30s, 30m, 30h, 30d, 2w, 1mo, or"
            f" {', '.join(_CALENDAR)}"
        )
    count, unit = int(found[1]), found[2]
    if unit == "mo":
        return Period(text, months=count)
    return Period(text, seconds=count * _SECONDS[unit])


def _quarter(at: float) -> float:
    return float(int(at) // QUARTER * QUARTER)


def _calendar(unit: str, at: float) -> tuple[float, float]:
    now = datetime.fromtimestamp(at)
    hour = now.replace(minute=0, second=0, microsecond=0)
    if unit == "hour":
        return hour.timestamp(), (hour + timedelta(hours=1)).timestamp()
    day = hour.replace(hour=0)
    if unit == "day":
        return day.timestamp(), (day + timedelta(days=1)).timestamp()
    if unit == "week":
        monday = day - timedelta(days=day.weekday())
        return monday.timestamp(), (monday + timedelta(days=7)).timestamp()
    first = day.replace(day=1)
    return first.timestamp(), _plus(first, 1).timestamp()


def _months(count: int, anchor: float, at: float) -> tuple[float, float]:
    begun = datetime.fromtimestamp(_quarter(anchor))
    now = datetime.fromtimestamp(at)
    passed = (now.year - begun.year) * 12 + now.month - begun.month
    step = max(0, passed // count)
    if _plus(begun, step * count) > now:
        step = max(0, step - 1)
    return _plus(begun, step * count).timestamp(), _plus(begun, (step + 1) * count).timestamp()


def _plus(moment: datetime, months: int) -> datetime:
    """So many months later; on the last day where that month is shorter."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    following = datetime(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    last = (following - timedelta(days=1)).day
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))
