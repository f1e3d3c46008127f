"""Towards a real LiteLLM or CCR that plays its own role: what is metered, what just passes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from router.doors.call import Call
from router.errors import CallerError, UpstreamError
from router.guards.body import read_body
from router.rules.plan import Candidate
from router.settings import Provider, Role, Timeouts

if TYPE_CHECKING:
    from router.service import Router

#: headers of the hop itself (RFC 9110, 7.6.1), and those that the next hop sets anew
_HOP = frozenset(
    {
        *("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"),
        *("proxy-authenticate", "proxy-authorization"),
        *("host", "content-length", "accept-encoding", "x-pointsman"),
    }
)
#: the client's key goes to the external tool: it is its own keys that it checks
_CREDENTIALS = ("authorization", "x-api-key", "api-key", "x-litellm-api-key", "user-agent")


def _passes(header: str) -> bool:
    """Which of its headers a client may see. Which web pages may read an answer is for us to say:
    LiteLLM and CCR say "any"."""
    return header not in _HOP | {"content-type"} and not header.startswith("access-control-")


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


async def relay(router: Router, call: Call, base: str) -> None:
    """Passes one request on as it is, and its answer back as it comes. Not metered. Ends with the
    client: one that leaves closes the way upstream, too."""
    body = await read_body(call.scope, call.receive, router.generation.limits)
    if ".." in call.path:
        raise CallerError("a path may not climb", status=400)
    work = asyncio.create_task(_pass(router, call, base, body))
    left = asyncio.create_task(_left(call))
    try:
        await asyncio.wait({work, left}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        left.cancel()
        if not work.done():
            work.cancel()
    if work.done():
        work.result()


async def _left(call: Call) -> None:
    while (await call.receive())["type"] != "http.disconnect":
        pass


async def _pass(router: Router, call: Call, base: str, body: bytes) -> None:
    query = call.scope["query_string"].decode("latin-1")
    headers = [(name, value) for name, value in call.headers.items() if name not in _HOP]
    headers.append(("accept-encoding", "identity"))
    response = await router.transport.send(
        call.method,
        base.rstrip("/") + (call.path or "/") + (f"?{query}" if query else ""),
        headers,
        body,
        timeouts=Timeouts(),
        provider=base,
    )
    try:
        if not 200 <= response.status < 600:
            raise UpstreamError(
                f"{base} answered with the status {response.status}", kind="upstream", status=502
            )
        back = [(n, v) for n, v in response.headers.items() if _passes(n)]
        kind = response.headers.get("content-type", "application/octet-stream")
        await call.begin(response.status, kind, back)
        while chunk := await response.read():
            await call.more(chunk)
        await call.end()
    finally:
        response.abort()
