"""What a legal answer is: for events, for an Anthropic stream (S01-S12), for an OpenAI stream.

Each checker raises AssertionError with what is wrong, and gives back what the answer says.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from router.framing import Framer
from router.messages import (
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    Cited,
    Event,
    Failure,
    Finish,
    Opaque,
    OpaqueEvent,
    Part,
    SignatureDelta,
    Start,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
    UsageSeen,
)

_FITS: dict[type, tuple[type[Any], ...]] = {
    TextDelta: (Text,),
    ThinkingDelta: (Thinking,),
    SignatureDelta: (Thinking,),
    Cited: (Text,),
    ArgumentsDelta: (ToolUse, Opaque),
}
_DELTAS = {
    "text_delta": ("text",),
    "citations_delta": ("text",),
    "input_json_delta": ("tool_use", "server_tool_use"),
    "thinking_delta": ("thinking",),
    "signature_delta": ("thinking",),
}
#: what a failure is called in an Anthropic stream (S12)
ERROR_TYPES = {
    "overload": "overloaded_error",
    "quota": "rate_limit_error",
    "upstream": "api_error",
    "too_long": "invalid_request_error",
}
_STOPS = {
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "refusal",
    "pause_turn",
    "model_context_window_exceeded",
}


def check_events(events: Sequence[Event], ended: bool = True) -> None:
    """The grammar of router.messages."""
    started, finished, count = False, False, 0
    part: Part | None = None
    for event in events:
        assert not finished, f"{event} after the end"
        if isinstance(event, Failure):
            finished = True
            continue
        if isinstance(event, OpaqueEvent):
            continue
        if isinstance(event, Start):
            assert not started, "a second Start"
            started = True
            continue
        assert started, f"{event} before Start"
        if isinstance(event, BlockStart):
            assert part is None, "blocks overlap"
            assert event.index == count, "indices are not dense"
            part = event.part
        elif isinstance(event, BlockStop):
            assert part is not None, "a stop without a start"
            assert event.index == count, "another block's stop"
            part, count = None, count + 1
        elif isinstance(event, Finish):
            assert part is None, "Finish inside of a block"
            finished = True
        elif not isinstance(event, UsageSeen):
            assert event.index == count, f"{event} is of another block"
            assert isinstance(part, _FITS[type(event)]), f"{event} does not fit {part}"
    if ended:
        assert finished, "no end"


def frames(stream: bytes) -> list[tuple[str, bytes]]:
    framer = Framer()
    return [(f.event, f.data) for f in (*framer.feed(stream), *framer.close()) if f.data]


def check_anthropic(stream: bytes, *, strange: bool = False) -> dict[str, Any]:
    """Raises where an Anthropic client would stumble; gives the message as a client adds it up,
    with `error` where the stream ended in one. `strange`: the upstream may have sent events that
    nobody knows, which Anthropic's clients skip."""
    client = _AnthropicClient()
    for name, data in frames(stream):
        body = json.loads(data)
        assert name == body["type"], "T05: event and type differ"
        assert not client.ended, f"T12: {name} after the end"
        if name != "ping" and not (strange and not hasattr(client, name)):
            getattr(client, name)(body)
    assert client.ended, "T04: no end"
    return client.message


