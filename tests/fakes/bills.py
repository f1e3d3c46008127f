"""Answers of every dialect with a usage of many kinds, and what their provider asks for them.

Pure, and written from the providers' own references: the rates are kept here as plain integers, and
the bill is added up by hand, so that it shares nothing with what it checks.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

Dialect = Literal["chat", "responses", "anthropic", "ollama", "gemini"]
DIALECTS: Final[tuple[Dialect, ...]] = ("chat", "responses", "anthropic", "ollama", "gemini")
JSON = dict[str, Any]

#: prompts longer than this cost more
LONG: Final = 200_000
#: nano-dollars per token; of searches, each
RATES: Final[dict[str, dict[str, int]]] = {
    "": {
        "input": 3_000, "read": 300, "written": 3_750, "written_1h": 6_000, "output": 15_000,
        "audio_in": 7_000, "audio_out": 20_000, "image_in": 4_000, "audio_cached": 500,
        "search": 10_000_000,
    },
    "long": {
        "input": 6_000, "read": 600, "written": 7_500, "written_1h": 12_000, "output": 22_500,
    },
    "flex": {"input": 1_500, "read": 150, "output": 7_500},
    "priority": {"input": 5_000, "read": 700, "output": 29_000},
    "batch": {"input": 1_400, "read": 140, "output": 7_400},
}  # fmt: skip
_FIELDS: Final = {
    "input": "input_cost_per_token",
    "read": "cache_read_input_token_cost",
    "written": "cache_creation_input_token_cost",
    "written_1h": "cache_creation_input_token_cost_above_1hr",
    "output": "output_cost_per_token",
    "audio_in": "input_cost_per_audio_token",
    "audio_out": "output_cost_per_audio_token",
    "audio_cached": "cache_read_input_audio_token_cost",
    "image_in": "input_cost_per_image_token",
}
_SUFFIX: Final = {"": "", "long": "_above_200k_tokens", "batch": "_batches"}
#: tiers that a provider names in its answers; "" where it says nothing, "default" what is usual
_TIERS: Final[dict[Dialect, tuple[str, ...]]] = {
    "chat": ("", "", "default", "flex", "priority"),
    "responses": ("", "default", "flex", "priority"),
    "anthropic": ("", "standard", "priority", "batch"),
    "ollama": ("",),
    "gemini": ("", "flex", "priority"),
}


def litellm_prices(times: int = 1) -> JSON:
    """The same rates in LiteLLM's words, or so many times of them."""
    search = f"{RATES['']['search'] * times}e-9"
    told: JSON = {"search_context_cost_per_query": {"search_context_size_medium": search}}
    for tier, rates in RATES.items():
        for kind, rate in rates.items():
            if kind != "search":
                told[_FIELDS[kind] + _SUFFIX.get(tier, f"_{tier}")] = f"{rate * times}e-9"
    return told


@dataclass(frozen=True)
class Used:
    """Tokens that never overlap, but for `thought` (inside output) and sound and images (inside
    `input`, `read` and `output`)."""

    input: int
    output: int
    read: int = 0
    written: int = 0
    written_1h: int = 0
    thought: int = 0
    audio_in: int = 0
    audio_cached: int = 0
    audio_out: int = 0
    image_in: int = 0
    searches: int = 0
    tier: str = ""

    @property
    def prompt(self) -> int:
        return self.input + self.read + self.written + self.written_1h

    def owed(self) -> int:
        """Nano-dollars."""
        rates = dict(RATES[""])
        tier = self.tier if self.tier in RATES else ""
        if tier:
            rates |= RATES[tier]
        elif self.prompt > LONG:
            rates |= RATES["long"]
        return (
            (self.input - self.audio_in - self.image_in) * rates["input"]
            + self.audio_in * rates["audio_in"]
            + self.image_in * rates["image_in"]
            + (self.read - self.audio_cached) * rates["read"]
            + self.audio_cached * rates["audio_cached"]
            + self.written * rates["written"]
            + self.written_1h * rates["written_1h"]
            + (self.output - self.audio_out) * rates["output"]
            + self.audio_out * rates["audio_out"]
            + self.searches * rates["search"]
        )


