"""The LiteLLM plane: the deployments of the group that was asked for, and what it falls back on.

A name that begins with `ccr-` goes to the CCR rules, in-process.
"""

from __future__ import annotations

from collections.abc import Sequence

from router.errors import CallerError
from router.rules import tags
from router.rules.deployments import find, in_order, unaliased
from router.rules.fallbacks import with_fallbacks
from router.rules.plan import Candidate, Case
from router.rules.rule import Rule, Verdict
from router.rules.signals import Signals
from router.settings import Groups


def look(case: Case, signals: Signals) -> Verdict:
    asked, groups = signals.asked, case.generation.groups
    name = unaliased(groups, asked)
    if groups.ccr_prefix and name.startswith(groups.ccr_prefix) and name not in groups.deployments:
        return Verdict(name, hands_on=True, note="handed on to the CCR rules")
    deployments = find(groups, name)
    value = asked if name == asked else f"{asked} → {name}"
    if not deployments:
        return Verdict(value or "no model named", error=_unknown(asked))
    many = f", {len(deployments)} deployments" if len(deployments) > 1 else ""
    if many and groups.strategy != "simple-shuffle":
        many += f" by {groups.strategy}"
    found = in_order(case, name, deployments, f"group {name}")
    found = with_fallbacks(case, asked, found)
    if not found.candidates and found.problem.startswith(tags.REFUSED):
        error = CallerError(found.problem, status=401, kind="credential")
        return Verdict(value, error=error)
    if not found.candidates:
        return Verdict(
            value,
            error=CallerError(
                f"model group {name!r} cannot be served: {found.problem}",
                status=503,
                kind="missing",
            ),
        )
    return Verdict(value + many, candidates=found.candidates)


def stands(groups: Groups, asked: str, candidates: Sequence[Candidate]) -> bool:
    """Whether the choice is the same for every request without wishes: one deployment under one
    key, and nothing that depends on who asks, or how. Names that clients make up are not kept."""
    if len(candidates) != 1 or groups.tag_filtering:
        return False
    deployments = groups.deployments.get(unaliased(groups, asked), ())
    only = candidates[0].deployment
    return only is not None and deployments == (only,) and only.stream_timeout is None


def _unknown(model: str) -> CallerError:
    """In LiteLLM's own words: clients match on them."""
    return CallerError(
        f"Invalid model name passed in model={model or None}. "
        "Call `/v1/models` to view available models for your key.",
        status=400,
        kind="missing",
        param="model",
    )


RULE = Rule("group", look)
