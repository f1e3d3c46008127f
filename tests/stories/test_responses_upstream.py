"""Providers that speak the Responses API behind a whole router, for clients of every dialect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import pytest

from console.link import Link
from router.contract import Explain, Explained
from storage.readers import Archive
from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.router.formats.responses_grammar import check_responses
from tests.stories.provider import home_of, served

_LITELLM = """
model_list:
  - model_name: native
    litellm_params: {{model: openai/responses/real, api_base: '{base}', api_key: a-provider-key,
      input_cost_per_token: 1e-6, output_cost_per_token: 2e-6}}
  - model_name: both
    litellm_params: {{model: litellm_proxy/real, api_base: '{base}', api_key: a-provider-key}}
  - model_name: chatty
    litellm_params: {{model: openai/real, api_base: '{base}', api_key: a-provider-key}}
"""
SAID = "one two three four five six seven eight "
TOOL = {"name": "run", "input": {"command": "ls"}}


@pytest.fixture
def folder(tmp_path: Path, upstream: FakeUpstream) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "litellm-config.yaml").write_text(_LITELLM.format(base=upstream.base))
    (folder / "pointsman.toml").write_text("[retry]\nretries = 1\nbackoff = 0.01\ncooldown = 0\n")
    return folder


async def test_clients_of_other_dialects(folder: Path, upstream: FakeUpstream) -> None:
    ask: dict[str, Any] = {"model": "native", "messages": [{"role": "user", "content": "go"}]}
    thinking = Behaviour(thinking="hm", tool=TOOL, cached=1)
    async with served(folder) as router:
        base = router.front + "/litellm"
        async with (
            anthropic.AsyncAnthropic(base_url=base, api_key="k", max_retries=0) as claude,
            openai.AsyncOpenAI(base_url=base + "/v1", api_key="k", max_retries=0) as gpt,
        ):
            upstream.then(thinking, thinking)
            whole = await claude.messages.create(max_tokens=99, **ask)
            async with claude.messages.stream(max_tokens=99, **ask) as stream:
                streamed = await stream.get_final_message()
            for message in (whole, streamed):
                kinds = [block.type for block in message.content]
                assert kinds == ["thinking", "text", "tool_use"]
                assert (message.model, message.stop_reason) == ("native", "tool_use")
                assert message.usage.output_tokens == 8 + 1 + 1
                assert message.usage.cache_read_input_tokens == 1
            seen = upstream.requests[0]
            assert (seen.path, seen.json["model"]) == ("/v1/responses", "real")
            assert seen.json["store"] is False
            # the thought goes back to the provider that had it, sealed as it came
            history: Any = [*ask["messages"], {"role": "assistant", "content": whole.content}]
            result = {"type": "tool_result", "tool_use_id": "call_1", "content": "ok"}
            history.append({"role": "user", "content": [result]})
            await claude.messages.create(max_tokens=99, model="native", messages=history)
            kinds = [item.get("type") for item in upstream.requests[-1].json["input"]]
            assert kinds == [None, "reasoning", None, "function_call", "function_call_output"]
            assert upstream.requests[-1].json["input"][1]["encrypted_content"] == "c2ln"

            upstream.then(Behaviour(tool=TOOL), Behaviour(stop="max_tokens"))
            chat = (await gpt.chat.completions.create(**ask)).choices[0]
            assert chat.message.content == SAID
            assert chat.message.tool_calls is not None
            assert chat.finish_reason == "tool_calls"
            chunks = [c async for c in await gpt.chat.completions.create(stream=True, **ask)]
            assert "".join(c.choices[0].delta.content or "" for c in chunks) == SAID
            assert chunks[-1].choices[0].finish_reason == "length"

            upstream.then(Behaviour(status=400), Behaviour(status=400), Behaviour(status=429))
            with pytest.raises(anthropic.BadRequestError, match="told to answer 400"):
                await claude.messages.create(max_tokens=9, **ask)
            with pytest.raises(openai.BadRequestError, match="told to answer 400"):
                await gpt.chat.completions.create(**ask)
            assert (await gpt.chat.completions.create(**ask)).usage is not None  # tried again
    archive = Archive(home_of(router).ledger)
    first = (await archive.requests())[-1]
    await archive.close()
    prompt = upstream.requests[0].input_tokens
    assert first.cost == prompt * 1000 + 10 * 2000


async def test_clients_of_the_same_dialect(folder: Path, upstream: FakeUpstream) -> None:
    """Byte for byte but for the model's name; what only such a provider has works there."""
    hosted = {"type": "file_search", "vector_store_ids": ["v"]}
    raw = b'{"model": "%b", "input": [{"role":"user", "content":"h\\u00e9"}], "odd": [1.0]%b}'
    async with (
        served(folder) as router,
        httpx.AsyncClient(
            base_url=router.front + "/litellm/v1",
            headers={"content-type": "application/json"},
            timeout=20,
        ) as client,
        openai.AsyncOpenAI(
            base_url=router.front + "/litellm/v1", api_key="k", max_retries=0
        ) as gpt,
    ):
        for model in (b"native", b"both"):
            for more in (b"", b', "stream": true'):
                answer = await client.post("/responses", content=raw % (model, more))
                assert upstream.requests[-1].body == raw % (b"real", more)
                assert upstream.requests[-1].path == "/v1/responses"
                if more:
                    assert check_responses(answer.content)["model"] == model.decode()
                else:
                    assert answer.json()["model"] == model.decode()
                    assert answer.json()["id"] == "resp_fake"
            made = await gpt.responses.create(
                model=model.decode(),
                input="go",
                tools=[hosted],  # type: ignore[list-item]
                previous_response_id="resp_of_the_provider",
            )
            assert made.output_text == SAID
            assert upstream.requests[-1].json["tools"] == [hosted]
            assert upstream.requests[-1].json["previous_response_id"] == "resp_of_the_provider"
        before = len(upstream.requests)
        with pytest.raises(openai.BadRequestError) as refused:
            await gpt.responses.create(model="chatty", input="go", tools=[hosted])  # type: ignore[list-item]
        assert refused.value.code == "unsupported_tool"
        assert len(upstream.requests) == before

        # a stream that breaks is ended as the dialect ends a response that failed
        upstream.then(Behaviour(cut="middle"))
        broken = await client.post(
            "/responses", json={"model": "native", "input": "go", "stream": True}
        )
        last = broken.text.rstrip().rpartition("\n\n")[2]
        assert last.startswith("event: response.failed\ndata: {")
        assert '"code":"server_error"' in last
        upstream.then(Behaviour(cut="middle"))
        events = [
            event
            async for event in await gpt.responses.create(model="chatty", input="go", stream=True)
        ]
        assert events[-1].type == "response.failed"
        assert events[-1].response.error is not None
        upstream.then(Behaviour(status=401))
        with pytest.raises(openai.APIStatusError) as failed:
            await gpt.responses.create(model="native", input="go")
        assert failed.value.status_code == 502
        assert "refused its key" in failed.value.message
        for path, status in (("/responses/resp_x", 404), ("/responses/resp_x/input_items", 404)):
            gone = await client.get(path)
            assert gone.status_code == status
            assert gone.json()["error"]["param"] == "id"
        link = Link(home_of(router))
        dry = await link.act(Explain('{"model":"native","input":"go"}', door="litellm"))
        assert isinstance(dry, Explained)
        assert dry.candidates[0].endswith(",real")
        await link.close()
        assert (await client.get("/responses")).status_code == 405


