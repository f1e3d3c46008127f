"""What one connection remembers of its newest response, and when it no longer does."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from router.errors import CallerError
from router.responses.latest import Asked, Latest

CALL = {"type": "function_call", "call_id": "c1", "name": "run", "arguments": "{}"}
SAID = {"type": "message", "role": "assistant", "content": "yes"}


def message(**said: Any) -> bytes:
    return msgspec.json.encode({"type": "response.create", "model": "m", "input": "go", **said})


def ask(latest: Latest, known: str = "", **said: Any) -> Asked:
    return latest.asked(message(**said), known.__eq__)


def sent(asked: Asked) -> Any:
    return msgspec.json.decode(asked.body)


def answered(latest: Latest, asked: Asked, id: str, *output: Any) -> None:
    latest.answered(asked, id, msgspec.json.encode(output))


def test_a_turn_that_nobody_keeps_is_gone_on_from_with_all_that_came_before() -> None:
    latest = Latest(10_000)
    first = ask(latest, store=False)
    assert sent(first) == {"model": "m", "input": "go", "store": False, "stream": True}
    unsealed = {"type": "reasoning", "summary": []}
    sealed = unsealed | {"encrypted_content": "s"}
    answered(latest, first, "r1", unsealed, sealed, CALL)
    result = {"type": "function_call_output", "call_id": "c1", "output": "ok"}
    second = ask(latest, store=False, previous_response_id="r1", input=[result])
    body = sent(second)
    assert body["input"][1:] == [sealed, CALL, result]  # a thought without its seal is nobody's
    assert "previous_response_id" not in body
    assert second.previous == "r1"
    answered(latest, second, "r2", SAID)
    third = sent(ask(latest, store=False, previous_response_id="r2", input="more"))
    assert [item["type"] for item in third["input"]][2:] == [
        *("function_call", "function_call_output", "message", "message"),
    ]


def test_a_turn_that_is_kept_is_gone_on_from_by_its_id() -> None:
    latest = Latest(10_000)
    answered(latest, ask(latest), "r1", SAID)
    second = ask(latest, store=False, previous_response_id="r1")
    assert sent(second) == {
        **{"model": "m", "input": "go", "store": False, "stream": True},
        "previous_response_id": "r1",
    }
    answered(latest, second, "r2", SAID)
    third = sent(ask(latest, previous_response_id="r2"))
    assert third["previous_response_id"] == "r1"  # what came before is known where r1 is
    assert [item["role"] for item in third["input"]] == ["user", "assistant", "user"]


def test_a_warm_up_is_only_known_here() -> None:
    latest = Latest(10_000)
    warm = ask(latest, generate=False, input="be brief")
    assert not warm.generate
    answered(latest, warm, "w")
    body = sent(ask(latest, previous_response_id="w"))
    assert [item["content"] for item in body["input"]] == ["be brief", "go"]
    assert "previous_response_id" not in body


def test_it_is_forgotten() -> None:
    orphan = [{"type": "function_call_output", "call_id": "other", "output": "x"}]
    latest = Latest(10_000)

    def begin(size: int = 1) -> None:
        answered(latest, ask(latest, store=False, input="x" * size), "r1", SAID)

    def lost() -> bool:
        try:
            ask(latest, store=False, previous_response_id="r1")
        except CallerError as error:
            return error.code == "previous_response_not_found"
        return False

    begin()
    assert not lost()
    latest.failed(ask(latest, store=False))  # a turn that had nothing to do with it
    assert not lost()
    latest.failed(ask(latest, store=False, previous_response_id="r1"))
    assert lost()
    begin()
    with pytest.raises(CallerError, match="No tool call found for function call output with"):
        ask(latest, store=False, previous_response_id="r1", input=orphan)
    assert lost()
    begin(size=20_000)
    assert lost()
    begin()
    answered(latest, ask(latest, store=False), "r2", SAID)
    assert lost()
    assert ask(latest, known="r9", store=False, previous_response_id="r9").before == "r9"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (b"{", "request_body"),
        (b"[]", "request_body"),
        (b'"text"', "request_body"),
        (b"\xff", "request_body"),
        (b'{"input": "go"}', "type"),
        (message(type="response.cancel"), "type"),
        (message(stream_id="two"), "stream_id"),
        (message(store=False, previous_response_id="r0"), "previous_response_id"),
        (message(type="response.create", input=7), "input"),
    ],
)
def test_what_is_no_request(said: bytes, field: str) -> None:
    with pytest.raises(CallerError) as refused:
        Latest(1000).asked(said, "".__eq__)
    assert refused.value.param == field
