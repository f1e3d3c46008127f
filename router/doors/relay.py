"""Towards a real LiteLLM or CCR that plays its own role: what is metered, what just passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.doors.call import Call
from router.doors.passing import Onward, pass_on
from router.rules.plan import Candidate
from router.settings import Provider, Role

if TYPE_CHECKING:
    from router.service import Router

#: the client's key goes to the external tool: it is its own keys that it checks
_CREDENTIALS = ("authorization", "x-api-key", "api-key", "x-litellm-api-key", "user-agent")


def candidate(role: Role, call: Call, format: str) -> Candidate:
    """The external tool as the one provider of a request, so that it is metered as any other."""
    provider = Provider(
        name=role.name,
        format=format,
        url=role.url.rstrip("/") + call.path,
        base=role.url.rstrip("/") + "/v1",
        auth="none",
        kind="litellm",
        headers=tuple((n, call.headers[n]) for n in _CREDENTIALS if n in call.headers),
        source="external",
    )
    return Candidate(provider=provider, model="", reason="external")


async def relay(router: Router, call: Call, role: Role) -> None:
    """Passes one request on as it is. Not metered."""
    whole: str = call.scope["path"]
    prefix = whole.removesuffix(call.path) if whole.endswith(call.path) else whole
    await pass_on(router, call, Onward(role.name, role.url.rstrip("/"), call.path, prefix))
