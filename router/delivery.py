"""From the provider's answer to the client's: whole or streamed, translated or as it came.

Every answer is read by the provider's format, also one that passes through unchanged: the tally
needs to know what it held. The head goes to the client only when the first event has arrived, so
that an error at the very start can still move on to another candidate.
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from typing import TYPE_CHECKING

from msgspec import Struct

from router.call import Call
from router.errors import UpstreamError
from router.formats import Format, Reader, Writer
from router.formats.changed import Changed, changed
from router.formats.failures import nonsense, raised
from router.formats.untold import untold
from router.framing import Frame, Framer
from router.messages import ArgumentsDelta, Event, Failure, Request, TextDelta, ThinkingDelta
from router.outgoing import Outgoing
from router.record import Attempt, Record
from router.settings import Provider
from router.tally import Tally
from router.transport import Response

if TYPE_CHECKING:
    from router.exchange import Surface
    from router.service import Router

#: seconds that a provider has to end a stream after its answer was complete
LINGER = 0.5
#: bytes of an answer that is not streamed
LARGEST_ANSWER = 128 * 1024 * 1024
DONE = b"[DONE]"
#: frames without a meaning that may come before an answer begins
MOST_BEFORE = 100
#: bytes of an error body that are worth reading
LARGEST_ERROR = 64 * 1024
#: what only goes on with what was begun
_DELTAS = frozenset((TextDelta, ThinkingDelta, ArgumentsDelta))
#: nobody on the way may keep a stream back
STREAMED = (("cache-control", "no-cache"), ("x-accel-buffering", "no"))
#: a provider's headers that the client may see
SHOWN = ("retry-after", "x-should-retry")
#: where providers tell the id by which they find a request again
IDS = ("request-id", "x-request-id", "x-amzn-requestid", "apim-request-id", "cf-ray")
SHOWN_PREFIXES = ("anthropic-ratelimit-", "x-ratelimit-")


async def deliver(
    router: Router,
    call: Call,
    surface: Surface,
    record: Record,
    attempt: Attempt,
    request: Request,
    sent: Outgoing,
    upstream: Response,
) -> None:
    """Carries one answer to the client. Raises UpstreamError; `call.started` tells the caller
    whether anything reached the client before that; where `record.pinged`, only pings did."""
    try:
        attempt.status = upstream.status
        attempt.first_byte = router.now()
        if upstream.status >= 300:
            raise await refusal(router, upstream, sent.format, sent.provider)
        if sent.through and sent.format.name == "anthropic_messages":
            attempt.limits = limits(upstream.headers)
        assert attempt.tally is not None
        carrier = _Carrier(router, call, surface, record, attempt, attempt.tally, request, sent)
        if not streams(upstream, request, sent.format.framing):
            await carrier.whole(await upstream.body(LARGEST_ANSWER))
        elif request.stream:
            await carrier.stream(upstream)
        else:
            await carrier.gather(upstream)
        attempt.answered = True
    finally:
        upstream.abort()


async def refusal(
    router: Router, upstream: Response, format: Format, provider: Provider
) -> UpstreamError:
    """What an answer other than 2xx says."""
    body = await upstream.body(LARGEST_ERROR)
    # a time of return may be a date, and is read against the answer's own
    upstream.headers.setdefault("date", formatdate(router.wall(), usegmt=True))
    error = format.read_error(upstream.status, upstream.headers, body, provider)
    error.headers = (*error.headers, *shown(upstream.headers))
    error.provider_id = next((upstream.headers[n][:100] for n in IDS if n in upstream.headers), "")
    return error


def streams(upstream: Response, request: Request, framing: str) -> bool:
    """Whether the answer is a stream, by what it says it is; else it is what was asked for."""
    kind = upstream.headers.get("content-type", "")
    if "event-stream" in kind:
        return True
    if framing == "sse" and "json" in kind:
        return False
    return request.stream


def shown(headers: dict[str, str]) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, value in headers.items()
        if name in SHOWN or name.startswith(SHOWN_PREFIXES)
    ]


def limits(headers: dict[str, str]) -> list[tuple[str, str]]:
    """What a success tells of the provider's limits: Claude Code shows them to its user."""
    return [pair for pair in headers.items() if pair[0].startswith(SHOWN_PREFIXES)]


