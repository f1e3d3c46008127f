"""The official SDKs against a router with nothing configured: every door, every root.

What a raw stream looks like is checked with the SDKs' own strictness and more (grammar.py).
"""

from __future__ import annotations

from typing import Any

import anthropic
import httpx
import openai
import pytest
from anthropic.types import ToolUseBlock
from openai.types.chat import ChatCompletionMessageFunctionToolCall

from tests.harness import Running
from tests.router.formats.grammar import check_anthropic, check_openai

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5Er"
    "kJggg=="
)
FIELDS = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}
TITLE = {
    "type": "object",
    "properties": {"title": {"type": "string"}},
    "required": ["title"],
    "additionalProperties": False,
}
HELLO: list[Any] = [{"role": "user", "content": "hello"}]

#: door → (which base of Running, path of it, a model to ask for there)
LITELLM = {
    "/litellm/v1": ("front", "/litellm/v1", "gpt-4o"),
    "/litellm": ("front", "/litellm", "gpt-4o"),
    ":4000/v1": ("litellm", "/v1", "gpt-4o"),
    ":4000": ("litellm", "", "gpt-4o"),
}
CCR = {
    "/ccr": ("front", "/ccr", "claude-opus-5-5"),
    "/claude-code": ("front", "/claude-code", "claude-opus-5-5"),
    ":3456": ("ccr", "", "claude-opus-5-5"),
}
OPENAI = LITELLM | {
    f"{name}/v1": (at, f"{path}/v1", model) for name, (at, path, model) in CCR.items()
}
ANTHROPIC = CCR | {
    "/litellm": ("front", "/litellm", "claude-sonnet"),
    ":4000": ("litellm", "", "claude-sonnet"),
}


@pytest.fixture(params=OPENAI)
def gpt(request: pytest.FixtureRequest, router: Running) -> Any:
    """An OpenAI client at a door, with `ask` for what each call there needs."""
    at, path, model = OPENAI[request.param]
    with openai.OpenAI(base_url=getattr(router, at) + path, api_key="k", max_retries=0) as client:
        yield client, {"model": model}


@pytest.fixture(params=ANTHROPIC)
def claude(request: pytest.FixtureRequest, router: Running) -> Any:
    at, path, model = ANTHROPIC[request.param]
    base = getattr(router, at) + path
    with anthropic.Anthropic(base_url=base, api_key="k", max_retries=0) as client:
        yield client, {"model": model, "max_tokens": 2000}


def test_H08_openai_chat(gpt: Any) -> None:
    client, ask = gpt
    chat = client.chat.completions
    said = [{"role": "developer", "content": "be terse"}, *HELLO]
    raw = chat.with_raw_response.create(messages=said, **ask)
    whole = raw.parse()
    assert raw.headers["x-pointsman-simulated"] == "1"
    assert raw.headers["x-request-id"].startswith("req_")
    assert raw.headers["x-pointsman-model"]
    assert (whole.model, whole.choices[0].finish_reason) == (ask["model"], "stop")
    assert "“hello”" in whole.choices[0].message.content
    chunks = list(chat.create(messages=said, stream=True, **ask))
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == (
        whole.choices[0].message.content
    )
    assert all(chunk.usage is None for chunk in chunks)
    told = chat.create(messages=said, stream=True, stream_options={"include_usage": True}, **ask)
    assert list(told)[-1].usage.total_tokens == whole.usage.total_tokens > 0
    with chat.with_streaming_response.create(messages=said, stream=True, **ask) as wire:
        assert wire.headers["content-type"] == "text/event-stream; charset=utf-8"
        checked = check_openai(b"".join(wire.iter_bytes()))
    assert (checked["model"], checked["reason"]) == (ask["model"], "stop")


