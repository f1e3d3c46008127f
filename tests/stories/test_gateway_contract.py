"""What Claude Code's own gateway contract asks of a gateway, on the doors that it uses.

The ids are those of the wire checklist, 6.11.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.harness import Running, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "ccr-dev-key-2024"
VERSION = {"anthropic-version": "2023-06-01"}
MODEL_ID = "claude-ccr-open-vendor-some-model"
HELLO = [{"role": "user", "content": "hello"}]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncIterator[FakeUpstream]:
    async with FakeUpstream() as fake:
        yield fake


@pytest.fixture
def upstream(provider: FakeUpstream) -> FakeUpstream:
    """The shared provider, as good as new."""
    provider.default = Behaviour()
    provider.requests.clear()
    return provider


@pytest.fixture(scope="module")
def router(provider: FakeUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    upstream, home = provider, tmp_path_factory.mktemp("home")
    folder = home / ".claude-code-router"
    folder.mkdir()
    anthropic = {
        "name": "anth",
        "api_base_url": upstream.url("/v1/messages"),
        "api_key": "sk-a",
        "models": ["claude-x", "claude-small"],
        "transformer": {"use": ["Anthropic"]},
    }
    chat = {
        "name": "open",
        "api_base_url": upstream.url("/v1/chat/completions"),
        "api_key": "sk-o",
        "models": ["vendor/some:model", "vendor/some/model"],
    }
    mending = {**chat, "name": "mend", "models": ["m"], "transformer": {"use": ["enhancetool"]}}
    routes = {"default": "anth,claude-x", "background": "anth,claude-small"}
    own = {"APIKEY": KEY, "Providers": [anthropic, chat, mending], "Router": routes}
    (folder / "config.json").write_text(json.dumps(own))
    preset = folder / "presets" / "cheap"
    preset.mkdir(parents=True)
    manifest = {"name": "cheap", "Providers": [mending], "Router": {"default": "mend,m"}}
    (preset / "manifest.json").write_text(json.dumps(manifest))
    (home / "pointsman.toml").write_text("[retry]\nretries = 0\ncooldown = 0\n")
    with running(home) as found:
        yield found


async def ask(router: Running, body: dict[str, Any], **headers: str) -> httpx.Response:
    whole = {"model": "claude-opus-5-5", "max_tokens": 50, "messages": HELLO, **body}
    async with httpx.AsyncClient(base_url=router.front, timeout=30) as client:
        sent = {"authorization": f"Bearer {KEY}", **VERSION, **headers}
        return await client.post("/claude-code/v1/messages?beta=true", json=whole, headers=sent)


async def test_H01_any_routed_model_is_in_the_picker(
    router: Running, upstream: FakeUpstream
) -> None:
    async with httpx.AsyncClient(headers={"x-api-key": KEY}) as client:
        for base in (f"{router.front}/claude-code", f"{router.front}/ccr", router.ccr):
            listed = (await client.get(f"{base}/v1/models?limit=1000", headers=VERSION)).json()
            ids = [model["id"] for model in listed["data"]]
            assert all(id.startswith("claude-") for id in ids)
            assert len(set(ids)) == len(ids), "two that are spelled alike are told apart"
            assert (listed["first_id"], listed["last_id"]) == (ids[0], ids[-1])
            assert listed["has_more"] is False
            for model in listed["data"]:
                assert model["type"] == "model"
                assert datetime.fromisoformat(model["created_at"]).tzinfo is not None
            shown = {model["id"]: model["display_name"] for model in listed["data"]}
            assert shown[MODEL_ID] == "open/vendor/some:model"
            one = await client.get(f"{base}/v1/models/{MODEL_ID}", headers=VERSION)
            assert one.json()["display_name"] == "open/vendor/some:model"
            plain = (await client.get(f"{base}/v1/models")).json()["data"]
            assert "open,vendor/some:model" in [model["id"] for model in plain]
    other = next(id for id, name in shown.items() if name == "open/vendor/some/model")
    for id, model in ((MODEL_ID, "vendor/some:model"), (other, "vendor/some/model")):
        for picked in (id, f"{id}[1m]"):
            answer = await ask(router, {"model": picked})
            assert answer.json()["model"] == picked
            assert upstream.requests[-1].model == model


async def test_Q21_Q18_nothing_unknown_is_refused_and_all_of_it_passes_on(
    router: Running, upstream: FakeUpstream
) -> None:
    body = {
        "safeguards": [{"type": "new"}],
        "tags": {"a": "b"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015"}]},
        "messages": [
            {
                "role": "user",
                "content": [{"type": "of_tomorrow", "x": 1}, {"type": "text", "text": "hi"}],
            },
            {"role": "system", "content": "# Environment"},
        ],
        "tools": [{"type": "new_20270101", "name": "n", "defer_loading": True}],
    }
    headers = {
        "anthropic-beta": "a-2026-01-01,b-2027-01-01",
        "anthropic-of-tomorrow": "1",
        "x-stainless-lang": "js",
        "x-claude-code-session-id": "s1",
        "user-agent": "claude-cli/9.9.9 (external, cli)",
        "x-app": "cli",
    }
    answer = await ask(router, body, **headers)
    assert answer.status_code == 200
    sent = upstream.requests[-1]
    assert sent.path == "/v1/messages?beta=true"
    assert {name: sent.json[name] for name in body} == body
    assert {name: sent.headers.get(name) for name in headers} == headers
    # the provider's own key, in both ways that such servers know, and never the client's
    assert sent.headers["x-api-key"] == "sk-a"
    assert sent.headers["authorization"] == "Bearer sk-a"


async def test_limits_of_the_provider_reach_the_client(
    router: Running, upstream: FakeUpstream
) -> None:
    limits = {
        "anthropic-ratelimit-unified-status": "allowed_warning",
        "anthropic-ratelimit-unified-reset": "1786147200",
        "anthropic-ratelimit-unified-overage-utilization": "0.82",
    }
    upstream.default = Behaviour(headers={**limits, "set-cookie": "x=1", "via": "v"})
    for stream in (False, True):
        answer = await ask(router, {"stream": stream})
        assert {name: answer.headers.get(name) for name in limits} == limits
        assert "set-cookie" not in answer.headers
    answer = await ask(router, {"model": "open,vendor/some:model"})
    assert not any(name in answer.headers for name in limits), "another API's are not Anthropic's"
    upstream.default = Behaviour(
        status=429, headers={**limits, "retry-after": "7", "x-should-retry": "false"}
    )
    answer = await ask(router, {})
    told = ("retry-after", "x-should-retry", "anthropic-ratelimit-unified-reset")
    assert [answer.headers.get(name) for name in told] == ["7", "false", "1786147200"]


TOO_LONG = "prompt is too long: 212000 tokens > 200000 maximum"
WORDS = [
    ("claude-opus-5-5", 400, {"type": "invalid_request_error", "message": TOO_LONG}, TOO_LONG),
    (
        "claude-opus-5-5",
        400,
        {"type": "invalid_request_error", "message": "Input is too long."},
        "Input is too long.",
    ),
    (
        "claude-opus-5-5",
        413,
        {"type": "request_too_large", "message": "Request exceeds the maximum size"},
        "Request exceeds the maximum size",
    ),
    (
        "claude-opus-5-5",
        400,
        {"type": "invalid_request_error", "message": "thinking.type: adaptive is not supported"},
        "thinking.type: adaptive is not supported",
    ),
    (
        "open,vendor/some:model",
        400,
        {
            "message": "This model's maximum context length is 8192 tokens. However, your messages"
            " resulted in 9000 tokens.",
            "code": "context_length_exceeded",
        },
        "prompt is too long: 9000 tokens > 8192 maximum",
    ),
]


@pytest.mark.parametrize(("model", "status", "error", "told"), WORDS, ids=range(len(WORDS)))
async def test_the_words_that_the_client_recovers_by(
    router: Running,
    upstream: FakeUpstream,
    model: str,
    status: int,
    error: dict[str, str],
    told: str,
) -> None:
    body = json.dumps({"type": "error", "error": error}).encode()
    upstream.default = Behaviour(status=status, body=body)
    answer = await ask(router, {"model": model})
    assert (answer.status_code, answer.json()["error"]["message"]) == (status, told)
    assert answer.json()["type"] == "error"


@pytest.mark.usefixtures("upstream")
async def test_H02_keys_in_both_forms_at_once(router: Running) -> None:
    answer = await ask(router, {}, **{"x-api-key": "something else"})
    assert answer.status_code == 200
    wrong = await ask(router, {}, authorization="Bearer no")
    assert (wrong.status_code, wrong.headers["x-should-retry"]) == (401, "false")
    assert wrong.json()["error"]["type"] == "authentication_error"


@pytest.mark.usefixtures("upstream")
async def test_H03_the_ladder_of_sessions(router: Running) -> None:
    """header → JSON user_id → legacy user_id; told by the ledger's newest row."""
    ladder = [
        ({"x-claude-code-session-id": "h1"}, '{"session_id":"j1"}', "h1"),
        ({}, '{"device_id":"d","account_uuid":"","session_id":"j1"}', "j1"),
        ({}, "user_0123_account__session_l1", "l1"),
        ({}, "someone", ""),
        ({}, "{broken", ""),
    ]
    async with httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(uds=str(router.ready["listeners"][-1]["address"]))  # type: ignore[index]
    ) as control:
        for headers, user, session in ladder:
            await ask(router, {"metadata": {"user_id": user}}, **headers)
            newest = (await control.get("http://router/snapshot")).json()["recent"][0]
            assert newest["session"] == session


