"""What the Routes screen says of the rules: a line for each, a what-if, the difference of an edit.
Pure.

Its rule: what an edit or an override puts in a target's place is told beside that target.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from operator import attrgetter
from typing import NamedTuple

from textual.content import Content

from console.text import UNKNOWN, money, percent
from console.theme import Tone
from console.widgets.columns import Column
from console.widgets.order import Order
from console.widgets.paint import Cell, Piece, Span, say
from console.widgets.table import Row
from router.contract import Edited, Replayed, RouteValue, RuleView


class Line(NamedTuple):
    """A rule as it stands in the list: its place in the order, and its requests of today."""

    number: int
    rule: RuleView
    hits: int

    @property
    def key(self) -> str:
        return f"{self.rule.name} {self.rule.scenario}"


COLUMNS = (
    Column("#", 2, number=True, rising=True, by=attrgetter("number")),
    Column("rule", 12, by=attrgetter("key")),
    Column("when", 24, grow=2, drop=1, by=attrgetter("rule.when")),
    Column("goes to", 22, grow=4, middle=True, by=attrgetter("rule.target")),
    Column("today", 6, number=True, by=attrgetter("hits")),
    Column("share", 6, number=True, drop=2),
)
AS_ASKED = Order("#")
#: lines of moves under the table
_MOVES = 4


def draw(
    rule: RuleView, number: int, edited: str | None, hits: int | None, share: float | None
) -> Row:
    quiet: Tone = "" if rule.target or not rule.scenario else "muted"
    name = rule.scenario if rule.name == "complexity" else rule.name
    return (
        Span(str(number), "muted"),
        Span(name, quiet or "strong" if rule.target else "muted"),
        Span(rule.when, "muted"),
        _goes_to(rule, edited),
        Span(f"{hits:,}" if hits else "·", "" if hits else "muted"),
        Span(percent(share) if share else "", "muted"),
    )


def _goes_to(rule: RuleView, edited: str | None) -> Cell:
    if not rule.scenario:
        return Span(rule.target or "what it names", "muted")
    if edited is not None:
        return [
            Span(edited or "nowhere: the next rule is asked", "warn"),
            Span(f"   was {rule.target or 'none'}", "muted"),
        ]
    if rule.override:
        return [Span(f"⇄ {rule.override}", "accent"), Span(f"   not {rule.target}", "muted")]
    return Span(rule.target or UNKNOWN, "" if rule.target else "muted")


def difference(nano: int) -> str:
    """With its sign: "−$0.84", "+$1.20", "$0"."""
    if nano == 0:
        return "$0"
    return f"{'−' if nano < 0 else '+'}{money(abs(nano))}"


def what_if(found: Replayed) -> list[Content]:
    """ "12 of 200 would move, −$0.84", and the largest moves."""
    tone: Tone = "good" if found.difference < 0 else "warn" if found.difference > 0 else ""
    first: list[Piece] = [
        Span(f"{found.moved:,} of {found.requests:,} would move", "strong"),
        Span(", ", "muted"),
        Span(f"≈ {difference(found.difference)}", tone),
    ]
    for count, words in (
        (found.unpriced, "without a known price"),
        (found.pinned, "chosen by hand"),
        (found.unclear, "depend on a prompt that is not kept"),
        (found.refused, "would find no model"),
    ):
        if count:
            first.append(Span(f"   {count:,} {words}", "muted"))
    rows = [say(*first)]
    for move in found.moves[:_MOVES]:
        before, after = money(move.cost_before), money(move.cost_after)
        rows.append(
            say(
                Span(f"{move.requests:>6,}  ", ""),
                Span(move.before, "muted"),
                Span("  →  ", "muted"),
                Span(move.after, "accent"),
                Span(f"   {before} → ≈ {after}   by {move.rule}", "muted"),
            )
        )
    if len(found.moves) > _MOVES:
        rows.append(say(Span(f"        and {len(found.moves) - _MOVES} more", "muted")))
    return rows


def diff_lines(edited: Edited) -> list[Content]:
    tones: dict[str, Tone] = {"+": "good", "-": "bad", "@": "muted"}
    shown = [say(Span(edited.file, "muted"))]
    return shown + [say(Span(line, tones.get(line[:1], ""))) for line in edited.diff]


def decided(rule: RuleView, hits: Mapping[str, int]) -> int:
    """Requests that it sent on, of `hits` by rule and by rule and target."""
    key = rule.name
    if rule.name == "complexity":  # two lines, told apart by where they lead
        key = f"{rule.name} {rule.target}"
    return hits.get(key, 0)


def gone_by(
    values: Iterable[RouteValue], mine: Collection[RouteValue], edits: Mapping[str, str]
) -> list[Content]:
    """Of the chosen rule's values, `mine`, those that are set; of all those that were edited."""
    rows = []
    for value in values:
        edit = edits.get(value.name)
        if edit is None and (value not in mine or not value.value):
            continue
        said: list[Piece] = [Span(f"{value.name}  ", "muted")]
        if edit is not None:
            said.append(Span(f"{edit or 'none'}   was {value.value or 'none'}", "warn"))
        else:
            said.append(value.value)
        rows.append(say(*said, Span(f"   {value.what}", "muted")))
    return rows
