"""Legacy completions, images, audio, moderations and rerank through a whole router, as OpenAI's SDK
and plain HTTP ask for them: routed by model, the key put on, every request in the ledger.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from router.contract import RequestView
from storage.readers import Archive
from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.harness import Running
from tests.stories.provider import home_of, served

_LITELLM = """
model_list:
  - model_name: chatty
    litellm_params: {{model: openai/real, api_base: '{base}', api_key: a-provider-key}}
  - model_name: claude
    litellm_params: {{model: anthropic/real, api_base: '{root}', api_key: a-provider-key}}
  - model_name: writer
    litellm_params: {{model: litellm_proxy/real, api_base: '{base}', api_key: a-provider-key}}
  - model_name: priced
    litellm_params: {{model: openai/dear, api_base: '{base}', api_key: a-provider-key,
      input_cost_per_token: 1e-6, output_cost_per_token: 2e-6}}
"""


def configure(folder: Path, upstream: FakeUpstream) -> Path:
    folder.mkdir()
    text = _LITELLM.format(base=upstream.base, root=upstream.url(""))
    (folder / "litellm-config.yaml").write_text(text)
    (folder / "pointsman.toml").write_text("[retry]\nretries = 1\nbackoff = 0.01\ncooldown = 0\n")
    return folder


async def ledger(router: Running) -> list[RequestView]:
    """All rows, oldest first, once the router is down."""
    archive = Archive(home_of(router).ledger)
    rows = await archive.requests()
    await archive.close()
    return rows[::-1]


async def test_completions(upstream: FakeUpstream, tmp_path: Path) -> None:
    async with served(configure(tmp_path / "home", upstream)) as router:
        base = router.front + "/litellm/v1"
        async with openai.AsyncOpenAI(base_url=base, api_key="k", max_retries=0) as client:
            ask = client.completions.create
            # a chat provider goes on from the prompt, in either dialect, streamed and not
            for model in ("chatty", "claude"):
                whole = await ask(model=model, prompt="go", max_tokens=9, stop=["x"], echo=True)
                chunks = [
                    chunk
                    async for chunk in await ask(
                        model=model,
                        prompt=["go"],
                        stream=True,
                        stream_options={"include_usage": True},
                        echo=True,
                    )
                ]
                said = "goone two three four five six seven eight "
                assert (whole.object, whole.choices[0].text) == ("text_completion", said)
                assert "".join(c.choices[0].text for c in chunks if c.choices) == said
                assert (whole.choices[0].finish_reason, chunks[-2].choices[0].finish_reason) == (
                    "stop",
                    "stop",
                )
                assert whole.model == chunks[0].model == model
                assert chunks[-1].usage is not None
                assert whole.usage is not None
                assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens == 8
            assert upstream.requests[0].path == "/v1/chat/completions"
            assert upstream.requests[0].json["messages"] == [{"role": "user", "content": "go"}]
            assert upstream.requests[0].json["stop"] == ["x"]
            # what chat cannot do is refused, by the field
            for more, field in (
                ({"suffix": "end"}, "suffix"),
                ({"n": 2}, "n"),
                ({"logprobs": 3}, "logprobs"),
                ({"prompt": [1, 2]}, "prompt"),
                ({"prompt": ["a", "b"]}, "prompt"),
            ):
                with pytest.raises(openai.BadRequestError) as refused:
                    await ask(**{"model": "chatty", "prompt": "go", **more})  # type: ignore[call-overload]
                assert refused.value.param == field
            with pytest.raises(openai.BadRequestError, match="prompt"):
                await ask(model="chatty", prompt={})
            # a provider that serves it gets it as it is
            answer = b'{"id":"cmpl-1","model":"real","choices":[{"text":"mid"}],"usage":%b}'
            usage = b'{"prompt_tokens":5,"completion_tokens":1}'
            upstream.then(Behaviour(body=answer % usage))
            filled = await ask(model="writer", prompt="go", suffix="end", logprobs=2)
            assert (filled.choices[0].text, filled.model) == ("mid", "writer")
            seen = upstream.requests[-1]
            assert (seen.path, seen.json["suffix"]) == ("/v1/completions", "end")
            assert seen.headers["authorization"] == "Bearer a-provider-key"
            frames = (
                b'data: {"choices":[{"text":"a","finish_reason":"length"}]}\n\n'
                b'data: {"choices":[],"usage":%b}\n\ndata: [DONE]\n\n' % usage
            )
            upstream.then(Behaviour(body=frames, headers={"content-type": "text/event-stream"}))
            pieces = [c async for c in await ask(model="writer", prompt="go", stream=True)]
            assert [(c.choices[0].text, c.usage) for c in pieces] == [("a", None)]
            assert upstream.requests[-1].json["stream_options"] == {"include_usage": True}
    rows = await ledger(router)
    assert {row.dialect for row in rows} == {"openai_completions"}
    assert [row.tokens.input for row in rows[-2:]] == [5, 5]


def form(**fields: str) -> dict[str, Any]:
    files = {"file": ("a.wav", b'\r\n--x name="model"\r\n\x00\xff' * 99, "audio/wav")}
    return {"data": fields, "files": files}


async def errors(client: httpx.AsyncClient, upstream: FakeUpstream) -> None:
    """In the dialect; retried where that helps; none of them asks a provider without the path."""
    upstream.then(Behaviour(status=400))
    refused = await client.post("/v1/moderations", json={"model": "priced", "input": "x"})
    assert (refused.status_code, refused.json()["error"]["type"]) == (
        400,
        "invalid_request_error",
    )
    upstream.then(Behaviour(status=500), Behaviour(body=b'{"results":[]}'))
    again = await client.post("/v1/moderations", json={"model": "priced", "input": "x"})
    assert again.status_code == 200
    before = len(upstream.requests)
    for body, status in (
        ({"json": {"model": "claude", "input": "x"}}, 404),
        ({"json": {"model": "nobody", "input": "x"}}, 400),
        (form(language="en"), 400),
        ({"content": b"{"}, 400),
        ({"content": b"a=b", "headers": {"content-type": "text/plain"}}, 415),
    ):
        answer = await client.post("/v1/audio/translations", **body)
        assert answer.status_code == status, answer.text
        assert answer.json()["error"]["message"]
    assert len(upstream.requests) == before
    assert (await client.get("/v1/images/generations")).status_code == 405
    assert (await client.post("/elsewhere/v1/messages", json={})).status_code == 404


async def test_what_is_passed_through(upstream: FakeUpstream, tmp_path: Path) -> None:
    usage = b'"usage":{"input_tokens":7,"output_tokens":3,"total_tokens":10}'
    async with (
        served(configure(tmp_path / "home", upstream)) as router,
        httpx.AsyncClient(base_url=router.front + "/litellm", timeout=20) as client,
        openai.AsyncOpenAI(
            base_url=router.front + "/litellm/v1", api_key="k", max_retries=0
        ) as gpt,
    ):
        upstream.then(Behaviour(body=b'{"created":1,"data":[{"b64_json":"AA"}],%b}' % usage))
        made = await gpt.images.generate(model="priced", prompt="a cat")
        assert made.data is not None
        assert made.data[0].b64_json == "AA"
        seen = upstream.requests[-1]
        assert (seen.path, seen.json) == (
            "/v1/images/generations",
            {"model": "dear", "prompt": "a cat"},
        )
        assert seen.headers["authorization"] == "Bearer a-provider-key"

        sound = bytes(range(256)) * 500
        upstream.then(Behaviour(body=sound, headers={"content-type": "audio/mpeg"}))
        spoken = await gpt.audio.speech.create(model="priced", voice="v", input="hello")
        assert spoken.content == sound

        upstream.then(Behaviour(body=b'{"text":"hi",%b}' % usage))
        sent = form(language="en", model="priced")
        heard = await client.post("/v1/audio/transcriptions", **sent)
        assert heard.json()["text"] == "hi"
        seen = upstream.requests[-1]
        assert seen.path == "/v1/audio/transcriptions"
        assert b'name="model"\r\n\r\ndear\r\n' in seen.body
        assert sent["files"]["file"][1] in seen.body
        assert seen.headers["content-type"].startswith("multipart/form-data; boundary=")

        upstream.then(Behaviour(body=b'{"id":"m","model":"dear","results":[]}'))
        judged = await gpt.moderations.create(model="priced", input=["a", "b"])
        assert (judged.model, judged.results) == ("priced", [])

        for path in ("/rerank", "/v1/rerank", "/v2/rerank"):
            upstream.then(Behaviour(body=b'{"results":[],"usage":{"total_tokens":4}}'))
            ranked = await client.post(path + "?a=b", json={"model": "priced", "query": "q"})
            assert ranked.json()["results"] == []
            assert upstream.requests[-1].path == "/v1/rerank?a=b"

        event = b'event: x\ndata: {"type":"image_edit.completed",%b}\n\n' % usage
        upstream.then(Behaviour(body=event, headers={"content-type": "text/event-stream"}))
        edited = await client.post("/v1/images/edits", **form(model="priced", stream="true"))
        assert edited.content == event

        await errors(client, upstream)
        # an answer that breaks off is not passed off as whole
        upstream.then(Behaviour(body=sound, headers={"content-type": "audio/mpeg"}, cut="middle"))
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post("/v1/audio/speech", json={"model": "priced", "input": "hello"})
    all_rows = list(reversed(await ledger(router)))
    assert "v1" not in {row.endpoint for row in all_rows}
    rows = {row.endpoint: row for row in all_rows if row.state == "done"}
    assert set(rows) == {"images", "audio", "moderations", "rerank"}
    assert rows["images"].cost == 7 * 1000 + 3 * 2000
    assert (rows["rerank"].tokens.input, rows["rerank"].cost) == (4, 4000)
    assert rows["moderations"].cost is None, "M03: what is not told is unknown, not free"
