"""What a rule is: a name, and a pure function from the case to a verdict.

A rule only says what it saw and what it wants; whether that resolves, what falls back on what and
what a model can hold are decided once for all of them, in `router.rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct

from router.contract import Look
from router.errors import CallerError, RequestError
from router.rules.plan import Candidate, Case
from router.rules.signals import Signals
from router.settings import Generation, Scenario, Target


class Verdict(Struct, frozen=True):
    """What one rule says. It hits when any of target, scenario, candidates, error or hands_on is
    set; else it only reports the value that it saw."""

    value: str  # for people: "61,204 > 60,000"
    target: Target | None = None
    #: whose fallbacks follow and, where `target` is not set, whose target is meant
    scenario: Scenario | None = None
    override: str = ""  # id of the operator's override that this is
    note: str = ""
    problem: str = ""  # a pin that cannot be honoured: loud, also where the rule does not hit
    #: already resolved, in order (a group's deployments)
    candidates: tuple[Candidate, ...] = ()
    error: CallerError | None = None  # the request is refused
    hands_on: bool = False  # to the CCR plane's rules
    last_word: bool = False  # nothing falls back on this choice


#: when a rule hits, for people, by the scenario that it then means, "" where it names a model;
#: filled in with the `routes` in force
When = Mapping[Scenario | Literal[""], str]


class Rule:
    """`look` gives None where the rule does not apply; the trace then has `usual` as the value that
    it saw. That is most rules for most requests, so their look is made once. With `usual` None the
    trace has nothing: hardly anyone has what the rule asks for.

    `recalled` is for a rule that reads the prompt, which is not kept: the scenario that it meant by
    a value which it once gave.
    """

    __slots__ = ("look", "missed", "name", "recalled", "when")

    def __init__(
        self,
        name: str,
        look: Callable[[Case, Signals], Verdict | None],
        usual: str | None = "",
        *,
        when: When | None = None,
        recalled: Callable[[str], Scenario | None] | None = None,
    ) -> None:
        self.name = name
        self.look = look
        self.missed = None if usual is None else Look(name, usual, False, "", "")
        self.when: When = when or {}
        self.recalled = recalled


class RefusedError(CallerError):
    """The rules refuse this request. `looks` shows why; `rule` and `value` name who did."""

    def __init__(self, error: RequestError, looks: tuple[Look, ...]) -> None:
        super().__init__(
            error.message,
            status=error.status,
            kind=error.kind,
            code=error.code,
            param=error.param,
            headers=error.headers,
        )
        self.looks = looks
        self.rule = looks[-1].rule if looks else ""
        self.value = looks[-1].value if looks else ""


def unknown_provider(generation: Generation, name: str) -> str:
    """The one sentence for a provider that is not configured."""
    names = ", ".join(sorted(generation.providers)) or "none"
    return f"no provider is named {name[:100]!r}; configured are: {names}"
