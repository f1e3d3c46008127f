"""Fields and tools of Anthropic clients, as OpenAI-compatible providers want them (Q08-Q20)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from router.formats.openai_chat.fit import fitted, lost, unfit
from tests.router.formats.test_to_openai import sent
from tests.router.formats.wire import (
    O,
    ask_a,
    provider,
)

SCHEMAS: dict[str, tuple[Any, Any]] = {
    "Q08-none": (None, {"type": "object", "properties": {}}),
    "Q08-empty": ({}, {"type": "object", "properties": {}}),
    "Q08-no-properties": ({"type": "object"}, {"type": "object", "properties": {}}),
    "Q08-dialect-word": (
        {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {}},
        {"type": "object", "properties": {}},
    ),
    "Q08-kept": (
        {
            "type": "object",
            "properties": {"a": {"anyOf": [{"type": "string", "format": "uri"}, {"type": "null"}]}},
            "required": ["a"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"a": {"anyOf": [{"type": "string", "format": "uri"}, {"type": "null"}]}},
            "required": ["a"],
            "additionalProperties": False,
        },
    ),
}


@pytest.mark.parametrize(("given", "expected"), SCHEMAS.values(), ids=SCHEMAS.keys())
def test_schemas(given: Any, expected: Any) -> None:
    tool = sent(tools=[{"name": "f", "description": "d", "input_schema": given}])["tools"][0]
    assert tool == {
        "type": "function",
        "function": {"name": "f", "description": "d", "parameters": expected},
    }


def test_Q08_words_that_a_provider_refuses_go_but_not_a_persons_names() -> None:
    schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"const": {"const": 1, "type": "object", "properties": {"$schema": {}}}},
    }
    tool = sent("gemini", tools=[{"name": "f", "input_schema": schema}])["tools"][0]
    assert tool["function"]["parameters"] == {
        "type": "object",
        "properties": {"const": {"type": "object", "properties": {"$schema": {}}}},
    }


FUNCTION = {"name": "f", "input_schema": {}}
CHOICES: dict[str, tuple[Any, Any, Any]] = {
    "Q09-auto": ({"type": "auto"}, "auto", None),
    "Q09-any": ({"type": "any"}, "required", None),
    "Q09-none": ({"type": "none"}, "none", None),
    "Q09-tool": (
        {"type": "tool", "name": "f"},
        {"type": "function", "function": {"name": "f"}},
        None,
    ),
    "Q09-unknown-tool": ({"type": "tool", "name": "g"}, "auto", None),
    "Q09-alone": ({"type": "auto", "disable_parallel_tool_use": True}, "auto", False),
    "Q09-not-alone": ({"type": "auto", "disable_parallel_tool_use": False}, "auto", None),
}


@pytest.mark.parametrize(("given", "choice", "parallel"), CHOICES.values(), ids=CHOICES.keys())
def test_tool_choice(given: Any, choice: Any, parallel: Any) -> None:
    body = sent(tools=[FUNCTION], tool_choice=given)
    assert body["tool_choice"] == choice
    assert body.get("parallel_tool_calls") == parallel


def test_Q09_no_choice_without_tools() -> None:
    assert "tool_choice" not in sent(tool_choice={"type": "any"})


def test_Q10_server_tools_never_become_functions() -> None:
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}
    body = sent(tools=[search], tool_choice={"type": "tool", "name": "web_search"})
    assert "tools" not in body
    assert "tool_choice" not in body
    both = sent(tools=[search, FUNCTION], tool_choice={"type": "tool", "name": "web_search"})
    assert [tool["function"]["name"] for tool in both["tools"]] == ["f"]
    assert both["tool_choice"] == "auto"


FIELDS: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "Q12-plain": (
        "compatible",
        "m",
        {"stop_sequences": list("abcde"), "top_p": 0.5, "temperature": 1, "top_k": 3},
        {"stop": list("abcd"), "top_p": 0.5, "temperature": 1, "top_k": 3, "max_tokens": 1000},
    ),
    "Q12-top_k-refused": ("openai", "gpt-4o", {"top_k": 3}, {"top_k": None}),
    "Q12-user": (
        "openai",
        "gpt-4o",
        {"metadata": {"user_id": "u1"}},
        {"user": "u1", "metadata": None},
    ),
    "Q12-max_completion_tokens": (
        "openai",
        "gpt-5",
        {},
        {"max_completion_tokens": 1000, "max_tokens": None},
    ),
    "Q13-fixed-sampling": (
        "openai",
        "gpt-5-mini",
        {"temperature": 0.1, "top_p": 0.5, "stop_sequences": ["x"]},
        {"temperature": None, "top_p": None, "stop": None},
    ),
    "Q14-openai-budget": (
        "openai",
        "gpt-5",
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        {"reasoning_effort": "low", "thinking": None},
    ),
    "Q14-openai-bucket": (
        "openai",
        "gpt-5",
        {"thinking": {"type": "enabled", "budget_tokens": 8192}},
        {"reasoning_effort": "medium"},
    ),
    "Q14-openai-high": (
        "openai",
        "gpt-5",
        {"thinking": {"type": "enabled", "budget_tokens": 31999}},
        {"reasoning_effort": "high"},
    ),
    "Q14-adaptive": (
        "openai",
        "gpt-5",
        {"thinking": {"type": "adaptive"}},
        {"reasoning_effort": "medium"},
    ),
    "Q14-effort": (
        "openai",
        "gpt-5",
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}},
        {"reasoning_effort": "high", "output_config": None},
    ),
    "Q14-disabled": (
        "openai",
        "gpt-5",
        {"thinking": {"type": "disabled"}},
        {"reasoning_effort": None},
    ),
    "Q14-not-a-thinker": (
        "openai",
        "gpt-4o",
        {"thinking": {"type": "enabled", "budget_tokens": 9000}},
        {"reasoning_effort": None, "thinking": None},
    ),
    "Q14-openrouter": (
        "openrouter",
        "anthropic/claude-x",
        {"thinking": {"type": "enabled", "budget_tokens": 9000}},
        {"reasoning": {"max_tokens": 9000}},
    ),
    "Q14-openrouter-effort": (
        "openrouter",
        "x/y",
        {"output_config": {"effort": "low"}},
        {"reasoning": {"effort": "low"}},
    ),
    "Q14-openrouter-off": (
        "openrouter",
        "x/y",
        {"thinking": {"type": "disabled"}},
        {"reasoning": {"enabled": False}},
    ),
    "Q14-deepseek": (
        "deepseek",
        "deepseek-v4",
        {"thinking": {"type": "adaptive"}},
        {"thinking": {"type": "enabled"}},
    ),
    "Q14-dashscope": (
        "dashscope",
        "qwen3-max",
        {"thinking": {"type": "adaptive"}},
        {"enable_thinking": True},
    ),
    "Q14-siliconflow-off": (
        "siliconflow",
        "m",
        {"thinking": {"type": "disabled"}},
        {"enable_thinking": False},
    ),
    "Q14-unknown-provider": (
        "compatible",
        "m",
        {"thinking": {"type": "adaptive"}},
        {"thinking": None, "reasoning_effort": None},
    ),
    "Q18-only-between-anthropics": (
        "compatible",
        "m",
        {
            "context_management": {"edits": []},
            "container": "c",
            "mcp_servers": [],
            "service_tier": "auto",
            "betas": ["b"],
            "context": "coder",
        },
        dict.fromkeys(
            ("context_management", "container", "mcp_servers", "service_tier", "betas", "context")
        ),
    ),
    "Q19-usage": (
        "compatible",
        "m",
        {"stream": True},
        {"stream": True, "stream_options": {"include_usage": True}},
    ),
    "Q19-refused": ("mistral", "m", {"stream": True}, {"stream": True, "stream_options": None}),
    "Q19-unasked": ("zhipu", "glm-5", {"stream": True}, {"stream_options": None}),
    "Q19-whole": ("compatible", "m", {}, {"stream": None, "stream_options": None}),
    "response-format": (
        "openai",
        "gpt-5",
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
            }
        },
    ),
}


@pytest.mark.parametrize(("kind", "model", "given", "expected"), FIELDS.values(), ids=FIELDS.keys())
def test_fields(kind: str, model: str, given: Any, expected: dict[str, Any]) -> None:
    body = sent(kind, model, **given)
    assert {key: body.get(key) for key in expected} == expected


OLD, NEW, USAGE = "max_tokens", "max_completion_tokens", "stream_options"
#: kind, model, what a client of the same format wrote → what goes up
FITTED: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("openai", "gpt-5.4-mini", {OLD: 5, "top_k": 1}, {NEW: 5, "top_k": 1}),
    ("openai", "gpt-5.4-mini", {OLD: 5, NEW: 6}, {NEW: 6}),
    ("openai", "gpt-4o", {OLD: 5}, {OLD: 5}),
    ("azure", "o3-mini", {OLD: 5, USAGE: {}}, {NEW: 5, USAGE: {}}),
    ("mistral", "m", {NEW: 5, USAGE: {}, "stream": True}, {OLD: 5, "stream": True}),
    ("zhipu", "glm-5", {"stream": True, USAGE: {}}, {"stream": True}),
    ("compatible", "glm-5", {OLD: 5, USAGE: {}}, {OLD: 5, USAGE: {}}),
    ("compatible", "openai/gpt-5", {OLD: 5, "seed": 1}, {NEW: 5, "seed": 1}),  # behind a gateway
    ("mistral", "m", {"seed": 1, "user": "u", OLD: 5}, {"random_seed": 1, OLD: 5}),
    ("groq", "m", {"logprobs": True, "seed": 1}, {"logprobs": True, "seed": 1}),
]
#: the same under LiteLLM's drop_params
LAX: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("groq", "m", {"logprobs": True, "seed": 1}, {"seed": 1}),
    ("azure", "gpt-5.2-chat", {"temperature": 0.4, "stop": "x", "seed": 1}, {"seed": 1}),
    ("azure", "gpt-5.2-chat", {"temperature": 1, "top_p": None}, {"temperature": 1, "top_p": None}),
    ("openai", "gpt-5.2", {"temperature": 0.4}, {"temperature": 0.4}),  # reasons only when asked
    ("openai", "gpt-5-mini", {"temperature": 0.4, "seed": 1}, {"seed": 1}),
    (
        "compatible",
        "openai/gpt-5.4",
        {"temperature": 0.4, "reasoning_effort": "medium"},
        {"reasoning_effort": "medium"},
    ),
    (
        "openai",
        "gpt-5.5",
        {"temperature": 0, "reasoning_effort": "none"},
        {"temperature": 0, "reasoning_effort": "none"},
    ),
    ("openai", "gpt-4o", {"temperature": 0, "stop": "x"}, {"temperature": 0, "stop": "x"}),
]


@pytest.mark.parametrize(
    ("kind", "model", "given", "expected", "lax"),
    [*((*one, False) for one in FITTED), *((*one, True) for one in LAX)],
)
def test_a_body_of_the_same_format_keeps_all_but_names(
    kind: str, model: str, given: dict[str, Any], expected: dict[str, Any], lax: bool
) -> None:
    at = provider(kind)
    assert fitted(given, at, model, lax=lax) == expected
    body = {"model": model, "messages": [{"role": "user", "content": "x"}], **given}
    request = O.parse_request(msgspec.json.encode(body))
    assert unfit(request, at, model, lax=lax) is (given != expected)
    gone = {name for name in given if name not in expected and name not in (OLD, NEW, "seed")}
    assert set(lost(given, at, model, lax=lax)) == gone - {USAGE}


def test_Q12_a_long_user_id_becomes_a_digest() -> None:
    id = '{"device_id":"' + "d" * 64 + '","session_id":"s"}'
    user_sent = sent("openai", "gpt-5", metadata={"user_id": id})["user"]
    assert len(user_sent) == 64
    assert user_sent == sent("openai", "gpt-5", metadata={"user_id": id})["user"]


def test_Q12_max_tokens_is_capped() -> None:
    small = provider("compatible", max_output=100)
    assert O.render_request(ask_a(max_tokens=128000), small, "m")["max_tokens"] == 100
