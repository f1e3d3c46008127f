"""What edited routes would change, told from kept facts; and edits of pointsman.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest

from router.config import edit
from router.contract import Facts, Look, RequestDetail, RequestView, Tokens
from router.control.replay import compare
from router.control.routes import edited, places
from router.settings import (
    Generation,
    Groups,
    Price,
    Provider,
    Role,
    Routes,
    Scenario,
    Target,
)

DEAR = Target("dear", "big")
TARGETS: dict[Scenario, Target] = {"default": DEAR, "longContext": DEAR, "think": DEAR}


def provider(name: str, model: str, price: int | None) -> Provider:
    return Provider(
        name=name,
        format="openai_chat",
        url=f"https://{name}.example/v1/chat/completions",
        base=f"https://{name}.example/v1",
        models=(model,),
        prices={model: Price(price, price, price, price, price)},
    )


GENERATION = Generation(
    number=1,
    providers={
        "dear": provider("dear", "big", 10),
        "cheap": provider("cheap", "small", 1),
        "odd": provider("odd", "new", None),
    },
    routes=Routes(targets=TARGETS),
    groups=Groups(),
    litellm=Role("litellm"),
    ccr=Role("ccr"),
)


def kept(
    rule: str = "default", *looks: Look, door: str = "ccr", asked: str = "", **facts: object
) -> RequestDetail:
    view = RequestView(
        id="r",
        started_at=0.0,
        state="done",
        door=door,
        asked=asked,
        dialect="anthropic_messages",
        provider="dear",
        model="big",
        rule=rule,
        tokens=Tokens(input=100, output=100),
        cost=2_000,
    )
    return RequestDetail(view, looks, (), msgspec.convert(facts, Facts))


@pytest.mark.parametrize(
    ("edits", "details", "moved", "difference", "other"),
    [
        ({}, [kept()], 0, 0, {}),
        ({"default": "cheap,small"}, [kept(), kept()], 2, -3_600, {}),
        # only the requests of the rule that was edited
        ({"think": "cheap,small"}, [kept(), kept("think", thinking="on 31,999")], 1, -1_800, {}),
        ({"longContext": "cheap,small"}, [kept("longContext", tokens=70_000)], 1, -1_800, {}),
        # a cleared scenario falls through to the next rule, here to the same model
        ({"think": ""}, [kept("think", thinking="on 31,999")], 0, 0, {}),
        # a picked model is the conversation's: what is asked beside it follows the background
        (
            {"background": "cheap,small"},
            [kept("model", asked="claude-ccr-dear-big", side_call=call) for call in ("title", "")],
            1,
            -1_800,
            {},
        ),
        # what a person chose stays
        ({"default": "cheap,small"}, [kept("/model"), kept("override")], 0, 0, {"pinned": 2}),
        ({"default": "cheap,small"}, [kept("group", door="litellm")], 0, 0, {"pinned": 1}),
        # without the prompt it cannot be told whether there was code in it
        ({"coder": "cheap,small"}, [kept()], 0, 0, {"unclear": 1}),
        (
            {"coder": "cheap,small"},
            [kept("coder", Look("coder", "fenced code", True, "dear,big"))],
            1,
            -1_800,
            {},
        ),
        ({"default": "odd,new"}, [kept()], 1, 0, {"unpriced": 1}),
        # to the letter: thinking of any kind thinks, and which block held a tag is not kept
        (
            {"strict": "yes", "think": "cheap,small"},
            [
                kept(asked="claude", thinking="off"),
                kept("no model", thinking="off"),
                kept("subagent", subagent="dear,big"),
            ],
            1,
            -1_800,
            {"unclear": 1},
        ),
    ],
)
def test_what_would_move(
    edits: dict[str, str],
    details: list[RequestDetail],
    moved: int,
    difference: int,
    other: dict[str, int],
) -> None:
    found = compare(details, GENERATION, edited(GENERATION, edits))
    assert (found.requests, found.moved, found.difference) == (len(details), moved, difference)
    counted = {name: getattr(found, name) for name in ("pinned", "unclear", "unpriced", "refused")}
    assert {name: count for name, count in counted.items() if count} == other
    assert sum(move.requests for move in found.moves) == moved


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ({"default": ""}, "default needs a target"),
        ({"nonsense": "dear,big"}, "no scenario 'nonsense'"),
        ({"think": "nobody,x"}, "think: no provider is named 'nobody'"),
        ({"think": "no comma"}, "write provider,model"),
        ({"longContextThreshold": "0"}, "longContextThreshold: write a whole number of at least 1"),
        ({"thinkBudget": "much"}, "thinkBudget: write a whole number"),
        ({"strict": "perhaps"}, "strict: write yes or no"),
        ({"thinkEfforts": " "}, "thinkEfforts: write at least one"),
        ({"fallback.nonsense": ""}, "no scenario 'nonsense'"),
        ({"fallback.think": "dear,big nobody,x"}, "fallback.think: no provider is named 'nobody'"),
    ],
)
def test_an_edit_that_cannot_be_meant_says_so(edits: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        edited(GENERATION, edits)


def test_a_file_keeps_its_comments_its_mode_and_a_backup(tmp_path: Path) -> None:
    path = tmp_path / "pointsman.toml"
    before = '# mine\n[log]\nlevel = "info" # chatty\n\n[routes.targets]\nthink = "a,b" # why\n'
    path.write_text(before)
    after = edit.with_routes(before, {("targets", "think"): "c,d", ("targets", "default"): "e,f"})
    assert after == before.replace('"a,b"', '"c,d"') + 'default = "e,f"\n'
    assert edit.diff(before, after, "x")[-3:] == (
        '-think = "a,b" # why',
        '+think = "c,d" # why',
        '+default = "e,f"',
    )
    edit.write(path, after, before)
    assert path.read_text() == after
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "pointsman.toml.bak").read_text() == before
    edits = {"longContextThreshold": "80,000", "thinkEfforts": "max", "fallback.think": "a,b c,d"}
    for text in (before, "", "[routes]\nstrict = true\n", "[routes.fallback]\nthink = []\n"):
        made = tomllib.loads(edit.with_routes(text, places(edits)))["routes"]
        assert made["long_context_threshold"] == 80_000
        assert made["think_efforts"] == ["max"]
        assert made["fallback"] == {"think": ["a,b", "c,d"]}
    edit.put_back(path, None)
    assert not path.exists()
    with pytest.raises(ValueError, match="cannot be edited"):
        edit.with_routes("routes = 3", {("targets", "think"): "a,b"})
