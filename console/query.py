"""What a person types into a filter: words, fields, `!` before either, and comparisons. Pure.

    timeout !health level:error model:sonnet !provider:groq status>=400 took>10s cost>0.5
    since:2h since:yesterdayT18:00 until:23:00 state:failed "two words"

Every part must hold; `!` turns a word or a field around. Its rule: what is no field is a word, so
that anything may be typed and nothing is refused while one types.
"""

from __future__ import annotations

import operator
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from console.moments import point
from console.text import NANO
from router.contract import LogFilter, RequestFilter, RequestView

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
#: of the log: what it can look for
_LOGGED = ("level", "source", "model", "session", "request")
_COMPARED = re.compile(r"(status|took|ttft|cost|in|out|tries)(>=|<=|>|<|=|:)\$?([\d.,]+)([a-z]*)")
_UNITS = {"k": 1e3, "m": 1e6, "": 1.0}
_SECONDS = {"ms": 1.0, "s": 1e3, "": 1e3, "m": 60e3, "min": 60e3, "h": 3_600e3}
_HOLDS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
    "=": operator.eq, "!=": operator.ne,
}  # fmt: skip
_TURNED = {">=": "<", "<=": ">", ">": "<=", "<": ">=", "=": "!="}
Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = get_args(Level)


class Compared(NamedTuple):
    """`took>10s` and its like. `value`: ms of times, nano-dollars of money. `word`: as typed."""

    name: str
    sign: str
    value: float
    word: str

    def holds(self, request: RequestView, now: float) -> bool:
        """What is not known is neither more nor less than anything."""
        have = _figure(request, self.name, now)
        return have is not None and _HOLDS[self.sign](have, self.value)


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


@dataclass(slots=True)
class Wanted:
    """Words are case-folded. `fields` and `without_fields` are (name, part of it); after `=` it is
    the whole."""

    now: float
    words: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    without_fields: tuple[tuple[str, str], ...] = ()
    compared: tuple[Compared, ...] = ()
    since: float | None = None
    until: float | None = None

    def holds(self, request: RequestView) -> bool:
        """As the ledger would say, of a request at hand."""
        text = "\n".join(
            (
                *(request.id, request.asked, request.provider, request.model, request.rule),
                *(request.session, request.agent, request.client, request.error, request.door),
                request.key,
            )
        ).casefold()
        if self.since is not None and request.started_at < self.since:
            return False
        if self.until is not None and request.started_at >= self.until:
            return False
        return (
            all(word in text for word in self.words)
            and not any(word in text for word in self.without)
            and all(_part(request, *each) for each in self.fields)
            and not any(_part(request, *each, absent=False) for each in self.without_fields)
            and all(each.holds(request, self.now) for each in self.compared)
        )

    def requests(self) -> RequestFilter:
        """The widest part of it that the ledger can look for; `holds` decides on what it finds."""
        fields = (value.removeprefix("=") for name, value in self.fields if name in _WORDS)
        least = {c.name: c.value for c in self.compared if c.sign in (">", ">=", "=")}
        return RequestFilter(
            words=(*self.words, *fields),
            since=self.since,
            until=self.until,
            status_from=_whole(least.get("status")),
            took_from=least.get("took"),
            cost_from=_whole(least.get("cost")),
        )

    def lines(self, level: Level, since: float | None) -> LogFilter:
        """Of the log: at least `level`, not before `since`. What the log has no field for is
        looked for among its words."""
        fields = {name: value.removeprefix("=") for name, value in self.fields}
        asked = fields.get("level", "")
        named = next((each for each in LEVELS if asked and each.startswith(asked)), level)
        worse = max(level, named, key=LEVELS.index)
        others = [value for name, value in fields.items() if name not in _LOGGED]
        others += [each.word for each in self.compared if each.name != "status"]
        not_others = (v.removeprefix("=") for name, v in self.without_fields if name != "level")
        low, high = self._status()
        return LogFilter(
            level=worse,
            since=max(self.since or 0.0, since or 0.0) or None,
            until=self.until,
            source=fields.get("source", ""),
            request=fields.get("request", ""),
            words=(*self.words, *others),
            without=(*self.without, *not_others),
            status_from=low,
            status_to=high,
            model=fields.get("model", ""),
            session=fields.get("session", ""),
        )

    def _status(self) -> tuple[int | None, int | None]:
        """The least and the highest status asked for."""
        asked = [(each.sign, int(each.value)) for each in self.compared if each.name == "status"]
        least = (code + (sign == ">") for sign, code in asked if sign in (">", ">=", "="))
        highest = (code - (sign == "<") for sign, code in asked if sign in ("<", "<=", "="))
        return max(least, default=None), min(highest, default=None)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _part(request: RequestView, name: str, value: str, *, absent: bool = True) -> bool:
    """`absent`: what is said of a field that only the log has."""
    held = getattr(request, name, None)
    if held is None:
        return absent
    folded = str(held).casefold()
    return folded == value[1:] if value[0] == "=" else value in folded


