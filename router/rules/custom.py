"""The person's own function (CUSTOM_ROUTER_PATH), which was asked before the rules."""

from __future__ import annotations

from router.rules.plan import Case
from router.rules.rule import Rule, Verdict, unknown_provider
from router.rules.signals import Signals
from router.settings import Target


def look(case: Case, signals: Signals) -> Verdict | None:
    custom = case.custom
    if custom is None:
        return None
    if custom.problem:
        return Verdict("no answer", problem=custom.problem)
    note = "changed the request" if custom.body else ""
    if not custom.model:
        return Verdict("leaves it to the rules", note=note)
    target = Target.parse(custom.model)
    if target is None:
        wrong = f"custom router: {custom.model[:200]!r} is not provider,model"
        return Verdict(custom.model, problem=wrong)
    if case.generation.provider(target.provider) is None:
        wrong = unknown_provider(case.generation, target.provider)
        return Verdict(custom.model, problem=f"custom router: {wrong}")
    return Verdict(custom.model, target=target, scenario="default", note=note)


NAME = "custom"
RULE = Rule(NAME, look, usual=None, when={"": "your own router (CUSTOM_ROUTER_PATH)"})
