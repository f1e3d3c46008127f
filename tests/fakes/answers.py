"""What the fake upstream says: the bytes of an answer in pieces, and the tokens each is worth.

Pure. Tokens are words here: both sides of a test can count them.
"""

from __future__ import annotations

import http
from typing import TYPE_CHECKING, Any

import msgspec

from tests.fakes import responses

if TYPE_CHECKING:
    from tests.fakes.upstream import Behaviour, Seen

_OPENAI_STOP = {"end_turn": "stop", "max_tokens": "length", "tool_use": "tool_calls"}


def count(text: str) -> int:
    return len(text.split())


def pieces(seen: Seen, behaviour: Behaviour) -> tuple[list[bytes], list[int]]:
    """The head, then the body's pieces; and the output tokens that each of them carries."""
    if behaviour.raw is not None:
        return [behaviour.raw], [0]
    if behaviour.body is not None:
        body, tokens, kind = [behaviour.body], [0], "application/json"
    elif behaviour.status >= 400:
        body, tokens, kind = [_error(seen, behaviour)], [0], "application/json"
    else:
        body, tokens, kind = _answer(seen, behaviour)
    streamed = kind == "text/event-stream"
    framing = behaviour.framing
    if framing == "auto":
        framing = "chunked" if streamed else "length"
    named = {"content-type": kind, **behaviour.headers}
    if framing == "length":
        named["content-length"] = str(sum(map(len, body)))
    elif framing == "chunked":
        named["transfer-encoding"] = "chunked"
        body = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in body if piece]
        body.append(b"0\r\n\r\n")
        tokens = [*tokens, 0]
    else:
        named["connection"] = "close"
    if not streamed and framing == "length" and len(body[0]) > 1:  # so that it has a middle
        half = len(body[0]) // 2
        body = [body[0][:half], body[0][half:]]
        tokens = [0, *tokens]
    phrase = http.HTTPStatus(behaviour.status).phrase if behaviour.status != 529 else "Overloaded"
    lines = [f"HTTP/1.1 {behaviour.status} {phrase}", *(f"{k}: {v}" for k, v in named.items())]
    return ["\r\n".join((*lines, "", "")).encode("latin-1"), *body], [0, *tokens]


def _answer(seen: Seen, behaviour: Behaviour) -> tuple[list[bytes], list[int], str]:
    path = seen.path.partition("?")[0]
    asked = seen.json if seen.body else {}
    if path.endswith("/embeddings"):
        return [_embeddings(asked, seen)], [0], "application/json"
    if path.endswith("/models"):
        listed = {"object": "list", "data": [{"id": "fake", "object": "model"}]}
        return [msgspec.json.encode(listed)], [0], "application/json"
    whole = {
        "messages": _anthropic,
        "completions": _openai,
        "responses": _responses,
    }
    streamed = {
        "messages": _anthropic_stream,
        "completions": _openai_stream,
        "responses": _responses_stream,
    }
    name = path.rpartition("/")[2]
    if name not in whole:
        return [b'{"error":{"message":"no such path"}}'], [0], "application/json"
    streaming = {"asked": bool(asked.get("stream")), "whole": False, "stream": True}
    if not streaming[behaviour.shape]:
        out = output(behaviour)
        return [msgspec.json.encode(whole[name](asked, seen, behaviour))], [out], "application/json"
    frames = streamed[name](asked, seen, behaviour)
    return [frame for frame, _ in frames], [worth for _, worth in frames], "text/event-stream"


def output(behaviour: Behaviour) -> int:
    """Tokens of the whole answer."""
    tool = msgspec.json.encode(behaviour.tool["input"]).decode() if behaviour.tool else ""
    return sum(map(count, behaviour.words)) + count(behaviour.thinking) + count(tool)


# ── Anthropic ─────────────────────────────────────────────────────────────────────────────────────


def _anthropic(asked: dict[str, Any], seen: Seen, behaviour: Behaviour) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    if behaviour.thinking:
        thought = {"type": "thinking", "thinking": behaviour.thinking}
        content.append({**thought, "signature": behaviour.seal})
    if behaviour.words:
        content.append({"type": "text", "text": "".join(behaviour.words)})
    if behaviour.tool:
        content.append({"type": "tool_use", "id": "toolu_1", **behaviour.tool})
    return {
        "id": "msg_fake",
        "type": "message",
        "role": "assistant",
        "model": asked.get("model"),
        "content": content,
        "stop_reason": "tool_use" if behaviour.tool else behaviour.stop,
        "stop_sequence": None,
        "usage": _anthropic_usage(seen, behaviour, output(behaviour)),
    }


def _anthropic_usage(seen: Seen, behaviour: Behaviour, out: int) -> dict[str, Any]:
    return {
        "input_tokens": seen.input_tokens - behaviour.cached,
        "cache_read_input_tokens": behaviour.cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": out,
    }


def _anthropic_stream(
    asked: dict[str, Any], seen: Seen, behaviour: Behaviour
) -> list[tuple[bytes, int]]:
    frames: list[tuple[bytes, int]] = []
    message = _anthropic(asked, seen, behaviour)

    def event(name: str, worth: int = 0, **data: Any) -> None:
        text = msgspec.json.encode({"type": name, **data})
        frames.append((b"event: %b\ndata: %b\n\n" % (name.encode(), text), worth))

    usage = _anthropic_usage(seen, behaviour, 1)
    event("message_start", message={**message, "content": [], "stop_reason": None, "usage": usage})
    for index, block in enumerate(message["content"]):
        deltas, empty = _deltas(block, behaviour)
        event("content_block_start", index=index, content_block=empty)
        for delta, worth in deltas:
            event("content_block_delta", worth, index=index, delta=delta)
        event("content_block_stop", index=index)
    end = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    event("message_delta", delta=end, usage={"output_tokens": output(behaviour)})
    event("message_stop")
    return frames


