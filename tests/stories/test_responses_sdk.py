"""OpenAI's SDK speaking the Responses API to a router with nothing configured.

The models stand behind both other dialects: gpt-4o is asked as OpenAI chat, claude-sonnet as
Anthropic messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from tests.harness import Running

BASES = [("front", "/litellm/v1", "gpt-4o"), ("litellm", "", "claude-sonnet")]
BASES.append(("front", "/claude-code/v1", "claude-opus-5-5"))
FIELDS = {
    "type": "object",
    "properties": {"command": {"type": "string"}},
    "required": ["command"],
    "additionalProperties": False,
}
RUN: Any = {"type": "function", "name": "run_shell", "parameters": FIELDS, "strict": True}


class Title(BaseModel):
    title: str


@pytest.fixture(params=BASES, ids=[model for *_, model in BASES])
def gpt(request: pytest.FixtureRequest, router: Running) -> Iterator[tuple[Any, str]]:
    """A client, and the model to ask for."""
    at, path, model = request.param
    with openai.OpenAI(base_url=getattr(router, at) + path, api_key="k", max_retries=0) as client:
        yield client.responses, model


def test_whole_and_streamed_answers_are_the_same(gpt: Any) -> None:
    responses, model = gpt
    whole = responses.create(model=model, input="hello", instructions="be terse")
    assert (whole.status, whole.model, "“hello”" in whole.output_text) == (
        "completed",
        model,
        True,
    )
    assert whole.usage.total_tokens > 0
    events = list(
        responses.create(model=model, input="hello", instructions="be terse", stream=True)
    )
    last = events[-1]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (last.type, last.response.output_text) == ("response.completed", whole.output_text)
    assert last.response.usage == whole.usage
    said = "".join(e.delta for e in events if e.type == "response.output_text.delta")
    assert said == whole.output_text


def test_a_tool_loop_and_a_form(gpt: Any) -> None:
    responses, model = gpt
    with responses.stream(model=model, input="do something", tools=[RUN]) as stream:
        for _ in stream:
            pass
        made = stream.get_final_response()
    call = made.output[-1]
    assert (call.type, call.name) == ("function_call", "run_shell")
    assert call.parsed_arguments == {"command": "echo hello from the simulator"}
    said: list[Any] = [{"role": "user", "content": "do something"}]
    said += [item.model_dump(exclude_none=True) for item in made.output]
    said.append({"type": "function_call_output", "call_id": call.call_id, "output": "42"})
    ended = responses.create(model=model, input=said, tools=[RUN])
    assert (ended.output[-1].type, "“42”" in ended.output_text) == ("message", True)
    titled = responses.parse(model=model, input="hello", text_format=Title)
    assert titled.output_parsed == Title(title="Simulated: hello")


def test_what_only_openai_keeps_is_refused_in_its_words(gpt: Any) -> None:
    responses, model = gpt
    with pytest.raises(openai.BadRequestError) as refused:
        responses.create(model=model, input="hello", previous_response_id="resp_x")
    assert refused.value.code == "previous_response_not_found"
    assert refused.value.param == "previous_response_id"
    with pytest.raises(openai.BadRequestError, match="file_search"):
        responses.create(
            model=model,
            input="hello",
            tools=[{"type": "file_search", "vector_store_ids": ["v"]}],
        )


def test_going_on_from_a_response(gpt: Any) -> None:
    """Kept in memory for the key that made it, whichever provider answers."""
    responses, model = gpt
    first = responses.create(model=model, input="do something", tools=[RUN])
    call = first.output[-1]
    answered: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": "42"}]
    go_on = {"model": model, "input": answered, "previous_response_id": first.id, "tools": [RUN]}
    *_, last = responses.create(**go_on, stream=True)
    second = last.response
    assert "“42”" in second.output_text
    assert second.previous_response_id == first.id
    third = responses.create(model=model, input="bye", previous_response_id=second.id)
    assert third.usage.input_tokens > first.usage.input_tokens

    assert responses.retrieve(second.id).output == second.output
    items = responses.input_items.list(second.id)
    assert [item.type for item in items] == ["function_call_output"]
    assert responses.input_tokens.count(model=model, input="hello").input_tokens > 0
    with pytest.raises(openai.BadRequestError, match="synchronous"):
        responses.cancel(second.id)
    responses.delete(second.id)
    with pytest.raises(openai.NotFoundError):
        responses.retrieve(second.id)
    with pytest.raises(openai.BadRequestError, match="not found"):
        responses.create(model=model, input="x", previous_response_id=third.id)  # its chain is cut
    with pytest.raises(openai.NotFoundError):
        responses.retrieve(first.id, extra_headers={"authorization": "Bearer another"})
    unkept = responses.create(model=model, input="hello", store=False)
    with pytest.raises(openai.NotFoundError):
        responses.retrieve(unkept.id)
