"""Every answer for every client: inbound Responses × upstream {Anthropic, chat, Responses}, and
inbound {Anthropic, chat} × upstream Responses, streamed and whole.

Each cell tells the same things in the words of its client's dialect: seen is what an SDK would see.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from router.errors import UpstreamError
from router.formats import Format
from router.messages import Event
from router.settings import Provider
from tests.router.formats.grammar import check_anthropic, check_events, check_openai
from tests.router.formats.responses_grammar import check_response, check_responses
from tests.router.formats.wire import (
    FORMATS,
    A,
    O,
    ask_a,
    ask_o,
    begun,
    block,
    call,
    chunk,
    dumps,
    ended,
    provider,
    read,
    sse,
)

R: Format = FORMATS["openai_responses"]

#: what each answer says: text, thinking, calls, refusal, and how it ended
SAYS: dict[str, dict[str, Any]] = {
    "text": {"text": "hello"},
    "tools": {"text": "ok", "calls": [("c1", "f", '{"x":1}')]},
    "parallel tools": {"calls": [("c1", "f", '{"x":1}'), ("c2", "g", "{}")]},
    "thinking": {"thinking": "hm", "text": "so"},
    "refusal": {"refusal": "no"},
    "cut": {"text": "hel", "cut": True},
    "empty": {},
}


# ── what the providers send ───────────────────────────────────────────────────────────────────────


def anthropic_blocks(says: Mapping[str, Any]) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Blocks, and the deltas that fill them."""
    found: list[Any] = []
    if words := says.get("thinking"):
        deltas = [
            {"type": "thinking_delta", "thinking": words},
            {"type": "signature_delta", "signature": "sig"},
        ]
        found.append(({"type": "thinking", "thinking": "", "signature": ""}, deltas))
    if words := says.get("text") or says.get("refusal"):
        found.append(({"type": "text", "text": ""}, [{"type": "text_delta", "text": words}]))
    for id, name, arguments in says.get("calls", ()):
        delta = {"type": "input_json_delta", "partial_json": arguments}
        found.append(({"type": "tool_use", "id": id, "name": name, "input": {}}, [delta]))
    return found


def from_anthropic(says: Mapping[str, Any], stream: bool) -> bytes:
    reason = "tool_use" if "calls" in says else "refusal" if "refusal" in says else "end_turn"
    reason = "max_tokens" if says.get("cut") else reason
    usage = {"input_tokens": 10, "cache_read_input_tokens": 20, "output_tokens": 5}
    blocks = anthropic_blocks(says)
    if stream:
        told = b"".join(block(n, empty, *deltas) for n, (empty, deltas) in enumerate(blocks))
        return begun(**usage) + told + ended(reason, None, **usage)
    content = []
    for empty, deltas in blocks:
        whole = dict(empty)
        for delta in deltas:
            if delta["type"] == "input_json_delta":
                whole["input"] = json.loads(delta["partial_json"])
            else:
                kind, value = (item for item in delta.items() if item[0] != "type").__next__()
                whole[kind] = value
        content.append(whole)
    return dumps({"id": "msg_1", "content": content, "stop_reason": reason, "usage": usage})


def from_chat(says: Mapping[str, Any], stream: bool) -> bytes:
    reason = "tool_calls" if "calls" in says else "length" if says.get("cut") else "stop"
    message: dict[str, Any] = {"content": says.get("text"), "refusal": says.get("refusal")}
    if words := says.get("thinking"):
        message["reasoning_content"] = words
    if calls := says.get("calls"):
        message["tool_calls"] = [{"index": n, **call(*c)} for n, c in enumerate(calls)]
    usage = {
        "prompt_tokens": 30,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 20},
    }
    if stream:
        return chunk(**message) + chunk(reason, usage=usage) + b"data: [DONE]\n\n"
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return dumps({"id": "c", "choices": [choice], "usage": usage})


def from_responses(says: Mapping[str, Any], stream: bool) -> bytes:
    output: list[dict[str, Any]] = []
    if words := says.get("thinking"):
        summary = [{"type": "summary_text", "text": words}]
        output.append({"type": "reasoning", "summary": summary, "encrypted_content": "abc"})
    if words := says.get("text"):
        output.append({"type": "message", "content": [{"type": "output_text", "text": words}]})
    if words := says.get("refusal"):
        output.append({"type": "message", "content": [{"type": "refusal", "refusal": words}]})
    for id, name, arguments in says.get("calls", ()):
        item = {"type": "function_call", "call_id": id, "name": name, "arguments": arguments}
        output.append(item)
    response: dict[str, Any] = {
        "id": "resp_1",
        "status": "incomplete" if says.get("cut") else "completed",
        "output": output,
        "usage": {
            "input_tokens": 30,
            "input_tokens_details": {"cached_tokens": 20},
            "output_tokens": 5,
        },
    }
    if says.get("cut"):
        response["incomplete_details"] = {"reason": "max_output_tokens"}
    if not stream:
        return dumps(response)
    items = [
        sse("response.output_item.done", output_index=n, item=item) for n, item in enumerate(output)
    ]
    start = sse("response.created", response={**response, "output": []})
    return start + b"".join(items) + sse(f"response.{response['status']}", response=response)


# ── what the clients see ──────────────────────────────────────────────────────────────────────────


