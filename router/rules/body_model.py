"""The body's own `provider,model`: the form that CCR and Claude Code's /model command use."""

from __future__ import annotations

from router.errors import CallerError
from router.rules.plan import Case
from router.rules.rule import Rule, Verdict, unknown_provider
from router.rules.signals import Signals
from router.settings import Target


def look(case: Case, signals: Signals) -> Verdict:
    asked = signals.asked
    target = Target.parse(asked)
    if target is None:
        return Verdict(asked or "no model named")
    if case.generation.provider(target.provider) is not None:
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


RULE = Rule("model", look)
