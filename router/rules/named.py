"""The model that the client asked for, at the provider that serves its family under that name."""

from __future__ import annotations

from router.rules.plan import Case
from router.rules.rule import Rule, Verdict
from router.rules.signals import Signals
from router.settings import Target


def look(case: Case, signals: Signals) -> Verdict:
    asked = signals.asked
    named = case.generation.routes.named
    fitting = [prefix for prefix in named if asked.startswith(prefix)] if asked else []
    if not fitting:
        return Verdict(f"no provider for {asked}" if asked else "no model named")
    return Verdict(asked, target=Target(named[max(fitting, key=len)], asked), scenario="default")


RULE = Rule("named", look, when={"": "a provider serves that family by name"})
