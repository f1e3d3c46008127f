"""When a provider wants to be asked again, in seconds, in every way that providers say it.

Pure: a date is read against the `date` of the same answer. A word that is no time is no answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"\d{1,9}(\.\d{1,6})?")
_SAID = re.compile(r"(?:try again|retry) in (\d+(?:\.\d+)?) ?(ms|s|m)\b", re.IGNORECASE)
_DELAY = re.compile(rb'"retryDelay"\s*:\s*"(\d{1,9}(?:\.\d{1,9})?)s"')
#: Go's way to write a duration, as OpenAI's limits have it: "6m0s", "120ms", "1h2m"
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
#: numbers above these are points in time, not durations: seconds and milliseconds since 1970
_EPOCH, _EPOCH_MS = 1e9, 1e12


def retry_after(
    headers: Mapping[str, str], message: str, body: bytes, *, limited: bool
) -> float | None:
    """`headers` have lower-case names. `limited`: a limit was the reason, so its reset counts.
    None where nothing is said."""
    if _SECONDS.fullmatch(value := headers.get("retry-after-ms", "").strip()):
        return float(value) * 0.001
    said = headers.get("retry-after", "").strip()
    if said:
        seconds = float(said) if _SECONDS.fullmatch(said) else _until(said, headers)
        if seconds is not None:
            return seconds
    if found := _SAID.search(message):
        return float(found[1]) * _UNITS[found[2].lower()]
    if delay := _DELAY.search(body[:65536]):  # Gemini: details[].retryDelay "37s"
        return float(delay[1])
    return _reset(headers) if limited else None


def _reset(headers: Mapping[str, str]) -> float | None:
    """The latest reset of a limit of which nothing is left; of the one limit there is, where it
    does not say what is left."""
    found: list[float] = []
    for name, value in headers.items():
        if "ratelimit" not in name or "-reset" not in name:
            continue
        left = headers.get(name.replace("-reset", "-remaining"))
        if left is not None and left.strip() not in ("0", "0.0"):
            continue
        seconds = _time(value.strip(), headers)
        if seconds is not None:
            found.append(seconds)
    return max(found, default=None)


def _time(value: str, headers: Mapping[str, str]) -> float | None:
    """Seconds, a duration, a point in time as a number, or a date."""
    if re.fullmatch(r"\d{1,16}(\.\d{1,9})?", value):
        number = float(value)
        if number < _EPOCH:
            return number
        at = number / 1000 if number > _EPOCH_MS else number
        return _since(datetime.fromtimestamp(at, UTC), headers) if at < 1e11 else None
    if _DURATION.fullmatch(value):
        return sum(float(n) * _UNITS[unit] for n, unit in _PART.findall(value))
    return _until(value, headers)


def _until(value: str, headers: Mapping[str, str]) -> float | None:
    """Seconds from the answer's own date to an HTTP date, or one of RFC 3339."""
    date = _date(value)
    return None if date is None else _since(date, headers)


def _since(date: datetime, headers: Mapping[str, str]) -> float | None:
    now = _date(headers.get("date", ""))
    return None if now is None else max(0.0, (date - now).total_seconds())


def _date(text: str) -> datetime | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            date = read(text)
        except (ValueError, TypeError, OverflowError):
            continue
        return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    return None
