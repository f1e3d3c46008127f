"""The order of the rules: which one wins, what is kept of those looked at, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router.caller import Caller
from router.contract import Look
from router.custom import Answer
from router.facts import look_at
from router.rules import CCR, RefusedError, strict
from router.settings import Routes
from tests.router.rules.cases import (
    BUDGET,
    IMAGE,
    PROVIDERS,
    SEARCH,
    TOOL,
    Body,
    ask,
    case,
    generation,
    names,
    override,
    provider,
    request,
    routes,
    target,
)

FULL = generation(
    routes=routes(
        targets={
            "tool": "deepseek,tool",
            "coder": "deepseek,deepseek-coder",
            "simple": "ollama-local,small",
            "complex": "anth,big",
        },
        named={"claude-": "anth", "claude-opus": "gem"},
    )
)
EFFORT = {"output_config": {"effort": "high"}, "thinking": {"type": "adaptive"}}
TITLE = {
    "output_config": {
        "format": {
            "type": "json_schema",
            "schema": {"type": "object", "properties": {"title": {"type": "string"}}},
        }
    }
}


def user(*content: str | Body) -> Body:
    blocks = [{"type": "text", "text": c} if isinstance(c, str) else c for c in content]
    return {"messages": [{"role": "user", "content": blocks}]}


TAG = user("<CCR-SUBAGENT-MODEL>gem,sub</CCR-SUBAGENT-MODEL>Find it")
#: every signal at once; each line below takes the strongest one away
EVERYTHING: Body = (
    user(
        "/model gem,prompt now",
        "<CCR-SUBAGENT-MODEL>gem,sub</CCR-SUBAGENT-MODEL> fix ```x = 1```",
        IMAGE,
    )
    | {"model": "gem,body", "context": "webSearch", "tools": [SEARCH, TOOL]}
    | EFFORT
)


def without_prompt_model(body: Body) -> Body:
    return body | user("<CCR-SUBAGENT-MODEL>gem,sub</CCR-SUBAGENT-MODEL> fix ```x = 1```", IMAGE)


def test_every_rule_says_when_it_hits() -> None:
    assert [rule.name for rule in (*CCR, *strict.ORDER) if not rule.when] == []


def test_each_rule_gives_way_only_to_those_before_it() -> None:
    """Takes the winning signal away, again and again, down to the default."""
    pins = (override("everywhere", "gem,forced", forced=True), override("key:k1", "gem,key"))
    headers = {"x-pointsman-model": "gem,header"}
    won: list[tuple[str, str]] = []

    def step(
        body: Body, tokens: int = 70_000, *, pinned: int = 0, header: bool = False, own: str = ""
    ) -> None:
        plan = ask(
            body,
            tokens=tokens,
            config=FULL,
            overrides=pins[2 - pinned :],
            headers=headers if header else {},
            custom=Answer(own) if own else None,
        )
        won.append((plan.rule, names(plan)[0]))

    body = EVERYTHING
    step(body, pinned=2, header=True)
    step(body, pinned=1, header=True)
    step(body, pinned=1)
    body = without_prompt_model(body)
    step(body, pinned=1, own="gem,own")
    step(body, own="gem,own")
    step(body)
    body = body | {"model": "claude-haiku-4-5"}
    step(body)
    body = body | user("<CCR-SUBAGENT-MODEL>gem,sub</CCR-SUBAGENT-MODEL> fix ```x = 1```")
    step(body)
    step(body, 10)
    body = body | user("fix ```x = 1``` then answer")
    step(body, 10)
    del body["context"]
    step(body, 10)
    body = body | {"model": "claude-opus-5"}
    step(body, 10)
    body = body | {"tools": [TOOL]}
    step(body, 10)
    del body["thinking"], body["output_config"]
    step(body, 10)
    del body["tools"]
    step(body, 10)
    step(user("Design a distributed, deadlock-free scheduler with a proof"), 10)
    step(user("what is a list"), 10)
    medium = user("please refactor this into two, and debug what remains of it")
    step(medium | {"model": "claude-opus-5"}, 10)
    step(medium | {"model": "gpt-4o"}, 10)

    assert won == [
        ("forced", "gem,forced"),
        ("header", "gem,header"),
        ("/model", "gem,prompt"),
        ("override", "gem,key"),
        ("custom", "gem,own"),
        ("model", "gem,body"),
        ("image", "ollama-local,llava"),
        ("longContext", "openrouter,google/gemini-2.5-pro-preview"),
        ("subagent", "gem,sub"),
        ("context", "gem,gemini-2.5-flash"),
        ("background", "ollama-local,qwen2.5-coder"),
        ("webSearch", "gem,gemini-2.5-flash"),
        ("think", "deepseek,deepseek-reasoner"),
        ("tool", "deepseek,tool"),
        ("coder", "deepseek,deepseek-coder"),
        ("complexity", "anth,big"),
        ("complexity", "ollama-local,small"),
        ("named", "gem,claude-opus-5"),
        ("default", "deepseek,deepseek-chat"),
    ]
    assert [rule.name for rule in CCR] == list(dict.fromkeys(rule for rule, _ in won))


@pytest.mark.parametrize(
    ("special", "rule", "value"),
    [
        ({"thinking": {"type": "adaptive"}}, "default", "adaptive"),
        ({"thinking": BUDGET}, "default", "10,000 < 16,000"),
        ({"thinking": BUDGET | {"budget_tokens": 31_999}}, "think", "31,999 ≥ 16,000"),
        ({"thinking": {"type": "disabled"}}, "default", "off"),
        ({"thinking": {"type": "disabled"}, **TITLE}, "background", ""),
        (EFFORT, "think", "effort high"),
        (EFFORT | {"output_config": {"effort": "medium"}}, "default", "adaptive medium"),
        (EFFORT | {"thinking": {"type": "disabled"}}, "default", "off"),
        ({}, "default", "not asked for"),
    ],
)
def test_thinking_is_think_only_when_it_is_hard(special: Body, rule: str, value: str) -> None:
    plan = ask(user("hello") | special)
    assert plan.rule == rule
    if value:
        assert next(look.value for look in plan.looks if look.rule == "think") == value


@pytest.mark.parametrize(
    ("body", "call"),
    [
        (user("name it") | TITLE, "title"),
        (user("name it") | TITLE | {"tools": [TOOL]}, ""),
        (
            {"messages": [*user("new topic?")["messages"], {"role": "assistant", "content": "{"}]},
            "topic",
        ),
        (user("Hi") | {"max_tokens": 1}, "probe"),
        (user("quota") | {"max_tokens": 1}, "probe"),
        (user("Hi"), ""),
        (user("<system-reminder>x</system-reminder>", "Warmup") | {"tools": [TOOL]}, "warmup"),
        (user("Warmup the engine"), ""),
    ],
)
def test_side_calls_are_background_by_their_shape(body: Body, call: str) -> None:
    made = case(body | {"model": "claude-opus-5-5"})
    assert made.facts.side_call == call
    assert ask(body | {"model": "claude-opus-5-5"}).rule == ("background" if call else "default")


def test_a_picked_model_stands_for_the_conversation() -> None:
    alias = "claude-ccr-deepseek-deepseek-coder"
    side = user("name it") | TITLE
    plan = ask(side | {"model": alias})
    assert (plan.rule, names(plan)) == ("background", ["ollama-local,qwen2.5-coder"])
    look = next(look for look in plan.looks if look.rule == "model")
    assert (look.value, look.hit) == ("deepseek,deepseek-coder", False)
    assert look.note == "side call: title; the picked model is the conversation's"
    overridden = ask(side | {"model": alias}, overrides=(override("scenario:background", "gem,b"),))
    assert names(overridden) == ["gem,b"]
    without = Routes(targets={"default": target("gem,g")})
    lost = routes(without, targets={"background": "gone,x"})
    for body, settings in (
        (user("fix it"), {}),  # the conversation itself
        (side, {"config": generation(routes=without)}),
        (side, {"config": generation(routes=lost)}),
        (side, {"config": generation(routes=routes(strict=True))}),  # CCR knows no side calls
        (side, {"plane": "litellm"}),
        (side | {"model": "deepseek,deepseek-coder"}, {}),
    ):
        plan = ask({"model": alias, **body}, **settings)
        assert (plan.rule, names(plan)) == ("model", ["deepseek,deepseek-coder"]), settings
    unknown = ask(side | {"model": "claude-ccr-nobody-x"})
    assert unknown.rule == "background", "no model of ours: a name like any other"


def test_images_count_in_the_newest_turn_also_inside_tool_results() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": [IMAGE, IMAGE]}
    use = {"type": "tool_use", "id": "t", "name": "Read", "input": {}}
    turn = [
        {"role": "user", "content": "look"},
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": [result]},
        {"role": "system", "content": "a system message comes last today"},
    ]
    plan = ask({"messages": turn})
    assert (plan.rule, plan.value) == ("image", "2 images")
    later = [*turn, {"role": "assistant", "content": "seen"}, {"role": "user", "content": "ok"}]
    assert ask({"messages": later}).rule == "default"


def test_the_trace_keeps_every_look_with_its_value() -> None:
    plan = ask(user("hello"), tokens=61_204)
    assert plan.looks == (
        Look("forced", "none set"),
        Look("header", "not sent"),
        Look("/model", "none in the newest prompt"),
        Look("override", "none set"),
        Look("model", "claude-sonnet-4-20250514"),
        Look("image", "no image"),
        Look("longContext", "61,204 > 60,000", True, "openrouter,google/gemini-2.5-pro-preview"),
    )
    assert (plan.rule, plan.value) == ("longContext", "61,204 > 60,000")
    assert ask(user("hello"), tokens=812, exact=False).looks[6].value == "~812 ≤ 60,000"


def test_a_scenario_without_target_is_noted_and_passed_over() -> None:
    few = generation(routes=Routes(targets={"default": target("gem,g")}))
    plan = ask(user("hello") | {"context": "coder"}, tokens=70_000, config=few)
    assert plan.rule == "default"
    notes = {look.rule: look.note for look in plan.looks}
    assert notes["longContext"] == "no longContext target is configured"
    assert notes["context"] == "no coder target is configured"


def test_pins_that_cannot_be_honoured_are_loud_and_pass_on() -> None:
    plan = ask(
        user("/model nope,x hello <CCR-SUBAGENT-MODEL>oops</CCR-SUBAGENT-MODEL>")
        | {"context": "fast"},
        headers={"x-pointsman-model": "nowhere,y"},
        overrides=(
            override("session:s1", "gone,z", forced=True),
            override("session:s1", "gone,z"),
            override("scenario:default", "gone,w"),
        ),
    )
    assert names(plan) == ["deepseek,deepseek-chat"]
    wrong = "\n".join(plan.problems)
    for name in ("nope", "nowhere", "gone", "oops", "fast"):
        assert name in wrong
    assert "configured are: anth, deepseek" in wrong
    assert len(plan.problems) == 7


def test_the_most_particular_override_wins() -> None:
    everywhere, key = override("everywhere", "gem,e", id="e"), override("key:k1", "gem,k", id="k")
    session = override("session:s1", "gem,s", id="s")
    other = override("session:s2", "gem,other", id="other")
    assert ask("hi", overrides=(everywhere, other, key, session)).override == "s"
    assert ask("hi", overrides=(everywhere, other, key)).override == "k"
    assert ask("hi", overrides=(everywhere, other)).override == "e"
    assert ask("hi", overrides=(other,)).rule == "default"
    broken = override("session:s1", "nobody,x", id="b")
    assert ask("hi", overrides=(broken, key)).override == "k"
    assert ask("/model gem,p hi", overrides=(session,)).rule == "/model"


def test_a_scenarios_override_replaces_its_target_alone() -> None:
    think = user("hi") | EFFORT
    plan = ask(think, overrides=(override("scenario:think", "gem,t"),))
    assert (names(plan), plan.rule, plan.override) == (["gem,t"], "think", "o1")
    assert plan.looks[-1].note == "think is overridden"
    assert ask("hi", overrides=(override("scenario:think", "gem,t"),)).override == ""
    added = ask(user("x") | {"context": "coder"}, overrides=(override("scenario:coder", "gem,c"),))
    assert names(added) == ["gem,c"]


def test_an_unknown_provider_in_the_body_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(RefusedError) as refused:
        ask(user("hi") | {"model": "deepsek,deepseek-chat"})
    error = refused.value
    assert (error.status, error.code, error.param) == (404, "provider_not_found", "model")
    assert "'deepsek'" in error.message
    assert "anth, deepseek, gem" in error.message
    assert error.rule == "model"
    assert error.looks[-1].note.startswith("refused")


def test_names_are_met_without_regard_to_case() -> None:
    plan = ask(user("hi") | {"model": "DeepSeek,DEEPSEEK-Coder"})
    assert names(plan) == ["deepseek,deepseek-coder"]
    assert names(ask(user("hi") | {"model": "deepseek,Quite-New"})) == ["deepseek,Quite-New"]


def test_fallbacks_follow_each_choice_but_a_forced_one() -> None:
    listed = generation(
        routes=routes(
            fallback={
                "default": (target("gem,g"), target("nobody,x"), target("deepseek,deepseek-chat")),
                "longContext": (target("anth,l"),),
            }
        )
    )
    assert names(ask("hi", config=listed)) == ["deepseek,deepseek-chat", "gem,g"]
    assert names(ask("hi", config=listed, tokens=70_000))[1:] == ["anth,l"]
    assert names(ask("/model maxtok,m1 hi", config=listed))[1:] == [
        "gem,g",
        "deepseek,deepseek-chat",
    ]
    forced = override("everywhere", "maxtok,m1", forced=True)
    assert names(ask("hi", config=listed, overrides=(forced,))) == ["maxtok,m1"]


def roomy(**contexts: int) -> dict[str, object]:
    """Providers of which some models can hold only so many tokens."""
    changed = {
        name: replace(p, context={"": contexts[name.replace("-", "_")]})
        for name, p in PROVIDERS.items()
        if name.replace("-", "_") in contexts
    }
    return {**PROVIDERS, **changed}


def test_the_guard_moves_on_to_a_candidate_with_room() -> None:
    small = generation(
        providers=roomy(deepseek=8_000, gem=5_000),
        routes=routes(fallback={"default": (target("gem,g"), target("anth,a"))}),
    )
    fits = ask("hi", tokens=8_000, config=small)
    assert names(fits) == ["deepseek,deepseek-chat", "anth,a", "gem,g"]
    plan = ask("hi", tokens=8_001, config=small)
    assert names(plan) == ["anth,a", "deepseek,deepseek-chat", "gem,g"]
    assert plan.looks[-1] == Look(
        "guard", "8,001 > 8,000", True, "anth,a", "deepseek,deepseek-chat has no room"
    )
    assert plan.rule == "default"


def test_a_scenario_without_room_gives_way_to_a_roomier_route_but_a_pin_does_not() -> None:
    small = generation(providers=roomy(ollama_local=4_000, deepseek=64_000))
    haiku = user("hi") | {"model": "claude-haiku-4-5"}
    assert names(ask(haiku, tokens=5_000, config=small))[0].startswith("openrouter,")
    pinned = user("hi") | {"model": "ollama-local,llava"}
    with pytest.raises(RefusedError) as refused:
        ask(pinned, tokens=5_000, config=small)
    assert (refused.value.kind, refused.value.status) == ("too_long", 400)
    assert refused.value.message == "prompt is too long: 5000 tokens > 4000 maximum"
    why = "refused: no candidate has room"
    assert refused.value.looks[-1] == Look("guard", "5,000 > 4,000", True, "", why)


def test_nothing_to_serve_with_is_a_clear_404() -> None:
    lost = generation(routes=Routes(targets={"default": target("gone,x")}))
    with pytest.raises(RefusedError, match="gone") as refused:
        ask("hi", config=lost)
    assert refused.value.status == 404
    with pytest.raises(RefusedError, match="no default route"):
        ask("hi", config=generation(routes=Routes()))


def test_nearest_bound_is_the_smallest_number_that_decides() -> None:
    assert generation().nearest_bound == 60_000
    assert generation(providers=roomy(gem=9_000, anth=200_000)).nearest_bound == 9_000


def test_facts_keep_no_text_of_any_length() -> None:
    body = user("<CCR-SUBAGENT-MODEL>" + "x" * 300 + "</CCR-SUBAGENT-MODEL>")
    body |= {"context": "y" * 5_000, "model": "a" * 300}
    made = case(body)
    assert len(made.facts.subagent) == len(made.facts.context) == 300
    plan = ask(body)
    assert max(len(look.value) for look in plan.looks) == 300


def test_facts_tell_what_the_rules_saw() -> None:
    asked = request(EVERYTHING)
    facts = look_at(asked, Caller("ccr", "ccr", {}), 12, True)
    assert (facts.tokens, facts.tokens_exact, facts.messages, facts.tools) == (12, True, 1, 2)
    assert (facts.images, facts.web_search, facts.thinking) == (1, True, "adaptive high")
    assert (facts.effort, facts.context, facts.subagent) == ("high", "webSearch", "gem,sub")
    header = Caller("ccr", "ccr", {"x-pointsman-context": "coder"})
    assert look_at(request("hi"), header, 1, False).context == "coder"


def test_a_provider_that_is_the_litellm_plane_stands_for_its_group() -> None:
    inner = generation(routes=routes(targets={"default": "litellm-internal,short"}))
    assert names(ask("hi", config=inner, chance=0.3)) == [
        "gem,b",
        "maxtok,c",
        "anth,a",
        "anth,claude-haiku-4-5",
    ]
    only = {
        "litellm-internal": provider("litellm-internal", plane="litellm"),
        "gem": PROVIDERS["gem"],
    }
    lost = generation(
        providers=only,
        routes=Routes(
            targets={
                "background": target("litellm-internal,nothing"),
                "default": target("litellm-internal,wild/flash"),
            }
        ),
    )
    plan = ask(user("hi") | {"model": "claude-haiku"}, config=lost)
    assert names(plan) == ["gem,flash"]
    notes = {look.rule: look.note for look in plan.looks}
    assert notes["background"] == "no model group is named 'nothing'"
