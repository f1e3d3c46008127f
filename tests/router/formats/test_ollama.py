"""Ollama's native wire, L01-L13 of the checklist: its bytes, both ways."""

from __future__ import annotations

import json
from typing import Any

import pytest

from router.errors import CallerError, UpstreamError
from router.formats.ollama_chat import OllamaChat, OllamaGenerate
from router.formats.openai_chat import OpenAIChat
from router.framing import Framer
from router.messages import Event, Failure, Finish, Request, Text, ToolResult, ToolUse, UsageSeen
from router.policy import ANSWERS
from router.providers import KINDS
from router.providers.nested import nested
from router.settings import Provider, Timeouts
from tests.router.formats.grammar import check_anthropic, check_events
from tests.router.formats.wire import (
    PNG,
    A,
    ask_a,
    ask_o,
    bot,
    dumps,
    provider,
    result,
    text,
    use,
    user,
)

L = OllamaChat()
AT: Provider = provider("ollama", format="ollama_chat", context={"qwen": 40_960}, local=True)
SAMPLING = {"temperature": 0.5, "top_p": 0.4, "top_k": 3}
WEATHER = {"name": "weather", "description": "d", "input_schema": {"properties": {"city": {}}}}


def line(**body: Any) -> bytes:
    return dumps({"model": "qwen", "created_at": "t", "done": False} | body) + b"\n"


def said(content: str = "", **more: Any) -> bytes:
    return line(message={"role": "assistant", "content": content, **more})


def call(name: str = "weather", **arguments: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}}


def done(reason: str = "stop", **counts: int) -> bytes:
    counts = counts or {"prompt_eval_count": 7, "eval_count": 5}
    return line(message={"content": ""}, done=True, done_reason=reason, **counts)


def read(*lines: bytes) -> list[Event]:
    framer, reader = Framer("ndjson"), L.reader(AT)
    frames = framer.feed(b"".join(lines)) + framer.close()
    events = [event for frame in frames for event in reader.feed(frame)] + reader.close()
    check_events(events)
    return events


def through_a(events: list[Event], request: Request | None = None) -> dict[str, Any]:
    writer = A.writer(request or ask_a(), now=0, id="r1")
    return check_anthropic(b"".join(map(writer.feed, events)) + writer.close())


def rendered(request: Request, at: Provider = AT, model: str = "qwen") -> dict[str, Any]:
    return L.render_request(request, at, model)


def asked(**body: Any) -> Request:
    return L.parse_request(dumps({"model": "m", "messages": [user("hi")]} | body))


def test_L01_lines_end_with_done_and_an_error_may_stand_in_between() -> None:
    message = through_a(read(said("h漢"), said("i"), done()))
    assert (message["content"][0]["text"], message["stop_reason"]) == ("h漢i", "end_turn")
    broken = read(said("h"), line(error="model runner has stopped"))
    assert isinstance(broken[-1], Failure)
    assert "stopped" in broken[-1].message
    assert isinstance(read(said("h"))[-1], Failure), "cut off"
    assert isinstance(read(b"data: {}\n")[-1], Failure)


def test_L02_its_own_api_is_the_usual_one_and_its_context_is_named() -> None:
    assert KINDS["ollama"].format == "ollama_chat"
    body = rendered(ask_a(max_tokens=500))
    assert body["options"]["num_ctx"] == 4096
    long = ask_a(messages=[user("word " * 12_000)])  # 15,000 tokens by length, and room
    assert rendered(long)["options"]["num_ctx"] == 32_768
    assert rendered(ask_a(messages=[user("word " * 90_000)]))["options"]["num_ctx"] == 40_960
    loaded = provider("ollama", format="ollama_chat", loaded={"qwen": 16_384})
    assert rendered(ask_a(), loaded)["options"]["num_ctx"] == 16_384, "no reload for less"


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ({"max_tokens": 9}, {"num_predict": 9}),
        ({"stop_sequences": ["a", "b"]}, {"stop": ["a", "b"]}),
        (SAMPLING, SAMPLING),
    ],
)
def test_L03_options(body: dict[str, Any], sent: dict[str, Any]) -> None:
    options = rendered(ask_a(**body))["options"]
    assert {name: options[name] for name in sent} == sent


def test_L03_the_rest_of_the_fields() -> None:
    schema = {"type": "object", "properties": {"x": {}}}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    assert rendered(ask_o(response_format=form, seed=4))["format"] == schema
    assert rendered(ask_o(seed=4))["options"]["seed"] == 4
    assert rendered(ask_o(response_format={"type": "json_object"}))["format"] == "json"
    for effort, model, think in (
        ("high", "gpt-oss:20b", "high"),
        ("minimal", "gpt-oss:20b", "low"),
        ("high", "qwen", True),
        ("none", "qwen", False),
    ):
        assert rendered(ask_o(reasoning_effort=effort), model=model)["think"] == think
    assert "think" not in rendered(ask_a(thinking={"type": "adaptive"}))
    own = asked(keep_alive="5m", options={"repeat_penalty": 1.1, "num_ctx": 512})
    body = rendered(own)
    assert (body["keep_alive"], body["options"]["num_ctx"]) == ("5m", 512)
    assert body["options"]["repeat_penalty"] == 1.1
    params = nested({"options": {"num_ctx": 1, "seed": 2}, "num_ctx": 9, "seed": 3}, L.name)
    assert params == {"options": {"num_ctx": 9, "seed": 2}}