async def test_H04_H07_what_else_the_client_calls(router: Running) -> None:
    async with httpx.AsyncClient(timeout=10) as client:
        for base in (f"{router.front}/claude-code", f"{router.front}/ccr", router.ccr):
            for method, path in (
                ("POST", "/api/event_logging/batch"),
                ("HEAD", "/api/hello"),
                ("GET", "/api/hello"),
                ("HEAD", "/"),
                ("POST", "/v1/metrics"),
                ("POST", "/v1/logs"),
                ("POST", "/v1/traces"),
            ):
                answer = await client.request(method, base + path, content=b"{}")
                assert answer.status_code == 200, (method, path)
                assert method != "POST" or answer.json() == {"status": "ok"}
            for path in ("/managed/settings", "/api/oauth/usage"):
                answer = await client.get(base + path, headers={"x-api-key": KEY})
                assert answer.status_code == 404, "no such feature, in so many words"
                assert answer.json()["error"]["type"] == "not_found_error"


async def test_H05_C01_counting_is_here_and_asks_nobody(
    router: Running, upstream: FakeUpstream
) -> None:
    """26 in a row, as /context asks; with tools, images, documents and thinking; any model."""
    pixel = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    rich = {
        "model": "nobody-knows",
        "messages": [
            {"role": "user", "content": [{"type": "image", "source": pixel}]},
            {"role": "assistant", "content": [thought]},
            {
                "role": "user",
                "content": [
                    {"type": "document", "source": {**pixel, "media_type": "application/pdf"}},
                    {"type": "text", "text": "look"},
                ],
            },
        ],
        "tools": [{"name": "t", "description": "d", "input_schema": {"type": "object"}}],
        "thinking": {"type": "adaptive"},
    }
    async with httpx.AsyncClient(headers={"x-api-key": KEY}) as client:
        counts = [
            (
                await client.post(
                    f"{router.front}/claude-code/v1/messages/count_tokens?beta=true", json=rich
                )
            ).json()
            for _ in range(26)
        ]
    assert counts == [counts[0]] * 26
    assert list(counts[0]) == ["input_tokens"]
    assert counts[0]["input_tokens"] > 100
    assert upstream.requests == []


