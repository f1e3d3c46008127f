"""Adjustments do what CCR's transformers of that name do to a request, and change nothing given."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from router.providers import adjustments
from router.providers.adjustments import CHANGES, NATIVE, adjust, read
from router.settings import Adjustment, Provider

MARK = {"cache_control": {"type": "ephemeral"}}
BODY: dict[str, Any] = {
    "model": "m",
    "stream": True,
    "max_tokens": 9000,
    "temperature": 0.5,
    "messages": [
        {"role": "system", "content": [{"type": "text", "text": "s", **MARK}]},
        {"role": "user", "content": "hello"},
    ],
    "tools": [
        {"type": "function", "function": {"name": "t", "parameters": {"$schema": "x", "a": 1}}}
    ],
}
CLEAN = [
    {"role": "system", "content": [{"type": "text", "text": "s"}]},
    {"role": "user", "content": "hello"},
]
BARE_TOOLS = [{"type": "function", "function": {"name": "t", "parameters": {"a": 1}}}]

CCR = {
    *("anthropic", "openai", "openai-responses", "gemini", "vertex-gemini", "vertex-claude"),
    *("deepseek", "openrouter", "groq", "cerebras", "vercel", "tooluse", "enhancetool", "maxtoken"),
    *("maxcompletiontokens", "sampling", "reasoning", "forcereasoning", "cleancache"),
    *("streamoptions", "customparams", "extrathinktag"),
}

#: (name, options, changes to the given body, what differs afterwards; None: the key is gone)
CASES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("maxtoken", {"max_tokens": 100}, {}, {"max_tokens": 100}),
    ("maxtoken", {"max_tokens": 100_000}, {}, {}),
    ("maxtoken", {}, {}, {}),
    (
        "maxtoken",
        {"max_tokens": 5},
        {"max_tokens": None, "max_completion_tokens": 9},
        {"max_completion_tokens": 5, "max_tokens": None},
    ),
    ("maxcompletiontokens", {}, {}, {"max_tokens": None, "max_completion_tokens": 9000}),
    ("sampling", {"top_p": 0.1, "max_tokens": 5}, {}, {"top_p": 0.1, "max_tokens": 5}),
    ("sampling", {"temperature": 0}, {}, {"temperature": 0}),
    ("sampling", {}, {}, {}),
    ("cleancache", {}, {}, {"messages": CLEAN}),
    (
        "cleancache",
        {},
        {
            "cache_control": {"type": "ephemeral"},
            "system": [{"type": "text", "text": "s", **MARK}],
            "messages": [
                {"role": "user", "content": [{"type": "tool_result", "content": [{**MARK}]}]},
                {"role": "user", "content": "x", **MARK},
            ],
            "tools": [
                {"name": "a", **MARK},
                {"type": "function", "function": {"name": "b", **MARK}},
            ],
        },
        {
            "cache_control": None,
            "system": [{"type": "text", "text": "s"}],
            "messages": [
                {"role": "user", "content": [{"type": "tool_result", "content": [{}]}]},
                {"role": "user", "content": "x"},
            ],
            "tools": [{"name": "a"}, {"type": "function", "function": {"name": "b"}}],
        },
    ),
    ("streamoptions", {}, {}, {"stream_options": {"include_usage": True}}),
    ("streamoptions", {}, {"stream": False}, {}),
    ("customparams", {"a": 1, "temperature": 1}, {}, {"a": 1}),
    ("customparams", {"x": {"b": 2, "c": 3}}, {"x": {"b": 1}}, {"x": {"b": 2, "c": 3}}),
    (
        "customparams",
        {"x": {"y": {"a": 1}, "z": [2]}, "n": {"k": 1}},
        {"x": {"y": {"b": 2}, "z": {}}, "n": 3},
        {"x": {"y": {"a": 1, "b": 2}, "z": [2]}, "n": 3},
    ),
    (
        "customparams",
        {"reasoning": {"effort": "low"}},
        {"reasoning": {"max_tokens": 2000}},
        {"reasoning": {"effort": "low"}},
    ),
    ("deepseek", {}, {}, {"max_tokens": 8192}),
    ("deepseek", {"max_tokens": 64_000}, {}, {}),
    (
        "openrouter",
        {"provider": {"only": ["x"]}},
        {},
        {"messages": CLEAN, "provider": {"only": ["x"]}},
    ),
    ("openrouter", {}, {"model": "anthropic/claude-x"}, {}),
    ("groq", {}, {}, {"messages": CLEAN, "tools": BARE_TOOLS}),
    (
        "reasoning",
        {"enable": False},
        {"reasoning_effort": "high"},
        {
            "reasoning_effort": None,
            "enable_thinking": False,
            "thinking": {"type": "disabled", "budget_tokens": -1},
        },
    ),
    ("reasoning", {}, {"reasoning_effort": "high"}, {}),
    ("tooluse", {}, {"tools": None}, {}),
    ("no such name", {}, {}, {}),
    ("enhancetool", {}, {}, {}),
]


def _with(body: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in {**body, **changes}.items() if v is not None}


@pytest.mark.parametrize(("name", "options", "given", "different"), CASES)
def test_each_does_its_work_and_leaves_what_it_was_given(
    name: str, options: dict[str, Any], given: dict[str, Any], different: dict[str, Any]
) -> None:
    body = _with(BODY, given)
    kept = copy.deepcopy(body)
    made = adjust(body, _provider((Adjustment(name, options),)), "m")
    assert made == _with(body, different)
    assert body == kept
    if not different:
        assert made is body or made == body


def _provider(
    general: tuple[Adjustment, ...], special: Mapping[str, tuple[Adjustment, ...]] | None = None
) -> Provider:
    return Provider(
        "p",
        "openai_chat",
        "http://h/v1/chat/completions",
        "http://h/v1",
        adjustments=general,
        model_adjustments=special or {},
    )


@pytest.mark.parametrize("name", ["tooluse", "forcereasoning"])
def test_words_of_ours_stand_in_the_system_so_that_the_prefix_stays(name: str) -> None:
    """Turn N's messages are the beginning of turn N+1's."""
    change = CHANGES[name]
    made = change(BODY, {})
    later = [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]
    longer = change({**BODY, "messages": [*BODY["messages"], *later]}, {})
    assert longer["messages"][: len(made["messages"])] == made["messages"]
    assert made["messages"][0]["content"][:-1] == BODY["messages"][0]["content"]
    assert made["messages"][1:] == BODY["messages"][1:]
    words = made["messages"][0]["content"][-1]["text"]
    plain = change({**BODY, "messages": [{"role": "system", "content": "s"}]}, {})
    assert plain["messages"] == [{"role": "system", "content": f"s\n\n{words}"}]
    none = change({**BODY, "messages": [{"role": "user", "content": "u"}]}, {})
    assert none["messages"][0] == {"role": "system", "content": words}
    own = change({**BODY, "system": [{"type": "text", "text": "s"}]}, {})
    assert (own["messages"], own["system"][1]["text"]) == (BODY["messages"], words)


@pytest.mark.parametrize(
    ("more", "kind", "chosen", "added"),
    [
        ({}, "compatible", "required", True),
        ({"tool_choice": "auto"}, "compatible", "required", True),
        ({"tool_choice": "none"}, "compatible", "none", True),
        ({"tool_choice": {"type": "function"}}, "compatible", {"type": "function"}, True),
        ({}, "zai", "auto", True),
        ({"tools": [{"name": "t", "input_schema": {}}]}, "anthropic", {"type": "any"}, True),
        (
            {"tools": [{"name": "t", "input_schema": {}}], "thinking": {"type": "enabled"}},
            "anthropic",
            None,
            False,
        ),
    ],
)
def test_tooluse_forces_a_call_and_adds_the_tool_to_leave_by(
    more: dict[str, Any], kind: str, chosen: object, added: bool
) -> None:
    body = {**BODY, **more}
    made = adjust(body, replace(_provider((Adjustment("tooluse"),)), kind=kind), "m")
    assert made.get("tool_choice") == chosen
    assert made["tools"][: len(body["tools"])] == body["tools"]
    names = [tool.get("name") or tool["function"]["name"] for tool in made["tools"]]
    assert names == ["t", *(["ExitTool"] if added else [])]


def test_tooluse_says_nothing_where_there_are_no_tools() -> None:
    bare = {**BODY, "tools": []}
    assert CHANGES["tooluse"](bare, {}) is bare


def test_a_cap_counts_in_geminis_and_ollamas_format_too() -> None:
    body = {"generationConfig": {"maxOutputTokens": 9000, "topP": 1}}
    made = CHANGES["maxtoken"](body, {"max_tokens": 50})
    assert made == {"generationConfig": {"maxOutputTokens": 50, "topP": 1}}
    assert CHANGES["maxtoken"](body, {"max_tokens": 10_000}) is body
    local = {"options": {"num_predict": 9000, "seed": 1}}
    assert CHANGES["maxtoken"](local, {"max_tokens": 50})["options"]["num_predict"] == 50


def test_the_providers_come_first_and_the_models_own_after() -> None:
    special = {"m": (Adjustment("maxtoken", {"max_tokens": 10}),)}
    provider = _provider((Adjustment("maxcompletiontokens"),), special)
    assert adjust(BODY, provider, "m")["max_completion_tokens"] == 10
    assert adjust(BODY, provider, "other")["max_completion_tokens"] == 9000


@pytest.mark.parametrize(
    ("entry", "meant"),
    [
        ("DeepSeek", Adjustment("deepseek")),
        (["maxtoken", {"max_tokens": 1}], Adjustment("maxtoken", {"max_tokens": 1})),
        (["groq"], Adjustment("groq")),
        ("", None),
        (3, None),
        ([], None),
        (["a", "b"], None),
        ({"a": 1}, None),
    ],
)
def test_ccrs_spellings(entry: object, meant: Adjustment | None) -> None:
    assert read(entry) == meant


def test_every_name_of_ccr_has_exactly_one_place() -> None:
    places = [name for table in (CHANGES, NATIVE) for name in table]
    assert sorted(places) == sorted(CCR)


def test_a_body_without_marks_is_not_copied() -> None:
    """Cleaning is on the request path: 200 KB without a mark must not be built again."""
    clean = {**BODY, "messages": CLEAN}
    assert adjustments.cleancache(clean, {}) is clean