def _deltas(
    block: dict[str, Any], behaviour: Behaviour
) -> tuple[list[tuple[dict[str, Any], int]], dict[str, Any]]:
    if block["type"] == "text":
        words = [({"type": "text_delta", "text": w}, count(w)) for w in behaviour.words]
        return words, {"type": "text", "text": ""}
    if block["type"] == "thinking":
        text = behaviour.thinking
        return [
            ({"type": "thinking_delta", "thinking": text}, count(text)),
            ({"type": "signature_delta", "signature": block["signature"]}, 0),
        ], {"type": "thinking", "thinking": "", "signature": ""}
    text = msgspec.json.encode(block["input"]).decode()
    half = len(text) // 2
    return [
        ({"type": "input_json_delta", "partial_json": text[:half]}, 0),
        ({"type": "input_json_delta", "partial_json": text[half:]}, count(text)),
    ], {**block, "input": {}}


# ── OpenAI ────────────────────────────────────────────────────────────────────────────────────────


def _openai(asked: dict[str, Any], seen: Seen, behaviour: Behaviour) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": "".join(behaviour.words) or None}
    if behaviour.thinking:
        message["reasoning_content"] = behaviour.thinking
    if behaviour.tool:
        message["tool_calls"] = [_call(behaviour)]
    answer = {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": asked.get("model"),
        "choices": [{"index": 0, "message": message, "finish_reason": _reason(behaviour)}],
    }
    if behaviour.usage:
        answer["usage"] = _openai_usage(seen, behaviour)
    return answer


def _call(behaviour: Behaviour) -> dict[str, Any]:
    assert behaviour.tool is not None
    text = msgspec.json.encode(behaviour.tool["input"]).decode()
    called = {"name": behaviour.tool["name"], "arguments": text}
    return {"id": "call_1", "type": "function", "function": called}


def _reason(behaviour: Behaviour) -> str:
    return "tool_calls" if behaviour.tool else _OPENAI_STOP.get(behaviour.stop, behaviour.stop)


def _openai_usage(seen: Seen, behaviour: Behaviour) -> dict[str, Any]:
    out = output(behaviour)
    return {
        "prompt_tokens": seen.input_tokens,
        "completion_tokens": out,
        "total_tokens": seen.input_tokens + out,
        "prompt_tokens_details": {"cached_tokens": behaviour.cached},
    }


def _openai_stream(
    asked: dict[str, Any], seen: Seen, behaviour: Behaviour
) -> list[tuple[bytes, int]]:
    frames: list[tuple[bytes, int]] = []
    shared = {
        "id": "chatcmpl-fake",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": asked.get("model"),
    }

    def chunk(worth: int, delta: dict[str, Any], reason: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        frames.append((_data({**shared, "choices": [choice]}), worth))

    chunk(0, {"role": "assistant", "content": ""})
    if behaviour.thinking:
        chunk(count(behaviour.thinking), {"reasoning_content": behaviour.thinking})
    for word in behaviour.words:
        chunk(count(word), {"content": word})
    if behaviour.tool:
        call = _call(behaviour)
        text = call["function"]["arguments"]
        half = len(text) // 2
        call["function"] = {**call["function"], "arguments": ""}
        chunk(0, {"tool_calls": [{"index": 0, **call}]})
        for part, worth in ((text[:half], 0), (text[half:], count(text))):
            chunk(worth, {"tool_calls": [{"index": 0, "function": {"arguments": part}}]})
    chunk(0, {}, _reason(behaviour))
    if behaviour.usage and (asked.get("stream_options") or {}).get("include_usage"):
        usage = _openai_usage(seen, behaviour)
        frames.append((_data({**shared, "choices": [], "usage": usage}), 0))
    frames.append((b"data: [DONE]\n\n", 0))
    return frames


def _data(value: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % msgspec.json.encode(value)


def _responses(asked: dict[str, Any], seen: Seen, behaviour: Behaviour) -> dict[str, Any]:
    return responses.whole(asked, seen, behaviour, output(behaviour))


def _responses_stream(
    asked: dict[str, Any], seen: Seen, behaviour: Behaviour
) -> list[tuple[bytes, int]]:
    return responses.stream(asked, seen, behaviour, output(behaviour))


# ── the rest ──────────────────────────────────────────────────────────────────────────────────────


def _embeddings(asked: dict[str, Any], seen: Seen) -> bytes:
    given = asked.get("input", "")
    texts = given if isinstance(given, list) else [given]
    data = [
        {"object": "embedding", "index": i, "embedding": [0.6, 0.8]} for i, _ in enumerate(texts)
    ]
    usage = {"prompt_tokens": seen.input_tokens, "total_tokens": seen.input_tokens}
    return msgspec.json.encode(
        {"object": "list", "model": asked.get("model"), "data": data, "usage": usage}
    )


def _error(seen: Seen, behaviour: Behaviour) -> bytes:
    """The error in the dialect of the path that was called."""
    message = f"the fake was told to answer {behaviour.status}"
    if seen.path.partition("?")[0].endswith("/messages"):
        kind = {429: "rate_limit_error", 529: "overloaded_error", 401: "authentication_error"}
        name = kind.get(
            behaviour.status, "api_error" if behaviour.status >= 500 else "invalid_request_error"
        )
        return msgspec.json.encode({"type": "error", "error": {"type": name, "message": message}})
    code = {429: "rate_limit_exceeded", 401: "invalid_api_key"}.get(behaviour.status)
    kind_of = "server_error" if behaviour.status >= 500 else "invalid_request_error"
    return msgspec.json.encode(
        {"error": {"message": message, "type": kind_of, "param": None, "code": code}}
    )
