"""What a person types into a filter: words, fields, `!` before either, and comparisons. Pure.

    timeout !health level:error model:sonnet !provider:groq status>=400 !took>10s cost>0.5
    since:2h since:yesterdayT18:00 until:23:00 state:failed "two words"

Every part must hold; with `!` before it, or `!=` within, it must not. Its rule: what is no field is
a word, so that anything may be typed and nothing is refused while one types; what begins as a field
and is none is told.
"""

from __future__ import annotations

import operator
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import msgspec

from console.moments import point
from console.text import NANO
from router.contract import Figure, LogFilter, RequestFilter, RequestView

#: fields that the ledger looks for as words
_WORDS = (
    "model",
    "provider",
    "session",
    "door",
    "key",
    "rule",
    "agent",
    "client",
    "asked",
    "error",
)
FIELDS = ("level", "source", "request", "state", "project", "team", "user", *_WORDS)
#: those that a request has none of
_OF_LOG = ("level", "source")
#: SQLite's largest: what is larger is looked for as that
MOST = 2**63 - 1
FIGURES = ("status", "took", "ttft", "cost", "in", "out", "tries")
_PART = re.compile(r"([a-z]+)(!=|>=|<=|>|<|=|:)(.*)", re.DOTALL)
_NUMBER = re.compile(r"\$?([\d.,]+)([a-z]*)")
_UNITS = {"k": 1e3, "m": 1e6, "": 1.0}
_SECONDS = {"ms": 1.0, "s": 1e3, "": 1e3, "m": 60e3, "min": 60e3, "h": 3_600e3}
_HOLDS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "=": operator.eq,
}  # fmt: skip
#: what begins as one of ours and cannot be read is told how it is written
_EXAMPLES = {
    "status": "status>=400",
    "took": "took>10s",
    "ttft": "ttft>2s",
    "cost": "cost>0.5",
    "in": "in>50k",
    "out": "out>1k",
    "tries": "tries>1",
    "since": "since:2h",
    "until": "until:14:00",
    "level": "level:warning",
}
Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(slots=True)
class Wanted:
    """Words are case-folded. Fields are (name, part of it); after `=` it is the whole. Those
    `without` were turned around. `unread` are parts that begin as one of ours and are not."""

    now: float
    words: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    without_fields: tuple[tuple[str, str], ...] = ()
    figures: tuple[Figure, ...] = ()
    without_figures: tuple[Figure, ...] = ()
    since: float | None = None
    until: float | None = None
    unread: tuple[str, ...] = ()

    def holds(self, request: RequestView) -> bool:
        """As the ledger would say, of a request at hand."""
        text = "\n".join(
            (
                *(request.id, request.asked, _target(request), request.rule, request.session),
                *(request.agent, request.client, request.error, request.door, request.key),
            )
        ).casefold()
        if self.since is not None and request.started_at < self.since:
            return False
        if self.until is not None and request.started_at >= self.until:
            return False
        return (
            all(word in text for word in self.words)
            and not any(word in text for word in self.without)
            and all(_has(request, *each) for each in self.fields)
            and not any(_has(request, *each) for each in self.without_fields)
            and all(_is(request, each, self.now) for each in self.figures)
            and not any(_is(request, each, self.now) for each in self.without_figures)
        )

    def requests(self) -> RequestFilter:
        """The widest part of it that the ledger can look for; `holds` decides on what it finds."""
        searched = (*_WORDS, "request")
        words = (
            *self.words,
            *(value.removeprefix("=") for name, value in self.fields if name in searched),
        )
        least = {each.name: each.value for each in self.figures if each.sign in (">", ">=", "=")}
        return RequestFilter(
            # it has provider and model each by itself
            words=tuple(max(word.split(","), key=len) for word in words),
            since=self.since,
            until=self.until,
            status_from=_whole(least.get("status")),
            took_from=least.get("took"),
            cost_from=_whole(least.get("cost")),
        )

    def lines(self, level: Level, since: float | None) -> LogFilter:
        """Of the log: at least `level`, not before `since`. What the log has no field for is
        looked for among its words."""
        # who takes a level away means its own lines: what is worse stays
        whole = ((n, f"={v.removeprefix('=')}" if n == "level" else v)
                 for n, v in self.without_fields)  # fmt: skip
        no = [_lines_of(*field) for field in whole]
        no += [LogFilter(words=(word,)) for word in self.without]
        no += [LogFilter(figures=(figure,)) for figure in self.without_figures]
        return LogFilter(
            level=level,
            since=max(self.since or 0.0, since or 0.0) or None,
            until=self.until,
            request=next((value for name, value in self.fields if name == "request"), ""),
            words=self.words,
            figures=self.figures,
            each=tuple(_lines_of(*field) for field in self.fields if field[0] != "request"),
            but=tuple(no),
        )

    def misread(self, of: Literal["requests", "log"]) -> str:
        """What of it says nothing there, in words; "" where all does."""
        said = [f"{part}: write {_EXAMPLES.get(_name(part), f'{_name(part)}:…')}"
                for part in self.unread]  # fmt: skip
        if of == "requests":
            named = (name for name, _ in (*self.fields, *self.without_fields))
            said += [f"{name}: is of the log" for name in dict.fromkeys(named) if name in _OF_LOG]
        return "; ".join(said)


