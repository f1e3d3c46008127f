"""The official SDKs through the router to a scripted provider: both dialects on either side.

keys, parallel tools, thinking, and what a provider's failures look like to each SDK
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from tests.fakes.threaded import threaded
from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.harness import Running, running
from tests.router.formats.grammar import check_anthropic, check_openai

KEY = "sk-a-long-enough-key-of-this-test-0123456789"
HELLO: list[Any] = [{"role": "user", "content": "hello"}]
FAILURES = {"e400": 400, "e401": 401, "e404": 404, "e429": 429, "e500": 500, "e529": 529}
#: provider's dialect → prefix of the group's name
SIDES = {"openai": "o", "anthropic": "a"}
CALLS = [("c1", "weather", '{"city":"Rome"}'), ("c2", "weather", '{"city":"Oslo"}')]


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeUpstream]:
    with threaded() as fake:
        for model, status in FAILURES.items():
            headers = {"retry-after": "7"} if status == 429 else {}
            fake.behave(model, Behaviour(status=status, headers=headers))
        stream = {"content-type": "text/event-stream"}
        fake.behave("tools-openai", Behaviour(body=_openai_calls(), headers=stream))
        fake.behave("tools-anthropic", Behaviour(body=_anthropic_calls(), headers=stream))
        fake.behave("thinks", Behaviour(thinking="let me see", cached=1))
        yield fake


@pytest.fixture(scope="module")
def keyed(fake: FakeUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Both roles ask for KEY; groups "o-MODEL" and "a-MODEL", by the provider's dialect."""
    home = tmp_path_factory.mktemp("keyed")
    models = [*FAILURES, "good", "thinks", "tools-openai", "tools-anthropic", "emb"]
    bases = {"openai": fake.base, "anthropic": fake.url("")}
    document = {
        "model_list": [
            {
                "model_name": f"{SIDES[side]}-{model}",
                "litellm_params": {"model": f"{side}/{model}", "api_base": base, "api_key": "sk-p"},
            }
            for side, base in bases.items()
            for model in models
        ],
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "general_settings": {"master_key": KEY},
    }
    (home / "litellm-config.yaml").write_text(json.dumps(document))
    folder = home / ".claude-code-router"
    folder.mkdir()
    providers: list[dict[str, Any]] = [
        {"name": "o", "api_base_url": fake.url("/v1/chat/completions"), "models": models},
        {
            "name": "a",
            "api_base_url": fake.url("/v1/messages"),
            "models": models,
            "transformer": {"use": ["Anthropic"]},
        },
    ]
    config = {
        "APIKEY": KEY,
        "Providers": [{**one, "api_key": "sk-p"} for one in providers],
        "Router": {"default": "o,good"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    with running(home) as router:
        yield router


def _openai_calls() -> bytes:
    deltas: list[tuple[dict[str, Any], str | None]] = [
        ({"role": "assistant", "content": None}, None)
    ]
    for index, (id, name, arguments) in enumerate(CALLS):
        head = {"index": index, "id": id, "type": "function"}
        calls = [{**head, "function": {"name": name, "arguments": ""}}]
        parts = [{"index": index, "function": {"arguments": one}} for one in arguments]
        deltas += [({"tool_calls": [call]}, None) for call in (*calls, *parts)]
    deltas.append(({}, "tool_calls"))
    shared = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunks: list[Any] = [
        {**shared, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        for delta, reason in deltas
    ]
    usage = {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14}
    chunks.append({**shared, "choices": [], "usage": usage})
    frames = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join((*frames, "data: [DONE]\n\n")).encode()


def _anthropic_calls() -> bytes:
    usage = {"input_tokens": 5, "output_tokens": 1}
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
    }
    message |= {"stop_reason": None, "stop_sequence": None, "usage": usage}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": message}, {"type": "ping"}]
    for index, (id, name, arguments) in enumerate(CALLS):
        block = {"type": "tool_use", "id": id, "name": name, "input": {}}
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        for part in arguments:
            delta = {"type": "input_json_delta", "partial_json": part}
            events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    end = {"stop_reason": "tool_use", "stop_sequence": None}
    events.append({"type": "message_delta", "delta": end, "usage": {"output_tokens": 9}})
    events.append({"type": "message_stop"})
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events).encode()


@pytest.fixture
def gpt(keyed: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{keyed.litellm}/v1", api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def claude(keyed: Running) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=keyed.ccr, auth_token=KEY, max_retries=0) as client:
        yield client


@pytest.mark.parametrize("side", SIDES)
def test_parallel_tools_streamed(
    gpt: openai.OpenAI, claude: anthropic.Anthropic, side: str
) -> None:
    weather = {"type": "object", "properties": {"city": {"type": "string"}}}
    offered: Any = [{"type": "function", "function": {"name": "weather", "parameters": weather}}]
    model = f"tools-{side}"
    ask: Any = {"model": f"{SIDES[side]}-{model}", "messages": HELLO, "tools": offered}
    with gpt.chat.completions.stream(**ask) as stream:
        choice = stream.get_final_completion().choices[0]
    assert choice.finish_reason == "tool_calls"
    assert [
        (call.id, call.function.name, call.function.arguments)
        for call in choice.message.tool_calls or []
    ] == CALLS
    raw = gpt.chat.completions.with_streaming_response.create(**ask, stream=True)
    with raw as wire:
        checked = check_openai(b"".join(wire.iter_bytes()))
    assert [tuple(call) for call in checked["calls"]] == CALLS

    tools: Any = [{"name": "weather", "input_schema": weather}]
    said: Any = {"model": f"{SIDES[side]},{model}", "max_tokens": 99, "messages": HELLO}
    with claude.messages.stream(**said, tools=tools) as events:
        message = events.get_final_message()
    used = [(b.id, b.name, b.input) for b in message.content if b.type == "tool_use"]
    assert used == [(id, name, json.loads(text)) for id, name, text in CALLS]
    assert message.stop_reason == "tool_use"
    assert (message.usage.input_tokens, message.usage.output_tokens) == (5, 9)
    with claude.messages.with_streaming_response.create(**said, tools=tools, stream=True) as wire:
        check_anthropic(b"".join(wire.iter_bytes()))


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("streamed", [False, True])
def test_thinking_and_cached_tokens(
    gpt: openai.OpenAI, claude: anthropic.Anthropic, side: str, streamed: bool
) -> None:
    said: Any = {"model": f"{SIDES[side]},thinks", "max_tokens": 2000, "messages": HELLO}
    said["thinking"] = {"type": "enabled", "budget_tokens": 1024}
    if streamed:
        with claude.messages.stream(**said) as events:
            message: Any = events.get_final_message()
    else:
        message = claude.messages.create(**said)
    thought, text = message.content
    assert (thought.type, thought.thinking) == ("thinking", "let me see")
    assert text.text.split()[:2] == ["one", "two"]
    assert message.usage.cache_read_input_tokens == 1
    ask: Any = {"model": f"{SIDES[side]}-thinks", "messages": HELLO}
    if streamed:
        with gpt.chat.completions.stream(**ask, stream_options={"include_usage": True}) as stream:
            whole: Any = stream.get_final_completion()
    else:
        whole = gpt.chat.completions.create(**ask)
    assert whole.choices[0].message.reasoning_content == "let me see"
    assert whole.usage.prompt_tokens_details.cached_tokens == 1
    assert whole.model == ask["model"]


OPENAI_SEES = {
    "e400": (openai.BadRequestError, 400, "the fake was told to answer 400"),
    "e401": (openai.InternalServerError, 502, "refused its key"),
    "e404": (openai.NotFoundError, 404, "the fake was told to answer 404"),
    "e429": (openai.RateLimitError, 429, "the fake was told to answer 429"),
    "e500": (openai.InternalServerError, 500, "the fake was told to answer 500"),
    "e529": (openai.InternalServerError, 503, "the fake was told to answer 529"),
}
ANTHROPIC_SEES = {
    "e400": (anthropic.BadRequestError, 400, "invalid_request_error"),
    "e401": (anthropic.InternalServerError, 502, "api_error"),
    "e404": (anthropic.NotFoundError, 404, "not_found_error"),
    "e429": (anthropic.RateLimitError, 429, "rate_limit_error"),
    "e500": (anthropic.InternalServerError, 500, "api_error"),
    "e529": (anthropic.InternalServerError, 529, "overloaded_error"),
}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("failing", FAILURES)
@pytest.mark.parametrize("stream", [False, True])
def test_a_provider_s_failure_in_each_sdk_s_words(
    gpt: openai.OpenAI, claude: anthropic.Anthropic, side: str, failing: str, stream: bool
) -> None:
    kind, status, words = OPENAI_SEES[failing]
    with pytest.raises(kind, match=words) as seen:
        gpt.chat.completions.create(model=f"{SIDES[side]}-{failing}", messages=HELLO, stream=stream)
    assert (seen.value.status_code, seen.value.code) == (status, str(status))
    other, status, type = ANTHROPIC_SEES[failing]
    with pytest.raises(other) as told:
        claude.messages.create(
            model=f"{SIDES[side]},{failing}", max_tokens=9, messages=HELLO, stream=stream
        )
    assert (told.value.status_code, told.value.type) == (status, type)
    for headers in (seen.value.response.headers, told.value.response.headers):
        assert headers.get("retry-after") == ("7" if failing == "e429" else None)
        assert headers.get("x-should-retry") == ("false" if failing == "e401" else None)
        assert "sk-p" not in str(headers)


def test_keys(keyed: Running, fake: FakeUpstream) -> None:
    """A refused key never reaches a provider, and a good one stays here."""
    before = len(fake.requests)
    for base in (f"{keyed.litellm}/v1", f"{keyed.front}/litellm"):
        for key in ("wrong", "sk-p"):
            with openai.OpenAI(base_url=base, api_key=key, max_retries=0) as gpt:
                with pytest.raises(openai.AuthenticationError, match="Authentication Error") as no:
                    gpt.chat.completions.create(model="o-good", messages=HELLO)
                assert (no.value.code, no.value.type) == ("401", "token_not_found_in_db")
                with pytest.raises(openai.AuthenticationError):
                    gpt.embeddings.create(model="o-emb", input="x")
                with pytest.raises(openai.AuthenticationError):
                    gpt.models.list()
    for base in (keyed.ccr, f"{keyed.front}/ccr", f"{keyed.front}/claude-code"):
        with anthropic.Anthropic(base_url=base, api_key="wrong", max_retries=0) as claude:
            with pytest.raises(anthropic.AuthenticationError, match="Invalid API key") as refused:
                claude.messages.create(model="m", max_tokens=9, messages=HELLO)
            assert refused.value.response.headers["x-should-retry"] == "false"
    assert len(fake.requests) == before
    forms: list[dict[str, Any]] = [{"api_key": KEY}, {"auth_token": KEY}]
    for named in forms:
        with anthropic.Anthropic(base_url=keyed.ccr, max_retries=0, **named) as claude:
            answer = claude.messages.create(model="a,good", max_tokens=9, messages=HELLO)
        assert answer.content[0].type == "text"
    seen = fake.requests[-1]
    assert KEY not in str(seen.raw_headers)
    assert "sk-p" in str(seen.raw_headers)


def test_the_name_that_was_asked_comes_back(gpt: openai.OpenAI, fake: FakeUpstream) -> None:
    answer = gpt.embeddings.create(model="o-emb", input=["a", "b"], encoding_format="float")
    assert answer.model == "o-emb"
    assert fake.requests[-1].json["model"] == "emb"
    for name in ("o-good", "a-good"):
        assert gpt.chat.completions.create(model=name, messages=HELLO).model == name
        chunks = gpt.chat.completions.create(model=name, messages=HELLO, stream=True)
        assert {chunk.model for chunk in chunks} == {name}
