"""Where two dialects do not meet: what moves on, what is left out and said so, what is let in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from storage.home import Home
from storage.readers import Archive
from tests.fakes.upstream import Behaviour, FakeUpstream, Seen
from tests.router import inside

_LITELLM = """
model_list:
  - model_name: chatty
    litellm_params: {{model: openai/chatty, api_base: '{base}', api_key: k}}
  - model_name: native
    litellm_params: {{model: openai/responses/native, api_base: '{base}', api_key: k}}
  - model_name: claude
    litellm_params: {{model: anthropic/claude-x, api_base: '{root}', api_key: k}}
router_settings:
  fallbacks: [{{claude: [chatty, native]}}]
"""
_OWN = """
[retry]
retries = 0
cooldown = 0
[providers.local]
kind = "ollama"
url = "{root}/v1/messages"
models = ["qwen"]
"""
SEARCH = {"type": "web_search"}
OWN_TOOL: dict[str, Any] = {"type": "function", "name": "f", "parameters": {"type": "object"}}
A_SEARCH = {"type": "web_search_20250305", "name": "web_search"}
A_TOOL = {"name": "f", "input_schema": {"type": "object"}}
TURN = [{"role": "user", "content": "hi"}]


@pytest.fixture
def folder(test_home: Home, upstream: FakeUpstream) -> Path:
    folder: Path = test_home.config
    folder.mkdir(parents=True, exist_ok=True)
    places = {"base": upstream.base, "root": upstream.url("")}
    (folder / "litellm-config.yaml").write_text(_LITELLM.format(**places))
    (folder / "pointsman.toml").write_text(_OWN.format(**places))
    return folder


@pytest.fixture
async def front(
    folder: Path, test_home: Home, upstream: FakeUpstream
) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        inside.served(test_home) as (_, address),
        httpx.AsyncClient(base_url=address, timeout=20) as client,
    ):
        yield client


def completions(upstream: FakeUpstream) -> list[Seen]:
    """Without what the router itself asks of an Ollama."""
    return [seen for seen in upstream.requests if seen.path.startswith("/v1/")]


async def test_what_only_one_dialect_can_do_goes_to_the_candidate_that_speaks_it(
    front: httpx.AsyncClient, upstream: FakeUpstream
) -> None:
    """Neither of the first two keeps responses; the third of the same route does."""
    body = {"model": "claude", "input": "go", "previous_response_id": "resp_1"}
    answer = await front.post("/litellm/v1/responses", json=body)
    assert answer.status_code == 200
    (seen,) = completions(upstream)
    assert (seen.path, seen.json["previous_response_id"]) == ("/v1/responses", "resp_1")
    alone = await front.post("/litellm/v1/responses", json=body | {"model": "chatty"})
    assert (alone.status_code, len(completions(upstream))) == (400, 1)
    assert alone.json()["error"]["code"] == "previous_response_not_found"


@pytest.mark.parametrize(
    ("path", "body", "left"),
    [
        ("responses", {"model": "chatty", "tools": [SEARCH, OWN_TOOL]}, "tools.web_search"),
        ("responses", {"model": "chatty", "tools": [SEARCH]}, "tools.web_search"),
        ("responses", {"model": "chatty", "tools": [OWN_TOOL]}, None),
        ("responses", {"model": "native", "tools": [SEARCH, OWN_TOOL]}, None),
        ("messages", {"model": "chatty", "tools": [A_SEARCH, A_TOOL]}, "tools.web_search"),
        ("messages", {"model": "claude", "tools": [A_SEARCH, A_TOOL]}, None),
        ("messages", {"model": "native", "stop_sequences": ["x"]}, "stop"),
        ("messages", {"model": "chatty", "stop_sequences": ["x"]}, None),
        ("chat/completions", {"model": "claude", "seed": 1, "n": 2}, "seed, n"),
    ],
)
async def test_V10_what_was_left_out_is_told(
    front: httpx.AsyncClient, path: str, body: dict[str, Any], left: str | None
) -> None:
    body |= {"input": "hi"} if path == "responses" else {"messages": TURN, "max_tokens": 9}
    answer = await front.post(f"/litellm/v1/{path}", json=body)
    assert answer.status_code == 200
    assert answer.headers.get("x-pointsman-dropped") == left


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("messages", {"answer.audio", "answer.choices", "answer.images", "answer.file_citations"}),
        ("responses", {"answer.audio", "answer.choices", "answer.file_citations"}),
        ("chat/completions", {""}),
    ],
)
async def test_V10_what_of_an_answer_was_left_out_is_told(
    front: httpx.AsyncClient, upstream: FakeUpstream, path: str, left: set[str]
) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    said: dict[str, Any] = {"role": "assistant", "content": "x", "images": [image]}
    said |= {"audio": {"id": "a"}, "annotations": [{"type": "file_citation", "file_id": "f"}]}
    choices = [{"index": n, "message": said, "finish_reason": "stop"} for n in (0, 1)]
    raw = msgspec.json.encode({"id": "c", "object": "chat.completion", "choices": choices})
    upstream.behave("chatty", Behaviour(body=raw))
    body: dict[str, Any] = {"model": "chatty"}
    body |= {"input": "hi"} if path == "responses" else {"messages": TURN, "max_tokens": 9}
    answer = await front.post(f"/litellm/v1/{path}", json=body)
    assert answer.status_code == 200
    assert set(answer.headers.get("x-pointsman-dropped", "").split(", ")) == left
    if path == "chat/completions":
        assert answer.json()["choices"] == choices


async def test_what_was_left_out_is_in_the_ledger(
    folder: Path, test_home: Home, upstream: FakeUpstream
) -> None:
    """Also of a stream, whose headers had gone before."""
    audio = {"index": 0, "delta": {"content": "x", "audio": {"id": "a"}}, "finish_reason": "stop"}
    event = msgspec.json.encode({"id": "c", "choices": [audio]})
    stream = {"content-type": "text/event-stream"}
    body = {"max_tokens": 9, "messages": TURN}
    upstream.behave("chatty", Behaviour(body=b"data: " + event + b"\n\n", headers=stream))
    asked: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
        ("messages", {"model": "chatty", "stream": True, "tools": [A_SEARCH]},
         ("tools.web_search", "answer.audio")),
        ("chat/completions", {"model": "claude", "seed": 1}, ("seed",)),
        ("chat/completions", {"model": "claude"}, ()),
    ]  # fmt: skip
    async with (
        inside.served(test_home) as (_, address),
        httpx.AsyncClient(base_url=address, timeout=20) as front,
    ):
        ids = [
            (await front.post(f"/litellm/v1/{path}", json=body | more)).headers["x-request-id"]
            for path, more, _ in asked
        ]
    archive = Archive(test_home.ledger)
    try:
        kept = [detail for id in ids if (detail := await archive.request(id)) is not None]
        assert [one.attempts[-1].dropped for one in kept] == [left for *_, left in asked]
    finally:
        await archive.close()


async def test_a_client_of_ollama_need_not_say_that_it_sends_json(
    front: httpx.AsyncClient, upstream: FakeUpstream
) -> None:
    """As in Ollama's own documentation: curl -d '{…}' names a form."""
    body = b'{"model":"chatty","messages":[{"role":"user","content":"hi"}],"stream":false}'
    form = {"content-type": "application/x-www-form-urlencoded"}
    for path in ("/ollama/api/chat", "/ollama/api/show"):
        assert (await front.post(path, content=body, headers=form)).status_code == 200
    before = len(completions(upstream))
    for origin in ("https://evil.example", "null"):
        page = form | {"origin": origin}
        assert (await front.post("/ollama/api/chat", content=body, headers=page)).status_code == 403
    refused = await front.post("/litellm/v1/chat/completions", content=body, headers=form)
    assert (refused.status_code, len(completions(upstream))) == (415, before)


async def test_L12_the_anthropic_face_of_ollama_gets_the_clients_own_bytes(
    front: httpx.AsyncClient, upstream: FakeUpstream
) -> None:
    """It has one since 0.14. Where its address is written out nothing is translated."""
    raw = b'{"model": "local,qwen", "max_tokens": 9, "messages": [{"role":"user","content":""}]%b}'
    for more in (b"", b', "stream": true', b', "thinking": {"type":"enabled","budget_tokens":5}'):
        answer = await front.post(
            "/ccr/v1/messages",
            content=raw % more,
            headers={"content-type": "application/json", "anthropic-beta": "some-beta"},
        )
        seen = completions(upstream)[-1]
        assert answer.status_code == 200
        assert seen.path == "/v1/messages"
        assert seen.body == (raw % more).replace(b"local,qwen", b"qwen")
        assert seen.headers["anthropic-beta"] == "some-beta"
        assert "authorization" not in seen.headers