def test_L04_arguments_are_objects_and_results_name_their_tool() -> None:
    turns = [
        user("hi"),
        bot([use("toolu_1", "weather", city="Rome"), use("toolu_2", "weather", city="Oslo")]),
        user([result("toolu_2", "cold"), result("toolu_1", "warm", is_error=True), text("go")]),
    ]
    choice = {"type": "tool", "name": "weather"}
    body = rendered(ask_a(messages=turns, tools=[WEATHER], tool_choice=choice))
    assistant, second, first, go = body["messages"][1:]
    assert [c["function"]["arguments"] for c in assistant["tool_calls"]] == [
        {"city": "Rome"},
        {"city": "Oslo"},
    ]
    assert (second["tool_name"], second["tool_call_id"]) == ("weather", "toolu_2")
    assert (first["role"], first["content"]) == ("tool", "Error: warm")
    assert go == {"role": "user", "content": "go"}
    assert "tool_choice" not in body
    assert "tools" not in rendered(ask_a(tools=[WEATHER], tool_choice={"type": "none"}))
    # back: no ids from Ollama; each call gets one of its own
    message = through_a(read(said("", tool_calls=[call(city="Rome"), call(city="Oslo")]), done()))
    ids = [block["id"] for block in message["content"]]
    assert len(set(ids)) == 2
    assert all(ids)
    assert [block["input"] for block in message["content"]] == [{"city": "Rome"}, {"city": "Oslo"}]
    # servers that stand in for it: arguments in a string, one id for all
    odd = {"id": "a", "function": {"name": "f", "arguments": '{"x": 1}'}}
    blocks = through_a(read(said("", tool_calls=[odd, odd]), done()))["content"]
    assert [block["input"] for block in blocks] == [{"x": 1}] * 2
    assert blocks[0]["id"] == "a" != blocks[1]["id"]


def test_L04_a_client_without_ids() -> None:
    turns = [
        user("hi"),
        bot("", tool_calls=[call("a", x=1), call("b"), call("a", x=2)]),
        {"role": "tool", "tool_name": "b", "content": "B"},
        {"role": "tool", "tool_name": "a", "content": "A1"},
        {"role": "tool", "content": "A2"},
    ]
    request = asked(messages=turns)
    uses = [p.id for p in request.messages[1].parts if isinstance(p, ToolUse)]
    results = [m.parts[0] for m in request.messages[2:]]
    answered = [p.tool_use_id for p in results if isinstance(p, ToolResult)]
    assert answered == [uses[1], uses[0], uses[2]]
    chat = OpenAIChat().render_request(request, provider("openai"), "gpt")
    assert [m.get("tool_call_id") for m in chat["messages"]][2:] == answered


def test_L05_stop_after_a_call_is_a_call() -> None:
    assert read(said("", tool_calls=[call()]), done("stop"))[-1] == Finish("tool_use")
    assert read(said("x"), done("length"))[-1] == Finish("max_tokens")
    assert read(done("load"))[-1] == Finish("end_turn")


def test_L06_usage_may_lack_the_prompt() -> None:
    (seen,) = [e for e in read(said("x"), done()) if isinstance(e, UsageSeen)]
    assert (seen.usage.input, seen.usage.output, seen.usage.estimated) == (7, 5, False)
    (seen,) = [e for e in read(said("x"), done(eval_count=5)) if isinstance(e, UsageSeen)]
    assert (seen.usage.output, seen.usage.estimated) == (5, True)


def test_L07_images_are_base64_without_a_prefix() -> None:
    body = rendered(ask_a(messages=[user([text("see"), PNG])]))
    assert body["messages"] == [{"role": "user", "content": "see", "images": ["AAAA"]}]
    inside = [bot([use("t")]), user([result("t", [PNG])])]
    assert rendered(ask_a(messages=inside))["messages"][-1]["images"] == ["AAAA"]
    far = {"type": "image", "source": {"type": "url", "url": "https://h.test/x.png"}}
    with pytest.raises(UpstreamError, match="image by its address"):
        rendered(ask_a(messages=[user([far])]))
    pdf = {"type": "document", "source": {"type": "base64", "data": "AAAA"}}
    with pytest.raises(UpstreamError, match="documents that are not text") as refused:
        rendered(ask_a(messages=[user([pdf])]))
    assert ANSWERS[refused.value.kind] == "next", "another candidate may take it"
    (image,) = asked(messages=[user("see") | {"images": ["/9j/AAAA"]}]).messages[0].parts[1:]
    assert (image.media_type, image.data) == ("image/jpeg", "/9j/AAAA")  # type: ignore[union-attr]


