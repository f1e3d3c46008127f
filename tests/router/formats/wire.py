"""Short ways to say requests, providers and streams in the tests of formats."""

from __future__ import annotations

import json
from typing import Any

from router.formats import Format, Reader, load
from router.framing import Framer
from router.messages import Event, Request
from router.settings import Provider, Secret

FORMATS = load()
A: Format = FORMATS["anthropic_messages"]
O: Format = FORMATS["openai_chat"]  # noqa: E741 - the checklist's own name for it


def provider(kind: str = "openai", **changes: Any) -> Provider:
    format = "anthropic_messages" if kind == "anthropic" else "openai_chat"
    known: dict[str, Any] = {
        "name": f"my-{kind}",
        "format": format,
        "url": "",
        "base": "",
        "kind": kind,
        "key": Secret("sk-secret-1234567"),
    }
    return Provider(**(known | changes))


def dumps(body: Any) -> bytes:
    return json.dumps(body).encode()


def ask_a(**body: Any) -> Request:
    """A parsed Anthropic request; only what matters need be said."""
    return A.parse_request(
        dumps({"model": "claude-x", "max_tokens": 1000, "messages": [user("hi")]} | body)
    )


def ask_o(**body: Any) -> Request:
    return O.parse_request(dumps({"model": "gpt-x", "messages": [user("hi")]} | body))


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def bot(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **more}


def text(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": text, **more}


def use(id: str, name: str = "f", **input: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": id, "name": name, "input": input}


def result(id: str, content: Any = "ok", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id, "content": content, **more}


def call(id: str, name: str = "f", arguments: str = "{}") -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
PNG_URL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def written(format: Format, request: Request, events: list[Event], *, stream: bool) -> bytes:
    """An answer's bytes as the client of `format` gets them."""
    if not stream:
        return format.render_response(events, request, now=1, id="x")
    writer = format.writer(request, now=1, id="x")
    return b"".join(writer.feed(event) for event in events) + writer.close()


def read(reader: Reader, stream: bytes) -> list[Event]:
    framer = Framer()
    frames = framer.feed(stream) + framer.close()
    return [event for frame in frames for event in reader.feed(frame)] + reader.close()


def chunk(finish: Any = None, /, usage: Any = None, **delta: Any) -> bytes:
    """One OpenAI chunk."""
    body: dict[str, Any] = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m"}
    body["choices"] = [{"index": 0, "delta": delta, "finish_reason": finish}]
    if usage is not None:
        body["usage"] = usage
    return b"data: " + dumps(body) + b"\n\n"


def piece(arguments: str | None = None, /, **call: Any) -> dict[str, Any]:
    """A piece of a call in a chunk: piece('{', index=0, id="a", name="f")."""
    function = {}
    if arguments is not None:
        function["arguments"] = arguments
    if "name" in call:
        function["name"] = call.pop("name")
    return {**call, "function": function}


def usage_chunk(**usage: Any) -> bytes:
    return b"data: " + dumps({"id": "chatcmpl-1", "choices": [], "usage": usage}) + b"\n\n"


DONE = b"data: [DONE]\n\n"


def sse(type: str, **body: Any) -> bytes:
    """One Anthropic event."""
    return b"event: %b\ndata: %b\n\n" % (type.encode(), dumps({"type": type, **body}))


def begun(**usage: Any) -> bytes:
    usage = usage or {"input_tokens": 3, "output_tokens": 1}
    return sse("message_start", message={"id": "msg_1", "model": "claude-y", "usage": usage})


def block(index: int, content: dict[str, Any], *deltas: dict[str, Any]) -> bytes:
    return b"".join(
        (
            sse("content_block_start", index=index, content_block=content),
            *(sse("content_block_delta", index=index, delta=delta) for delta in deltas),
            sse("content_block_stop", index=index),
        )
    )


def ended(reason: str = "end_turn", sequence: str | None = None, **usage: Any) -> bytes:
    delta = {"stop_reason": reason, "stop_sequence": sequence}
    usage = usage or {"output_tokens": 5}
    return sse("message_delta", delta=delta, usage=usage) + sse("message_stop")
