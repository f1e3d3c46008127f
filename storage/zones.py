"""Local time for sums kept by quarter hours of UTC: when a day begins, and what it is called.

One rule: a local day is a number (days since 1970 on the local calendar), so that the two parts of
a day on which clocks change are one day. Asks the zone of this process, never a database.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

DAY: Final = 86_400
_QUARTER: Final = 900
_EPOCH: Final = date(1970, 1, 1).toordinal()
#: before this nothing of ours can have been written
_EARLIEST: Final = 1_577_836_800.0

#: (Unix second from which it holds, local time less UTC in seconds), the first from ever
Offsets = list[tuple[int, int]]


def offsets(since: float | None, until: float | None, now: float) -> Offsets:
    """How far local time is from UTC in [since, until)."""
    at = int(max(since or _EARLIEST, _EARLIEST)) // DAY * DAY
    end = int(min(until or now, now)) + DAY
    found = [(0, _offset(at))]
    while at < end:
        after = at + DAY
        if (offset := _offset(after)) != found[-1][1]:
            found.append((_change(at, after), offset))
        at = after
    return found


def _change(low: int, high: int) -> int:
    """The quarter hour in (low, high] at which the clocks are changed."""
    before = _offset(low)
    while high - low > _QUARTER:
        middle = (low + high) // 2 // _QUARTER * _QUARTER
        if _offset(middle) == before:
            low = middle
        else:
            high = middle
    return high


def _offset(at: int) -> int:
    offset = datetime.fromtimestamp(at).astimezone().utcoffset()
    return int(offset.total_seconds()) if offset else 0


def local(offsets: Offsets, column: str = "start") -> str:
    """SQL: the seconds of a local clock at a Unix second."""
    *changes, (_, first) = reversed(offsets)
    cases = " ".join(f"WHEN {column} >= {at} THEN {offset}" for at, offset in changes)
    return f"({column} + CASE {cases} ELSE {first} END)" if cases else f"({column} + {first})"


def midnight(number: int) -> float:
    """The Unix second at which a local day begins."""
    return datetime.fromordinal(_EPOCH + number).timestamp()


def name(number: int) -> str:
    """ "2026-11-22"."""
    return date.fromordinal(_EPOCH + number).isoformat()
