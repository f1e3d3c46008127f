"""Embeddings: routed, retried and billed as a completion is; OpenAI's pass through as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.border import Border
from router.call import Call
from router.caller import user_of
from router.delivery import LARGEST_ANSWER
from router.exchange import Surface, attempts, begin, choose
from router.formats import embeddings
from router.guards.body import read_body
from router.messages import UsageSeen
from router.other_endpoints.aside import posted
from router.outgoing import beside
from router.record import Attempt
from router.rules.plan import Candidate
from router.wishes.fields import otherwise

if TYPE_CHECKING:
    from router.service import Router

_OPENAI = embeddings.OpenAI()


async def embed(
    router: Router, call: Call, surface: Surface, wire: embeddings.Wire = _OPENAI
) -> None:
    """Serves one request for embeddings."""
    record = begin(router, call, surface, endpoint="embeddings")
    async with Border(router, call, surface.format, surface.headers, record) as border:
        raw = await read_body(call, router.generation.limits)
        border.watch_client()
        request = surface.read(wire.parse, raw)
        record.asked = request.model or ""
        record.user = record.user or user_of(request.user or "")
        if surface.wishes is not None:
            request, record.wishes = surface.wishes(request, call, wire.parse)
        plan = await choose(router, record, request, surface.external)
        if router.cache.on:
            taken = await router.cache.recall(call, surface, record, request, plan, router.now())
            if taken is None:
                return
            call = border.call = taken

        async def once(attempt: Attempt, candidate: Candidate) -> None:
            url = beside(candidate.provider, "/embeddings", candidate.model)
            wished, wishes = request, record.wishes
            if candidate.other is not None:
                wishes = candidate.other.wishes
                wished = attempt.asked = otherwise(request, candidate.other, wire.parse)
            asked = wire.body(wished, candidate.model)
            async with posted(
                router, attempt, surface.format, url, asked, "application/json", wishes
            ) as upstream:
                body = await upstream.body(LARGEST_ANSWER)
            assert attempt.tally is not None
            attempt.tally.feed(UsageSeen(embeddings.usage(body)))
            attempt.answered = True
            told = wire.answer(body, wished, candidate.model)
            record.status = 200
            await call.answer(200, told, own=surface.headers(record))

        await attempts(router, record, plan, call, once)
        if router.cache.on:
            router.cache.keep(call, record)
