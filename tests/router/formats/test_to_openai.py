"""Conversations of Anthropic clients, as OpenAI-compatible providers want them (Q01-Q22, K01-K06)
and back again where the format is the same."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from router.errors import UpstreamError
from router.formats.names import plain
from router.policy import ANSWERS
from tests.router.formats.wire import (
    PNG,
    PNG_URL,
    A,
    O,
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

MARK = {"cache_control": {"type": "ephemeral"}}


def sent(kind: str = "compatible", model: str = "m", /, **body: Any) -> dict[str, Any]:
    """What a provider of that kind gets for an Anthropic request."""
    rendered = O.render_request(ask_a(**body), provider(kind), model)
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(rendered))
    return decoded


def system(content: Any) -> dict[str, Any]:
    return {"role": "system", "content": content}


def called(*ids: str, content: Any = None, **input: Any) -> dict[str, Any]:
    arguments = msgspec.json.encode(input).decode()
    calls = [
        {"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}}
        for id in ids
    ]
    return {"role": "assistant", "content": content, "tool_calls": calls}


def answered(id: str, content: str = "ok") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id, "content": content}


BILLING = text("x-anthropic-billing-header: cc_version=9; cc_entrypoint=cli;")

SYSTEMS = {
    "Q01-string": ("S", [system("S")]),
    "Q01-list": ([text("A", **MARK), text("B")], [system("A\n\nB")]),
    "Q01-billing": ([BILLING, text("A")], [system("A")]),
    "Q01-empty-list": ([], []),
    "Q01-empty-text": ([text("")], []),
    "Q01-not-text": ([text("A"), {"type": "future", "x": 1}], [system("A")]),
    "Q01-null": (None, []),
}


@pytest.mark.parametrize(("given", "expected"), SYSTEMS.values(), ids=SYSTEMS.keys())
def test_system(given: Any, expected: Any) -> None:
    assert sent(system=given)["messages"] == [*expected, user("hi")]


PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}
TURNS: dict[str, tuple[list[Any], list[Any]]] = {
    "Q02-string-and-list": ([user("a"), user([text("b")])], [user("a"), user("b")]),
    "Q02-empty-text": ([user([text(""), text("b")])], [user("b")]),
    "Q02-empty-assistant": ([user("a"), bot([]), bot("")], [user("a")]),
    "Q02-several-texts": ([user([text("a"), text("b")])], [user("a\n\nb")]),
    "Q03-text-and-calls": (
        [
            user("a"),
            bot([text("t"), use("1", x=1), use("2", x=1)]),
            user([result("1"), result("2")]),
        ],
        [user("a"), called("1", "2", content="t", x=1), answered("1"), answered("2")],
    ),
    "Q03-no-input": (
        [bot([use("1")]), user([result("1")])],
        [called("1"), answered("1")],
    ),
    "Q04-results-first": (
        [bot([use("1")]), user([text("then"), result("1")])],
        [called("1"), answered("1"), user("then")],
    ),
    "Q04-missing-filled": (
        [bot([use("1"), use("2")]), user([result("2"), text("go")])],
        [called("1", "2"), answered("2"), answered("1", "(no result)"), user("go")],
    ),
    "Q04-missing-at-the-end": ([bot([use("1")])], [called("1"), answered("1", "(no result)")]),
    "Q04-orphan-dropped": ([user([result("9"), text("go")])], [user("go")]),
    "Q04-split-results": (
        [bot([use("1"), use("2")]), user([result("1")]), user([result("2")])],
        [called("1", "2"), answered("1"), answered("2")],
    ),
    "Q04-system-between": (
        [bot([use("1")]), system("note"), user([result("1")])],
        [called("1"), answered("1"), system("note")],
    ),
    "Q05-string": ([bot([use("1")]), user([result("1", "s")])], [called("1"), answered("1", "s")]),
    "Q05-texts": (
        [bot([use("1")]), user([result("1", [text("a"), text("b")])])],
        [called("1"), answered("1", "a\n\nb")],
    ),
    "Q05-empty": (
        [bot([use("1")]), user([result("1", [])])],
        [called("1"), answered("1", "(no output)")],
    ),
    "Q05-absent": (
        [bot([use("1")]), user([{"type": "tool_result", "tool_use_id": "1"}])],
        [called("1"), answered("1", "(no output)")],
    ),
    "Q05-error": (
        [bot([use("1")]), user([result("1", "boom", is_error=True)])],
        [called("1"), answered("1", "Error: boom")],
    ),
    "Q05-image": (
        [bot([use("1")]), user([result("1", [text("a"), PNG])])],
        [called("1"), answered("1", "a"), user([PNG_URL])],
    ),
    "Q05-image-alone": (
        [bot([use("1"), use("2")]), user([result("1", [PNG]), result("2"), text("?")])],
        [
            called("1", "2"),
            answered("1", "(see the attached file)"),
            answered("2"),
            user([PNG_URL, text("?")]),
        ],
    ),
    "Q05-tool-reference": (
        [bot([use("1")]), user([result("1", [{"type": "tool_reference", "tool_name": "Grep"}])])],
        [called("1"), answered("1", "(tool Grep is available)")],
    ),
    "Q11-base64": ([user([text("?"), PNG])], [user([text("?"), PNG_URL])]),
    "Q11-url": (
        [user([{"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}])],
        [user([{"type": "image_url", "image_url": {"url": "https://x/y.png"}}])],
    ),
    "Q11-pdf": (
        [user([{"type": "document", "title": "d.pdf", "source": PDF}])],
        [
            user(
                [
                    {
                        "type": "file",
                        "file": {
                            "filename": "d.pdf",
                            "file_data": "data:application/pdf;base64,JVBE",
                        },
                    }
                ]
            )
        ],
    ),
    "Q11-text-document": (
        [user([{"type": "document", "title": "T", "source": {"type": "text", "data": "body"}}])],
        [user("T:\nbody")],
    ),
    "Q16-same-role-kept": ([user("a"), user("b")], [user("a"), user("b")]),
    "Q16-prefill": ([user("a"), bot("{")], [user("a"), bot("{")]),
    "Q22-system-in-the-middle": (
        [user("a"), system("env"), bot("b"), {"role": "developer", "content": "d"}],
        [user("a"), system("env"), bot("b"), system("d")],
    ),
    "K06-redacted": (
        [user("a"), bot([{"type": "redacted_thinking", "data": "x"}, text("b")])],
        [user("a"), bot("b")],
    ),
    "Q15-thinking-dropped": (
        [user("a"), bot([{"type": "thinking", "thinking": "t", "signature": "s"}, text("b")])],
        [user("a"), bot("b")],
    ),
    "Q18-unknown-block": ([user([{"type": "future"}, text("a")])], [user("a")]),
}


@pytest.mark.parametrize(("given", "expected"), TURNS.values(), ids=TURNS.keys())
def test_turns(given: list[Any], expected: list[Any]) -> None:
    body = sent(messages=given)
    assert body["messages"] == expected


def test_Q06_Q07_ids_and_names_are_made_acceptable_and_stay_matched() -> None:
    id, name = "toolu:1/" + "x" * 80, "mcp__server.with.dots__" + "n" * 80
    body = sent(
        messages=[bot([use(id, name)]), user([result(id)])],
        tools=[{"name": name, "input_schema": {}}],
        tool_choice={"type": "tool", "name": name},
    )
    made, answer = body["messages"]
    short = made["tool_calls"][0]["function"]["name"]
    assert answer["tool_call_id"] == made["tool_calls"][0]["id"] == plain(id)
    assert short == body["tools"][0]["function"]["name"] == plain(name)
    assert body["tool_choice"]["function"]["name"] == short
    assert len(short) <= 64
    assert plain(name + "1") != short, "what was cut off still tells them apart"
    assert len(answer["tool_call_id"]) <= 64


def test_Q03_a_call_without_arguments_has_an_empty_object() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": ""}}
    turns = [user("a"), bot(None, tool_calls=[call])]
    body = O.render_request(ask_o(messages=turns), provider("compatible"), "m")
    assert body["messages"][1]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_Q11_a_file_that_has_no_form_there_is_refused_for_another_candidate() -> None:
    upload = {"type": "container_upload", "file_id": "f"}
    with pytest.raises(UpstreamError, match="container_upload") as refused:
        sent(messages=[user([upload])])
    assert ANSWERS[refused.value.kind] == "next"


def test_Q15_thinking_goes_back_where_a_tool_loop_needs_it() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "openrouter:sig"}
    loop = [user("a"), bot([thought, use("1")]), user([result("1")]), bot([thought, text("b")])]
    deepseek = sent("deepseek", "deepseek-v4", messages=loop)["messages"]
    assert deepseek[1]["reasoning_content"] == "hm"
    assert "reasoning_content" not in deepseek[3]
    assert "reasoning_content" not in sent("deepseek", "deepseek-r1", messages=loop)["messages"][1]
    routed = sent("openrouter", "x/y", messages=loop)["messages"][1]
    assert routed["reasoning_details"] == [
        {"type": "reasoning.text", "text": "hm", "signature": "sig"}
    ]
    # K03: a history that another model wrote has no thinking; the field must be there all the same
    bare = [user("a"), bot([use("1")]), user([result("1")])]
    assert sent("deepseek", "deepseek-v4", messages=bare)["messages"][1]["reasoning_content"] == ""


def test_K01_a_signature_is_replayed_only_to_who_signed() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "AnthropicsOwn=="}
    loop = [user("a"), bot([thought, use("1")]), user([result("1")])]
    routed = sent("openrouter", "x/y", messages=loop)["messages"][1]
    assert "reasoning_details" not in routed
    assert "AnthropicsOwn" not in str(routed)


def test_Q17_cache_marks_only_where_understood_and_stable() -> None:
    body = {
        "system": [text("A", **MARK), text("B")],
        "messages": [user([text("q", **MARK)])],
        "tools": [{"name": "f", "input_schema": {}, **MARK}],
    }
    assert "cache_control" not in str(sent("openai", "gpt-5", **body))
    kept = sent("openrouter", "anthropic/claude-x", **body)
    assert kept["messages"][0]["content"] == [text("A", **MARK), text("B")]
    assert kept["messages"][1]["content"] == [text("q", **MARK)]
    assert kept["tools"][0]["cache_control"] == MARK["cache_control"]
    moved = [user([text("a"), text("b")]), bot("r"), user([text("c", **MARK)])]
    texts = sent("openrouter", "anthropic/claude-x", messages=moved)["messages"][0]["content"]
    assert texts == [text("a"), text("b")], "as they were while the mark stood on them"
    longer = body["messages"] + [bot("r"), user("s")]
    again = sent("openrouter", "anthropic/claude-x", **(body | {"messages": longer}))
    assert again["messages"][:2] == kept["messages"]


def test_Q20_neither_model_nor_max_tokens() -> None:
    request = A.parse_request(dumps({"messages": [user("hi")], "context": "coder"}))
    assert (request.model, request.max_tokens, request.context) == (None, None, "coder")
    assert O.render_request(request, provider("compatible"), "m") == {
        "model": "m",
        "messages": [user("hi")],
    }


def test_K04_a_lost_gemini_signature_is_named_as_lost() -> None:
    loop = [bot([use("1"), use("2")]), user([result("1"), result("2")])]
    first, second = sent("gemini", "gemini-3-pro", messages=loop)["messages"][0]["tool_calls"]
    assert "thought_signature" in first["extra_content"]["google"]
    assert "extra_content" not in second


def test_same_format_through_the_canonical_form_keeps_what_was_sent() -> None:
    """O→O where the bytes cannot pass, as after a /model line was taken out."""
    body: dict[str, Any] = {
        "model": "gpt-x",
        "messages": [
            {"role": "system", "content": "S"},
            {"role": "user", "content": [text("a"), PNG_URL], "name": "bob"},
            {"role": "user", "content": [text("a"), text("b")]},
            {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "x"}}]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{bad"}}
                ],
            },
            {"role": "tool", "tool_call_id": "1", "content": "ok"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "f", "parameters": {}, "strict": True}},
            {"type": "custom", "custom": {"name": "g"}},
        ],
        "n": 2,
        "seed": 7,
        "logit_bias": {"1": 2},
        "reasoning_effort": "xhigh",
        "parallel_tool_calls": True,
        "max_tokens": 5,
    }
    rendered = O.render_request(ask_o(**body), provider("compatible"), "m")
    expected = body | {"model": "m"}
    expected["tools"][0]["function"]["parameters"] = {"type": "object", "properties": {}}
    assert rendered.pop("tool_choice") == "auto"
    assert rendered == expected
