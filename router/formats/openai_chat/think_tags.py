"""Thinking that a model writes into its text between <think> and </think>, or between the tags that
CCR's `forcereasoning` asks for.

Its one rule: tags count only where a reasoning model puts them, at the very start of an answer; a
text *about* the tags stays text. They may be split over chunks anywhere.
"""

from __future__ import annotations

import re

OPENER, CLOSER = "<think>", "</think>"
#: each with the tag that ends it
_PAIRS = {OPENER: CLOSER, "<reasoning_content>": "</reasoning_content>"}
#: a closing tag on a line of its own, of a model whose template wrote the opening one itself
_ORPHAN = re.compile(r"(?:^|\n)</think>(?=\n|$)")

Piece = tuple[bool, str]  # is it thinking?, text


class ThinkTags:
    """Splits one answer's text. `off` once tags can no longer come."""

    __slots__ = ("_after", "_closer", "_inside", "_said", "_start", "held", "off")

    def __init__(self) -> None:
        self.off = False
        self.held = ""  # may still turn out to be (part of) a tag
        self._start = True
        self._closer = CLOSER
        self._inside = False
        self._after = False  # newlines after the closing tag are dropped
        self._said = False

    def feed(self, text: str) -> list[Piece]:
        if self._inside:
            return self._think(text)
        if self._after:
            text = text.lstrip("\n")
            if text:
                self._after, self.off = False, True
            return [(False, text)] if text else []
        if not self._start:
            return self._text(text)
        self.held += text
        head = self.held.lstrip()
        if not head or head[0] == "<":
            for opener, closer in _PAIRS.items():
                if head.startswith(opener):
                    self._start, self._inside, self.held = False, True, ""
                    self._closer = closer
                    return self._think(head[len(opener) :])
            if any(opener.startswith(head) for opener in _PAIRS):
                return []
        text, self.held, self._start = self.held, "", False
        return self._text(text)

    def close(self) -> list[Piece]:
        """What was held back, as what it then is."""
        held, self.held = self.held, ""
        return [(self._inside, held)] if held else []

    def _think(self, text: str) -> list[Piece]:
        text = self.held + text
        ends = self._closer
        thought, closer, rest = text.partition(ends)
        if not closer:
            keep = next((n for n in range(len(ends) - 1, 0, -1) if text.endswith(ends[:n])), 0)
            cut = len(text) - keep
            self.held = text[cut:]
            return [(True, text[:cut])] if cut else []
        self._inside, self._after, self.held = False, True, ""
        return ([(True, thought)] if thought else []) + (self.feed(rest) if rest else [])

    def _text(self, text: str) -> list[Piece]:
        orphan = _ORPHAN.search(text) if CLOSER in text else None
        if orphan is None:
            self._said = self._said or bool(text.strip())
            return [(False, text)] if text else []
        before, rest = text[: orphan.start()], text[orphan.end() :]
        self._after = True
        pieces = [(not self._said, before)] if before else []
        return pieces + (self.feed(rest) if rest else [])
