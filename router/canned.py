"""Answers that nobody is asked for: LiteLLM's mock_response, of a deployment or of one request.

They go the way of every answer: counted, written down, retried and fallen back from. Their figures
are LiteLLM's own constants, and the ledger has them as simulated.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from router.call import Call
from router.delivery import begin
from router.errors import Kind, UpstreamError
from router.messages import (
    BlockStart,
    BlockStop,
    Event,
    Finish,
    Request,
    Start,
    Text,
    TextDelta,
    Usage,
    UsageSeen,
)
from router.record import Attempt, Record
from router.rules.plan import Candidate
from router.wishes import Wishes

if TYPE_CHECKING:
    from router.exchange import Surface
    from router.service import Router

#: what LiteLLM says a mock used
USAGE = Usage(input=10, output=20)
#: "litellm.RateLimitError" and the like, as a mock, fail in that way
ERRORS: dict[str, tuple[Kind, int]] = {
    "RateLimitError": ("quota", 429),
    "ContextWindowExceededError": ("too_long", 400),
    "ContentPolicyViolationError": ("refused", 400),
    "InternalServerError": ("upstream", 500),
    "AuthenticationError": ("credential", 502),
    "BadRequestError": ("caller", 400),
    "NotFoundError": ("missing", 404),
    "ServiceUnavailableError": ("overload", 503),
    "Timeout": ("timeout", 504),
}
_RAISES = re.compile(r"(?:Exception: )?litellm\.(\w+)")


def canned(candidate: Candidate, wishes: Wishes) -> str | None:
    """The text to answer with instead of asking this candidate; None: it is asked."""
    if wishes.mock is not None:
        return wishes.mock
    deployment = candidate.deployment
    return deployment.mock or None if deployment is not None else None


async def recite(
    router: Router,
    call: Call,
    surface: Surface,
    record: Record,
    attempt: Attempt,
    request: Request,
    text: str,
) -> None:
    """Answers with `text`, or fails as it says. Raises UpstreamError."""
    candidate = attempt.candidate
    if not candidate.provider.simulated:
        simulated = replace(candidate.provider, simulated=True)
        attempt.candidate = msgspec.structs.replace(candidate, provider=simulated)
    if (named := _RAISES.match(text)) and named[1] in ERRORS:
        kind, status = ERRORS[named[1]]
        words = f"this is a mock {named[1]}, asked for by mock_response"
        raise UpstreamError(words, kind=kind, status=status, provider_type=named[1])
    events = _events(record.id, candidate.model, text)
    assert attempt.tally is not None
    for event in events:
        attempt.tally.feed(event)
    attempt.status, attempt.answered = 200, True
    attempt.first_byte = record.first_token = router.now()
    record.status = 200
    at = int(record.started_at)
    if not request.stream:
        body = surface.format.render_response(events, request, now=at, id=record.id)
        await call.answer(200, body, own=surface.headers(record))
        return
    writer = surface.format.writer(request, now=at, id=record.id)
    record.writer = writer
    await begin(call, surface, record)
    await call.end(b"".join(writer.feed(event) for event in events) + writer.close())


def _events(id: str, model: str, text: str) -> list[Event]:
    """As a provider streams it: word by word."""
    words = re.findall(r"\s*\S+\s*", text) or [text]
    return [
        Start(id, model, USAGE),
        BlockStart(0, Text("")),
        *(TextDelta(0, word) for word in words),
        BlockStop(0),
        UsageSeen(USAGE),
        Finish("end_turn"),
    ]
