"""Requests of Responses clients for every provider, and everybody's requests for a Responses one.

The matrix: inbound Responses × upstream {Anthropic, chat, Responses}, and inbound {Anthropic, chat}
× upstream Responses.
"""

from __future__ import annotations

from typing import Any

import pytest

from router.errors import CallerError
from router.formats import Format
from router.messages import Request
from tests.router.formats.wire import (
    FORMATS,
    PNG,
    PNG_URL,
    A,
    O,
    ask_a,
    ask_o,
    bot,
    call,
    dumps,
    provider,
    result,
    text,
    use,
    user,
)

R: Format = FORMATS["openai_responses"]
UPSTREAM = provider("openai", format="openai_responses")
CLAUDE = provider("anthropic")
CHAT = provider("compatible")


def ask_r(*items: Any, **body: Any) -> Request:
    return R.parse_request(dumps({"model": "x", "input": list(items) or "hi"} | body))


def said(role: str, *parts: Any) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": list(parts)}


def heard(text: str) -> dict[str, Any]:
    return {"type": "input_text", "text": text}


def called(id: str, name: str = "f", arguments: str = "{}", **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": id, "name": name, "arguments": arguments, **more}


def output(id: str, output: Any = "ok") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": id, "output": output}


TOOL = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}}
PICTURE = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"}
PAPER = {
    "type": "input_file",
    "filename": "a.pdf",
    "file_data": "data:application/pdf;base64,JVBE",
}


def to_claude(request: Request) -> Any:
    return A.render_request(request, CLAUDE, "claude-opus-4-1")


def to_chat(request: Request) -> Any:
    return O.render_request(request, CHAT, "m")


def to_responses(request: Request, model: str = "gpt-4o") -> Any:
    return R.render_request(request, UPSTREAM, model)


# ── inbound Responses ─────────────────────────────────────────────────────────────────────────────


def test_V01_instructions_and_system_items() -> None:
    request = ask_r(
        said("developer", heard("d1")),
        said("user", heard("u1")),
        said("developer", heard("d2")),
        {"role": "assistant", "content": "a1"},
        {"role": "user", "content": "u2"},
        instructions="i",
    )
    chat = to_chat(request)["messages"]
    assert [(m["role"], m["content"]) for m in chat] == [
        ("system", "i\n\nd1"),
        ("user", "u1"),
        ("system", "d2"),
        ("assistant", "a1"),
        ("user", "u2"),
    ]
    claude = to_claude(request)
    assert [block["text"] for block in claude["system"]] == ["i", "d1", "d2"]
    assert [m["role"] for m in claude["messages"]] == ["user", "assistant", "user"]


def test_V02_V03_parallel_calls_are_one_turn_and_so_are_their_results() -> None:
    request = ask_r(
        said("user", heard("go")),
        {"type": "reasoning", "summary": [], "encrypted_content": "anthropic:sig"},
        said("assistant", {"type": "output_text", "text": "I will"}),
        called("c1", arguments='{"x": 1}'),
        called("c2"),
        output("c1", "one"),
        output("c2", [heard("two"), PICTURE]),
        said("user", heard("and?")),
        tools=[TOOL],
        tool_choice={"type": "function", "name": "f"},
        parallel_tool_calls=False,
    )
    chat = to_chat(request)
    roles = [message["role"] for message in chat["messages"]]
    assert roles == ["user", "assistant", "tool", "tool", "user", "user"]
    assert chat["messages"][1]["tool_calls"] == [call("c1", arguments='{"x": 1}'), call("c2")]
    assert chat["tool_choice"] == {"type": "function", "function": {"name": "f"}}
    assert chat["parallel_tool_calls"] is False
    claude = to_claude(request)
    assert [[b["type"] for b in m["content"]] for m in claude["messages"]] == [
        ["text"],
        ["thinking", "text", "tool_use", "tool_use"],
        ["tool_result", "tool_result", "text"],
    ]
    assert claude["messages"][1]["content"][0]["signature"] == "sig"
    assert claude["messages"][1]["content"][2]["input"] == {"x": 1}
    assert claude["messages"][2]["content"][1]["content"][1]["type"] == "image"
    assert claude["tool_choice"] == {
        "type": "tool",
        "name": "f",
        "disable_parallel_tool_use": True,
    }