def _compared(text: str, turned: bool) -> Compared | None:
    """Of case-folded `text`. `turned`: there was a `!` before it."""
    found = _COMPARED.fullmatch(text)
    if found is None:
        return None
    name, sign, digits, unit = found.groups()
    units = _SECONDS if name in ("took", "ttft") else _UNITS
    try:
        value = float(digits.replace(",", "")) * units[unit]
    except (ValueError, KeyError):
        return None
    sign = sign.replace(":", "=")
    value *= NANO if name == "cost" else 1
    return Compared(name, _TURNED[sign] if turned else sign, value, text)


def parse(text: str, now: float) -> Wanted:
    """`now` is what `since:2h` counts back from."""
    wanted = Wanted(now)
    words: list[str] = []
    without: list[str] = []
    fields: list[tuple[str, str]] = []
    without_fields: list[tuple[str, str]] = []
    compared: list[Compared] = []
    for part in _parts(text):
        turned, bare = part.startswith("!"), part.removeprefix("!").casefold()
        name, colon, value = bare.partition(":")
        if (told := _compared(bare, turned)) is not None:
            compared.append(told)
        elif name in ("since", "until") and colon and (at := point(value, now)) is not None:
            setattr(wanted, name, at)
        elif name in FIELDS and colon and value:
            (without_fields if turned else fields).append((name, value))
        elif (field := bare.partition("="))[0] in FIELDS and field[2]:
            (without_fields if turned else fields).append((field[0], f"={field[2]}"))
        elif bare:
            (without if turned else words).append(bare)
    wanted.words, wanted.without = tuple(words), tuple(without)
    wanted.fields, wanted.without_fields = tuple(fields), tuple(without_fields)
    wanted.compared = tuple(compared)
    return wanted


def written(**fields: str) -> str:
    """A filter for requests of which each of these fields is just that."""
    return " ".join(shlex.quote(f"{name}={value}") for name, value in fields.items() if value)


@dataclass(frozen=True, slots=True)
class Words:
    """What is typed into the filter of any list: words, `!words` and `column:words`. Each part is
    (whether it must not be there, the column or "", what is looked for)."""

    parts: tuple[tuple[bool, str, str], ...]

    def hold(self, texts: Mapping[str, str]) -> bool:
        """Of a row, by its columns' names; the whole of it is what its columns hold together."""
        folded = {name: text.casefold() for name, text in texts.items()}
        whole = "\n".join(folded.values())
        return all(
            (word in (folded.get(column, "") if column else whole)) is not without
            for without, column, word in self.parts
        )


def words(text: str, columns: Iterable[str]) -> Words:
    """`columns` are those that can be named, by any word of their names."""
    called = {part: name for name in columns for part in re.split(r"\W+", name) if part}
    found = []
    for part in _parts(text):
        bare = part.removeprefix("!").casefold()
        name, colon, value = bare.partition(":")
        if colon and value and name in called:
            found.append((bare != part.casefold(), called[name], value))
        elif bare:
            found.append((bare != part.casefold(), "", bare))
    return Words(tuple(found))


def _parts(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote that is still being typed
        return text.replace('"', " ").replace("'", " ").split()