def test_openai_tools_pictures_and_forms(gpt: Any) -> None:
    client, ask = gpt
    chat = client.chat.completions
    tools = [
        {"type": "function", "function": {"name": name, "parameters": FIELDS}}
        for name in ("read", "run_shell")
    ]
    said: list[Any] = [{"role": "user", "content": "do something"}]
    whole = chat.create(messages=said, tools=tools, **ask).choices[0]
    with chat.stream(messages=said, tools=tools, **ask) as stream:
        streamed = stream.get_final_completion().choices[0]
    for made in (whole, streamed):
        call = made.message.tool_calls[0]
        assert made.finish_reason == "tool_calls"
        assert isinstance(call, ChatCompletionMessageFunctionToolCall)
        assert call.function.name == "run_shell"
    said += [whole.message]
    said += [{"role": "tool", "tool_call_id": whole.message.tool_calls[0].id, "content": "42"}]
    ended = chat.create(messages=said, tools=tools, **ask).choices[0]
    assert (ended.finish_reason, "“42”" in ended.message.content) == ("stop", True)

    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    seen = chat.create(messages=[{"role": "user", "content": [picture]}], **ask)
    assert seen.usage.prompt_tokens > 1000  # the simulator's flat price of a picture
    form = {"type": "json_schema", "json_schema": {"name": "t", "schema": TITLE, "strict": True}}
    titled = chat.create(messages=HELLO, response_format=form, **ask).choices[0].message.content
    assert titled == '{"title":"Simulated: hello"}'
    cut = chat.create(messages=HELLO, stop=["It ends"], **ask).choices[0]
    assert (cut.finish_reason, "It ends" in cut.message.content) == ("stop", False)
    short = chat.create(messages=HELLO, max_completion_tokens=3, **ask).choices[0]
    assert short.finish_reason == "length"
    listed = [model.id for model in client.models.list()]
    assert client.models.retrieve(listed[0]).id == listed[0]


def test_openai_mistakes(gpt: Any) -> None:
    client, ask = gpt
    chat = client.chat.completions
    with pytest.raises(openai.BadRequestError, match="at least one message") as none:
        chat.create(messages=[], **ask)
    assert none.value.param == "messages"
    named = client.chat.completions.with_raw_response.create
    with pytest.raises((openai.BadRequestError, openai.NotFoundError), match="nowhere") as unknown:
        named(model="nowhere,m", messages=HELLO)
    assert unknown.value.code in ("400", "404", "provider_not_found")
    with pytest.raises((openai.BadRequestError, openai.NotFoundError), match="nowhere"):
        list(chat.create(model="nowhere,m", messages=HELLO, stream=True))
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nowhere")
    with pytest.raises(openai.APIStatusError) as wrong:
        client.get("/chat/completions", cast_to=object)
    assert wrong.value.status_code == 405


@pytest.mark.parametrize("door", LITELLM)
def test_openai_embeddings(router: Running, door: str) -> None:
    at, path, _ = LITELLM[door]
    with openai.OpenAI(base_url=getattr(router, at) + path, api_key="k", max_retries=0) as client:
        packed = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
        plain = client.embeddings.create(
            model="text-embedding-3-small", input=["one", "two"], encoding_format="float"
        )
        few = client.embeddings.create(model="text-embedding-3-large", input="x", dimensions=8)
        with pytest.raises(openai.BadRequestError, match="Invalid model name"):
            client.embeddings.create(model="nowhere", input="x")
    assert [len(item.embedding) for item in packed.data] == [1536, 1536]
    assert packed.data[1].embedding == pytest.approx(plain.data[1].embedding, abs=1e-6)
    assert (packed.model, packed.usage.prompt_tokens) == ("text-embedding-3-small", 2)
    assert (few.model, len(few.data[0].embedding)) == ("text-embedding-3-large", 8)


def test_H08_anthropic_messages(claude: Any) -> None:
    client, ask = claude
    raw = client.messages.with_raw_response.create(messages=HELLO, system="be terse", **ask)
    whole = raw.parse()
    assert raw.headers["x-pointsman-simulated"] == "1"
    assert raw.headers["request-id"] == whole._request_id
    assert (whole.model, whole.stop_reason, whole.content[0].type) == (
        ask["model"],
        "end_turn",
        "text",
    )
    said: Any = {
        "messages": HELLO,
        "system": [{"type": "text", "text": "be terse", "cache_control": {"type": "ephemeral"}}],
    }
    with client.messages.stream(**said, **ask) as stream:
        streamed = stream.get_final_message()
    assert [block.text for block in streamed.content] == [whole.content[0].text]
    assert streamed.usage.input_tokens == whole.usage.input_tokens > 0
    assert streamed.usage.output_tokens == whole.usage.output_tokens > 0
    thinking: list[Any] = [{"type": "enabled", "budget_tokens": 1024}, {"type": "adaptive"}]
    for wish in thinking:
        thought = client.messages.create(messages=HELLO, thinking=wish, **ask)
        assert [block.type for block in thought.content] == ["thinking", "text"]
    with client.messages.with_streaming_response.create(
        messages=HELLO, thinking=thinking[0], stream=True, **ask
    ) as wire:
        checked = check_anthropic(b"".join(wire.iter_bytes()))
    assert [block["type"] for block in checked["content"]] == ["thinking", "text"]
    assert checked["model"] == ask["model"]


