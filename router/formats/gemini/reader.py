"""A Gemini's answer, streamed or whole, as events.

Its one rule: there is no last word in this stream; the answer is complete once a candidate gave its
reason to finish, and what follows is only counts. Older models give that reason with each piece:
where the first one has it already, the end of the stream is the end.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from router.contract import Apart
from router.formats import Frame
from router.formats.apart import apart
from router.formats.blocks import Blocks
from router.formats.citations import characters, from_gemini
from router.formats.failures import in_stream, nonsense, raised
from router.formats.fields import count_of
from router.formats.gemini.parse import NAME, signed
from router.formats.names import usable_id
from router.framing import Framer
from router.messages import (
    JSON,
    Citation,
    Event,
    Failure,
    Finish,
    Image,
    OpaqueEvent,
    Start,
    StopReason,
    Usage,
    UsageSeen,
)
from router.settings import Provider

_REASONS: dict[str, StopReason] = {
    "MAX_TOKENS": "max_tokens",
    **dict.fromkeys(
        (
            *("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE"),
            "MODEL_ARMOR",  # Vertex: a filter of the customer's own
            *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
        ),
        "refusal",
    ),
}
#: models whose grounding is billed once for each prompt; later ones for each query
_PER_PROMPT = ("gemini-1", "gemini-2")
#: the model wrote what is no call: to be asked again while nothing was told
_BREAKS = frozenset(
    {
        *("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE"),
        *("TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE"),
    }
)


class _Call(Struct):
    id: Any = None
    name: Any = None
    args: Any = None


class _Part(Struct):
    text: Any = None
    thought: Any = None
    thoughtSignature: Any = None
    inlineData: Any = None
    functionCall: _Call | None = None
    executableCode: Any = None
    codeExecutionResult: Any = None


class _Content(Struct):
    parts: list[_Part] | None = None


class _Candidate(Struct):
    index: Any = 0
    content: _Content | None = None
    groundingMetadata: Any = None
    citationMetadata: Any = None
    finishReason: Any = None
    finishMessage: Any = None


class _Chunk(Struct):
    candidates: list[_Candidate] | None = None
    promptFeedback: Any = None
    usageMetadata: Any = None
    modelVersion: Any = None
    responseId: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(_Chunk).decode
_decode_all = msgspec.json.Decoder(list[_Chunk]).decode
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class GeminiReader:
    """One answer."""

    def __init__(self, provider: Provider) -> None:
        self._blocks = Blocks()
        self._reason: str | None = None
        self._unfinished = False  # a piece came without a reason to finish
        self._about = ""
        self._signature: str | None = None  # of a part without words: the next call's
        self._queries: set[str] = set()  # that Google searched for
        self._per_prompt = False
        self._said: list[str] = []
        self._sources: dict[tuple[str, int | None, int | None], Citation] = {}
        self._told: JSON = {}
        self._used: Usage | None = None
        self._started = False
        self._ended = False

    def feed(self, frame: Frame) -> list[Event]:
        data = frame.data
        if self._ended or not data:
            return []
        try:
            if data[:1] == b"[":  # an error may come as a list of one
                return [event for chunk in _decode_all(data) for event in self.take(chunk)]
            return self.take(_decode(data))
        except _BROKEN:
            return self._fail(nonsense("a chunk that is not Gemini's"))

    def take(self, chunk: _Chunk) -> list[Event]:
        if self._ended:
            return []
        if chunk.error:
            return self._fail(in_stream({"error": chunk.error}))
        events: list[Event] = []
        if not self._started:
            self._start(chunk, events)
        for candidate in chunk.candidates or ():
            if not candidate.index:  # of several answers only the first
                self._candidate(candidate, events)
            else:
                events.append(OpaqueEvent("candidates", {}))
        blocked = chunk.promptFeedback
        if isinstance(blocked, dict) and isinstance(reason := blocked.get("blockReason"), str):
            self._reason = self._reason or (reason if reason in _REASONS else "SAFETY")
        usage = self._usage(chunk.usageMetadata)
        if self._queries and self._used is not None:
            usage = grounded(self._used, 1 if self._per_prompt else len(self._queries))
        if usage is not None:
            events.append(UsageSeen(usage))
            if self._reason is not None and usage.output and self._unfinished:
                events += self.end()
        return events

    def close(self) -> list[Event]:
        if self._ended:
            return []
        if self._reason is not None:
            return self.end()
        return self._fail(nonsense("a stream that ended before its answer was complete"))

    def _usage(self, told: Any) -> Usage | None:
        """The counts so far: what a later chunk leaves out is as it was."""
        if isinstance(told, dict):
            self._told.update((name, count) for name, count in told.items() if count is not None)
            self._used = read_usage(self._told)
            return self._used
        return None

    def _start(self, chunk: _Chunk, events: list[Event]) -> None:
        self._started = True
        id, model = chunk.responseId, chunk.modelVersion
        self._per_prompt = isinstance(model, str) and model.startswith(_PER_PROMPT)
        events.append(
            Start(id if isinstance(id, str) else "", model if isinstance(model, str) else "")
        )

    def _candidate(self, candidate: _Candidate, events: list[Event]) -> None:
        content = candidate.content
        for part in (content.parts or ()) if content is not None else ():
            self._part(part, events)
        if isinstance(told := candidate.groundingMetadata, dict):
            self._queries |= searched(told)
        if told or candidate.citationMetadata:
            for one in from_gemini(told, candidate.citationMetadata):
                self._sources[one.url, one.start, one.end] = one
        if isinstance(candidate.finishReason, str):
            self._reason = candidate.finishReason
            about = candidate.finishMessage
            self._about = about if isinstance(about, str) else ""
        elif content is not None:
            self._unfinished = True

    def _part(self, part: _Part, events: list[Event]) -> None:
        signature = part.thoughtSignature
        signature = signature if isinstance(signature, str) and signature else None
        if part.functionCall is not None:
            self._call(part.functionCall, signature or self._signature, events)
            self._signature = None
        elif isinstance(part.text, str):
            if part.thought is True:
                self._blocks.say("thinking", part.text, events)
            if signature and (part.thought is True or self._blocks.open == "thinking"):
                self._blocks.sign(f"{NAME}:{signature}", events, begin=False)
            elif signature and not part.text:
                self._signature = signature
            if part.thought is not True:
                self._said.append(part.text)
                self._blocks.say("text", part.text, events)
        elif part.inlineData is not None:
            if part.thought is not True:  # its sketches are none of the answer
                self._file(part.inlineData, events)
        else:
            self._code(part, events)

    def _file(self, file: Any, events: list[Event]) -> None:
        kind, data = (file.get("mimeType"), file.get("data")) if type(file) is dict else ("", "")
        if type(kind) is str and type(data) is str and kind.startswith("image/"):
            self._blocks.whole(Image(kind, data), events)
        elif data:
            events.append(OpaqueEvent("audio" if str(kind).startswith("audio/") else "files", {}))

    def _call(self, call: _Call, signature: str | None, events: list[Event]) -> None:
        """The signature goes on with the call, and as a thought without words for the clients that
        send back nothing of a call but its input."""
        if signature:
            self._blocks.sign(f"{NAME}:{signature}", events, begin=True)
        name = call.name if isinstance(call.name, str) else ""
        self._blocks.call(usable_id(call.id), name, call.args, events, signed(signature))

    def _code(self, part: _Part, events: list[Event]) -> None:
        """Code that Google ran: shown, as nobody else has a place for it."""
        for told, key in ((part.executableCode, "code"), (part.codeExecutionResult, "output")):
            text = told.get(key) if isinstance(told, dict) else None
            if isinstance(text, str) and text:
                self._blocks.say("text", f"\n```\n{text.strip()}\n```\n", events)

    def end(self) -> list[Event]:
        if self._ended:
            return []
        reason = (self._reason or "").upper()
        if reason in _BREAKS:
            about = f": {self._about[:300]}" if self._about else ""
            words = f"the model ended its answer with {reason}{about}"
            return self._fail(Failure("upstream", words, reason))
        events: list[Event] = []
        if self._sources:
            told = characters(self._sources.values(), "".join(self._said))
            self._blocks.cite(told, events)
        self._blocks.close(events)
        self._ended = True
        known = _REASONS.get(reason, "end_turn")
        if known == "end_turn" and self._blocks.calls:
            known = "tool_use"  # it says STOP after a call, too
        return [*events, Finish(known)]

    def _fail(self, failure: Failure) -> list[Event]:
        self._ended = True
        return [failure]


def searched(grounding: JSON) -> set[str]:
    """What Google searched for, once each. Empty queries are not billed; an answer that only names
    its pages was searched for all the same."""
    queries = grounding.get("webSearchQueries")
    found = {one for one in queries if isinstance(one, str)} if isinstance(queries, list) else set()
    found.discard("")
    pages = grounding.get("groundingChunks")
    if not found and isinstance(pages, list):
        found = {"?"} if any(isinstance(one, dict) and "web" in one for one in pages) else set()
    return found


def grounded(usage: Usage, searches: int) -> Usage:
    """With the searches beside what else some prices tell apart."""
    told = msgspec.structs.replace(usage.apart or Apart(), searches=searches)
    return msgspec.structs.replace(usage, apart=told)


def read_usage(told: Any) -> Usage | None:
    """Cached tokens are counted inside of the prompt; thoughts beside the answer."""
    if not isinstance(told, dict):
        return None
    heard = _by_kind(told.get("promptTokensDetails"))
    again = _by_kind(told.get("cacheTokensDetails"))
    said = _by_kind(told.get("candidatesTokensDetails"))
    prompt, cached = count_of(told.get("promptTokenCount")), told.get("cachedContentTokenCount")
    read = min(count_of(cached), prompt)
    thought = count_of(told.get("thoughtsTokenCount"))
    return Usage(
        input=prompt - read + count_of(told.get("toolUsePromptTokenCount")),
        cache_read=read,
        output=count_of(told.get("candidatesTokenCount")) + thought,
        reasoning=thought,
        apart=apart(
            told.get("serviceTier"),
            # cached sound and images are counted in both lists
            audio_in=heard.get("AUDIO", 0) - again.get("AUDIO", 0),
            audio_cached=again.get("AUDIO", 0),
            audio_out=said.get("AUDIO", 0),
            image_in=heard.get("IMAGE", 0) - again.get("IMAGE", 0),
            image_out=said.get("IMAGE", 0),
        ),
    )


def _by_kind(details: Any) -> dict[str, int]:
    """Tokens by modality: `[{"modality": "AUDIO", "tokenCount": 12}]`."""
    if not isinstance(details, list):
        return {}
    return {
        kind: count_of(one.get("tokenCount"))
        for one in details
        if isinstance(one, dict) and isinstance(kind := one.get("modality"), str)
    }


def read_response(body: bytes, provider: Provider) -> list[Event]:
    """A whole answer, a list of chunks, or a stream that nobody asked for. Raises UpstreamError."""
    reader = GeminiReader(provider)
    if body.lstrip().startswith((b"data:", b":", b"event:")):
        framer = Framer()
        events = [e for f in (*framer.feed(body), *framer.close()) for e in reader.feed(f)]
    else:
        try:
            listed = body.lstrip()[:1] == b"["
            chunks = _decode_all(body) if listed else [_decode(body)]
        except _BROKEN:
            raise raised(nonsense("an answer that is not Gemini's")) from None
        events = [event for chunk in chunks for event in reader.take(chunk)]
    events += reader.close()
    if isinstance(events[-1], Failure):
        raise raised(events[-1])
    return events


def write_usage(usage: Usage) -> JSON:
    thoughts = min(usage.reasoning, usage.output)
    body: JSON = {
        "promptTokenCount": usage.prompt,
        "candidatesTokenCount": usage.output - thoughts,
        "totalTokenCount": usage.prompt + usage.output,
    }
    if usage.cache_read:
        body["cachedContentTokenCount"] = usage.cache_read
    if thoughts:
        body["thoughtsTokenCount"] = thoughts
    return body
