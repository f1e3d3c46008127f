"""A provider that is this router itself: what is sent there has a mark, and goes there but once.

One rule: LiteLLM's role may ask CCR's over HTTP, as guides write it; but a route that leads back to
where it came from would take every connection there is. Pure.
"""

from __future__ import annotations

from dataclasses import replace

from msgspec import structs

from router.config.endpoints import leads_here
from router.errors import CallerError
from router.rules.plan import Plan
from router.settings import Listen, Provider

MARK = "x-pointsman-hop"


def marked(provider: Provider, listen: Listen) -> Provider:
    """With the mark, where its address is one of ours."""
    if provider.plane is not None or not leads_here(provider.url, listen):
        return provider
    return replace(provider, headers=(*provider.headers, (MARK, "1")))


def opened(plan: Plan) -> Plan:
    """Of a request that has the mark: without the candidates that would have it go round. Raises
    CallerError where there are no others."""
    others = tuple(one for one in plan.candidates if not _leads_back(one.provider))
    if others:
        return structs.replace(plan, candidates=others)
    raise CallerError(
        f"provider {plan.candidates[0].provider.name} is this router itself, and this request has"
        " been there: its address leads back here, so that it would go round in a circle",
        code="circle",
    )


def _leads_back(provider: Provider) -> bool:
    return any(name == MARK for name, _ in provider.headers)