async def begin(call: Call, surface: Surface, record: Record) -> None:
    """The head of a stream that has an answer, unless a client that waited for it has one."""
    record.border = None
    record.status = 200
    if record.pinged:
        record.pinged = 0.0
        return
    await call.begin(200, surface.format.content_type, STREAMED, surface.headers(record))


class _Carrier(Struct, eq=False):
    """One successful answer on its way."""

    _router: Router
    _call: Call
    _surface: Surface
    _record: Record
    _attempt: Attempt
    _tally: Tally
    _request: Request
    _sent: Outgoing
    _begun: bool = False  # something of this answer was sent
    _speaking: bool = False  # its first token too
    _done: bool = False

    async def whole(self, body: bytes) -> None:
        """A provider's answer that came as one JSON body, whatever the client asked for."""
        sent, events = self._sent, None
        if sent.through and not self._request.stream:
            events = sent.format.glance(body, sent.provider)
        if events is None:
            events = sent.format.read_response(body, sent.provider)
        if sent.changes:
            events = changed(events, sent.changes)
        self._account(events)
        if self._attempt.candidate.screened:
            self._screen()
        # it is all here: what it costs stands fast, and is worked out once
        self._attempt.ended = now = self._router.now()
        self._record.first_token = self._record.first_token or now
        if self._request.stream:
            writer = self._writer()
            await self._begin_stream()
            await self._call.end(b"".join(writer.feed(event) for event in events) + writer.close())
            self._tell_lost()
        elif self._sent.through and body.lstrip()[:1] == b"{":  # not a stream read as a whole
            await self._answer(self._renamed(body))
        else:
            await self._render(events)

    async def gather(self, upstream: Response) -> None:
        """A provider that streams although the client wants it whole."""
        framer, reader = Framer(self._sent.format.framing), self._reader()
        events: list[Event] = []

        def take(read: list[Event]) -> None:
            self._account(read)  # as it comes: what is cut short is billed up to there
            events.extend(read)

        while chunk := await upstream.read():
            for frame in framer.feed(chunk):
                take(reader.feed(frame))
        for frame in framer.close():
            take(reader.feed(frame))
        take(reader.close())
        if self._attempt.candidate.screened:
            self._screen()
        await self._render(events)

    async def stream(self, upstream: Response) -> None:
        """Forwards each piece as it arrives: the same frames, or the same events in the client's
        dialect."""
        framer, reader, writer = Framer(self._sent.format.framing), self._reader(), self._writer()
        drop = self._sent.format.drops(self._request) if self._sent.through else None
        ended = False
        out: list[bytes] = []
        while not ended:
            chunk = await self._next(upstream)
            if chunk is None:
                await self._ping(writer)
                continue
            ended = not chunk
            frames = framer.feed(chunk) if chunk else framer.close()
            if self._attempt.answered:  # else what came so far waits for the first event
                out = []
            try:
                self._forward(frames, reader, writer, out, drop)
                if ended:
                    self._finish(reader.close(), writer, out)
            except UpstreamError:
                if self._begun:  # what came before the failure, in the same packet
                    await self._send(out)
                raise
            if self._attempt.answered:
                await self._send(out)
                self._speaking = self._record.first_token is not None
        if not self._begun:
            raise UpstreamError(
                f"{self._sent.provider.name} answered with an empty stream",
                kind="upstream",
                status=502,
            )
        await self._call.end()
        self._tell_lost()

    async def _ping(self, writer: Writer) -> None:
        if self._begun and (ping := writer.ping()):
            await self._call.more(ping)

    def _forward(
        self,
        frames: list[Frame],
        reader: Reader,
        writer: Writer,
        out: list[bytes],
        drop: Callable[[Frame], bool] | None,
    ) -> None:
        """Adds to `out` what the client gets of these frames."""
        tally, through = self._tally, self._sent.through
        for frame in frames:
            if tally.finish is not None:
                self._last(frame, out)
                continue
            events = reader.feed(frame)
            if plain := self._speaking and len(events) == 1 and type(events[0]) in _DELTAS:
                tally.feed(events[0])  # nearly every one: no end, no failure, nothing to be dropped
            else:
                self._account(events)
            if not through:
                for event in events:
                    out.append(writer.feed(event))
                continue
            if plain or self._wanted(frame, out, drop):
                out.append(frame.raw)
            for event in events:
                writer.passed(event)
            if tally.finish is not None:
                self._done = frame.data.strip() == DONE

    def _wanted(self, frame: Frame, out: list[bytes], drop: Callable[[Frame], bool] | None) -> bool:
        """Whether a frame that passes through is the client's."""
        if not self._attempt.answered:
            if not frame.data:
                return False  # a comment: it must not begin the answer, which may still fail
            if len(out) > MOST_BEFORE:
                raise raised(nonsense("a stream that does not begin"))
        return drop is None or not drop(frame)

    def _last(self, frame: Frame, out: list[bytes]) -> None:
        """OpenAI's own end. What else comes after the last word is nobody's answer."""
        if not self._done and self._sent.through and frame.data.strip() == DONE:
            self._done = True
            out.append(frame.raw)

    def _finish(self, owed: list[Event], writer: Writer, out: list[bytes]) -> None:
        """The stream is over; `owed` is what the reader still made of it."""
        self._account(owed)
        if not self._sent.through:
            out += [writer.feed(event) for event in owed]
            out.append(writer.close())

    async def _next(self, upstream: Response) -> bytes | None:
        """As Response.read. Once the answer is complete, a provider that holds on to its stream,
        or breaks it off, has ended it."""
        over = self._tally.finish is not None
        try:
            chunk = await upstream.read(LINGER if over else self._router.ping)
        except UpstreamError:
            if not over:
                raise
            return b""
        return b"" if over and chunk is None else chunk

    async def _send(self, out: list[bytes]) -> None:
        if data := b"".join(out):
            if not self._begun:
                await self._begin_stream()
            await self._call.more(self._renamed(data) if self._sent.through else data)

    def _account(self, events: list[Event]) -> None:
        """The tally reads along. A failure is raised here, in mid-stream or before it."""
        tally, attempt, record = self._tally, self._attempt, self._record
        for event in events:
            if type(event) is Failure:
                raise raised(event)
            tally.feed(event)
            attempt.answered = True
        if record.first_token is None and tally.began:
            record.first_token = self._router.now()

    def _screen(self) -> None:
        """A whole answer that was filtered is not one, where another group stands by for that."""
        if self._tally.finish == "refusal" and not self._request.stream:
            self._record.first_token = None
            words = "Response output was blocked."  # LiteLLM's own
            raise UpstreamError(words, kind="refused", status=400)

    def _reader(self) -> Reader:
        reader = self._sent.format.reader(self._sent.provider)
        return Changed(reader, self._sent.changes) if self._sent.changes else reader

    def _writer(self) -> Writer:
        writer = self._surface.format.writer(
            self._request, now=int(self._record.started_at), id=self._record.id
        )
        self._record.writer = writer
        return writer

    def _renamed(self, data: bytes) -> bytes:
        """The model under the name that the client asked for."""
        asked = self._request.model
        if not asked or asked == self._sent.model:
            return data
        return self._sent.format.rename(data, self._sent.model, asked)

    async def _begin_stream(self) -> None:
        self._begun = True
        await begin(self._call, self._surface, self._record)

    def _tell_lost(self) -> None:
        """What of a translated answer the client's dialect has no form for."""
        if self._tally.held is None or self._sent.through:
            return
        if lost := untold(self._tally.held, self._surface.format.name):
            self._attempt.dropped = (*self._attempt.dropped, *lost)
            words = f"{self._surface.format.name} has no form for {', '.join(lost)}: left out"
            self._router.log.info("exchange", words, request=self._record.id)

    async def _render(self, events: list[Event]) -> None:
        self._tell_lost()
        await self._answer(
            self._surface.format.render_response(
                events, self._request, now=int(self._record.started_at), id=self._record.id
            )
        )

    async def _answer(self, body: bytes) -> None:
        self._record.status = 200
        await self._call.answer(200, body, own=self._surface.headers(self._record))
