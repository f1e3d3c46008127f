"""A point in time, and a length of it, as people write them. Pure: what time it is, is handed in.

    today  yesterday  monday  week  month  all  7d  1h30m  14:00  yesterdayT18:00  2026-11-22T14:00

Its rule: days and times of day are local, a day of the week is the latest one, today's included, a
time of day alone is the latest one, and what is none of these is None.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PARTS = re.compile(r"(\d+)([smhd])")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: for messages: what can be written
FORMS = "today, yesterday, monday, week, month, 7d, 12h, 14:00, all, or a date like 2026-11-22"


def seconds_of(text: str) -> int:
    """Seconds of "1h30m"; 0 where `text` is no duration."""
    parts = _PARTS.findall(text.strip().lower())
    if "".join(number + unit for number, unit in parts) != text.strip().lower():
        return 0
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def point(text: str, now: float) -> float | None:
    """Unix seconds."""
    word = text.strip().lower()
    here = datetime.fromtimestamp(now).astimezone()
    if word == "all":
        return 0.0
    if seconds := seconds_of(word):
        return now - seconds
    if _TIME.fullmatch(word):
        at = _at(here, word)
        return (at if at <= here else _at(here - timedelta(days=1), word)).timestamp()
    day, _, time = word.replace(" ", "t", 1).rpartition("t")
    if day and _TIME.fullmatch(time) and (begin := _day(day, here)) is not None:
        return _at(begin, time).timestamp()
    if (begin := _day(word, here)) is not None:
        return begin.timestamp()
    try:
        return datetime.fromisoformat(word.upper()).timestamp()
    except ValueError:
        return None


def _day(word: str, here: datetime) -> datetime | None:
    """When a day that has a name began."""
    back: int | None = None
    if word in ("today", "yesterday"):
        back = int(word == "yesterday")
    elif word == "week":
        back = here.weekday()
    elif word == "month":
        back = here.day - 1
    elif len(word) >= 3:
        named = (number for number, name in enumerate(_DAYS) if name.startswith(word))
        if (number := next(named, None)) is not None:
            back = (here.weekday() - number) % 7
    if back is None:
        return None
    # by the calendar: a day on which clocks change is not 24 hours long
    then = here.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    return (then - timedelta(days=back)).astimezone()


def _at(day: datetime, time: str) -> datetime:
    hour, _, minute = time.partition(":")
    bare = day.replace(tzinfo=None, hour=int(hour), minute=int(minute), second=0, microsecond=0)
    return bare.astimezone()
