"""Which deployments of a group a request's tags allow: LiteLLM's tag filtering. Pure.

A request with tags gets deployments that bear one of them (or all, where that is set), else those
tagged "default". A request without tags gets the default ones, or all where there are none.
"""

from __future__ import annotations

import re

from router.rules.plan import Case
from router.settings import Deployment

DEFAULT = "default"
#: LiteLLM's own words: clients match on them
REFUSED = "Not allowed to access model due to tags configuration"


def allowed(case: Case, deployments: tuple[Deployment, ...]) -> tuple[Deployment, ...]:
    """Those that may serve where tags count; none when they forbid all."""
    tags = frozenset(case.wishes.tags)
    agent = case.caller.headers.get("user-agent", "")[:500]
    fitting = tuple(one for one in deployments if _fits(case, one, tags, agent))
    if fitting:
        return fitting
    usual = tuple(one for one in deployments if DEFAULT in one.tags)
    return usual if usual or tags else deployments


def _fits(case: Case, one: Deployment, tags: frozenset[str], agent: str) -> bool:
    if tags and one.tags:
        every = case.generation.groups.tags_all
        if tags <= set(one.tags) if every else tags & set(one.tags):
            return True
        if every:
            return False
    return any(re.search(pattern, f"User-Agent: {agent}") for pattern in one.tag_patterns)
