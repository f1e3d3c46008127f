"""The keys of a screen: as its bottom line hints at them, and as the help lists them.

Its rule: what is shown is what is bound. A person's own keys stand in place of ours. Who may only
look has no hint at a key that changes something, and reads under "?" why it does nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from textual.binding import Binding
from textual.content import Content

from console import twins
from console.screens import IDS, SCREENS
from console.screens.filtered import FilteredView
from console.screens.view import View
from console.text import width
from console.widgets.paint import Piece, Span, say
from console.widgets.table import Table

#: what stands on every screen without words
SIGNS = (
    ("req/s", "of the last 10 seconds"),
    ("p95", "of whole requests, of the last minute; errors too"),
    ("● ◐ ✗ ○", "a provider each: up, degraded, down, not asked yet"),
    ("≈ ≥ —", "estimated, at least (prices are missing), unknown"),
    ("×3 ↷ ◇", "three attempts, first choice passed over, simulated"),
)
_NAMES = {"/": "slash", "esc": "escape", "?": "question_mark", "^p": "ctrl+p"}


def offers(view: View, key: str, read_only: bool) -> bool:
    """Whether `key` is shown to who looks; pressed all the same, it says why not."""
    return not (read_only and key in view.CHANGES)


def hints(
    view: View, own: Mapping[str, str], read_only: bool, first: Sequence[tuple[str, str]], room: int
) -> tuple[list[Piece], list[Piece]]:
    """The bottom line, as far as there is room: `first`, then the view's; all are under "?".
    `own` are a person's keys by the id of their binding."""
    right: list[Span] = []
    for key, word in (("?", "keys"), ("^p", "all"), ("q", "quit")):
        right += _hint(key, word, "  ")
    room -= sum(width(span.text) for span in right)
    shown = [hint for hint in view.KEYS if offers(view, hint[0], read_only)]
    left: list[Piece] = []
    for key, word in (*first, *shown):
        key = _own(view, key, own)
        room -= len(key) + len(word) + 3
        if room < 0:
            break
        left += _hint(key, word, "" if not left else "  ")
    return left, [*right]


def _hint(key: str, word: str, before: str) -> list[Span]:
    name = _NAMES.get(key, key)
    return [Span(before), Span(key, "accent", name), Span(f" {word}", "muted", name)]


def _own(view: View, key: str, own: Mapping[str, str]) -> str:
    """The key that a person put in place of `key`, on this screen."""
    if not own:
        return key
    name = _NAMES.get(key, key)
    for kind in type(view).__mro__:
        for binding in kind.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding) and name in binding.key.split(","):
                return own.get(binding.id or "", key)
    return key


def help_rows(
    view: View, everywhere: type, own: Mapping[str, str], read_only: bool
) -> list[Content]:
    """What "?" lists: the keys of this view, then those bound by `everywhere`."""
    rows = [say(Span(view.NAME, "head"))]
    if enter := dict(view.KEYS).get("enter"):  # bound by the table, named by the view
        rows.append(say(Span(f"  {'enter':<9}", "accent"), enter.capitalize()))
    idle = view.CHANGES if read_only else frozenset()
    rows += _described(type(view), own, idle=idle)
    if of_list := [*_described(Table, own, lambda key: _for_lists(view, key))]:
        rows += [say(), say(Span("This list", "head")), *of_list]
    idle = getattr(everywhere, "CHANGES", idle) if read_only else idle
    rows += [
        say(),
        say(Span("Everywhere", "head")),
        say(Span("  1 … 8    ", "accent"), "the screens"),
        *_described(everywhere, own, lambda key: key not in SCREENS, idle),
    ]
    rows.append(say(Span("  ^p       ", "accent"), "everything else, by name"))
    if isinstance(view, FilteredView):
        rows += [say(), say(Span("What / takes", "head"))]
        taken = (*view.FILTER, ("a paste", "looked for; of a client's complaint, its id"))
        rows += [say(Span(f"  {typed:<16}", "accent"), does) for typed, does in taken]
    rows += [say(), say(Span("Signs", "head"))]
    rows += [say(Span(f"  {sign:<9}", "accent"), means) for sign, means in SIGNS]
    return [
        *rows,
        say(),
        say(Span("Lists: j k or arrows, g first, G last, ctrl+d ctrl+u by the page;", "muted")),
        say(Span("a click on a column's name sorts by it.", "muted")),
        say(Span("Text is selected with shift and the mouse, or after m.", "muted")),
        say(Span(":keys names them, for keys of your own.", "muted")),
    ]


def named_rows(view: View, everywhere: type, own: Mapping[str, str], file: str) -> list[Content]:
    """What `:keys` lists: each key's name, as `file` takes it."""
    rows = [say(Span(f"In {file}:", "muted")), say(Span("[keys]", "muted"))]
    for owner in (type(view), Table, everywhere):
        for binding in bound(owner):
            if binding.id:
                key = own.get(binding.id, binding.key)
                words = f"  {binding.description}"
                rows.append(say(Span(f'"{binding.id}" = "{key}"', "accent"), Span(words, "muted")))
    return rows


def twin_rows(view: View, command: str, own: Mapping[str, str]) -> list[Content]:
    """What `:cmd` lists: `command` does what the view shows, then each key's own."""
    rows = [say(Span(command, "accent")), say(), say(Span("pointsman …", "muted"))]
    for twin in twins.of(view.id or ""):
        keys = ",".join(_own(view, key, own) for key in twin.keys.split(","))
        key, does = f"{twins.shown(keys):<10}", f"{twin.does:<20}"
        rest = twin.command.removeprefix("pointsman ")
        rows.append(say(Span(key, "accent"), Span(does, "muted"), rest))
    return rows


def _for_lists(view: View, key: str) -> bool:
    """Whether a list of the view can be told to do what `key` is for; all can be moved about in."""
    wanted = next(b for b in bound(Table) if b.key.partition(",")[0] == key)
    action = wanted.action.partition("(")[0]
    return wanted.show and any(table.check_action(action, ()) for table in view.query(Table))


def unknown(own: Mapping[str, str], everywhere: type) -> list[str]:
    """Names in `own` that no key has. Brings in every screen."""
    known = {binding.id for binding in bound(everywhere)}
    for id in (*IDS, "detail"):
        module = importlib.import_module(f"console.screens.{id}")
        owners = (one for one in vars(module).values() if isinstance(one, type))
        known |= {binding.id for owner in owners for binding in bound(owner)}
    return [name for name in own if name not in known]


def _described(
    owner: type,
    own: Mapping[str, str],
    wanted: Callable[[str], bool] = lambda _: True,
    idle: Collection[str] = (),
) -> Iterator[Content]:
    """`idle` are keys that do nothing here."""
    for binding in bound(owner):
        if not wanted(binding.key.partition(",")[0]):
            continue
        key = shown(binding, own)
        if binding.key.partition(",")[0] in idle:
            words = f"  {key:<9}{binding.description} (look only)"
            yield say(Span(words, "muted"))
        else:
            yield say(Span(f"  {key:<9}", "accent"), binding.description)


def shown(binding: Binding, own: Mapping[str, str]) -> str:
    """A key as people read it: "/", "esc"; a person's own in its place."""
    key = own.get(binding.id or "") or binding.key_display or binding.key
    return key.replace(",", " ").replace("slash", "/").replace("escape", "esc")


def bound(owner: type) -> Iterator[Binding]:
    """What a view, or the console, binds and tells of."""
    for kind in reversed(owner.__mro__):
        if not kind.__module__.startswith("console."):
            continue
        for binding in kind.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.description and binding.key != "ctrl+q":
                yield binding