def used(dialect: Dialect, chance: random.Random) -> Used:
    """What an answer of this dialect may have used."""

    def some(most: int, odds: float = 0.5) -> int:
        return chance.randint(1, most) if chance.random() < odds else 0

    input = chance.choice((3, chance.randint(1, 4_000), chance.randint(1, 400_000)))
    output = chance.randint(2, 5_000)
    fields: JSON = {"tier": chance.choice(_TIERS[dialect])}
    if dialect != "ollama":
        fields |= {"read": some(300_000), "thought": some(output - 1)}
    if dialect in ("chat", "responses", "anthropic"):
        fields["written"] = some(9_000, 0.3)
    if dialect == "anthropic":
        fields["written_1h"] = some(9_000, 0.3)
    if dialect in ("responses", "anthropic", "gemini"):
        fields["searches"] = some(4, 0.2)
    if dialect in ("chat", "gemini"):
        fields |= {"audio_in": some(input // 2 or 1, 0.2), "audio_out": some(output, 0.2)}
    if dialect == "gemini":
        fields["image_in"] = some(input // 2, 0.2) if input > 2 else 0
        fields["audio_out"] = min(fields["audio_out"], output - fields["thought"])
        fields["audio_cached"] = some(fields["read"], 0.2) if fields["read"] else 0
    return Used(input, output, **fields)


def answer(dialect: Dialect, used: Used, *, stream: bool) -> tuple[bytes, str]:
    """A body that says "hi" and tells this usage, and its content type."""
    return _SAY[dialect](used, stream)


_dumps = msgspec.json.encode


def _sse(*events: JSON, named: bool = False, done: bool = False) -> tuple[bytes, str]:
    frames = [
        (f"event: {event['type']}\n".encode() if named else b"") + b"data: %b\n\n" % _dumps(event)
        for event in events
    ]
    return b"".join([*frames, b"data: [DONE]\n\n" if done else b""]), "text/event-stream"


def _chat(used: Used, stream: bool) -> tuple[bytes, str]:
    usage: JSON = {
        "prompt_tokens": used.prompt,
        "completion_tokens": used.output,
        "total_tokens": used.prompt + used.output,
        "prompt_tokens_details": {"cached_tokens": used.read, "audio_tokens": used.audio_in},
        "completion_tokens_details": {
            "reasoning_tokens": used.thought,
            "audio_tokens": used.audio_out,
        },
    }
    if used.written:
        usage["prompt_tokens_details"]["cache_write_tokens"] = used.written
    tier = {"service_tier": used.tier} if used.tier else {}
    head = {"id": "c", "created": 1, "model": "m", **tier}
    end = {"index": 0, "finish_reason": "stop"}
    if not stream:
        said = {"role": "assistant", "content": "hi"}
        whole = head | {"object": "chat.completion", "usage": usage}
        return _dumps(whole | {"choices": [end | {"message": said}]}), "application/json"
    head["object"] = "chat.completion.chunk"
    delta = {"index": 0, "delta": {"role": "assistant", "content": "hi"}, "finish_reason": None}
    return _sse(
        head | {"choices": [delta]},
        head | {"choices": [end | {"delta": {}}]},
        head | {"choices": [], "usage": usage},
        done=True,
    )


def _responses(used: Used, stream: bool) -> tuple[bytes, str]:
    text = {"type": "output_text", "text": "hi", "annotations": []}
    said: JSON = {"id": "m", "type": "message", "status": "completed", "role": "assistant"}
    action = {"type": "search", "query": "q"}
    found: list[JSON] = [
        {"id": f"ws_{n}", "type": "web_search_call", "status": "completed", "action": action}
        for n in range(used.searches)
    ]
    items: list[JSON] = [*found, said | {"content": [text]}]
    response: JSON = {
        "id": "r", "object": "response", "created_at": 1, "status": "completed", "model": "m",
        "output": items, "tools": [], "parallel_tool_calls": True, "tool_choice": "auto",
        "usage": {
            "input_tokens": used.prompt,
            "input_tokens_details": {
                "cached_tokens": used.read, "cache_write_tokens": used.written,
            },
            "output_tokens": used.output,
            "output_tokens_details": {"reasoning_tokens": used.thought},
            "total_tokens": used.prompt + used.output,
        },
    }  # fmt: skip
    if used.tier:
        response["service_tier"] = used.tier
    if not stream:
        return _dumps(response), "application/json"
    begun = response | {"status": "in_progress", "output": [], "usage": None}
    events: list[JSON] = [{"type": "response.created", "response": begun}]
    for place, item in enumerate(items):
        at: JSON = {"output_index": place}
        empty = item | ({"content": []} if item["type"] == "message" else {})
        events.append({"type": "response.output_item.added", **at, "item": empty})
        if item["type"] == "message":
            at |= {"item_id": "m", "content_index": 0}
            part = text | {"text": ""}
            events.append({"type": "response.content_part.added", **at, "part": part})
            events.append({"type": "response.output_text.delta", **at, "delta": "hi"})
            events.append({"type": "response.output_text.done", **at, "text": "hi"})
            events.append({"type": "response.content_part.done", **at, "part": text})
        events.append({"type": "response.output_item.done", "output_index": place, "item": item})
    events.append({"type": "response.completed", "response": response})
    numbered = [event | {"sequence_number": n} for n, event in enumerate(events)]
    return _sse(*numbered, named=True)


def _anthropic(used: Used, stream: bool) -> tuple[bytes, str]:
    usage: JSON = {
        "input_tokens": used.input,
        "cache_read_input_tokens": used.read,
        "cache_creation_input_tokens": used.written + used.written_1h,
        "cache_creation": {
            "ephemeral_5m_input_tokens": used.written,
            "ephemeral_1h_input_tokens": used.written_1h,
        },
        "service_tier": used.tier or None,
    }
    ended: JSON = {"output_tokens": used.output}
    if used.thought:
        ended["output_tokens_details"] = {"thinking_tokens": used.thought}
    if used.searches:
        ended["server_tool_use"] = {"web_search_requests": used.searches}
    message: JSON = {
        "id": "msg", "type": "message", "role": "assistant", "model": "m",
        "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn",
        "stop_sequence": None, "usage": usage | ended,
    }  # fmt: skip
    if not stream:
        return _dumps(message), "application/json"
    begun = message | {"content": [], "stop_reason": None, "usage": usage | {"output_tokens": 1}}
    delta = {"type": "text_delta", "text": "hi"}
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    return _sse(
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": ended},
        {"type": "message_stop"},
        named=True,
    )


def _ollama(used: Used, stream: bool) -> tuple[bytes, str]:
    line: JSON = {"model": "m", "created_at": "2026-01-01T00:00:00Z"}
    said = {"role": "assistant", "content": "hi"}
    end = {
        "done": True, "done_reason": "stop",
        "prompt_eval_count": used.prompt, "eval_count": used.output,
    }  # fmt: skip
    if not stream:
        return _dumps(line | {"message": said} | end), "application/json"
    lines = [line | {"message": said, "done": False}]
    lines.append(line | {"message": said | {"content": ""}} | end)
    return b"".join(_dumps(one) + b"\n" for one in lines), "application/x-ndjson"


def _gemini(used: Used, stream: bool) -> tuple[bytes, str]:
    def kinds(**counts: int) -> list[JSON]:
        return [{"modality": kind, "tokenCount": count} for kind, count in counts.items() if count]

    usage: JSON = {
        "promptTokenCount": used.prompt,
        "cachedContentTokenCount": used.read,
        "candidatesTokenCount": used.output - used.thought,
        "thoughtsTokenCount": used.thought,
        "totalTokenCount": used.prompt + used.output,
        "promptTokensDetails": kinds(AUDIO=used.audio_in + used.audio_cached, IMAGE=used.image_in),
        "cacheTokensDetails": kinds(AUDIO=used.audio_cached),
        "candidatesTokensDetails": kinds(AUDIO=used.audio_out),
    }
    if used.tier:
        usage["serviceTier"] = used.tier

    def chunk(said: list[JSON], **more: Any) -> JSON:
        one = {"index": 0, "content": {"role": "model", "parts": said}, **more}
        return {"candidates": [one], "modelVersion": "m", "responseId": "r", "usageMetadata": usage}

    hi: list[JSON] = [{"text": "hi"}]
    end: JSON = {"finishReason": "STOP"}
    if used.searches:
        queries = [f"query {n}" for n in range(used.searches)]
        end["groundingMetadata"] = {"webSearchQueries": [*queries, queries[0]]}
    if not stream:
        return _dumps(chunk(hi, **end)), "application/json"
    first = chunk(hi) | {"usageMetadata": {"promptTokenCount": used.prompt}}
    return _sse(first, chunk([], **end))


_SAY: Final = {
    "chat": _chat,
    "responses": _responses,
    "anthropic": _anthropic,
    "ollama": _ollama,
    "gemini": _gemini,
}