def test_K01_K07_thoughts_go_only_to_those_who_wrote_them() -> None:
    """OpenAI's own are bare, as they came; another provider's bear its tag."""
    for sealed, claude, responses in (
        ("gAAAA", False, True),
        ("anthropic:sig", True, False),
        ("openrouter:sig", False, False),
    ):
        thought = {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "encrypted_content": sealed,
        }
        request = ask_r(said("user", heard("go")), thought, called("c1"), output("c1"))
        kinds = [block["type"] for block in to_claude(request)["messages"][1]["content"]]
        assert ("thinking" in kinds) is claude, sealed
        items = to_responses(request)["input"]
        sent = [item for item in items if item.get("type") == "reasoning"]
        assert sent == ([thought] if responses else []), sealed


def test_V04_pictures_and_papers() -> None:
    request = ask_r(said("user", heard("look"), PICTURE, PAPER))
    chat = to_chat(request)["messages"][0]["content"]
    assert chat[1]["image_url"]["url"] == PICTURE["image_url"]
    assert chat[2]["file"] == {"filename": "a.pdf", "file_data": PAPER["file_data"]}
    blocks = to_claude(request)["messages"][0]["content"]
    assert blocks[1]["source"] == {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    assert blocks[2]["source"]["data"] == "JVBE"
    assert to_responses(request)["input"][0]["content"] == [heard("look"), PICTURE, PAPER]


def test_what_the_client_runs_works_everywhere() -> None:
    """A custom tool is a function of one text, a namespace a prefix; a web search stays behind."""
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: X"}
    tools = [
        {"type": "custom", "name": "patch", "description": "edits", "format": grammar},
        {"type": "namespace", "name": "ns", "description": "", "tools": [{**TOOL, "name": "go"}]},
        {"type": "web_search", "external_web_access": False},
    ]
    history = [
        {"type": "custom_tool_call", "call_id": "c1", "name": "patch", "input": "*** Begin"},
        called("c2", "go", namespace="ns"),
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "done"},
        output("c2"),
    ]
    request = ask_r(said("user", heard("go")), *history, tools=tools)
    assert request.bound is None
    chat = to_chat(request)
    first, second = (tool["function"] for tool in chat["tools"])
    assert first["parameters"]["required"] == ["input"]
    assert "start: X" in first["description"]
    assert second["name"] == "ns__go"
    assert [c["function"]["name"] for c in chat["messages"][1]["tool_calls"]] == ["patch", "ns__go"]
    assert [tool["name"] for tool in to_claude(request)["tools"]] == ["patch", "ns__go"]
    again = to_responses(request)
    assert again["tools"] == tools
    assert again["input"][1:] == history
    only = ask_r(
        tools=[TOOL, {**TOOL, "name": "g"}],
        tool_choice={
            "type": "allowed_tools",
            "mode": "required",
            "tools": [{"type": "function", "name": "g"}],
        },
    )
    assert [tool["name"] for tool in to_claude(only)["tools"]] == ["g"]
    assert to_chat(only)["tool_choice"] == "required"
    # one that is offered beside other tools is no wish to search with this request
    assert [tool.kind for tool in request.tools] == ["function", "function"]
    search = ask_r(tools=[tools[2]], tool_choice="auto")
    assert [tool.kind for tool in search.tools] == ["web_search"]
    assert "tools" not in to_claude(search)
    assert "tool_choice" not in to_claude(search)