def shaped(*names: str) -> dict[str, Any]:
    """An answer in JSON is asked for, with these fields."""
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


SIDE_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("title", {"system": "You are naming a coding session", **shaped("title")}),
    ("hook", {"system": "You are evaluating a hook", **shaped("ok", "reason", "impossible")}),
    ("probe", {"max_tokens": 1, "messages": [{"role": "user", "content": "Hi"}]}),
    ("quota", {"max_tokens": 1, "messages": [{"role": "user", "content": "quota"}]}),
    ("warmup", {"messages": [{"role": "user", "content": "Warmup"}]}),
    (
        "topic",
        {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "{"}]},
    ),
    ("haiku", {"model": "claude-haiku-4-5-20251001"}),
]


@pytest.mark.parametrize(("name", "body"), SIDE_CALLS, ids=[name for name, _ in SIDE_CALLS])
async def test_H06_side_calls_go_to_the_background(
    router: Running, upstream: FakeUpstream, name: str, body: dict[str, Any]
) -> None:
    answer = await ask(router, body)
    assert answer.status_code == 200
    assert answer.headers["x-pointsman-rule"] == "background"
    assert upstream.requests[-1].model == "claude-small"


async def test_a_picked_model_is_the_conversations_and_a_written_one_answers_all(
    router: Running, upstream: FakeUpstream
) -> None:
    for name, body in SIDE_CALLS:
        for model, asked in (
            (MODEL_ID, "claude-small"),
            (f"{MODEL_ID}[1m]", "claude-small"),
            ("open,vendor/some:model", "vendor/some:model"),
        ):
            if "model" not in body:
                await ask(router, {**body, "model": model})
                assert upstream.requests[-1].model == asked, (name, model)
    await ask(router, {"model": MODEL_ID})
    assert upstream.requests[-1].model == "vendor/some:model"


@pytest.mark.parametrize("stream", [False, True])
async def test_enhancetool_mends_what_the_model_wrote(
    router: Running, upstream: FakeUpstream, stream: bool
) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "get", "arguments": "{'a': 1,"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    whole = {
        "id": "x",
        "model": "m",
        "choices": [{"message": message, "finish_reason": "tool_calls"}],
    }
    upstream.default = Behaviour(
        body=json.dumps(whole).encode(), headers={"content-type": "application/json"}
    )
    answer = await ask(router, {"model": "mend,m", "stream": stream})
    assert answer.status_code == 200
    if stream:
        assert r'"partial_json":"{\"a\": 1}"' in answer.text
    else:
        assert answer.json()["content"][-1]["input"] == {"a": 1}


async def test_a_preset_has_a_door_of_its_own(router: Running, upstream: FakeUpstream) -> None:
    body = {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": HELLO}
    async with httpx.AsyncClient(headers={"x-api-key": KEY}, timeout=30) as client:
        for base in (f"{router.front}/ccr", router.ccr):
            answer = await client.post(f"{base}/preset/cheap/v1/messages", json=body)
            assert answer.status_code == 200
            assert answer.headers["x-pointsman-model"] == "mend@cheap,m"
            assert upstream.requests[-1].model == "m"
            gone = await client.post(f"{base}/preset/other/v1/messages", json=body)
            assert (gone.status_code, gone.json()["error"]["type"]) == (404, "not_found_error")
    assert (await ask(router, {})).headers["x-pointsman-model"] == "anth,claude-x"
