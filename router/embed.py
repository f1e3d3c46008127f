"""Embeddings: routed, retried and billed as a completion is; OpenAI's pass through as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.delivery import LARGEST_ANSWER, LARGEST_ERROR, shown
from router.doors.call import Call
from router.doors.callers import user_of
from router.exchange import Border, Surface, attempts, begin, choose
from router.formats import embeddings
from router.guards.body import read_body
from router.messages import UsageSeen
from router.outgoing import beside, credentials
from router.record import Attempt
from router.rules.plan import Candidate

if TYPE_CHECKING:
    from router.service import Router

_OPENAI = embeddings.OpenAI()


async def embed(
    router: Router, call: Call, surface: Surface, wire: embeddings.Wire = _OPENAI
) -> None:
    """Serves one request for embeddings."""
    record = begin(router, call, surface, endpoint="embeddings")
    async with Border(router, call, surface.format, surface.headers, record) as border:
        raw = await read_body(call.scope, call.receive, router.generation.limits)
        border.watch_client()
        request = wire.parse(raw)
        record.asked = request.model or ""
        if request.user is not None and not record.user:
            record.user = user_of(request.user)
        if surface.wishes is not None:
            request, record.wishes = surface.wishes(request, call, wire.parse)
        plan = await choose(router, record, request, surface.external)

        async def once(attempt: Attempt, candidate: Candidate) -> None:
            provider = candidate.provider
            url = beside(provider, "/embeddings", candidate.model)
            asked = wire.body(request, candidate.model)
            headers = (
                ("content-type", "application/json"),
                ("accept-encoding", "identity"),
                *credentials(provider, compatible=True),
                *provider.headers,
            )
            headers += await router.signing.headers(provider, url, headers, asked)
            upstream = await router.transport.send(
                "POST",
                url,
                headers,
                asked,
                timeouts=candidate.timeouts or provider.timeouts,
                provider=provider.name,
            )
            try:
                attempt.status, attempt.first_byte = upstream.status, router.now()
                if not 200 <= upstream.status < 300:
                    body = await upstream.body(LARGEST_ERROR)
                    error = surface.format.read_error(
                        upstream.status, upstream.headers, body, provider
                    )
                    error.headers = (*error.headers, *shown(upstream.headers))
                    raise error
                body = await upstream.body(LARGEST_ANSWER)
            finally:
                upstream.abort()
            assert attempt.tally is not None
            attempt.tally.feed(UsageSeen(embeddings.usage(body)))
            attempt.answered = True
            told = wire.answer(body, request, candidate.model)
            record.status = 200
            await call.answer(200, told, headers=surface.headers(record))

        await attempts(router, record, plan, call, once)