def test_V05_V06_form_effort_and_limits() -> None:
    form = {"type": "json_schema", "name": "t", "schema": {"type": "object"}, "strict": True}
    request = ask_r(
        text={"format": form, "verbosity": "low"},
        reasoning={"effort": "high", "summary": "auto"},
        max_output_tokens=9000,
        temperature=1.5,
        stream=True,
        user="u",
    )
    chat = to_chat(request)
    assert chat["response_format"]["json_schema"]["strict"] is True
    assert (chat["max_tokens"], chat["temperature"], chat["stream"]) == (9000, 1.5, True)
    assert O.render_request(request, provider("openai"), "gpt-5.5")["reasoning_effort"] == "high"
    claude = to_claude(request)
    assert claude["output_config"]["format"]["schema"]["additionalProperties"] is False
    assert claude["thinking"]["budget_tokens"] < claude["max_tokens"] == 9000
    assert claude["metadata"] == {"user_id": "u"}
    assert to_chat(ask_r(reasoning={"effort": "none"})) == to_chat(ask_r())


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "p"}, "input": None}, "prompt"),
        ({"background": True}, "background"),
        ({"tools": [{"type": "code_interpreter"}]}, "tools[0]"),
        ({"tools": [{"type": "mcp", "server_url": "x"}]}, "tools[0]"),
        ({"tool_choice": {"type": "file_search"}}, "tool_choice"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
        (
            {"input": [said("user", {"type": "input_file", "file_id": "f"})]},
            "input[0].content[0].file_id",
        ),
    ],
)
def test_what_only_openai_has_binds_the_request(body: dict[str, Any], param: str) -> None:
    request = R.parse_request(dumps({"model": "m", "input": "hi"} | body))
    assert request.bound is not None
    assert request.bound.param == param
    assert R.pass_through(request, "n") == request.raw.replace(b'"m"', b'"n"')


@pytest.mark.parametrize(
    "body",
    [
        {"tools": [{"type": "y" * 9000}]},
        {"previous_response_id": "y" * 9000},
        {"input": [{"type": "item_reference", "id": "y" * 9000}]},
    ],
)
def test_what_is_said_of_it_is_bounded(body: dict[str, Any]) -> None:
    bound = R.parse_request(dumps({"model": "m", "input": "hi"} | body)).bound
    assert bound is not None
    assert len(bound.words) < 400


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "input"),
        ({"input": 3}, "input"),
        ({"input": ["x"]}, "input[0]"),
        ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, None),
        ({"input": [{"type": "function_call", "name": "f"}]}, "input[0].call_id"),
        ({"input": [{"type": "function_call_output", "call_id": "a"}]}, "input[0].output"),
        ({"input": "x", "tools": [{"type": "function"}]}, "tools[0].name"),
        ({"input": "x", "tool_choice": 3}, "tool_choice"),
        ({"input": "x", "instructions": []}, "instructions"),
        ({"input": "x", "text": {"format": {"type": "json_schema"}}}, "text.format.schema"),
    ],
)
def test_a_wrong_request_is_told_where(body: dict[str, Any], param: str | None) -> None:
    with pytest.raises(CallerError) as wrong:
        R.parse_request(dumps({"model": "m"} | body))
    assert wrong.value.param == param or param is None
    assert b'"invalid_request_error"' in R.render_error(wrong.value)


def test_same_format_goes_through_byte_for_byte() -> None:
    raw = b'{ "model" : "x", "input":"h\\u00e9", "odd": [1.50],\n "context":"think" }'
    request = R.parse_request(raw)
    assert R.pass_through(request, "gpt-6") == (
        b'{ "model" : "gpt-6", "input":"h\\u00e9", "odd": [1.50]}'
    )
    assert R.complete(request)


def test_R13_only_the_answers_own_model_is_renamed() -> None:
    image = b'"tools":[{"type":"image_generation","model":"gpt-image"}]'
    whole = b'{"id":"r","model":"gpt-6-2026","output":[],%b}' % image
    assert R.rename(whole, "gpt-6", "mine") == whole.replace(b"gpt-6-2026", b"mine")
    delta = b'event: d\ndata: {"type":"d","delta":"\\"model\\":\\"x\\""}\n\n'
    item = b'event: i\ndata: {"type":"i","item":{"type":"x","model":"theirs"}}\n\n'
    event = b'event: c\ndata: {"type":"c", "response": %b}\n\n' % whole
    stream = event + delta + item + event
    for wire in (stream, stream.replace(b"\n", b"\r\n")):
        assert R.rename(wire, "gpt-6", "mine") == wire.replace(b"gpt-6-2026", b"mine")


# ── upstream Responses ────────────────────────────────────────────────────────────────────────────