async def test_compaction_is_left_to_a_provider_that_can(
    folder: Path, upstream: FakeUpstream
) -> None:
    usage = {
        **{"input_tokens": 9, "output_tokens": 4, "total_tokens": 13},
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    sealed = {"type": "compaction", "id": "cmp_1", "encrypted_content": "sealed"}
    short = {"id": "r", "object": "response.compaction", "created_at": 1, "usage": usage}
    told = Behaviour(body=json.dumps({**short, "output": [sealed]}).encode())
    turns: Any = [{"role": "user", "content": "go"}]
    async with served(folder) as router:
        base = router.front + "/litellm/v1"
        async with openai.AsyncOpenAI(base_url=base, api_key="k", max_retries=0) as gpt:
            for model in ("native", "both"):
                upstream.then(told)
                made = await gpt.responses.compact(model=model, input=turns)
                assert [item.to_dict() for item in made.output] == [sealed]
                seen = upstream.requests[-1]
                assert (seen.path, seen.json) == (
                    "/v1/responses/compact",
                    {"model": "real", "input": turns},
                )
                # what was sealed goes back to where it came from, as it is
                await gpt.responses.create(model=model, input=[sealed, *turns])
                assert upstream.requests[-1].json["input"][0] == sealed
            # what we keep of an earlier turn, of another provider's, is sent with it
            first = await gpt.responses.create(model="chatty", input="one")
            upstream.then(told)
            await gpt.responses.compact(model="native", previous_response_id=first.id)
            assert SAID in json.dumps(upstream.requests[-1].json["input"])
            # a fallback may be asked otherwise
            upstream.then(Behaviour(status=500), told)
            otherwise = {"num_retries": 0, "fallbacks": [{"model": "native", "input": "less"}]}
            await gpt.responses.compact(model="both", input=turns, extra_body=otherwise)
            assert upstream.requests[-1].json == {"model": "real", "input": "less"}
            before = len(upstream.requests)
            with pytest.raises(openai.BadRequestError) as refused:
                await gpt.responses.compact(model="chatty", input=turns)
            assert "Responses API" in refused.value.message
            with pytest.raises(openai.BadRequestError) as nameless:
                await gpt.post("/responses/compact", body={"input": "x"}, cast_to=object)
            assert nameless.value.param == "model"
            assert len(upstream.requests) == before
    archive = Archive(home_of(router).ledger)
    rows = [row for row in await archive.requests() if row.endpoint == "compact"]
    await archive.close()
    costs = [row.cost for row in rows if row.state == "done" and row.asked == "native"]
    assert costs == [9 * 1000 + 4 * 2000] * 2
