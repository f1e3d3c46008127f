"""The official SDKs against a real simulator process, streamed and whole."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from anthropic.types import ToolUseBlock
from openai.types.chat import ChatCompletionMessageFunctionToolCall

from router.simulator.answer import COMMAND
from tests.router.simulator.simulators import simulator

SHELL = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}
READ = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
TITLE = {
    "type": "object",
    "properties": {"title": {"type": "string", "maxLength": 20}},
    "required": ["title"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with simulator() as address:
        yield address


@pytest.fixture
def claude(base: str) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=base, api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def gpt(base: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{base}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_messages_whole_and_streamed_are_the_same(claude: anthropic.Anthropic) -> None:
    ask: dict[str, Any] = {
        "model": "claude-opus-5-5",
        "max_tokens": 1000,
        "system": "You are terse.",
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "messages": [{"role": "user", "content": "hello from the SDK"}],
    }
    whole = claude.messages.create(**ask)
    with claude.messages.stream(**ask) as stream:
        streamed = stream.get_final_message()
    for made in (whole, streamed):
        thought, text = made.content
        assert (thought.type, text.type) == ("thinking", "text")
    assert whole.content[0].to_dict().keys() == streamed.content[0].to_dict().keys()
    assert getattr(whole.content[1], "text", None) == getattr(streamed.content[1], "text", None)
    assert "simulat" in str(whole.content[1])
    assert "hello from the SDK" in str(whole.content[1])
    assert whole.usage == streamed.usage
    assert (whole.stop_reason, whole.model) == ("end_turn", "claude-opus-5-5")
    counted = claude.messages.count_tokens(
        **{name: value for name, value in ask.items() if name != "max_tokens"}
    )
    assert counted.input_tokens == whole.usage.input_tokens


def test_a_tool_is_called_and_its_result_is_answered(claude: anthropic.Anthropic) -> None:
    ask: dict[str, Any] = {
        "model": "m",
        "max_tokens": 500,
        "tools": [{"name": "Read", "input_schema": READ}, {"name": "Bash", "input_schema": SHELL}],
    }
    said: list[Any] = [{"role": "user", "content": "do something"}]
    whole = claude.messages.create(messages=said, **ask)
    with claude.messages.stream(messages=said, **ask) as stream:
        streamed = stream.get_final_message()
    for made in (whole, streamed):
        call = made.content[-1]
        assert isinstance(call, ToolUseBlock)
        assert (made.stop_reason, call.name, call.input) == (
            "tool_use",
            "Bash",
            {"command": COMMAND},
        )
    call = whole.content[-1]
    assert isinstance(call, ToolUseBlock)
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "hello, world"}
    said += [{"role": "assistant", "content": whole.content}, {"role": "user", "content": [result]}]
    ended = claude.messages.create(messages=said, **ask)
    assert ended.stop_reason == "end_turn"
    assert "“hello, world”" in str(ended.content)


def test_messages_limits(claude: anthropic.Anthropic) -> None:
    said: list[Any] = [{"role": "user", "content": "hello"}]
    short = claude.messages.create(model="m", max_tokens=3, messages=said)
    assert (short.stop_reason, short.usage.output_tokens) == ("max_tokens", 3)
    stopped = claude.messages.create(
        model="m", max_tokens=300, messages=said, stop_sequences=["It ends with", "“hello”"]
    )
    assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", "It ends with")
    assert "It ends with" not in str(stopped.content)
    with pytest.raises(anthropic.RateLimitError) as limited:
        claude.messages.create(model="simulate-429", max_tokens=3, messages=said)
    assert limited.value.response.headers["retry-after"] == "1"
    with pytest.raises(anthropic.InternalServerError, match="Overloaded"):
        claude.messages.create(model="simulate-529", max_tokens=3, messages=said)
    with pytest.raises(
        anthropic.BadRequestError, match=r"prompt is too long: \d+ tokens > \d+ max"
    ):
        claude.messages.create(model="simulate-too-long", max_tokens=3, messages=said)
    with (
        pytest.raises(anthropic.APIStatusError, match="Overloaded"),
        claude.messages.stream(model="simulate-error", max_tokens=99, messages=said) as stream,
    ):
        stream.get_final_message()
    with pytest.raises(anthropic.APIConnectionError):
        claude.messages.create(model="simulate-cut", max_tokens=99, messages=said)
    assert next(model.id for model in claude.models.list()).startswith("claude")
    assert claude.models.retrieve("claude-x").display_name == "claude-x (simulated)"


def test_chat_whole_and_streamed_are_the_same(gpt: openai.OpenAI) -> None:
    ask: dict[str, Any] = {
        "model": "deepseek-reasoner",
        "messages": [{"role": "user", "content": "hello from the SDK"}],
    }
    raw = gpt.chat.completions.with_raw_response.create(**ask)
    assert raw.headers["x-pointsman-simulated"] == "1"
    whole = raw.parse()
    chunks = list(
        gpt.chat.completions.create(**ask, stream=True, stream_options={"include_usage": True})
    )
    usage, choices = chunks[-1].usage, [chunk.choices[0] for chunk in chunks[:-1]]
    assert chunks[-1].choices == []
    assert usage == whole.usage
    message = whole.choices[0].message
    assert "".join(choice.delta.content or "" for choice in choices) == message.content
    thought = "".join(getattr(one.delta, "reasoning_content", None) or "" for one in choices)
    assert thought == message.reasoning_content != ""
    assert [one.finish_reason for one in choices if one.finish_reason] == ["stop"]
    assert usage is not None
    assert usage.completion_tokens_details is not None
    assert 0 < (usage.completion_tokens_details.reasoning_tokens or 0) < usage.completion_tokens
    quiet = list(gpt.chat.completions.create(**ask, stream=True))
    assert all(chunk.usage is None and chunk.choices for chunk in quiet)


def test_chat_tools_and_json(gpt: openai.OpenAI) -> None:
    ask: dict[str, Any] = {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "do something"}],
        "tools": [
            {"type": "function", "function": {"name": "read", "parameters": READ}},
            {"type": "function", "function": {"name": "run_shell", "parameters": SHELL}},
        ],
    }
    whole = gpt.chat.completions.create(**ask).choices[0]
    with gpt.chat.completions.stream(**ask) as stream:
        streamed = stream.get_final_completion().choices[0]
    for made in (whole, streamed):
        assert made.finish_reason == "tool_calls"
        assert made.message.tool_calls
        call = made.message.tool_calls[0]
        assert isinstance(call, ChatCompletionMessageFunctionToolCall)
        assert call.function.name == "run_shell"
        assert call.function.arguments == f'{{"command":"{COMMAND}"}}'
    assert whole.message.tool_calls
    result = {"role": "tool", "tool_call_id": whole.message.tool_calls[0].id, "content": "42"}
    after = [*ask["messages"], whole.message, result]
    ended = gpt.chat.completions.create(**{**ask, "messages": after}).choices[0]
    assert ended.finish_reason == "stop"
    assert "“42”" in (ended.message.content or "")
    choices: list[tuple[Any, str | None]] = [
        ("none", None),
        ({"type": "function", "function": {"name": "read"}}, '{"path":"simulated path"}'),
    ]
    for choice, expected in choices:
        made = gpt.chat.completions.create(**ask, tool_choice=choice).choices[0]
        calls = made.message.tool_calls or []
        assert [call.function.arguments for call in calls] == ([expected] if expected else [])

    form = {"type": "json_schema", "json_schema": {"name": "t", "schema": TITLE, "strict": True}}
    titled = gpt.chat.completions.create(**{**ask, "tools": openai.omit, "response_format": form})
    assert titled.choices[0].message.content == '{"title":"Simulated: do someth"}'


def test_what_follows_a_result_does_not_ask_for_another_call(gpt: openai.OpenAI) -> None:
    """A picture that a tool gave, or a reminder, comes as the user's message after the result. And
    a tool may have a field of any name."""
    fields = {"command": {"type": "string"}, "type": {"enum": ["a"]}, "cache_control": {}}
    shell: Any = {"name": "Bash", "parameters": {"type": "object", "properties": fields}}
    ask: Any = {"model": "m", "tools": [{"type": "function", "function": shell}]}
    said: list[Any] = [{"role": "user", "content": "do something"}]
    called = gpt.chat.completions.create(messages=said, **ask).choices[0].message
    assert called.tool_calls
    said += [called, {"role": "tool", "tool_call_id": called.tool_calls[0].id, "content": "42"}]
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    said.append({"role": "user", "content": [picture]})
    ended = gpt.chat.completions.create(messages=said, **ask).choices[0]
    assert ended.finish_reason == "stop"
    assert "“42”" in (ended.message.content or "")
    said += [ended.message, {"role": "user", "content": "again"}]
    assert gpt.chat.completions.create(messages=said, **ask).choices[0].message.tool_calls


def test_chat_limits_and_the_other_endpoints(gpt: openai.OpenAI) -> None:
    said: list[Any] = [{"role": "user", "content": "hello"}]
    short = gpt.chat.completions.create(model="m", messages=said, max_completion_tokens=3)
    assert (short.choices[0].finish_reason, short.usage and short.usage.completion_tokens) == (
        "length",
        3,
    )
    with pytest.raises(openai.InternalServerError, match="500"):
        gpt.chat.completions.create(model="simulate-500", messages=said)
    with pytest.raises(openai.BadRequestError, match="at least one message"):
        gpt.chat.completions.create(model="m", messages=[])
    with pytest.raises(openai.APIError, match="Overloaded"):
        list(gpt.chat.completions.create(model="simulate-error", messages=said, stream=True))
    old = gpt.completions.create(model="m", prompt="Once upon a time", max_tokens=5)
    parts = gpt.completions.create(model="m", prompt="Once upon a time", max_tokens=5, stream=True)
    assert "".join(part.choices[0].text for part in parts) == old.choices[0].text != ""
    assert "gpt-4o" in [model.id for model in gpt.models.list()]
    assert gpt.models.retrieve("anything/at-all").id == "anything/at-all"


def test_embeddings(gpt: openai.OpenAI) -> None:
    packed = gpt.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
    plain = gpt.embeddings.create(
        model="text-embedding-3-small", input=["one", "two"], encoding_format="float"
    )
    one, two = (item.embedding for item in packed.data)
    assert len(one) == 1536
    assert one != two
    assert math.isclose(sum(value * value for value in one), 1, rel_tol=1e-5)
    assert one == pytest.approx(plain.data[0].embedding, abs=1e-6)
    assert packed.usage == plain.usage
    assert packed.usage.total_tokens == 2
    few = gpt.embeddings.create(model="m", input=[[1, 2, 3]], dimensions=8)
    assert (len(few.data[0].embedding), few.usage.prompt_tokens) == (8, 3)
    with pytest.raises(openai.BadRequestError, match="dimensions"):
        gpt.embeddings.create(model="m", input="x", dimensions=99_999)
    with pytest.raises(openai.BadRequestError, match="input"):
        gpt.embeddings.create(model="m", input=[])
