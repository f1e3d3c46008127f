"""The operator's overrides, most particular first: this session, this key, everywhere.

Forced ones go before every other rule, the others after an explicit choice in the request. One
that cannot be honoured says so and lets the next one speak.
"""

from __future__ import annotations

from router.contract import OverrideView
from router.rules.plan import Case
from router.rules.rule import Rule, Verdict, unknown_provider
from router.rules.signals import Signals
from router.settings import Target


def _matching(case: Case, forced: bool) -> list[OverrideView]:
    caller = case.caller
    scopes = ["everywhere"]
    if caller.key:
        scopes.insert(0, f"key:{caller.key}")
    if caller.session:
        scopes.insert(0, f"session:{caller.session}")
    found = [o for o in case.overrides if o.forced is forced and o.scope in scopes]
    return sorted(found, key=lambda override: scopes.index(override.scope))


def _look(case: Case, forced: bool) -> Verdict | None:
    if not case.overrides:
        return None
    problems: list[str] = []
    for override in _matching(case, forced):
        target = Target.parse(override.target)
        problem = f"the override for {override.scope} cannot be honoured: "
        if target is None:
            problems.append(problem + f"{override.target!r} is not provider,model")
        elif case.generation.provider(target.provider) is None:
            problems.append(problem + unknown_provider(case.generation, target.provider))
        else:
            return Verdict(
                override.scope,
                target=target,
                scenario="default",
                override=override.id,
                problem="; ".join(problems),
                last_word=forced,
            )
    return Verdict("none applies", problem="; ".join(problems))


def look_forced(case: Case, signals: Signals) -> Verdict | None:
    return _look(case, forced=True)


def look_override(case: Case, signals: Signals) -> Verdict | None:
    return _look(case, forced=False)


FORCED = Rule("forced", look_forced, "none set", when={"": "an operator's forced override"})
OVERRIDE = Rule("override", look_override, "none set", when={"": "an operator's override"})
