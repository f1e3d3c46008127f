"""The body's own `provider,model`: the form that CCR and Claude Code's /model command use, or what
was picked in Claude Code's picker.

What was picked stands for the conversation: a side call that bears its name is left to the rules
below, of which *background* takes it where there is one.
"""

from __future__ import annotations

from router.errors import CallerError
from router.rules.plan import Case
from router.rules.rule import Rule, Verdict, unknown_provider
from router.rules.signals import Signals
from router.rules.targets import resolve, scenario_target
from router.settings import Target


def look(case: Case, signals: Signals) -> Verdict:
    asked = signals.asked
    target = Target.parse(asked)
    if target is None:
        return Verdict(asked or "no model named")
    if case.generation.provider(target.provider) is not None:
        if case.facts.side_call and signals.picked and _has_background(case):
            side_call = case.facts.side_call
            return Verdict(
                asked, note=f"side call: {side_call}; the picked model is the conversation's"
            )
        return Verdict(asked, target=target, scenario="default")
    if case.caller.plane == "litellm":
        return Verdict(asked, note="not a provider of ours, so it is a model's name")
    return Verdict(
        asked,
        error=CallerError(
            unknown_provider(case.generation, target.provider),
            status=404,
            kind="missing",
            code="provider_not_found",
            param="model",
        ),
    )


def _has_background(case: Case) -> bool:
    """Is there a background that takes side calls? The LiteLLM plane asks for no scenario."""
    if case.caller.plane == "litellm":
        return False
    target, _, _ = scenario_target(case, "background")
    return target is not None and bool(resolve(case, target, "").candidates)


RULE = Rule("model", look, when={"": "the body names provider,model"})
