"""The LiteLLM plane: names, aliases, wildcards, draws, fallbacks, and the way to the CCR plane."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from router.rules import RefusedError
from router.rules.strategies import draw
from router.settings import Deployment, Groups, Target
from router.wishes import Wishes
from tests.router.rules.cases import (
    GROUPS,
    Body,
    ask,
    generation,
    group,
    names,
    override,
    routes,
    said,
)


def chat(model: str, prompt: str = "hi") -> Body:
    return {"model": model, "messages": [{"role": "user", "content": prompt}]}


@pytest.mark.parametrize(
    ("model", "first", "value"),
    [
        ("claude-haiku", "anth,claude-haiku-4-5", "claude-haiku"),
        ("lb", "anth,a", "lb, 3 deployments"),
        ("short", "anth,a", "short → lb, 3 deployments"),
        ("wild/flash", "gem,flash", "wild/flash"),
    ],
)
def test_a_name_leads_to_its_deployment(model: str, first: str, value: str) -> None:
    plan = ask(chat(model), plane="litellm")
    assert (names(plan)[0], plan.rule, plan.value) == (first, "group", value)
    assert plan.request.raw


def test_the_longest_wildcard_wins() -> None:
    wild = Groups(
        {
            "*": group("*", "openrouter,*"),
            "a/*": group("a/*", "anth,*"),
            "a/b/*": group("a/b/*", "gem,fixed"),
            "a/b/exact": group("a/b/exact", "maxtok,m1"),
        }
    )
    config = generation(groups=wild)
    asked = {"x/y": "", "a/z": "", "a/b/c": "", "a/b/exact": ""}
    for model in asked:
        asked[model] = names(ask(chat(model), plane="litellm", config=config))[0]
    assert asked == {
        "x/y": "openrouter,x/y",
        "a/z": "anth,z",
        "a/b/c": "gem,fixed",
        "a/b/exact": "maxtok,m1",
    }


def test_a_verdict_is_kept_only_where_it_is_the_same_for_everyone() -> None:
    groups = Groups(
        {
            "one": group("one", "anth,a"),
            "two": group("two", "anth,a", "gem,b"),
            "slow": (replace(group("slow", "anth,a")[0], stream_timeout=9.0),),
            "wild/*": group("wild/*", "gem,*"),
        },
        aliases={"short": "one"},
    )
    config = generation(groups=groups)
    for model in ("one", "short", "two", "slow", "wild/x"):
        plans = [ask(chat(model), plane="litellm", config=config) for _ in range(2)]
        assert said(plans[0]) == said(plans[1])
    assert set(config.standing) == {"one", "short"}
    assert not any(plan.request.messages for plan in config.standing.values())
    pinned = {"x-pointsman-model": "gem,b"}
    assert names(ask(chat("one"), plane="litellm", config=config, headers=pinned)) == ["gem,b"]
    small = replace(config.providers["anth"], context={"": 10})
    config = replace(config, providers={**config.providers, "anth": small})
    assert ask(chat("one"), plane="litellm", config=config, tokens=10).rule == "group"
    with pytest.raises(RefusedError, match="prompt is too long: 11 tokens > 10"):
        ask(chat("one"), plane="litellm", config=config, tokens=11)
    wishes = Wishes(timeout=5.0)
    hurried = ask(chat("one"), plane="litellm", config=config, wishes=wishes).candidates[0]
    assert hurried.timeouts is not None
    assert hurried.timeouts.total == 5.0
    assert ask(chat("one"), plane="litellm", config=config).candidates[0].timeouts is None


def test_draws_follow_the_weights_and_keep_the_rest_in_reserve() -> None:
    drawn: Counter[str] = Counter()
    for step in range(400):
        plan = ask(chat("lb"), plane="litellm", chance=step / 400)
        drawn[names(plan)[0]] += 1
        assert sorted(names(plan)[:3]) == ["anth,a", "gem,b", "maxtok,c"]
        assert names(plan)[3:] == ["anth,claude-haiku-4-5"]
    assert drawn == {"anth,a": 100, "gem,b": 200, "maxtok,c": 100}
    off = Groups({"g": group("g", "anth,a", "gem,b", weights=(0.0, 1.0))})
    for chance in (0.0, 0.999999):
        plan = ask(chat("g"), plane="litellm", config=generation(groups=off), chance=chance)
        assert names(plan) == ["gem,b", "anth,a"]


def test_fallbacks_of_a_group_then_general_ones_each_group_once() -> None:
    config = generation(
        groups=Groups(
            {n: group(n, f"gem,{n}") for n in ("a", "b", "c", "d")},
            fallbacks={"a": ("b",), "b": ("c",)},
            default_fallbacks=("d",),
        )
    )
    tried = {m: names(ask(chat(m), plane="litellm", config=config)) for m in "abcd"}
    assert tried == {
        "a": ["gem,a", "gem,b", "gem,c", "gem,d"],
        "b": ["gem,b", "gem,c", "gem,d"],
        "c": ["gem,c", "gem,d"],
        "d": ["gem,d"],
    }
    assert ask(chat("a"), plane="litellm", config=config).candidates[1].reason == "fallback of a"


def test_a_fallback_named_by_its_alias_has_what_is_listed_for_the_alias() -> None:
    config = generation(
        groups=Groups(
            {name: group(name, f"gem,{name}") for name in "abc"},
            fallbacks={"a": ("nick",), "nick": ("c",)},
            aliases={"nick": "b"},
        )
    )
    found = ask(chat("a"), plane="litellm", config=config).candidates
    assert [(one.model, one.reason) for one in found] == [
        ("a", "group a"),
        ("b", "fallback of a"),
        ("c", "fallback of nick"),
    ]


def test_an_unknown_model_is_refused_in_litellms_words() -> None:
    with pytest.raises(RefusedError) as refused:
        ask(chat("zzz"), plane="litellm")
    assert refused.value.status == 400
    assert refused.value.message == (
        "Invalid model name passed in model=zzz. "
        "Call `/v1/models` to view available models for your key."
    )


@pytest.mark.parametrize(
    ("model", "words"),
    [("loop", "leads back to itself"), ("gone", "no provider is named 'nobody'")],
)
def test_a_group_that_leads_nowhere_says_why(model: str, words: str) -> None:
    with pytest.raises(RefusedError, match=words) as refused:
        ask(chat(model), plane="litellm")
    assert refused.value.status == 503


def test_an_alias_loop_ends() -> None:
    config = generation(groups=Groups({}, aliases={"a": "b", "b": "a"}))
    with pytest.raises(RefusedError, match="Invalid model name"):
        ask(chat("a"), plane="litellm", config=config)


def test_a_ccr_name_goes_through_both_planes_and_the_trace_shows_it() -> None:
    plan = ask(chat("ccr-claude-haiku"), plane="litellm")
    assert (plan.rule, names(plan)) == ("background", ["ollama-local,qwen2.5-coder"])
    looked = [look.rule for look in plan.looks]
    assert looked[:6] == ["forced", "header", "/model", "override", "model", "group"]
    assert looked[6:9] == ["model", "image", "longContext"]
    assert plan.looks[5].note == "handed on to the CCR rules"
    assert plan.request.model == "ccr-claude-haiku", "what the client asked for stays its own"
    named = generation(routes=routes(named={"claude-": "anth"}))
    asked = names(ask(chat("ccr-claude-x"), plane="litellm", config=named))
    assert asked == ["anth,claude-x"]
    own = generation(groups=Groups({"ccr-x": group("ccr-x", "gem,x")}))
    assert ask(chat("ccr-x"), plane="litellm", config=own).rule == "group"


def test_strict_routes_decide_a_ccr_name_to_the_letter() -> None:
    config = generation(routes=routes(strict=True))
    plan = ask(
        chat("ccr-sonnet") | {"thinking": {"type": "disabled"}}, plane="litellm", config=config
    )
    assert plan.rule == "think"


def test_the_planes_cannot_send_a_request_in_circles() -> None:
    config = generation(
        groups=Groups({"x": group("x", "litellm-internal,ccr-x")}),
        routes=routes(targets={"default": "litellm-internal,ccr-x"}),
    )
    with pytest.raises(RefusedError, match="no model group is named 'ccr-x'"):
        ask(chat("ccr-x"), plane="litellm", config=config)


def test_explicit_choices_work_on_this_door_too() -> None:
    pin = override("everywhere", "gem,pin", forced=True)
    assert names(ask(chat("lb"), plane="litellm", overrides=(pin,))) == ["gem,pin"]
    key = override("key:k1", "gem,key")
    assert names(ask(chat("lb"), plane="litellm", overrides=(key,)))[0] == "gem,key"
    header = {"x-pointsman-model": "gem,header"}
    assert names(ask(chat("lb"), plane="litellm", headers=header))[0] == "gem,header"
    said_so = ask(chat("lb", "/model gem,prompt go"), plane="litellm")
    assert (names(said_so)[0], said(said_so)) == ("gem,prompt", ["go"])
    assert names(ask(chat("gem,body"), plane="litellm")) == ["gem,body"]
    with pytest.raises(RefusedError, match="Invalid model name"):
        ask(chat("nobody,body"), plane="litellm")


def test_a_deployments_own_params_go_along() -> None:
    deployment = Deployment("p", Target("gem", "x"), params={"temperature": 0})
    plan = ask(chat("p"), plane="litellm", config=generation(groups=Groups({"p": (deployment,)})))
    assert plan.candidates[0].params == {"temperature": 0}
    assert GROUPS.deployments["lb"][0].params == {}


@pytest.mark.parametrize(
    ("weights", "chance", "place"),
    [
        ([1, 1], 0.0, 0),
        ([1, 1], 0.49, 0),
        ([1, 1], 0.5, 1),
        ([3, 1], 0.74, 0),
        ([3, 1], 0.75, 1),
        ([0, 1, 0], 0.0, 1),
        ([0, 1, 0], 0.999, 1),
        ([-1, 1], 0.0, 1),
        ([0, 0, 0, 0], 0.0, 0),  # none weighs anything: all alike
        ([0, 0, 0, 0], 0.5, 2),
        ([0, 0, 0, 0], 0.999, 3),
    ],
)
def test_a_draw_hits_a_weights_own_share(weights: list[float], chance: float, place: int) -> None:
    assert draw(weights, chance) == place
