"""Strict mode decides as the real CCR 2.0.0 did, request for request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router.rules import RefusedError
from router.rules.strict import TABLE
from router.settings import Routes
from tests.router.rules.cases import (
    BUDGET,
    IMAGE,
    ROUTES,
    SEARCH,
    TOOL,
    Body,
    ask,
    generation,
    names,
    override,
    provider,
    routes,
    said,
    target,
)

STRICT = generation(routes=replace(ROUTES, strict=True))
DEFAULT = "deepseek,deepseek-chat"
LONG = "openrouter,google/gemini-2.5-pro-preview"
HAIKU = {"model": "claude-3-5-haiku-20241022"}
DISABLED = {"thinking": {"type": "disabled"}}
THINKING = {"thinking": BUDGET}
SEARCHING = {"tools": [SEARCH]}
PICTURE: Body = {
    "messages": [{"role": "user", "content": [{"type": "text", "text": "what is it"}, IMAGE]}]
}
READ_PICTURE: Body = {
    "messages": [
        {"role": "user", "content": "look"},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "t1", "name": "Read", "input": {}}],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [IMAGE]}],
        },
    ]
}
OLD_PICTURE: Body = {
    "messages": [
        {"role": "user", "content": [IMAGE]},
        {"role": "assistant", "content": "a pixel"},
        {"role": "user", "content": "thanks"},
    ]
}


def tagged(*blocks: str) -> Body:
    return {"system": [{"type": "text", "text": text} for text in blocks]}


TAG = "<CCR-SUBAGENT-MODEL>openrouter,anthropic/claude-3.5-sonnet</CCR-SUBAGENT-MODEL>You help"

#: name of the recording → what is special in its body, its tokens, what CCR chose
RECORDED: dict[str, tuple[Body, int, str]] = {
    "default": ({}, 9, DEFAULT),
    "default_stream": ({"stream": True}, 9, DEFAULT),
    "tools": ({"tools": [TOOL], "tool_choice": {"type": "auto"}}, 90, DEFAULT),
    "system_blocks_cache": (tagged("A", "B"), 11, DEFAULT),
    "gpt4o": ({"model": "gpt-4o"}, 9, DEFAULT),
    "model_empty": ({"model": None}, 9, DEFAULT),
    "context_coder": ({"context": "coder"}, 9, DEFAULT),
    "haiku_45": ({"model": "claude-haiku-4-5-20251001"}, 9, "ollama-local,qwen2.5-coder"),
    "haiku_55": ({"model": "claude-haiku-5-5"}, 9, "ollama-local,qwen2.5-coder"),
    "haiku_nonclaude": ({"model": "my-haiku"}, 9, DEFAULT),
    "think": (THINKING, 9, "deepseek,deepseek-reasoner"),
    "think_disabled": (DISABLED, 9, "deepseek,deepseek-reasoner"),
    "thinking, but nothing of it": ({"thinking": {}}, 9, "deepseek,deepseek-reasoner"),
    "thinking null": ({"thinking": None}, 9, DEFAULT),
    "websearch": (SEARCHING, 9, "gem,gemini-2.5-flash"),
    "image": (PICTURE, 9, "ollama-local,llava"),
    "long": ({}, 82_667, LONG),
    "jsonsession_2_mid25k": ({}, 25_000, DEFAULT),
    "provider_model": ({"model": "deepseek,deepseek-coder"}, 9, "deepseek,deepseek-coder"),
    "maxtok": ({"model": "maxtok,m1", "temperature": 0.1}, 9, "maxtok,m1"),
    "maxtok_think": ({"model": "maxtok,m1", **THINKING}, 9, "maxtok,m1"),
    "gemini": ({"model": "gem,gemini-2.5-flash"}, 9, "gem,gemini-2.5-flash"),
    "anthropic_stream": ({"model": "anth,claude-x", **THINKING}, 9, "anth,claude-x"),
    "subagent_sys1": (tagged("first", TAG), 20, "openrouter,anthropic/claude-3.5-sonnet"),
    "subagent_sys2": (tagged("x", "y", TAG), 20, DEFAULT),
    "prio_image_think": (PICTURE | THINKING, 9, "ollama-local,llava"),
    "prio_long_haiku": (HAIKU, 82_667, LONG),
    "prio_long_subagent": (tagged("f", TAG), 82_667, LONG),
    "prio_long_think": (THINKING, 82_667, LONG),
    "prio_ws_haiku": (HAIKU | SEARCHING, 9, "ollama-local,qwen2.5-coder"),
    "prio_ws_think": (SEARCHING | THINKING, 9, "gem,gemini-2.5-flash"),
    # not recorded as a body, but found by the same runs
    "image in a tool result": (READ_PICTURE, 9, "ollama-local,llava"),
    "image only in an older message": (OLD_PICTURE, 9, DEFAULT),
    "image beats an explicit model": (
        PICTURE | {"model": "deepseek,deepseek-coder"},
        9,
        "ollama-local,llava",
    ),
    "explicit beats long": (
        {"model": "deepseek,deepseek-coder"},
        82_667,
        "deepseek,deepseek-coder",
    ),
    "haiku with thinking": (HAIKU | THINKING, 9, "ollama-local,qwen2.5-coder"),
    "subagent beats haiku": (
        HAIKU | tagged("f", TAG),
        9,
        "openrouter,anthropic/claude-3.5-sonnet",
    ),
    "missing model, however long": ({"model": None}, 82_667, DEFAULT),
    "exactly the threshold is not long": ({}, 60_000, DEFAULT),
    "a known provider's unknown model": ({"model": "deepseek,new"}, 9, "deepseek,new"),
    "a /model in the text is text": (
        {"messages": [{"role": "user", "content": "/model deepseek,deepseek-coder go"}]},
        9,
        DEFAULT,
    ),
    "a bare model's name": ({"model": "deepseek-coder"}, 9, DEFAULT),
}


@pytest.mark.parametrize("name", RECORDED)
def test_decides_as_ccr_did(name: str) -> None:
    special, tokens, wanted = RECORDED[name]
    body = {"messages": [{"role": "user", "content": "hello"}]} | special
    plan = ask(body, tokens=tokens, config=STRICT)
    assert names(plan) == [wanted]
    assert plan.looks[-1].hit
    assert plan.looks[-1].target == wanted
    if "subagent" not in plan.rule:
        assert plan.request.raw, "what CCR leaves alone passes through as it came"


@pytest.mark.parametrize("model", ["DeepSeek,DeepSeek-Coder", "nobody,x"])
def test_a_provider_not_found_is_ccrs_404(model: str) -> None:
    with pytest.raises(RefusedError) as refused:
        ask({"model": model, "messages": [{"role": "user", "content": "hi"}]}, config=STRICT)
    assert (refused.value.status, refused.value.code) == (404, "provider_not_found")
    assert refused.value.message == f"Provider '{model.split(',')[0]}' not found"
    assert [look.rule for look in refused.value.looks][-1] == "model"


def test_lower_case_is_made_canonical() -> None:
    config = replace(STRICT, providers={"Big": provider("Big", "Model-A")})
    body = {"messages": [{"role": "user", "content": "hi"}]}
    assert names(ask(body | {"model": "big,model-a"}, config=config)) == ["Big,Model-A"]
    assert names(ask(body | {"model": "Big,model-a"}, config=config)) == ["Big,model-a"]


def test_the_tag_is_taken_out_only_where_it_decided() -> None:
    body = {"messages": [{"role": "user", "content": "hi"}]} | tagged("f", TAG)
    assert said(ask(body, config=STRICT)) == ["f", "You help", "hi"]
    assert said(ask(body, config=STRICT, tokens=82_667)) == ["f", TAG, "hi"]


def test_fallbacks_follow_ccr() -> None:
    """Image, explicit model and tag fall back as default does; others have their own list."""
    listed = routes(
        Routes(targets=ROUTES.targets, strict=True),
        fallback={"default": (target("gem,g"),), "think": (target("nobody,x"), target("anth,t"))},
    )
    config = generation(routes=listed)
    hello = {"messages": [{"role": "user", "content": "hi"}]}
    assert names(ask(hello, config=config)) == [DEFAULT, "gem,g"]
    assert names(ask(PICTURE, config=config)) == ["ollama-local,llava", "gem,g"]
    assert names(ask(hello | {"model": "anth,claude-x"}, config=config))[1:] == ["gem,g"]
    assert names(ask(hello | THINKING, config=config))[1:] == ["anth,t"]
    assert names(ask(hello | HAIKU, config=config))[1:] == []


def test_operators_still_decide_in_strict_mode() -> None:
    hello = {"messages": [{"role": "user", "content": "hi"}]} | THINKING
    forced = ask(hello, config=STRICT, overrides=(override("everywhere", "gem,x", forced=True),))
    assert (names(forced), forced.rule, forced.override) == (["gem,x"], "forced", "o1")
    moved = ask(hello, config=STRICT, overrides=(override("scenario:think", "gem,t"),))
    assert (names(moved), moved.rule, moved.override) == (["gem,t"], "think", "o1")


def test_the_table_is_in_ccrs_order() -> None:
    assert [rule.name for rule in TABLE] == [
        "no model",
        "custom",
        "image",
        "model",
        "longContext",
        "subagent",
        "background",
        "webSearch",
        "think",
        "default",
    ]
