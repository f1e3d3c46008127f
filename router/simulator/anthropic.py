"""The simulator as Anthropic's Messages API. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from router.simulator import prompt as read
from router.simulator.answer import CALL
from router.simulator.cache import Input, PromptCache
from router.simulator.dialect import Piece, Reply, encode, grouped
from router.simulator.prompt import JSON, BadRequestError, Offer, Prompt, Turn
from router.simulator.tokens import pieces, segment

_ENDS = {"end": "end_turn", "length": "max_tokens", "stop": "stop_sequence", "tool": "tool_use"}
_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class Messages:
    content_type = "text/event-stream; charset=utf-8"

    def parse(self, body: JSON) -> Prompt:
        model = read.model(body)
        if body.get("max_tokens") is None:
            raise BadRequestError("max_tokens: Field required", "max_tokens")
        made = self.parse_count(body)
        made.model = model
        made.stream = body.get("stream") is True
        made.max_tokens = read.whole_number(body, "max_tokens")
        made.stop = read.texts(body.get("stop_sequences"))
        self._choose(made, body.get("tool_choice"))
        thinking = body.get("thinking")
        if isinstance(thinking, dict):
            made.think = thinking.get("type") in ("enabled", "adaptive")
            made.think_hidden = thinking.get("display") == "omitted"
        output = body.get("output_config")
        form = (output.get("format") if isinstance(output, dict) else None) or body.get(
            "output_format"
        )
        if isinstance(form, dict) and form.get("type") == "json_schema":
            made.schema = form.get("schema") or {}
        return made

    def parse_count(self, body: JSON) -> Prompt:
        """For count_tokens, which has no answer to describe. Raises BadRequestError."""
        messages = read.messages(body)
        tools = read.dicts(body.get("tools"))
        before = [part for part in (tools, body.get("system")) if part]
        turn = _last_turn(messages)
        return Prompt(
            model=str(body.get("model")),
            stream=False,
            segments=[segment(part) for part in (*before, *messages)],
            words=turn.words,
            result=turn.result,
            prefill=turn.prefill,
            tools=[
                Offer(str(tool.get("name")), tool["input_schema"])
                for tool in tools
                # Server tools have no schema; deferred ones cannot be called yet.
                if isinstance(tool.get("input_schema"), dict) and not tool.get("defer_loading")
            ],
        )

    def cached(self, cache: PromptCache, prompt: Prompt, now: float) -> Input:
        return cache.marked(prompt.model, prompt.segments, now)

    def whole(self, reply: Reply) -> JSON:
        answer, content = reply.answer, list[JSON]()
        if answer.thinking:
            shown = "" if reply.prompt.think_hidden else "".join(answer.thinking)
            signature = _signature(reply)
            content.append({"type": "thinking", "thinking": shown, "signature": signature})
        if answer.text:
            content.append({"type": "text", "text": "".join(answer.text)})
        if answer.call:
            content.append(_tool_use(reply, answer.call.input))
        return {
            **_head(reply),
            "content": content,
            "stop_reason": _ENDS[answer.end],
            "stop_sequence": answer.sequence,
            "usage": _usage(reply, answer.tokens),
        }

    def stream(self, reply: Reply) -> Iterator[Piece]:
        answer = reply.answer
        start = {
            **_head(reply),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": _usage(reply, 1),
        }
        yield Piece(_event("message_start", message=start))
        yield Piece(_event("ping"))
        index = 0
        for block in (_thinking, _text, _tool):
            events = list(block(reply, index))
            yield from events
            index += bool(events)
        yield Piece(
            _event(
                "message_delta",
                delta={"stop_reason": _ENDS[answer.end], "stop_sequence": answer.sequence},
                usage=_usage(reply, answer.tokens),
            )
        )
        yield Piece(_event("message_stop"))

    def error(self, status: int, message: str, param: str | None = None) -> JSON:
        kind = _ERRORS.get(status, "invalid_request_error" if status < 500 else "api_error")
        return {"type": "error", "error": {"type": kind, "message": message}}

    def broken(self, message: str) -> bytes:
        return _event("error", error=self.error(529, message)["error"])

    def _choose(self, made: Prompt, choice: Any) -> None:
        kind = choice.get("type") if isinstance(choice, dict) else None
        if kind in ("any", "none"):
            made.choice = kind
        elif kind == "tool":
            made.forced = str(choice.get("name"))


def _last_turn(messages: list[JSON]) -> Turn:
    """Today's Claude Code puts system messages after the user's words: they do not count."""
    spoken = [one for one in messages if one["role"] != "system"]
    if not spoken:
        return Turn()
    last, turn = spoken[-1], Turn()
    if last["role"] == "assistant":
        turn.prefill = read.text_of(last.get("content"))
    results = [one for one in read.dicts(last.get("content")) if one.get("type") == "tool_result"]
    if results and last["role"] == "user":
        turn.result = read.text_of(results[-1].get("content"))
    said = (read.said(one.get("content")) for one in reversed(spoken) if one["role"] == "user")
    turn.words = next((words for words in said if words.strip()), "")
    return turn


def _head(reply: Reply) -> JSON:
    return {
        "id": f"msg_{reply.id}",
        "type": "message",
        "role": "assistant",
        "model": reply.prompt.model,
    }


def _usage(reply: Reply, output: int) -> JSON:
    spent = reply.input
    return {
        "input_tokens": spent.fresh,
        "cache_creation_input_tokens": spent.written + spent.written_1h,
        "cache_read_input_tokens": spent.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": spent.written,
            "ephemeral_1h_input_tokens": spent.written_1h,
        },
        "output_tokens": output,
    }


def _tool_use(reply: Reply, input: Any) -> JSON:
    assert reply.answer.call is not None
    name = reply.answer.call.name
    return {"type": "tool_use", "id": f"toolu_{reply.id}", "name": name, "input": input}


def _signature(reply: Reply) -> str:
    """No other provider accepts it; this one does not look at it."""
    return base64.b64encode(f"simulated {reply.id}".encode()).decode()


def _thinking(reply: Reply, index: int) -> Iterator[Piece]:
    if not reply.answer.thinking:
        return
    block = {"type": "thinking", "thinking": "", "signature": ""}
    yield _start(index, block)
    for text, tokens in grouped(reply.answer.thinking, reply.group):
        if reply.prompt.think_hidden:
            yield Piece(_event("ping"), tokens)
        else:
            yield _delta(index, tokens, type="thinking_delta", thinking=text)
    yield _delta(index, 0, type="signature_delta", signature=_signature(reply))
    yield Piece(_event("content_block_stop", index=index))


def _text(reply: Reply, index: int) -> Iterator[Piece]:
    if not reply.answer.text:
        return
    yield _start(index, {"type": "text", "text": ""})
    for text, tokens in grouped(reply.answer.text, reply.group):
        yield _delta(index, tokens, type="text_delta", text=text)
    yield Piece(_event("content_block_stop", index=index))


def _tool(reply: Reply, index: int) -> Iterator[Piece]:
    call = reply.answer.call
    if call is None:
        return
    yield _start(index, _tool_use(reply, {}), CALL)
    for text, tokens in grouped(pieces(call.arguments), max(reply.group, 4)):
        yield _delta(index, tokens, type="input_json_delta", partial_json=text)
    yield Piece(_event("content_block_stop", index=index))


def _start(index: int, block: JSON, tokens: int = 0) -> Piece:
    return Piece(_event("content_block_start", index=index, content_block=block), tokens)


def _delta(index: int, tokens: int, **delta: str) -> Piece:
    return Piece(_event("content_block_delta", index=index, delta=delta), tokens)


def _event(type: str, **fields: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (type.encode(), encode({"type": type, **fields}))


def count_tokens(body: JSON) -> JSON:
    """What /v1/messages would report as input, cached or not. Raises BadRequestError."""
    return {"input_tokens": Messages().parse_count(body).tokens}
