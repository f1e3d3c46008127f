"""What a person types into a filter: words, `!words`, and fields. Pure.

    timeout !health level:error model:sonnet session:7f3c status>=400 since:2h "two words"

Every part must hold; `!` turns a word around. Its rule: what is no field is a word, so that
anything may be typed and nothing is refused while one types.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from console.options import seconds_of
from router.contract import LogFilter, RequestFilter, RequestView

FIELDS = ("level", "source", "model", "provider", "session", "door", "key", "rule", "since")
#: fields that the ledger looks for as words
_WORDS = ("model", "provider", "session", "door", "key", "rule")
_STATUS = re.compile(r"status(?:>=|>|:|=)(\d{3})")
Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(slots=True)
class Wanted:
    """Words are case-folded."""

    words: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    fields: dict[str, str] = field(default_factory=dict)
    status_from: int | None = None
    since: float | None = None

    def holds(self, request: RequestView) -> bool:
        """As the ledger would say, of a request at hand."""
        text = "\n".join(
            (
                *(request.id, request.asked, request.provider, request.model, request.rule),
                *(request.session, request.agent, request.client, request.error, request.door),
                request.key,
            )
        ).casefold()
        if self.status_from is not None and (request.status or 0) < self.status_from:
            return False
        if self.since is not None and request.started_at < self.since:
            return False
        return (
            all(word in text for word in self.words)
            and not any(word in text for word in self.without)
            and all(_part(request, name, value) for name, value in self.fields.items())
        )

    def requests(self) -> RequestFilter:
        """The widest part of it that the ledger can look for; `holds` decides on what it finds."""
        fields = (self.fields.get(name, "") for name in _WORDS)
        return RequestFilter(
            words=(*self.words, *(value for value in fields if value)),
            since=self.since,
            status_from=self.status_from,
        )

    def lines(self, level: Level, since: float | None) -> LogFilter:
        """Of the log: at least `level`, not before `since`."""
        asked = self.fields.get("level", "")
        named = next((each for each in LEVELS if asked and each.startswith(asked)), level)
        worse = max(level, named, key=LEVELS.index)
        return LogFilter(
            level=worse,
            since=max(self.since or 0.0, since or 0.0) or None,
            source=self.fields.get("source", ""),
            words=self.words,
            without=self.without,
            status_from=self.status_from,
            model=self.fields.get("model", ""),
            session=self.fields.get("session", ""),
        )


def _part(request: RequestView, name: str, value: str) -> bool:
    held = getattr(request, name, None)
    return held is None or value in str(held).casefold()


def parse(text: str, now: float) -> Wanted:
    """`now` is what `since:2h` counts back from."""
    wanted = Wanted()
    words: list[str] = []
    without: list[str] = []
    for part in _parts(text):
        bare = part.removeprefix("!")
        name, colon, value = bare.casefold().partition(":")
        if (status := _STATUS.fullmatch(bare)) is not None:
            wanted.status_from = int(status[1])
        elif name == "since" and colon and (seconds := seconds_of(value)):
            wanted.since = now - seconds
        elif name in FIELDS and colon and value and bare == part:
            wanted.fields[name] = value
        elif bare:
            (without if bare != part else words).append(bare.casefold())
    wanted.words, wanted.without = tuple(words), tuple(without)
    return wanted


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
