"""From `provider,model` to what can be tried: one model, or the deployments of a LiteLLM group."""

from __future__ import annotations

from router.rules.deployments import Expanded, expand, keyed
from router.rules.fallbacks import with_fallbacks
from router.rules.plan import Candidate, Case
from router.rules.rule import unknown_provider
from router.settings import Provider, Scenario, Target


def resolve(case: Case, target: Target, reason: str) -> Expanded:
    """The candidates that a target stands for, or why there are none."""
    provider = case.generation.provider(target.provider)
    if provider is None:
        return Expanded((), unknown_provider(case.generation, target.provider))
    if provider.plane == "litellm":
        return with_fallbacks(case, target.model, expand(case, target.model, reason))
    to_the_letter = case.generation.routes.strict
    model = target.model if to_the_letter else own_name(provider, target.model)
    if not provider.per_key:
        return Expanded((Candidate(provider, model, reason),))
    leg = f"{provider.name},{model}"
    keys = keyed(provider, case.chance)
    return Expanded(tuple(Candidate(one, model, reason, leg=leg) for one in keys))


def own_name(provider: Provider, model: str) -> str:
    """The model as the provider lists it, where it differs only by case. Others are passed on."""
    if not provider.models or model in provider.models:
        return model
    folded = model.casefold()
    return next((name for name in provider.models if name.casefold() == folded), model)


def scenario_target(case: Case, scenario: Scenario) -> tuple[Target | None, str, str]:
    """A scenario's target, the id of the operator's override that replaced it, and what is wrong
    with that override if it cannot be honoured."""
    problem = ""
    if case.overrides:
        scope = f"scenario:{scenario}"
        for override in case.overrides:
            if override.scope == scope:
                target = Target.parse(override.target)
                if target is not None and case.generation.provider(target.provider) is not None:
                    return target, override.id, ""
                problem = f"the override of {scenario} cannot be honoured: " + (
                    unknown_provider(case.generation, target.provider)
                    if target
                    else f"{override.target!r} is not provider,model"
                )
    return case.generation.routes.targets.get(scenario), "", problem
