"""The simulator as OpenAI's Chat Completions and (legacy) Completions. Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

from router.simulator import prompt as read
from router.simulator.answer import CALL
from router.simulator.cache import Input, PromptCache
from router.simulator.dialect import Piece, Reply, encode, grouped
from router.simulator.prompt import JSON, BadRequestError, Offer, Prompt, Turn
from router.simulator.tokens import pieces, segment

_ENDS = {"end": "stop", "length": "length", "stop": "stop", "tool": "tool_calls"}
_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
#: models that show how they think without being asked
_REASONERS = re.compile(r"reasoner|thinking|\br1\b", re.IGNORECASE)
DONE = b"data: [DONE]\n\n"


class _OpenAI:
    content_type = "text/event-stream; charset=utf-8"

    def cached(self, cache: PromptCache, prompt: Prompt, now: float) -> Input:
        return cache.automatic(prompt.model, prompt.segments, now)

    def error(self, status: int, message: str, param: str | None = None) -> JSON:
        kind = _ERRORS.get(status, "invalid_request_error" if status < 500 else "server_error")
        fields = {"message": message, "type": kind, "param": param, "code": None}
        return {"error": fields}

    def broken(self, message: str) -> bytes:
        return _data(self.error(503, message))


class Chat(_OpenAI):
    def parse(self, body: JSON) -> Prompt:
        model, messages = read.model(body), read.messages(body)
        tools = read.dicts(body.get("tools"))
        turn, effort = _last_turn(messages), body.get("reasoning_effort")
        made = Prompt(
            model=model,
            stream=body.get("stream") is True,
            segments=[segment(part) for part in ([tools] if tools else []) + messages],
            words=turn.words,
            result=turn.result,
            prefill=turn.prefill,
            tools=[_offer(tool) for tool in tools if isinstance(tool.get("function"), dict)],
            max_tokens=read.whole_number(body, "max_completion_tokens", "max_tokens"),
            stop=read.texts(body.get("stop")),
            think=bool(_REASONERS.search(model)) or effort not in (None, "none"),
            schema=_schema(body.get("response_format")),
            include_usage=_include_usage(body),
        )
        choice = body.get("tool_choice")
        if choice == "none":
            made.choice = "none"
        elif choice == "required":
            made.choice = "any"
        elif isinstance(choice, dict) and isinstance(choice.get("function"), dict):
            made.forced = str(choice["function"].get("name"))
        return made

    def whole(self, reply: Reply) -> JSON:
        answer = reply.answer
        message: JSON = {
            "role": "assistant",
            "content": "".join(answer.text) if answer.text or not answer.call else None,
            "refusal": None,
        }
        if answer.thinking:
            message["reasoning_content"] = "".join(answer.thinking)
        if answer.call:
            function = {"name": answer.call.name, "arguments": answer.call.arguments}
            message["tool_calls"] = [
                {"id": f"call_{reply.id}", "type": "function", "function": function}
            ]
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": _ENDS[answer.end],
        }
        return {
            **_head(reply, "chat.completion", "chatcmpl"),
            "choices": [choice],
            "usage": _usage(reply),
        }

    def stream(self, reply: Reply) -> Iterator[Piece]:
        answer = reply.answer
        yield _chunk(reply, {"role": "assistant", "content": "", "refusal": None})
        for text, tokens in grouped(answer.thinking, reply.group):
            yield _chunk(reply, {"reasoning_content": text}, tokens)
        for text, tokens in grouped(answer.text, reply.group):
            yield _chunk(reply, {"content": text}, tokens)
        if answer.call:
            function = {"name": answer.call.name, "arguments": ""}
            first = {"index": 0, "id": f"call_{reply.id}", "type": "function", "function": function}
            yield _chunk(reply, {"tool_calls": [first]}, CALL)
            for text, tokens in grouped(pieces(answer.call.arguments), max(reply.group, 4)):
                more = {"index": 0, "function": {"arguments": text}}
                yield _chunk(reply, {"tool_calls": [more]}, tokens)
        yield _chunk(reply, {}, 0, _ENDS[answer.end])
        if reply.prompt.include_usage:
            head = _head(reply, "chat.completion.chunk", "chatcmpl")
            yield Piece(_data({**head, "choices": [], "usage": _usage(reply)}))
        yield Piece(DONE)


class Completions(_OpenAI):
    """The legacy endpoint: a prompt, and text that follows it."""

    def parse(self, body: JSON) -> Prompt:
        asked = body.get("prompt")
        if not isinstance(asked, str | list) or not asked:
            raise BadRequestError("prompt: a text is required", "prompt")
        return Prompt(
            model=read.model(body),
            stream=body.get("stream") is True,
            segments=[segment(asked)],
            words=asked if isinstance(asked, str) else str(asked[0]),
            max_tokens=read.whole_number(body, "max_tokens"),
            stop=read.texts(body.get("stop")),
            include_usage=_include_usage(body),
        )

    def whole(self, reply: Reply) -> JSON:
        text = "".join(reply.answer.text)
        return {**self._chunk(reply, text, _ENDS[reply.answer.end]), "usage": _usage(reply)}

    def stream(self, reply: Reply) -> Iterator[Piece]:
        for text, tokens in grouped(reply.answer.text, reply.group):
            yield Piece(_data(self._chunk(reply, text, None)), tokens)
        yield Piece(_data(self._chunk(reply, "", _ENDS[reply.answer.end])))
        if reply.prompt.include_usage:
            head = _head(reply, "text_completion", "cmpl")
            yield Piece(_data({**head, "choices": [], "usage": _usage(reply)}))
        yield Piece(DONE)

    def _chunk(self, reply: Reply, text: str, end: str | None) -> JSON:
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": end}
        return {**_head(reply, "text_completion", "cmpl"), "choices": [choice]}


def _last_turn(messages: list[JSON]) -> Turn:
    spoken = [one for one in messages if one["role"] not in ("system", "developer")]
    if not spoken:
        return Turn(words=read.text_of(messages[-1].get("content")))
    turn = Turn()
    if spoken[-1]["role"] == "assistant":
        turn.prefill = read.text_of(spoken[-1].get("content"))
    # A picture from a tool, or a reminder beside its result, follows as a message of the user.
    newest = itertools.takewhile(lambda one: one["role"] != "assistant", reversed(spoken))
    results = (one for one in newest if one["role"] in ("tool", "function"))
    if (result := next(results, None)) is not None:
        turn.result = read.text_of(result.get("content"))
    said = (read.said(one.get("content")) for one in reversed(spoken) if one["role"] == "user")
    turn.words = next((words for words in said if words.strip()), "")
    return turn


def _offer(tool: JSON) -> Offer:
    function = tool["function"]
    schema = function.get("parameters")
    return Offer(str(function.get("name")), schema if isinstance(schema, dict) else {})


def _schema(form: Any) -> JSON | None:
    if not isinstance(form, dict):
        return None
    if form.get("type") == "json_object":
        return {}
    if form.get("type") == "json_schema" and isinstance(form.get("json_schema"), dict):
        return form["json_schema"].get("schema") or {}
    return None


def _include_usage(body: JSON) -> bool:
    options = body.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _head(reply: Reply, object: str, prefix: str) -> JSON:
    return {
        "id": f"{prefix}-{reply.id}",
        "object": object,
        "created": reply.now,
        "model": reply.prompt.model,
        "system_fingerprint": "fp_simulated",
    }


def _usage(reply: Reply) -> JSON:
    output = reply.answer.tokens
    return {
        "prompt_tokens": reply.input.all,
        "completion_tokens": output,
        "total_tokens": reply.input.all + output,
        "prompt_tokens_details": {"cached_tokens": reply.input.read},
        "completion_tokens_details": {"reasoning_tokens": len(reply.answer.thinking)},
    }


def _chunk(reply: Reply, delta: JSON, tokens: int = 0, end: str | None = None) -> Piece:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": end}
    body = {**_head(reply, "chat.completion.chunk", "chatcmpl"), "choices": [choice]}
    if reply.prompt.include_usage:
        body["usage"] = None
    return Piece(_data(body), tokens)


def _data(body: JSON) -> bytes:
    return b"data: %b\n\n" % encode(body)
