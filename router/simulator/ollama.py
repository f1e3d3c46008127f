"""The simulator as Ollama's own API: one JSON object a line, tool arguments as objects. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from router.simulator import prompt as read
from router.simulator.answer import Call
from router.simulator.cache import Input, PromptCache
from router.simulator.dialect import Piece, Reply, encode, grouped
from router.simulator.prompt import JSON, BadRequestError, Offer, Prompt, Turn
from router.simulator.tokens import segment

VERSION = "0.14.0"
CONTEXT = 32_768

#: a part of an answer as fields of the dialect: its text, its thinking, its tool call
_Fields = Callable[[str, str, Call | None], JSON]


class Native:
    """/api/chat and /api/generate, which differ in what they are sent and name their fields."""

    content_type = "application/x-ndjson"

    def __init__(self, parse: Callable[[JSON], Prompt], fields: _Fields) -> None:
        self.parse = parse
        self._fields = fields

    def cached(self, cache: PromptCache, prompt: Prompt, now: float) -> Input:
        return Input(fresh=prompt.tokens)

    def whole(self, reply: Reply) -> JSON:
        answer = reply.answer
        fields = self._fields("".join(answer.text), "".join(answer.thinking), answer.call)
        return {**_head(reply), **fields, **_end(reply)}

    def stream(self, reply: Reply) -> Iterator[Piece]:
        answer, head = reply.answer, _head(reply)
        for text, tokens in grouped(answer.thinking, reply.group):
            yield _line({**head, **self._fields("", text, None), "done": False}, tokens)
        for text, tokens in grouped(answer.text, reply.group):
            yield _line({**head, **self._fields(text, "", None), "done": False}, tokens)
        if answer.call:
            tokens = answer.tokens - len(answer.thinking) - len(answer.text)
            yield _line({**head, **self._fields("", "", answer.call), "done": False}, tokens)
        yield _line({**head, **self._fields("", "", None), **_end(reply)})

    def error(self, status: int, message: str, param: str | None = None) -> JSON:
        return {"error": message}

    def broken(self, message: str) -> bytes:
        return _line({"error": message}).data


def chat() -> Native:
    return Native(_parse_chat, _chat_fields)


def generate() -> Native:
    return Native(_parse_generate, _generate_fields)


def tags(models: tuple[str, ...], now: int) -> JSON:
    """What /api/tags lists."""
    return {"models": [_card(name, now) for name in models]}


def loaded(models: tuple[str, ...], now: int) -> JSON:
    """What /api/ps lists: the first model is always in memory."""
    more = {"size_vram": 0, "context_length": CONTEXT, "expires_at": _stamp(now + 300)}
    return {"models": [{**_card(name, now), **more} for name in models[:1]]}


def show(body: JSON) -> JSON:
    """What /api/show tells of any model."""
    name = read.model(body if body.get("model") else {"model": body.get("name")})
    return {
        "modelfile": f"# simulated\nFROM {name}",
        "details": _card(name, 0)["details"],
        "model_info": {
            "general.architecture": "simulated",
            "simulated.context_length": CONTEXT,
        },
        "capabilities": ["completion", "tools", "thinking", "vision"],
    }


def _parse_chat(body: JSON) -> Prompt:
    messages, tools = read.messages(body), read.dicts(body.get("tools"))
    turn = _last_turn(messages)
    made = _parse(body, ([tools] if tools else []) + messages)
    made.words, made.result, made.prefill = turn.words, turn.result, turn.prefill
    for tool in tools:
        function = tool.get("function")
        if isinstance(function, dict):
            schema = function.get("parameters")
            offer = Offer(str(function.get("name")), schema if isinstance(schema, dict) else {})
            made.tools.append(offer)
    return made


def _parse_generate(body: JSON) -> Prompt:
    asked = body.get("prompt")
    if not isinstance(asked, str):
        raise BadRequestError("prompt: a text is required", "prompt")
    made = _parse(body, [part for part in (body.get("system"), asked, body.get("images")) if part])
    made.words = asked
    return made


def _parse(body: JSON, parts: list[Any]) -> Prompt:
    options = body.get("options") if isinstance(body.get("options"), dict) else {}
    assert isinstance(options, dict)
    limit, form = options.get("num_predict"), body.get("format")
    return Prompt(
        model=read.model(body),
        stream=body.get("stream") is not False,
        segments=[segment(part) for part in parts],
        # -1 and -2 are Ollama's "without end" and "until the context is full"
        max_tokens=limit if isinstance(limit, int) and limit > 0 else None,
        stop=read.texts(options.get("stop")),
        think=body.get("think") not in (None, False),
        schema=form if isinstance(form, dict) else {} if form == "json" else None,
    )


def _last_turn(messages: list[JSON]) -> Turn:
    last, turn = messages[-1], Turn()
    if last["role"] == "tool":
        turn.result = read.text_of(last.get("content"))
    elif last["role"] == "assistant":
        turn.prefill = read.text_of(last.get("content"))
    said = (read.said(one.get("content")) for one in reversed(messages) if one["role"] == "user")
    turn.words = next((words for words in said if words.strip()), "")
    return turn


def _chat_fields(text: str, thinking: str, call: Call | None) -> JSON:
    message: JSON = {"role": "assistant", "content": text}
    if thinking:
        message["thinking"] = thinking
    if call:
        message["tool_calls"] = [{"function": {"name": call.name, "arguments": call.input}}]
    return {"message": message}


def _generate_fields(text: str, thinking: str, call: Call | None) -> JSON:
    return {"response": text, "thinking": thinking} if thinking else {"response": text}


def _head(reply: Reply) -> JSON:
    return {"model": reply.prompt.model, "created_at": _stamp(reply.now)}


def _end(reply: Reply) -> JSON:
    """Durations in nanoseconds, as if it were paced: the simulator does not look at a clock."""
    output = reply.answer.tokens
    evaluation, prompt = output * 40_000_000, reply.input.all * 1_000_000
    return {
        "done": True,
        "done_reason": "length" if reply.answer.end == "length" else "stop",
        "total_duration": evaluation + prompt,
        "load_duration": 0,
        "prompt_eval_count": reply.input.all,
        "prompt_eval_duration": prompt,
        "eval_count": output,
        "eval_duration": evaluation,
    }


def _card(name: str, now: int) -> JSON:
    return {
        "name": name,
        "model": name,
        "modified_at": _stamp(now),
        "size": 0,
        "digest": "simulated",
        "details": {
            "format": "simulated",
            "family": "simulated",
            "families": ["simulated"],
            "parameter_size": "0",
            "quantization_level": "none",
        },
    }


def _stamp(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def _line(body: JSON, tokens: int = 0) -> Piece:
    return Piece(encode(body) + b"\n", tokens)
