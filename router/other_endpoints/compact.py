"""`POST /v1/responses/compact`: a conversation made shorter by the provider that goes on with it.

Its one rule: what comes of it is sealed by that provider, so only one that speaks the Responses API
is asked, and its answer goes back as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from router.border import Border
from router.call import Call
from router.caller import user_of
from router.delivery import LARGEST_ANSWER
from router.errors import CallerError
from router.exchange import Surface, attempts, begin, choose
from router.formats.openai_responses import OpenAIResponses
from router.formats.other_endpoints import usage_of
from router.formats.splice import rename
from router.guards.body import read_body
from router.messages import Bound, Request, UsageSeen
from router.other_endpoints.aside import posted
from router.outgoing import beside
from router.providers import also
from router.record import Attempt
from router.rules.plan import Candidate
from router.settings import Provider
from router.wishes.fields import otherwise

if TYPE_CHECKING:
    from router.service import Router

_PATH = "/responses/compact"
_BOUND = Bound(
    "compaction is done by a provider that speaks the Responses API: this model's does not. "
    "Send the whole input, or a summary of it.",
    "model",
    "unsupported_parameter",
)


async def compact(router: Router, call: Call, surface: Surface) -> None:
    """Serves one request. `surface.format` is the Responses API's."""
    record = begin(router, call, surface, endpoint="compact")
    format = surface.format

    def parse(raw: bytes) -> Request:
        request = format.parse_request(raw)
        if not request.model:
            raise CallerError("Missing required parameter: 'model'.", param="model")
        return msgspec.structs.replace(request, bound=request.bound or _BOUND, stream=False)

    async with Border(router, call, format, surface.headers, record) as border:
        raw = await read_body(call, router.generation.limits)
        border.watch_client()
        request = surface.read(parse, raw)
        record.asked = request.model or ""
        record.user = record.user or user_of(request.user or "")
        if surface.wishes is not None:
            request, record.wishes = surface.wishes(request, call, parse)
        plan = await choose(router, record, request, surface.external)

        async def once(attempt: Attempt, candidate: Candidate) -> None:
            provider, asked, wishes = candidate.provider, plan.request, record.wishes
            if candidate.other is not None:
                wishes = candidate.other.wishes
                asked = attempt.asked = otherwise(request, candidate.other, parse)
            if not _speaks(provider):
                assert asked.bound is not None
                raise CallerError(asked.bound.words, param=asked.bound.param, code=asked.bound.code)
            url = beside(provider, _PATH, candidate.model)
            sent = format.pass_through(asked, candidate.model)
            async with posted(
                router, attempt, format, url, sent, "application/json", wishes
            ) as upstream:
                body = await upstream.body(LARGEST_ANSWER)
            usage = usage_of(body)
            if usage is not None and attempt.tally is not None:
                attempt.tally.feed(UsageSeen(usage))
            attempt.answered = True
            record.status = 200
            told = rename(body, candidate.model, request.model or candidate.model)
            await call.answer(200, told, own=surface.headers(record))

        await attempts(router, record, plan, call, once)


def _speaks(provider: Provider) -> bool:
    return OpenAIResponses.name in (provider.format, *also(provider.kind))
