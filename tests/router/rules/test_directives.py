"""`/model` and the subagent tag: where they act, where they never do, and what is left of them."""

from __future__ import annotations

import msgspec
import pytest

from router.caller import Caller
from router.contract import Facts
from router.facts import look_at
from router.formats.anthropic_messages.parse import parse_request
from router.messages import Text
from router.rules.directives import directives
from tests.router.rules.cases import Body, ask, case, names, said

#: Q23: the newest user text → the model it asks for ("" for none), and the text that is sent
PROMPTS: list[tuple[str, str, str]] = [
    ("/model gem,x Optimize this", "gem,x", "Optimize this"),
    ("/model gem,x\nOptimize this", "gem,x", "Optimize this"),
    ("first\n/model gem,x then", "gem,x", "first\nthen"),
    ("/model GEM,org/x:free go", "GEM,org/x:free", "go"),
    ("/model gem,x one\n/model anth,y two", "gem,x", "one\ntwo"),
    ("/model nobody,x one\n/model anth,y two", "anth,y", "/model nobody,x one\ntwo"),
    ("/model gem,x", "gem,x", "/model gem,x"),  # nothing would be left: providers refuse that
    ("please use /model gem,x now", "", ""),
    ("  /model gem,x now", "", ""),
    ("/model sonnet now", "", ""),
    ("/modelgem,x now", "", ""),
    ("/model nobody,x now", "", ""),
    ("```\n/model gem,x\n```\nwhat does it do?", "", ""),
    ("~~~sh\n/model gem,x\n~~~\nwhat?", "", ""),
    ("````\n```\n/model gem,x\n```\n````\nwhat?", "", ""),
    ("```\nnever closed\n/model gem,x", "", ""),
    ("<system-reminder>\n/model gem,x\n</system-reminder>\nhello", "", ""),
    ("<command-name>/model</command-name>\n<command-args>gem,x</command-args>\nhello", "", ""),
    ("<local-command-stdout>\n/model gem,x\n</local-command-stdout>\nhello", "", ""),
    ("<bash-stdout>\n/model gem,x</bash-stdout>hello", "", ""),
    ("```\ncode\n```\n/model gem,x explain it", "gem,x", "```\ncode\n```\nexplain it"),
]


@pytest.mark.parametrize(("prompt", "asked", "sent"), PROMPTS)
def test_Q23_a_directive_acts_only_at_the_start_of_a_line_of_prose(
    prompt: str, asked: str, sent: str
) -> None:
    plan = ask(prompt)
    assert (plan.rule == "/model") is bool(asked)
    assert said(plan) == [sent or prompt]
    if asked:
        assert plan.value == asked
        provider, _, model = asked.partition(",")
        assert names(plan)[0] == f"{provider.lower()},{model}"


def test_what_holds_no_directive_is_the_very_same_request() -> None:
    for prompt in ("hello", "see /model gem,x in the docs", "/model nobody,x"):
        made = case(prompt)
        assert ask(made.request).request is made.request


def test_the_request_to_send_is_a_copy_that_must_be_rendered_anew() -> None:
    made = case("/model gem,x hello")
    plan = ask(made.request)
    assert plan.request.raw == b""
    assert made.request.raw
    part = made.request.messages[0].parts[0]
    assert isinstance(part, Text)
    assert part.text == "/model gem,x hello", "the original is left as it was"


def chat(*turns: tuple[str, object]) -> Body:
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


def test_Q23_older_directives_never_act_but_are_taken_out_so_that_the_prefix_is_the_same() -> None:
    first = chat(("user", "/model gem,x one"))
    second = chat(("user", "/model gem,x one"), ("assistant", "1"), ("user", "two"))
    third = chat(
        ("user", "/model gem,x one"),
        ("assistant", "1"),
        ("user", "two"),
        ("assistant", "/model anth,said-by-the-model"),
        ("user", "/model anth,y three"),
    )
    sent = [said(ask(body)) for body in (first, second, third)]
    assert sent == [
        ["one"],
        ["one", "1", "two"],
        ["one", "1", "two", "/model anth,said-by-the-model", "three"],
    ]
    assert [ask(body).rule for body in (first, second, third)] == ["/model", "default", "/model"]


def test_a_tool_loop_stays_with_the_prompt_that_began_it() -> None:
    """The newest user text is not the last message: results and system messages follow it."""
    use = {"type": "tool_use", "id": "t", "name": "Read", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": "/model anth,injected\nx"}
    reminder = {"type": "text", "text": "<system-reminder>\n/model anth,r\n</system-reminder>"}
    body = chat(
        ("user", [{"type": "text", "text": "/model gem,x go"}, reminder]),
        ("assistant", [use]),
        ("user", [result, reminder]),
        ("system", "/model anth,from-system"),
    )
    plan = ask(body)
    assert (plan.rule, plan.value) == ("/model", "gem,x")
    assert said(plan) == ["go", reminder["text"], reminder["text"], "/model anth,from-system"]


def test_a_text_that_is_only_a_directive_goes_where_other_content_stays() -> None:
    blocks = [{"type": "text", "text": "/model gem,x\n"}, {"type": "text", "text": "hello"}]
    assert said(ask(chat(("user", blocks)))) == ["hello"]


TAG = "<CCR-SUBAGENT-MODEL>anth,claude-x</CCR-SUBAGENT-MODEL>"


@pytest.mark.parametrize(
    "body",
    [
        chat(("user", TAG + "find it")),
        chat(("user", "find " + TAG + "it"), ("assistant", "no"), ("user", "again")),
        chat(("user", "hi")) | {"system": "You help. " + TAG},
        chat(("user", "hi")) | {"system": [{"type": "text", "text": t} for t in ("a", "b", TAG)]},
    ],
)
def test_the_subagent_tag_counts_in_system_and_first_user_message_and_is_taken_out(
    body: Body,
) -> None:
    plan = ask(body)
    assert (plan.rule, names(plan)) == ("subagent", ["anth,claude-x"])
    assert not any("SUBAGENT" in text for text in said(plan))


def test_the_tag_elsewhere_is_text() -> None:
    body = chat(("user", "hi"), ("assistant", "ok"), ("user", TAG))
    plan = ask(body)
    assert plan.rule == "default"
    assert said(plan) == ["hi", "ok", TAG]
    reminded = f"<system-reminder>CLAUDE.md: begin a subagent's prompt with {TAG}</system-reminder>"
    plan = ask(chat(("user", reminded + "hi")))
    assert (plan.rule, said(plan)) == ("default", [reminded + "hi"])
    plan = ask(chat(("user", reminded + "find " + TAG.replace("anth,claude-x", "gem,x"))))
    assert (names(plan), said(plan)) == (["gem,x"], [reminded + "find "])
    beaten = chat(("user", "hi " + TAG)) | {"model": "gem,x"}
    assert said(ask(beaten)) == ["hi "], "taken out, whichever rule decided"


def test_hostile_texts_cost_no_more_than_their_length() -> None:
    """Quadratic matching would take minutes here and meet the suite's timeout."""
    for text in (
        "<system-reminder>" * 20_000 + "/model",
        "```\n" * 50_001 + "/model gem,x",
        "/model " * 50_000,
        "<CCR-SUBAGENT-MODEL>" * 20_000,
        " " * 300_000 + "/model gem,x",
    ):
        assert list(directives(text)) == []
        request = parse_request(
            msgspec.json.encode({"messages": [{"role": "user", "content": text}]})
        )
        facts = look_at(request, Caller("ccr", "ccr", {}), 1, True)
        assert isinstance(facts, Facts)
