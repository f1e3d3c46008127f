"""What is typed into the filter of a list: words, `!words` and `column:words`. Pure.

Its rule: a row is found by what its columns say in words. A column that has none cannot be named,
and what looks as if it were is told, never taken for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from console.query import FIELDS, FIGURES, parts

_PART = re.compile(r"(\w+)(>=|<=|>|<|=|:)(.+)", re.DOTALL)
#: names of the filters of requests and of the log
_ELSEWHERE = frozenset((*FIELDS, *FIGURES, "since", "until"))


@dataclass(frozen=True, slots=True)
class Words:
    """Each part is (whether it must not be there, the column or "", what is looked for, after "="
    the whole); `misread` says in words what is no column of this list."""

    parts: tuple[tuple[bool, str, str], ...]
    misread: str = ""

    def hold(self, texts: Mapping[str, str]) -> bool:
        """Of a row, by its columns' names; the whole of it is what its columns hold together."""
        folded = {name: text.casefold() for name, text in texts.items()}
        whole = "\n".join(folded.values())
        return all(
            _found(word, folded.get(column, "")) is not without
            if column
            else (word in whole) is not without
            for without, column, word in self.parts
        )


def _found(word: str, text: str) -> bool:
    return text == word[1:] if word[0] == "=" else word in text


def words(text: str, columns: Sequence[str], worded: Iterable[str]) -> Words:
    """`columns` are all there are, `worded` those that can be named, by any word of their names."""
    called = {one: name for name in worded for one in _names(name)}
    known = _ELSEWHERE.union(*map(_names, columns))
    found, strange = [], list[str]()
    for part in parts(text):
        without, bare = part.startswith("!"), part.removeprefix("!").casefold()
        named = _PART.fullmatch(bare)
        if named and named[2] in (":", "=") and named[1] in called:
            value = named[3] if named[2] == ":" else f"={named[3]}"
            found.append((without, called[named[1]], value))
            continue
        if named and named[1] in known:
            strange.append(bare)
        if bare:
            found.append((without, "", bare))
    offered = " ".join(f"{name}:" for name in called)
    told = f"no {' '.join(strange)} here: words, {offered}" if strange and called else ""
    return Words(tuple(found), told)


def _names(column: str) -> list[str]:
    return [word for word in re.split(r"\W+", column) if word]