def test_L08_thinking_in_its_field_or_in_tags() -> None:
    field = through_a(read(said(thinking="a"), said(thinking="b"), said("c"), said("d"), done()))
    tags = through_a(read(said("<thi"), said("nk>ab</think>"), said("cd"), done()))
    for message in (field, tags):
        assert [b.get("thinking") or b.get("text") for b in message["content"]] == ["ab", "cd"]
    word = through_a(read(said(thinking="a"), said("<think>"), said(" is a tag"), done()))
    assert word["content"][1]["text"] == "<think> is a tag", "its thoughts have their own field"


def test_L10_a_model_that_is_not_there() -> None:
    body = b'{"error":"model \'qwen3\' not found"}'
    error = L.read_error(404, {}, body, AT)
    assert (error.kind, error.status) == ("missing", 404)
    assert "ollama pull qwen3" in error.message


def test_L11_a_cold_model_has_time_to_load() -> None:
    assert Timeouts().first_byte >= 120
    writer = L.writer(asked(), now=0, id="r")
    assert writer.ping() == b""
    writer.feed(read(said("x"), done())[0])
    assert json.loads(writer.ping())["message"]["content"] == ""


def test_L13_a_model_without_tools_lets_another_one_try() -> None:
    body = b'{"error":"registry.ollama.ai/library/gemma:2b does not support tools"}'
    error = L.read_error(400, {}, body, AT)
    assert ANSWERS[error.kind] == "next"
    assert "does not support tools (ask another model" in error.message


def test_what_a_client_gets_whole_and_streamed_is_the_same() -> None:
    events = read(said(thinking="hm"), said("x"), said("", tool_calls=[call(city="Rome")]), done())
    request = asked(tools=[{"type": "function", "function": {"name": "weather"}}])
    writer = L.writer(request, now=0, id="r")
    streamed = [json.loads(x) for x in b"".join(map(writer.feed, events)).splitlines()]
    whole = json.loads(L.render_response(events, request, now=0, id="r"))
    assert "".join(x["message"].get("thinking", "") for x in streamed) == "hm"
    assert "".join(x["message"]["content"] for x in streamed) == whole["message"]["content"]
    calls = [c for x in streamed for c in x["message"].get("tool_calls", ())]
    assert calls == whole["message"]["tool_calls"]
    assert calls[0]["function"]["arguments"] == {"city": "Rome"}
    assert streamed[-1].items() >= {"done": True, "done_reason": "stop", "eval_count": 5}.items()
    assert all(not x["done"] for x in streamed[:-1])
    assert writer.close() == b""


def test_generate_is_one_turn_and_refuses_what_only_a_local_model_can() -> None:
    generate = OllamaGenerate()
    ask = {"model": "m", "prompt": "hi", "system": "be", "images": ["AAAA"]}
    request = generate.parse_request(dumps(ask))
    assert request.stream
    assert request.system == [Text("be")]
    assert [type(part).__name__ for part in request.messages[0].parts] == ["Text", "Image"]
    for name in ("suffix", "template", "raw"):
        with pytest.raises(CallerError, match=name):
            generate.parse_request(dumps({"model": "m", "prompt": "x", name: "y"}))
    whole = json.loads(generate.render_response(read(said("x"), done()), request, now=0, id="r"))
    assert (whole["response"], whole["done"]) == ("x", True)
    failed = generate.writer(request, now=0, id="r")
    error = UpstreamError("no", kind="overload", status=529)
    assert json.loads(failed.fail(error)) == {"error": "no"}
    assert generate.client_status(error) == 503


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"x", "JSON"),
        (dumps({"model": "m"}), "messages"),
        (dumps({"messages": [3]}), "messages.0"),
        (dumps({"messages": [{"role": "x"}]}), "messages.0.role"),
        (dumps({"messages": [bot("", tool_calls=[{}])]}), "messages.0.tool_calls.0"),
        (dumps({"messages": [user("x") | {"images": "y"}]}), "messages.0.images"),
        (dumps({"messages": [], "think": 3}), "think"),
        (dumps({"messages": [], "tools": [{}]}), "tools.0"),
    ],
)
def test_a_wrong_request_names_its_field(body: bytes, named: str) -> None:
    with pytest.raises(CallerError, match=named):
        L.parse_request(body)


def test_the_model_is_renamed_where_a_line_begins_and_nowhere_else() -> None:
    lines = said("x") + said("", tool_calls=[call(model="qwen")])
    renamed = [json.loads(x) for x in L.rename(lines, "qwen", "mine").splitlines()]
    assert [x["model"] for x in renamed] == ["mine", "mine"]
    assert renamed[1]["message"]["tool_calls"][0]["function"]["arguments"] == {"model": "qwen"}
