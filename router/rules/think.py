"""Hard thinking: a high effort, or an enabled budget above the threshold.

That thinking is merely on says nothing: today's clients send {"type": "adaptive"} with nearly every
request, and one rule would then take all traffic.
"""

from __future__ import annotations

from router.rules.plan import Case
from router.rules.rule import Rule, Verdict
from router.rules.signals import Signals


def look(case: Case, signals: Signals) -> Verdict:
    routes = case.generation.routes
    reasoning = case.request.reasoning
    value = case.facts.thinking or case.facts.effort
    if reasoning.mode == "off" or not value:
        return Verdict(value or "not asked for")
    if reasoning.effort and reasoning.effort.lower() in routes.think_efforts:
        return Verdict(f"effort {reasoning.effort}", scenario="think")
    if reasoning.mode == "on" and reasoning.budget is not None:
        sign = "≥" if reasoning.budget >= routes.think_budget else "<"
        value = f"{reasoning.budget:,} {sign} {routes.think_budget:,}"
        return Verdict(value, scenario="think" if sign == "≥" else None)
    return Verdict(value)


RULE = Rule(
    "think",
    look,
    when={"think": "high effort, or ≥ {routes.think_budget:,} tokens to think"},
)
