"""Requests of OpenAI clients, carried out by Anthropic (V01-V10), and thinking when the model is
switched (K01-K05)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from router.errors import UpstreamError
from router.formats.names import plain
from tests.router.formats.wire import (
    PNG,
    PNG_URL,
    A,
    ask_a,
    ask_o,
    bot,
    call,
    provider,
    result,
    text,
    use,
    user,
)

OLD, NEW = "claude-sonnet-4-20250514", "claude-opus-5-5"


def sent(model: str = OLD, /, **body: Any) -> dict[str, Any]:
    """What Anthropic gets for an OpenAI request."""
    rendered = A.render_request(ask_o(**body), provider("anthropic"), model)
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(rendered))
    return decoded


def system(content: Any) -> dict[str, Any]:
    return {"role": "system", "content": content}


def tool(id: str, content: Any = "ok") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id, "content": content}


def result_of(id: str, content: str = "ok") -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id, "content": [text(content)]}


DOTTED = plain("a.b")
MARK = {"type": "ephemeral"}
JPEG = {"type": "base64", "media_type": "image/jpeg", "data": "/9j/"}
WORDS = {"type": "text", "media_type": "text/plain", "data": "a,b"}
CONTINUE = user([text("(continue)")])
HI, DATA = user([text("hi")]), "data:application/pdf;base64,JVBE"
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}

TURNS: dict[str, tuple[list[Any], list[Any]]] = {
    "V02-results-merged": (
        [
            user("a"),
            bot(None, tool_calls=[call("1"), call("2")]),
            tool("1"),
            tool("2", [text("x")]),
            user("b"),
        ],
        [
            user([text("a")]),
            bot([use("1"), use("2")]),
            user([result_of("1"), result_of("2", "x"), text("b")]),
        ],
    ),
    "V02-results-first": (
        [user("a"), bot(None, tool_calls=[call("1")]), user("b"), tool("1")],
        [user([text("a")]), bot([use("1")]), user([result_of("1"), text("b")])],
    ),
    "V02-leading-assistant": (
        [bot("a"), user("b")],
        [CONTINUE, bot([text("a")]), user([text("b")])],
    ),
    "V02-same-role-merged": (
        [user("a"), user("b"), bot("c"), bot("d ")],
        [user([text("a"), text("b")]), bot([text("c"), text("d")])],
    ),
    "V02-only-system": ([system("s")], [CONTINUE]),
    "V03-arguments-parsed": (
        [user("a"), bot("t", tool_calls=[call("1", "f", '{"x": 1}')]), tool("1")],
        [user([text("a")]), bot([text("t"), use("1", x=1)]), user([result_of("1")])],
    ),
    "V03-twice-encoded": (
        [user("a"), bot(None, tool_calls=[call("1", "f", '"{\\"x\\": 1}"')]), tool("1")],
        [user([text("a")]), bot([use("1", x=1)]), user([result_of("1")])],
    ),
    "V03-legacy": (
        [
            user("a"),
            bot(None, function_call={"name": "f", "arguments": ""}),
            {"role": "function", "name": "f", "content": "ok"},
        ],
        [
            user([text("a")]),
            bot([use("call_function_1")]),
            user([result_of("call_function_1")]),
        ],
    ),
    "V03-no-answer-and-one-too-many": (
        [user("a"), bot("\n", tool_calls=[call("1", "a.b")]), user("b"), tool("9")],
        [
            user([text("a")]),
            bot([use("1", DOTTED)]),
            user([result("1", "(no result)"), text("b")]),
        ],
    ),
    "V03-cut-off": (
        [user("a"), bot(None, tool_calls=[call("1")])],
        [user([text("a")]), bot([use("1")]), user([result("1", "(no result)")])],
    ),
    "V04-data-url": ([user([text("a"), PNG_URL])], [user([text("a"), PNG])]),
    "V04-detail-dropped": (
        [user([{"type": "image_url", "image_url": {"url": "https://x/y", "detail": "low"}}])],
        [user([{"type": "image", "source": {"type": "url", "url": "https://x/y"}}])],
    ),
    "V04-file": (
        [user([{"type": "file", "file": {"filename": "d.pdf", "file_data": DATA}}])],
        [user([{"type": "document", "title": "d.pdf", "source": PDF}])],
    ),
    "V04-a-kind-as-clients-write-it": (
        [user([{"type": "image_url", "image_url": {"url": "data:image/JPG;base64,/9j/"}}])],
        [user([{"type": "image", "source": JPEG}])],
    ),
    "V04-a-picture-as-a-file": (
        [user([{"type": "file", "file": {"file_data": "data:image/jpeg;base64,/9j/"}}])],
        [user([{"type": "image", "source": JPEG}])],
    ),
    "V04-a-text-as-a-file": (
        [
            user(
                [
                    {
                        "type": "file",
                        "file": {"filename": "a.csv", "file_data": "data:text/csv;base64,YSxi"},
                    }
                ]
            )
        ],
        [user([{"type": "document", "title": "a.csv", "source": WORDS}])],
    ),
    "V02-a-mark-on-a-message": (
        [
            {**user("a"), "cache_control": MARK},
            bot(None, tool_calls=[call("1")]),
            {**tool("1"), "cache_control": MARK},
        ],
        [
            user([text("a", cache_control=MARK)]),
            bot([use("1")]),
            user([result_of("1") | {"cache_control": MARK}]),
        ],
    ),
    "V10-name": (
        [{**user([text("a")]), "name": "bob"}],
        [user([text("a")])],
    ),
}


@pytest.mark.parametrize(("given", "expected"), TURNS.values(), ids=TURNS.keys())
def test_turns(given: list[Any], expected: list[Any]) -> None:
    assert sent(messages=given)["messages"] == expected


def test_V01_system_texts_anywhere_join_the_system_prompt() -> None:
    messages = [system("A"), user("hi"), bot("x"), {"role": "developer", "content": "B"}, user("y")]
    body = sent(messages=messages)
    assert body["system"] == [text("A"), text("B")]
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]


FUNCTION = {"type": "function", "function": {"name": "f"}}
TOOLS: dict[str, Any] = {"tools": [FUNCTION]}
SCHEMA = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object"}}}}
CLOSED = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "a": {"type": "array", "items": {"type": "object", "additionalProperties": False}}
    },
}
FIELDS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "V01-defaults": (OLD, {}, {"max_tokens": 8192, "system": None, "thinking": None}),
    "V01-temperature": (
        OLD,
        {"temperature": 1.7, "top_p": 0.5},
        {"temperature": 1.0, "top_p": 0.5},
    ),
    "V01-max_completion_tokens": (
        OLD,
        {"max_completion_tokens": 7, "max_tokens": 9},
        {"max_tokens": 7},
    ),
    "V01-stop": (OLD, {"stop": "x"}, {"stop_sequences": ["x"]}),
    "V01-user": (OLD, {"user": "u"}, {"metadata": {"user_id": "u"}}),
    "V03-tools": (
        OLD,
        TOOLS,
        {"tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}]},
    ),
    "V03-required": (OLD, TOOLS | {"tool_choice": "required"}, {"tool_choice": {"type": "any"}}),
    "V03-named": (
        OLD,
        TOOLS | {"tool_choice": FUNCTION},
        {"tool_choice": {"type": "tool", "name": "f"}},
    ),
    "V03-none-keeps-the-cached-prefix": (
        OLD,
        TOOLS | {"tool_choice": "none"},
        {
            "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}],
            "tool_choice": {"type": "none"},
        },
    ),
    "V03-a-tool-that-is-not-there": (
        OLD,
        TOOLS | {"tool_choice": {"type": "function", "function": {"name": "gone"}}},
        {"tool_choice": {"type": "auto"}},
    ),
    "V03-a-name-that-is-not-plain": (
        OLD,
        {
            "tools": [{"type": "function", "function": {"name": "a.b"}}],
            "tool_choice": {"type": "function", "function": {"name": "a.b"}},
        },
        {
            "tools": [{"name": DOTTED, "input_schema": {"type": "object", "properties": {}}}],
            "tool_choice": {"type": "tool", "name": DOTTED},
        },
    ),
    "V01-stop-of-white-space": (OLD, {"stop": ["\n", "x", ""]}, {"stop_sequences": ["x"]}),
    "V01-one-of-both": (
        "claude-sonnet-4-5",
        {"temperature": 0.2, "top_p": 0.5, "top_k": 3},
        {"temperature": 0.2, "top_p": None, "top_k": 3},
    ),
    "V01-no-sampling-any-more": (
        "claude-opus-5-5",
        {"temperature": 0.2, "top_p": 0.5, "top_k": 3},
        {"temperature": None, "top_p": None, "top_k": None},
    ),
    "V06-a-level-that-it-has": (
        "claude-opus-4-6",
        {"reasoning_effort": "xhigh"},
        {"output_config": {"effort": "max"}},
    ),
    "V06-a-level-of-others": (NEW, {"reasoning_effort": "default"}, {"output_config": None}),
    "V03-alone": (
        OLD,
        TOOLS | {"parallel_tool_calls": False},
        {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
    ),
    "V03-functions": (
        OLD,
        {"functions": [{"name": "f"}], "function_call": "auto"},
        {"tool_choice": {"type": "auto"}},
    ),
    "V05-schema": (
        NEW,
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": SCHEMA},
            }
        },
        {"output_config": {"format": {"type": "json_schema", "schema": CLOSED}}},
    ),
    "V05-object": (
        OLD,
        {"response_format": {"type": "json_object"}},
        {"system": [text("Answer with one JSON object and nothing else.")]},
    ),
    "V06-budget": (
        OLD,
        {"reasoning_effort": "high", "max_tokens": 30000, "temperature": 0.2, "top_k": 4},
        {
            "thinking": {"type": "enabled", "budget_tokens": 16384},
            "max_tokens": 30000,
            "temperature": None,
            "top_k": None,
        },
    ),
    "V06-budget-inside-max_tokens": (
        OLD,
        {"reasoning_effort": "high", "max_tokens": 4000},
        {"thinking": {"type": "enabled", "budget_tokens": 3000}, "max_tokens": 4000},
    ),
    "V06-no-room": (OLD, {"reasoning_effort": "high", "max_tokens": 1000}, {"thinking": None}),
    "V06-max_tokens-unsaid": (
        OLD,
        {"reasoning_effort": "low"},
        {"thinking": {"type": "enabled", "budget_tokens": 2048}, "max_tokens": 10240},
    ),
    "V06-not-forced": (
        OLD,
        TOOLS | {"tool_choice": "required", "reasoning_effort": "low"},
        {"tool_choice": {"type": "auto"}},
    ),
    "V06-adaptive": (
        NEW,
        {"reasoning_effort": "minimal"},
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
    ),
    "V06-none": (NEW, {"reasoning_effort": "none"}, {"thinking": None, "output_config": None}),
    "V06-openrouter-way": (
        OLD,
        {"reasoning": {"max_tokens": 2000}, "max_tokens": 9000},
        {"thinking": {"type": "enabled", "budget_tokens": 2000}},
    ),
    "V10-dropped": (
        OLD,
        {"logprobs": True, "seed": 1, "logit_bias": {}, "n": 2, "stream_options": {}},
        dict.fromkeys(("logprobs", "seed", "logit_bias", "n", "stream_options")),
    ),
}


@pytest.mark.parametrize(("model", "given", "expected"), FIELDS.values(), ids=FIELDS.keys())
def test_fields(model: str, given: dict[str, Any], expected: dict[str, Any]) -> None:
    body = sent(model, **given)
    assert {key: body.get(key) for key in expected} == expected


def test_V06_K03_no_budget_in_a_tool_loop_without_thoughts() -> None:
    loop = [user("a"), bot(None, tool_calls=[call("1")]), tool("1")]
    body = sent(messages=loop, reasoning_effort="high")
    assert "thinking" not in body
    over = sent(messages=[*loop, bot("done"), user("next")], reasoning_effort="high")
    assert over["thinking"]["type"] == "enabled"
    assert sent(NEW, messages=loop, reasoning_effort="high")["thinking"] == {"type": "adaptive"}


def test_K02_thoughts_that_an_openai_client_sends_back_stand_first() -> None:
    signed = {"type": "thinking", "thinking": "hm", "signature": "sig=="}
    turn = bot(
        "t",
        tool_calls=[call("1")],
        thinking_blocks=[signed, {"type": "redacted_thinking", "data": "d"}],
    )
    body = sent(messages=[user("a"), turn, tool("1")], reasoning_effort="high")
    assert body["messages"][1]["content"] == [
        signed,
        {"type": "redacted_thinking", "data": "d"},
        text("t"),
        use("1"),
    ]
    assert body["thinking"]["type"] == "enabled"


def through(**body: Any) -> dict[str, Any]:
    """A→A in the canonical form."""
    rendered = A.render_request(ask_a(**body), provider("anthropic"), "claude-x")
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(rendered))
    return decoded


UNSIGNED: dict[str, Any] = {
    "K05-empty": {"signature": ""},
    "K05-null": {"signature": None},
    "K05-absent": {},
    "K01-anothers": {"signature": "openrouter:abc"},
}


@pytest.mark.parametrize("signature", UNSIGNED.values(), ids=UNSIGNED.keys())
def test_thoughts_that_anthropic_did_not_sign_are_not_sent_to_it(signature: Any) -> None:
    thought = {"type": "thinking", "thinking": "t", **signature}
    messages = [user("a"), bot([thought, use("1")]), user([result("1")])]
    budget = {"type": "enabled", "budget_tokens": 2000}
    request = ask_a(messages=messages, thinking=budget)
    assert not A.complete(request), "its bytes must not pass"
    body = through(messages=messages, thinking=budget)
    assert body["messages"][1]["content"] == [use("1")]
    assert "thinking" not in body, "K03: Anthropic would miss the thoughts of this turn"
    adaptive = through(messages=messages, thinking={"type": "adaptive"})
    assert adaptive["thinking"] == {"type": "adaptive"}


def test_a_request_without_max_tokens_is_not_complete() -> None:
    assert A.complete(ask_a())
    assert not A.complete(A.parse_request(b'{"messages":[{"role":"user","content":"hi"}]}'))


def test_K02_Q18_S13_same_format_through_the_canonical_form_keeps_what_was_sent() -> None:
    signed = {"type": "thinking", "thinking": "hm", "signature": "sig=="}
    search = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}}
    found = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"x": 1}]}
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    body: dict[str, Any] = {
        "model": "claude-x",
        "max_tokens": 9,
        "system": [text("x-anthropic-billing-header: v"), text("S", **mark)],
        "messages": [
            user([text("a", **mark), PNG, {"type": "document", "title": "t", "source": PDF}]),
            bot([signed, {"type": "redacted_thinking", "data": "d"}, search, found, use("1", x=1)]),
            user([{**result("1", [text("r"), PNG]), "is_error": True, **mark}]),
            {"role": "system", "content": [text("# Environment")]},
            bot([text("b", citations=[{"type": "char_location"}])]),
            user([text("c")]),
        ],
        "tools": [
            {"name": "f", "input_schema": {"type": "object"}, "defer_loading": True, **mark},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 3},
        ],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "thinking": {"type": "adaptive", "display": "omitted"},
        "output_config": {"effort": "xhigh", "task_budget": {"total": 5}},
        "context_management": {"edits": [{"type": "clear_thinking_20251015"}]},
        "metadata": {"user_id": "u", "more": 1},
        "stop_sequences": ["x"],
        "stream": True,
        "top_k": 5,
        "safeguards": [1],
    }
    assert through(**body) == body


def test_a_document_that_anthropic_cannot_read_is_refused_by_its_type() -> None:
    file = {"filename": "a.doc", "file_data": "data:application/msword;base64,AAAA"}
    with pytest.raises(UpstreamError, match="application/msword"):
        sent(messages=[user([{"type": "file", "file": file}])])


def test_empty_texts_are_left_out_because_anthropic_refuses_them() -> None:
    body = through(messages=[user([text(""), text("a")]), bot(""), user("b")], system="")
    assert body["messages"] == [user([text("a")]), user([text("b")])]
    assert "system" not in body
