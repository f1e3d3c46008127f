"""A glance at a whole answer says what reading all of it would say, or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.errors import UpstreamError
from router.messages import Finish, UsageSeen
from tests.router.formats.wire import FORMATS, O, dumps, provider

R = FORMATS["openai_responses"]
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
USAGE = {"prompt_tokens": 30, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 9}}


def answer(**more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "words"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "c", "object": "chat.completion", "choices": [choice], "usage": USAGE} | more


def choice(reason: Any, **message: Any) -> list[dict[str, Any]]:
    return [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}]


@pytest.mark.parametrize(
    "body",
    [
        answer(),
        answer(choices=choice("length", content="words")),
        answer(choices=choice("tool_calls", content=None, tool_calls=[CALL])),
        answer(usage={"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 9}),
    ],
)
def test_a_complete_answer_is_told_at_a_glance(body: dict[str, Any]) -> None:
    seen = O.glance(dumps(body), provider())
    whole = O.read_response(dumps(body), provider())
    assert seen == [event for event in whole if isinstance(event, UsageSeen | Finish)]


@pytest.mark.parametrize(
    "body",
    [
        answer(usage=None),
        answer(usage={}),
        answer(usage={"prompt_tokens": 3, "completion_tokens": 0}),
        answer(choices=[]),
        answer(choices=choice("stop", content="a") + choice("stop", content="b")),
        answer(choices=choice("error", content="a")),
        answer(choices=choice(None, content="a")),
        answer(error={"message": "broken"}),
        answer(object="error"),
        [],
    ],
)
def test_anything_else_is_read_whole(body: Any) -> None:
    assert O.glance(dumps(body), provider()) is None


_PIECES = st.sampled_from(["words", " ", "\n", "\xa0", "<think>", "</think>", "<", "é"])


@given(
    content=st.none() | st.lists(_PIECES, max_size=4).map("".join),
    more=st.dictionaries(
        st.sampled_from(["refusal", "reasoning_content", "tool_calls", "function_call"]),
        st.sampled_from([None, "", "said", [], [CALL]]),
        max_size=2,
    ),
    reason=st.sampled_from(["stop", "length", "tool_calls", "content_filter", None]),
    rest=st.dictionaries(
        st.sampled_from(["id", "model", "usage", "service_tier", "object"]),
        st.sampled_from([None, "chat.completion", "flex", {}, USAGE]),
        max_size=2,
    ),
)
def test_an_answer_of_words_alone_is_read_as_any_other(
    content: str | None, more: dict[str, Any], reason: str | None, rest: dict[str, Any]
) -> None:
    body = answer(choices=choice(reason, content=content, **more)) | rest
    # a field that means nothing, but sends it the long way
    longer = answer(choices=[body["choices"][0] | {"matched_stop": 5}]) | rest
    assert events(body) == events(longer)


def events(body: Any) -> Any:
    try:
        return O.read_response(dumps(body), provider())
    except UpstreamError as error:
        return (error.kind, error.message)


@given(st.binary(max_size=80) | st.builds(dumps, st.fixed_dictionaries({"usage": st.integers()})))
def test_any_bytes_are_no_surprise(body: bytes) -> None:
    seen = O.glance(body, provider())
    if seen is not None:
        try:
            O.read_response(body, provider())
        except UpstreamError:
            pytest.fail("a glance took for good what is not an answer")


@pytest.mark.parametrize(
    "kind", ["message", "function_call", "custom_tool_call", "web_search_call", "reasoning"]
)
def test_a_glance_at_a_response_tells_the_clients_calls_from_the_servers(kind: str) -> None:
    item = {"type": kind, "call_id": "c", "name": "f", "arguments": "{}", "input": "x"}
    usage = {"input_tokens": 3, "output_tokens": 2}
    body = dumps({"id": "r", "status": "completed", "output": [item], "usage": usage})
    whole = R.read_response(body, provider("openai", format=R.name))
    seen = R.glance(body, provider("openai", format=R.name))
    assert seen == [event for event in whole if isinstance(event, UsageSeen | Finish)]
