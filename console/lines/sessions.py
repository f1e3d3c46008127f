"""A conversation as the ledger has it: a session with its branches, their sums, and which models it
used when. Pure.

Its rule: a session's figures are the sums of its branches; real and simulated money are not added,
and where both are, the real one counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from textual.content import Content

from console.lines.spending import total, worth
from console.spark import spark
from console.text import NANO, clean, fit, width
from console.theme import Tone
from console.widgets.paint import Piece, Span, say
from router.contract import BranchLine, CostLine, RequestView

#: seconds below which a rate per hour says nothing
SHORT = 120.0
#: cells of a model's name under a strip, at least
_SHORTEST = 16
#: letters for the models of one session, in order of their first use
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(slots=True)
class Branch:
    """A session (`agent` and `twig` are ""), or one of its branches."""

    session: str
    agent: str
    lines: list[BranchLine]
    newest: RequestView | None = None
    children: list[Branch] = field(default_factory=list)
    #: how its name is led up to: "├ ", "└ " or "" for a session
    twig: str = ""

    @property
    def key(self) -> str:
        return f"{self.session} {self.twig and (self.agent or 'main')}"

    @property
    def first_at(self) -> float:
        return min(line.first_at for line in self.lines)

    @property
    def last_at(self) -> float:
        return max(line.last_at for line in self.lines)

    def named(self) -> str:
        """All that it is known by, its branches too."""
        told = (self.newest.project, self.newest.client) if self.newest else ()
        return " ".join((self.session, *told, *(child.agent for child in self.children)))

    def used(self) -> CostLine:
        """Real traffic, or simulated where nothing real was asked of a model."""
        real = [line.used for line in self.lines if not line.used.simulated]
        asked = any(used.tokens.prompt or used.tokens.output for used in real)
        simulated = [line.used for line in self.lines if line.used.simulated]
        return total(real if asked or not simulated else simulated)


def tree(found: Iterable[BranchLine], newest: Iterable[RequestView]) -> list[Branch]:
    """Sessions, the one that spoke last first, each with its branches where it has subagents."""
    last = {(view.session, view.agent): view for view in newest}
    grouped: dict[str, dict[str, list[BranchLine]]] = {}
    for line in found:
        grouped.setdefault(line.session, {}).setdefault(line.agent, []).append(line)
    sessions = []
    for session, agents in grouped.items():
        together = [line for kept in agents.values() for line in kept]
        whole = Branch(session, "", together, last.get((session, "")))
        if whole.newest is None:
            views = [view for (name, _), view in last.items() if name == session]
            whole.newest = max(views, key=lambda view: view.started_at, default=None)
        if set(agents) != {""}:
            whole.children = [
                Branch(session, agent, kept, last.get((session, agent)))
                for agent, kept in sorted(agents.items())
            ]
            for child in whole.children:
                child.twig = "├ "
        sessions.append(whole)
    sessions.sort(key=lambda one: -one.last_at)
    return sessions


def cached(line: CostLine) -> float | None:
    """The share of the prompts that came from a cache."""
    prompt = line.tokens.prompt
    return line.tokens.cache_read / prompt if prompt else None


def per_hour(branch: Branch) -> int | None:
    """Nano-dollars an hour, from its first request to its last."""
    length = branch.last_at - branch.first_at
    used = branch.used()
    if length < SHORT or worth(used) is None:
        return None
    return round(used.cost / (length / 3600))


def target(view: RequestView | None) -> str:
    return f"{view.provider},{view.model}" if view is not None and view.provider else ""


def filled(view: RequestView) -> int:
    """Tokens of its model's context that a request and its answer take."""
    return view.tokens.prompt + view.tokens.output


def models_over_time(views: Sequence[RequestView], cells: int) -> list[Content]:
    """A strip with a letter for the model that served most in each span, money below it, and the
    letters' meaning."""
    served = sorted((view for view in views if view.provider), key=lambda v: v.started_at)
    if not served or cells < 10:
        return []
    first, last = served[0].started_at, served[-1].started_at
    span = max((last - first) / cells, 1e-9)
    letters: dict[str, str] = {}
    counts: list[dict[str, int]] = [{} for _ in range(cells)]
    spent = [0.0] * cells
    for view in served:
        name = target(view)
        letter = letters.setdefault(name, _LETTERS[min(len(letters), len(_LETTERS) - 1)])
        place = min(int((view.started_at - first) / span), cells - 1)
        counts[place][letter] = counts[place].get(letter, 0) + 1
        spent[place] += (view.cost or 0) / NANO
    tones: tuple[Tone, ...] = ("accent", "good", "warn", "strong")
    tone = {letter: tones[place % len(tones)] for place, letter in enumerate(letters.values())}
    strip: list[Piece] = [Span(fit("models", 10), "muted")]
    for count in counts:
        letter = max(count, key=lambda each: count[each]) if count else ""
        strip.append(Span(letter, tone[letter]) if letter else Span("·", "muted"))
    uses = Counter(letters[target(view)] for view in served)
    legend: list[Piece] = [Span(" " * 10)]
    room = cells
    named = [(clean(name), letter) for name, letter in letters.items()]
    most = cells
    if sum(width(name) + 9 for name, _ in named) > cells:
        most = max(cells // len(named) - 9, _SHORTEST)  # all of them, if need be cut
    for name, letter in sorted(named, key=lambda item: -uses[item[1]]):
        name = fit(name, min(width(name), most), middle=True)
        words = f" {name} {uses[letter]:,}×   "
        room -= width(words) + 1
        if room < 0:
            break
        legend += [Span(letter, tone[letter]), Span(words, "muted")]
    return [
        say(*strip),
        say(Span(fit("money", 10), "muted"), Span(spark(spent), "muted")),
        say(*legend),
    ]
