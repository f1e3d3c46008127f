"""The body's `context` field, or the header x-pointsman-context: the client names the scenario."""

from __future__ import annotations

from router.rules.plan import Case
from router.rules.rule import Rule, Verdict
from router.rules.signals import Signals
from router.settings import SCENARIOS

_BY_NAME = {scenario.casefold(): scenario for scenario in SCENARIOS}


def look(case: Case, signals: Signals) -> Verdict | None:
    context = case.facts.context
    if not context:
        return None
    scenario = _BY_NAME.get(context.casefold())
    if scenario is None:
        names = ", ".join(SCENARIOS)
        return Verdict(
            context[:100],
            problem=f"context {context[:100]!r} is not a scenario; there are: {names}",
        )
    return Verdict(scenario, scenario=scenario)


RULE = Rule("context", look, "not sent", when={"": "the client names the scenario"})