class _AnthropicClient:
    """As strict as the strictest; a method for each event, so that an unknown one is an error."""

    def __init__(self) -> None:
        self.message: dict[str, Any] = {}
        self.block: dict[str, Any] | None = None
        self.arguments = ""
        self.ended = False

    def message_start(self, body: dict[str, Any]) -> None:
        assert not self.message, "S01: a second message_start"
        self.message = message = body["message"]
        assert message["id"].startswith("msg_"), "S02"
        assert (message["type"], message["role"]) == ("message", "assistant"), "S02"
        assert message["content"] == [], "S02"
        assert (message["stop_reason"], message["stop_sequence"]) == (None, None), "S02"
        assert message["usage"]["input_tokens"] >= 0, "S02"
        assert "output_tokens" in message["usage"], "S02"

    def content_block_start(self, body: dict[str, Any]) -> None:
        assert self.message, "S01: a block before message_start"
        assert self.block is None, "S03: blocks overlap"
        assert body["index"] == len(self.message["content"]), "S03: indices are not dense"
        self.block, self.arguments = dict(body["content_block"]), ""
        if self.block["type"] == "tool_use":
            assert self.block["input"] == {}, "S07"
            assert self.block["id"], "S07"
            assert self.block["name"], "S07"

    def content_block_delta(self, body: dict[str, Any]) -> None:
        block, delta = self.block, body["delta"]
        assert block is not None, "S03: a delta outside of a block"
        assert body["index"] == len(self.message["content"]), "S03: a delta of another block"
        assert block["type"] in _DELTAS[delta["type"]], "S04"
        if delta["type"] == "input_json_delta":
            self.arguments += delta["partial_json"]
        elif delta["type"] == "citations_delta":
            block["citations"] = [*block.get("citations", []), delta["citation"]]
        else:
            key = delta["type"].removesuffix("_delta")
            block[key] = block.get(key, "") + delta[key]

    def content_block_stop(self, body: dict[str, Any]) -> None:
        block = self.block
        assert block is not None, "S03: a stop without a start"
        assert body["index"] == len(self.message["content"]), "S03: a stop of another block"
        if block["type"] == "tool_use":
            block["input"] = self.arguments
        self.message["content"].append(block)
        self.block = None

    def message_delta(self, body: dict[str, Any]) -> None:
        assert self.block is None, "S08: message_delta inside of a block"
        assert body["delta"]["stop_reason"] in _STOPS, "R02"
        self.message |= body["delta"]
        self.message["usage"] |= body["usage"]

    def message_stop(self, body: dict[str, Any]) -> None:
        assert self.message["stop_reason"], "S08: message_stop without message_delta"
        for block in self.message["content"]:
            if block["type"] == "tool_use":
                block["input"] = json.loads(block["input"] or "{}")  # S07: valid JSON
        self.ended = True

    def error(self, body: dict[str, Any]) -> None:
        assert self.block is None, "S12: an error inside of a block"
        assert body["error"]["type"], "S12"
        assert isinstance(body["error"]["message"], str), "S12"
        self.message["error"], self.ended = body["error"], True


def check_openai(stream: bytes) -> dict[str, Any]:
    """The completion as a client adds it up: role, content, reasoning, calls, reason, usage."""
    total: dict[str, Any] = {"content": "", "reasoning": "", "calls": [], "thoughts": []}
    done = False
    for name, data in frames(stream):
        assert not done, "T12: something after [DONE]"
        assert name == "", "T05: OpenAI's events have no name"
        if data == b"[DONE]":
            done = True
            continue
        chunk = json.loads(data)
        if "error" in chunk:
            assert isinstance(chunk["error"]["code"], str)
            total["error"] = chunk["error"]
            continue
        assert chunk["object"] == "chat.completion.chunk"
        total |= {key: chunk[key] for key in ("id", "model", "created")}
        if not chunk["choices"]:
            total["usage"] = chunk["usage"]
            continue
        assert "reason" not in total, "a choice after its finish_reason"
        choice = chunk["choices"][0]
        delta = choice["delta"]
        if "role" in delta:
            total["role"] = delta["role"]
        total["content"] += delta.get("content") or ""
        total["reasoning"] += delta.get("reasoning_content") or ""
        if delta.get("refusal"):  # OpenAI itself sends null with the role
            total["refusal"] = total.get("refusal", "") + delta["refusal"]
        for thought in delta.get("thinking_blocks", ()):
            assert thought.pop("index") == len(total["thoughts"]), "the SDK adds up by index"
            total["thoughts"].append(thought)
        for call in delta.get("tool_calls", ()):
            if call["index"] == len(total["calls"]):
                assert call["id"], "V07"
                assert call["function"]["name"], "V07"
                total["calls"].append([call["id"], call["function"]["name"], ""])
            assert call["index"] == len(total["calls"]) - 1, "V07: calls are counted from 0"
            total["calls"][-1][2] += call["function"]["arguments"]
        if choice["finish_reason"] is not None:
            total["reason"] = choice["finish_reason"]
    assert done, "T05: no [DONE]"
    return total
