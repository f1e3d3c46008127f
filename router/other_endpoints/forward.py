"""Images, audio, moderations, rerank: routed, retried and written down as a completion is, the
bodies passed through both ways.

One rule: an answer whose use of tokens is not told has no known price, unless its provider is free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.border import Border
from router.call import Call
from router.delivery import LARGEST_ANSWER
from router.errors import UpstreamError
from router.exchange import Surface, attempts, begin, choose
from router.formats import other_endpoints as wire
from router.formats.splice import rename
from router.framing import Framer
from router.guards.body import read_body
from router.messages import UsageSeen
from router.other_endpoints.aside import posted
from router.outgoing import beside
from router.record import Attempt, Record
from router.redaction import redacted
from router.rules.plan import Candidate
from router.settings import Price, Provider
from router.tally import Tally
from router.transport import Response

if TYPE_CHECKING:
    from router.service import Router


async def forward(router: Router, call: Call, surface: Surface) -> None:
    """Serves one request for an endpoint of other_endpoints.PATHS."""
    record = begin(router, call, surface, endpoint=wire.endpoint_of(call.path))
    async with Border(router, call, surface.format, surface.headers, record) as border:
        limits = router.generation.limits
        raw = await read_body(call, limits, forms=True)
        border.watch_client()
        asked = wire.parse(call.path, call.headers.get("content-type", ""), raw)
        record.endpoint = asked.endpoint
        record.asked = asked.request.model or ""
        record.stream = asked.request.stream
        plan = await choose(router, record, asked.request, surface.external)

        async def once(attempt: Attempt, candidate: Candidate) -> None:
            provider = candidate.provider
            if provider.format == "anthropic_messages":
                words = f"{provider.name} serves messages only: it has no {asked.path}"
                raise UpstreamError(words, kind="missing", status=404)
            attempt.tally = Tally(max(1, record.facts.tokens))
            url = beside(provider, asked.path, candidate.model)
            if query := call.scope["query_string"].decode("latin-1"):
                url += ("&" if "?" in url else "?") + query
            sent = wire.body_for(asked, candidate.model)
            async with posted(
                router, attempt, surface.format, url, sent, asked.content_type
            ) as upstream:
                price = attempt.price
                if not provider.local:
                    attempt.price = Price()
                attempt.answered = True
                await _Answer(call, surface, record, attempt, price).carry(upstream)

        await attempts(router, record, plan, call, once)


class _Answer:
    """One answer on its way; `price` counts once it has told what it used."""

    def __init__(
        self, call: Call, surface: Surface, record: Record, attempt: Attempt, price: Price
    ) -> None:
        self._call = call
        self._surface = surface
        self._record = record
        self._attempt = attempt
        self._price = price

    async def carry(self, upstream: Response) -> None:
        kind = upstream.headers.get("content-type", "application/octet-stream")
        self._record.status = upstream.status
        if "json" in kind:
            body = await upstream.body(LARGEST_ANSWER)
            self._used(body)
            asked, model = self._record.asked, self._attempt.candidate.model
            if asked and asked != model:
                body = rename(body, model, asked)
            await self._call.answer(upstream.status, body, kind, own=self._own())
            return
        await self._call.begin(upstream.status, kind, own=self._own())
        if "event-stream" in kind:
            await self._stream(upstream)
            return
        while chunk := await upstream.read():
            await self._call.more(chunk)
        await self._call.end()

    async def _stream(self, upstream: Response) -> None:
        """By whole lines: an event may say back the credentials that the request was sent with."""
        framer, provider, rest = Framer(), self._attempt.candidate.provider, b""
        while chunk := await upstream.read():
            for frame in framer.feed(chunk):
                if b'"usage"' in frame.data:
                    self._used(frame.data)
            lines, end, rest = (rest + chunk).rpartition(b"\n")
            if end:
                await self._call.more(_redacted(lines + end, provider))
        await self._call.end(_redacted(rest, provider))

    def _own(self) -> str:
        return self._surface.headers(self._record)

    def _used(self, body: bytes) -> None:
        usage = wire.usage_of(body)
        if usage is not None and self._attempt.tally is not None:
            self._attempt.price = self._price
            self._attempt.tally.feed(UsageSeen(usage))


def _redacted(lines: bytes, provider: Provider) -> bytes:
    return redacted(lines.decode("latin-1"), provider).encode("latin-1", "replace")