CLAUDE_ASKS = ask_a(
    system=[text("x-anthropic-billing-header: cc"), text("be terse")],
    messages=[
        user([text("look"), PNG]),
        bot(
            [
                {"type": "thinking", "thinking": "hm", "signature": "responses:abc"},
                text("I will"),
                use("c1", x=1),
                use("c2", "a.tool with a very odd name"),
            ]
        ),
        user([result("c1", [text("one"), PNG]), result("c2", "bad", is_error=True), text("so?")]),
        bot([use("c3")]),
        user("and?"),
    ],
    tools=[
        {"name": "f", "input_schema": {"$schema": "s"}},
        {"name": "a.tool with a very odd name", "input_schema": {"type": "object"}},
        {"type": "web_search_20250305", "name": "web_search"},
    ],
    tool_choice={"type": "any", "disable_parallel_tool_use": True},
    thinking={"type": "enabled", "budget_tokens": 900},
    max_tokens=1,
    stream=True,
    temperature=0.5,
)
CHAT_ASKS = ask_o(
    messages=[
        {"role": "system", "content": "be terse"},
        user([text("look"), PNG_URL]),
        bot(None, tool_calls=[call("c1", arguments='{"x": 1}'), call("c2")]),
        {"role": "tool", "tool_call_id": "c2", "content": "two"},
        user("so?"),
    ],
    tools=[{"type": "function", "function": {"name": "f", "parameters": {}, "strict": True}}],
    response_format={"type": "json_schema", "json_schema": {"name": "t", "schema": {}}},
    reasoning_effort="xhigh",
    verbosity="low",
    metadata={"a": "b"},
    seed=3,
    logprobs=True,
)


def test_Q_from_anthropic() -> None:
    body = to_responses(CLAUDE_ASKS, "gpt-5.5")
    assert body["instructions"] == "be terse"
    assert (body["store"], body["stream"], body["max_output_tokens"]) == (False, True, 16)
    assert "temperature" not in body  # Q13: a reasoning model refuses it
    assert body["reasoning"] == {"effort": "low", "summary": "auto"}
    assert body["include"] == ["reasoning.encrypted_content"]
    first, thought, words, c1, c2, r1, r2, so, c3, r3, last = body["input"]
    assert first["content"][1]["image_url"] == "data:image/png;base64,AAAA"
    assert thought["encrypted_content"] == "abc"
    assert words == {
        "role": "assistant",
        "content": [{"type": "output_text", "text": "I will"}],
    }
    assert (c1["call_id"], c1["arguments"]) == ("c1", '{"x":1}')
    assert c2["name"] == body["tools"][1]["name"] != "a.tool with a very odd name"
    assert [part["type"] for part in r1["output"]] == ["input_text", "input_image"]
    assert r2["output"] == "Error: bad"
    assert so["content"] == [heard("so?")]
    assert (r3["call_id"], r3["output"]) == (c3["call_id"], "(no result)")
    assert last["content"] == [heard("and?")]
    assert body["tools"][0] == {
        "type": "function",
        "name": "f",
        "description": None,
        "parameters": {"type": "object", "properties": {}},
        "strict": False,
    }
    assert len(body["tools"]) == 2  # Q10: another vendor's server tool means nothing there
    assert (body["tool_choice"], body["parallel_tool_calls"]) == ("required", False)
    plain = to_responses(CLAUDE_ASKS, "gpt-4o")
    assert "reasoning" not in plain
    assert "include" not in plain
    assert plain["temperature"] == 0.5


def test_Q_from_chat() -> None:
    body = to_responses(CHAT_ASKS, "gpt-5.5")
    kinds = [item.get("type", item.get("role")) for item in body["input"]]
    assert kinds == [
        *("user", "function_call", "function_call"),
        *("function_call_output", "function_call_output", "user"),
    ]
    assert body["instructions"] == "be terse"
    assert body["reasoning"]["effort"] == "high"
    assert body["text"] == {
        "format": {"type": "json_schema", "name": "t", "schema": {}},
        "verbosity": "low",
    }
    assert body["metadata"] == {"a": "b"}
    assert body["tools"][0]["strict"] is True
    assert not {"seed", "logprobs", "messages", "response_format"} & body.keys()
    assert to_responses(CHAT_ASKS) == to_responses(CHAT_ASKS), "byte-stable"
