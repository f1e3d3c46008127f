"""The call of a provider's endpoint beside its completions: embeddings, images, rerank and others.

One rule: an answer other than 2xx is told in the client's dialect, and the exchange ends with the
block, read to its end or not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from router.delivery import refusal
from router.formats import Format
from router.outgoing import credentials, with_clients
from router.record import Attempt
from router.transport import Response
from router.wishes import NO_WISHES, Wishes

if TYPE_CHECKING:
    from router.service import Router


@asynccontextmanager
async def posted(
    router: Router,
    attempt: Attempt,
    format: Format,
    url: str,
    body: bytes,
    content_type: str,
    wishes: Wishes = NO_WISHES,
) -> AsyncIterator[Response]:
    """The provider's answer to `body`. Raises UpstreamError for one that is not a success."""
    candidate = attempt.candidate
    provider = candidate.provider
    headers = (
        ("content-type", content_type),
        ("accept-encoding", "identity"),
        *credentials(provider, compatible=True),
        *provider.headers,
    )
    if wishes.headers or wishes.dropped:
        headers, attempt.dropped = with_clients(headers, wishes, provider)
    headers += await router.signing.headers(provider, url, headers, body)
    headers += attempt.traced
    timeouts = candidate.timeouts or provider.timeouts
    upstream = await router.transport.send(
        "POST", url, headers, body, timeouts=timeouts, provider=provider.name
    )
    try:
        attempt.status, attempt.first_byte = upstream.status, router.now()
        if not 200 <= upstream.status < 300:
            raise await refusal(router, upstream, format, provider)
        yield upstream
    finally:
        upstream.abort()