def test_anthropic_tools_pictures_and_the_rest(claude: Any) -> None:
    client, ask = claude
    tools = [{"name": name, "input_schema": FIELDS} for name in ("Read", "Bash")]
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    picture = {"type": "image", "source": source}
    said: list[Any] = [{"role": "user", "content": "do something"}]
    whole = client.messages.create(messages=said, tools=tools, **ask)
    with client.messages.stream(messages=said, tools=tools, **ask) as stream:
        streamed = stream.get_final_message()
    for made in (whole, streamed):
        call = made.content[-1]
        assert isinstance(call, ToolUseBlock)
        assert (made.stop_reason, call.name, list(call.input)) == ("tool_use", "Bash", ["command"])
    result = {
        "type": "tool_result",
        "tool_use_id": whole.content[-1].id,
        "content": [{"type": "text", "text": "42"}, picture],
    }
    said += [{"role": "assistant", "content": whole.content}, {"role": "user", "content": [result]}]
    ended = client.messages.create(messages=said, tools=tools, **ask)
    assert (ended.stop_reason, "“42”" in ended.content[0].text) == ("end_turn", True)

    seen = client.messages.create(messages=[{"role": "user", "content": [picture]}], **ask)
    assert seen.usage.input_tokens > 1000
    cut = client.messages.create(messages=HELLO, stop_sequences=["It ends"], **ask)
    assert "It ends" not in cut.content[0].text
    short = client.messages.create(messages=HELLO, **{**ask, "max_tokens": 3})
    assert (short.stop_reason, short.usage.output_tokens) == ("max_tokens", 3)
    form = {"format": {"type": "json_schema", "schema": TITLE}}
    titled = client.messages.create(messages=HELLO, output_config=form, **ask)
    assert titled.content[0].text == '{"title":"Simulated: hello"}'
    beta = client.beta.messages.create(messages=HELLO, betas=["effort-2025-11-24"], **ask)
    assert beta.stop_reason == "end_turn"
    counted = client.messages.count_tokens(model=ask["model"], messages=HELLO)
    assert 1 <= counted.input_tokens <= 20
    listed = [model.id for model in client.models.list()]
    assert client.models.retrieve(listed[0]).id == listed[0]


def test_anthropic_mistakes(claude: Any) -> None:
    client, ask = claude
    with pytest.raises(anthropic.BadRequestError, match="at least one message"):
        client.messages.create(messages=[], **ask)
    wrong: list[Any] = [{"role": "alien", "content": "x"}]
    with pytest.raises(anthropic.BadRequestError, match="role"):
        client.messages.create(messages=wrong, **ask)
    unknown = (anthropic.BadRequestError, anthropic.NotFoundError)
    with pytest.raises(unknown, match="nowhere") as error:
        client.messages.create(messages=HELLO, **{**ask, "model": "nowhere,m"})
    assert error.value.type in ("not_found_error", "invalid_request_error")
    assert error.value.request_id
    with pytest.raises(unknown, match="nowhere"):
        client.messages.create(messages=HELLO, stream=True, **{**ask, "model": "nowhere,m"})
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("nowhere")


async def test_H08_async_clients(router: Running) -> None:
    async with openai.AsyncOpenAI(
        base_url=f"{router.front}/litellm/v1", api_key="k", max_retries=0
    ) as gpt:
        chunks = await gpt.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])
        assert "“hello”" in text
    async with anthropic.AsyncAnthropic(
        base_url=f"{router.front}/claude-code", api_key="k", max_retries=0
    ) as claude:
        async with claude.messages.stream(
            model="claude-opus-5-5", max_tokens=500, messages=HELLO
        ) as stream:
            parts = [part async for part in stream.text_stream]
        assert "“hello”" in "".join(parts)


def test_the_sdk_that_left_out_v1_is_told_where_the_api_is(router: Running) -> None:
    answer = httpx.post(f"{router.front}/chat/completions", json={"messages": HELLO})
    assert answer.status_code == 404
    assert "/litellm/v1" in answer.json()["error"]["message"]