def _name(part: str) -> str:
    found = _PART.fullmatch(part)
    return found[1] if found else ""


def _whole(value: float | None) -> int | None:
    return None if value is None else int(min(value, MOST))


def _target(request: RequestView) -> str:
    return f"{request.provider},{request.model}"


def _has(request: RequestView, name: str, value: str) -> bool:
    """Whether a field of it is so. What only the log has, no request has."""
    if name == "request":
        return request.id.startswith(value.removeprefix("="))
    held = str(getattr(request, name, "")).casefold()
    if name == "model" and "," in value:
        held = _target(request).casefold()
    return held == value[1:] if value[0] == "=" else value in held


def _is(request: RequestView, figure: Figure, now: float) -> bool:
    have = _figure(request, figure.name, now)
    return have is not None and _HOLDS[figure.sign](have, figure.value)


def _figure(request: RequestView, name: str, now: float) -> float | None:
    match name:
        case "took" if request.state == "running":
            return (now - request.started_at) * 1000
        case "took":
            return request.duration_ms
        case "ttft":
            return request.ttft_ms
        case "cost":
            return request.cost
        case "in":
            return request.tokens.prompt
        case "out":
            return request.tokens.output
        case "tries":
            return request.attempts
    return request.status


def _lines_of(name: str, value: str) -> LogFilter:
    """The lines of the log that have that field."""
    match name:
        case "level":
            named = _level(value.removeprefix("="))
            worse = LEVELS[LEVELS.index(named) + 1 :] if value[0] == "=" else ()
            return LogFilter(level=named, but=tuple(LogFilter(level=each) for each in worse[:1]))
        case "source":
            return LogFilter(source=value)
        case "request":
            return LogFilter(request=value)
        case "model":
            return LogFilter(model=value)
        case "session":
            return LogFilter(session=value)
    return LogFilter(words=(value.removeprefix("="),))


def _level(text: str) -> Level:
    return next(each for each in LEVELS if each.startswith(text))


def _compared(name: str, sign: str, text: str) -> Figure | None:
    found = _NUMBER.fullmatch(text)
    if found is None or name not in FIGURES:
        return None
    units = _SECONDS if name in ("took", "ttft") else _UNITS
    try:
        value = float(found[1].replace(",", "")) * units[found[2]]
    except (ValueError, KeyError):
        return None
    value *= NANO if name == "cost" else 1
    told = {"name": name, "sign": sign.replace(":", "="), "value": value}
    return msgspec.convert(told, Figure)


def parse(text: str, now: float) -> Wanted:
    """`now` is what `since:2h` counts back from."""
    wanted = Wanted(now)
    for part in parts(text):
        turned, bare = part.startswith("!"), part.removeprefix("!").casefold()
        found = _PART.fullmatch(bare)
        if found is not None:
            name, sign, value = found.groups()
            unlike = sign == "!="
            if _take(wanted, turned is not unlike, name, sign.removeprefix("!"), value):
                continue
        if found is not None and (found[1] in FIELDS or found[1] in _EXAMPLES):
            wanted.unread += (bare,)
        if bare and turned:
            wanted.without += (bare,)
        elif bare:
            wanted.words += (bare,)
    return wanted


def _take(wanted: Wanted, turned: bool, name: str, sign: str, value: str) -> bool:
    """Whether it is a field, a figure or a time, and was put where it belongs."""
    value = value.strip()
    if (figure := _compared(name, sign, value)) is not None:
        if turned:
            wanted.without_figures += (figure,)
        else:
            wanted.figures += (figure,)
        return True
    if sign not in (":", "=") or not value:
        return False
    if name in ("since", "until"):
        at = point(value, wanted.now)
        if at is not None and (name == "since") is not turned:
            wanted.since = max(at, wanted.since or at)
        elif at is not None:
            wanted.until = min(at, wanted.until or at)
        return at is not None
    if name == "level" and not any(each.startswith(value) for each in LEVELS):
        return False
    if name in FIELDS:
        field = (name, value if sign == ":" else f"={value}")
        if turned:
            wanted.without_fields += (field,)
        else:
            wanted.fields += (field,)
    return name in FIELDS


def written(**fields: str) -> str:
    """A filter for requests of which each of these fields is just that."""
    return " ".join(shlex.quote(f"{name}={value}") for name, value in fields.items() if value)


def parts(text: str) -> list[str]:
    """Words, those in quotes as one."""
    try:
        return shlex.split(text)
    except ValueError:  # a quote that is still being typed
        return text.replace('"', " ").replace("'", " ").split()
