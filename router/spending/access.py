"""Which models a key may ask for: LiteLLM's lists, with wildcards and access groups. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from router.settings import Groups

#: words of LiteLLM's in place of a model's name
EVERY = frozenset({"all-proxy-models", "*"})
TEAMS = "all-team-models"
NONE = "no-default-models"


def may_use(models: Sequence[str], asked: str, groups: Groups) -> bool:
    """Whether a list of models allows one. An empty list allows all; so does one that only points
    to the team's, which has a list of its own."""
    if not models or not EVERY.isdisjoint(models):
        return True
    named = [model for model in models if model not in (TEAMS, NONE)]
    if not named:
        return NONE not in models
    if asked in named or groups.aliases.get(asked, asked) in named:
        return True
    if any("*" in one and fnmatchcase(asked, one) for one in named):
        return True
    return any(
        not set(deployment.access_groups).isdisjoint(named)
        for deployment in groups.deployments.get(asked, ())
    )