def by_anthropic(answer: Mapping[str, Any]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for each in answer["content"]:
        if each["type"] == "tool_use":
            made = (each["id"], each["name"], json.dumps(each["input"], separators=(",", ":")))
            seen.setdefault("calls", []).append(made)
        elif each[each["type"]]:
            seen[each["type"]] = each[each["type"]]
    if answer["stop_reason"] == "refusal":
        seen["refusal"] = seen.pop("text")
    if answer["stop_reason"] == "max_tokens":
        seen["cut"] = True
    return seen


def by_chat(answer: Mapping[str, Any]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for name, field in (
        ("text", "content"),
        ("thinking", "reasoning_content"),
        ("refusal", "refusal"),
    ):
        if answer.get(field):
            seen[name] = answer[field]
    if calls := answer.get("tool_calls"):
        seen["calls"] = [
            (c["id"], c["function"]["name"], c["function"]["arguments"]) for c in calls
        ]
    return seen


def by_responses(answer: Mapping[str, Any]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for item in answer["output"]:
        if item["type"] == "function_call":
            made = (item["call_id"], item["name"], item["arguments"])
            seen.setdefault("calls", []).append(made)
        elif item["type"] == "reasoning":
            seen["thinking"] = item["summary"][0]["text"]
        else:
            part = item["content"][0]
            seen["text" if part["type"] == "output_text" else "refusal"] = part.get(
                "text", part.get("refusal")
            )
    why = (answer["incomplete_details"] or {}).get("reason")
    if why == "content_filter":
        seen["refusal"] = seen.pop("text")
    if why == "max_output_tokens":
        seen["cut"] = True
    assert (answer["status"] == "incomplete") is bool(why)
    return seen


def streamed(client: Format, events: list[Event], request: Any) -> bytes:
    writer = client.writer(request, now=1, id="r")
    return b"".join(writer.feed(event) for event in events) + writer.close()


def seen_by(inbound: str, events: list[Event], stream: bool) -> tuple[dict[str, Any], int, int]:
    """What a client sees; and the input and output tokens that it is told."""
    if inbound == "responses":
        request = R.parse_request(b'{"model":"m","input":"hi"}')
        if stream:
            answer = check_responses(streamed(R, events, request))
        else:
            answer = check_response(R.render_response(events, request, now=1, id="r"))
        usage = answer["usage"]
        return by_responses(answer), usage["input_tokens"], usage["output_tokens"]
    if inbound == "anthropic":
        if stream:
            answer = check_anthropic(streamed(A, events, ask_a()))
        else:
            answer = json.loads(A.render_response(events, ask_a(), now=1, id="r"))
        usage = answer["usage"]
        prompt = usage["input_tokens"] + usage["cache_read_input_tokens"]
        return by_anthropic(answer), prompt, usage["output_tokens"]
    if stream:
        checked = check_openai(streamed(O, events, ask_o(stream_options={"include_usage": True})))
        usage, reason = checked["usage"], checked["reason"]
        calls = [call(*made) for made in checked["calls"]]
        message = {**checked, "reasoning_content": checked["reasoning"], "tool_calls": calls}
    else:
        whole = json.loads(O.render_response(events, ask_o(), now=1, id="r"))
        usage, choice = whole["usage"], whole["choices"][0]
        message, reason = choice["message"], choice["finish_reason"]
    seen = by_chat(message) | ({"cut": True} if reason == "length" else {})
    return seen, usage["prompt_tokens"], usage["completion_tokens"]


UPSTREAMS: dict[str, tuple[Format, Provider, Callable[[Mapping[str, Any], bool], bytes]]] = {
    "anthropic": (A, provider("anthropic"), from_anthropic),
    "chat": (O, provider("compatible"), from_chat),
    "responses": (R, provider("openai", format="openai_responses"), from_responses),
}
CELLS = [("responses", upstream) for upstream in UPSTREAMS] + [
    ("anthropic", "responses"),
    ("chat", "responses"),
]


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("says", SAYS)
@pytest.mark.parametrize(("inbound", "upstream"), CELLS)
def test_the_matrix(inbound: str, upstream: str, says: str, stream: bool) -> None:
    format, known, sent = UPSTREAMS[upstream]
    body = sent(SAYS[says], stream)
    events = read(format.reader(known), body) if stream else format.read_response(body, known)
    check_events(events)
    for told in (True, False):  # also what came in one way and is wanted in the other
        seen, prompt, output = seen_by(inbound, events, told)
        assert seen == SAYS[says]
        assert (prompt, output) == (30, 5)


@pytest.mark.parametrize(("inbound", "upstream"), CELLS)
@pytest.mark.parametrize(
    ("status", "client"),
    [(400, 400), (401, 502), (404, 404), (429, 429), (500, 500), (529, 529)],
)
def test_errors_of_the_matrix(inbound: str, upstream: str, status: int, client: int) -> None:
    format, known, _ = UPSTREAMS[upstream]
    error = format.read_error(status, {}, b'{"error":{"message":"it is so"}}', known)
    speaks = {"responses": R, "anthropic": A, "chat": O}[inbound]
    told = json.loads(speaks.render_error(error))["error"]
    assert "it is so" in told["message"]
    expected = 503 if client == 529 and inbound != "anthropic" else client
    assert speaks.client_status(error) == expected


@pytest.mark.parametrize(("inbound", "upstream"), CELLS)
def test_S12_a_stream_that_breaks(inbound: str, upstream: str) -> None:
    format, known, sent = UPSTREAMS[upstream]
    whole = sent(SAYS["text"], True)
    events = read(format.reader(known), whole[: whole.rindex(b"\n\n", 0, len(whole) - 80) + 2])
    check_events(events)
    speaks = {"responses": R, "anthropic": A, "chat": O}[inbound]
    request = {
        "responses": R.parse_request(b'{"input":"hi"}'),
        "anthropic": ask_a(),
        "chat": ask_o(),
    }[inbound]
    out = streamed(speaks, events, request)
    assert b"before its answer was complete" in out
    with pytest.raises(UpstreamError):
        speaks.render_response(events, request, now=1, id="r")
