"""Clients and providers that speak Ollama's or Gemini's own API, through a real router.

The `ollama` package and Gemini CLI as clients; a scripted Ollama, Gemini, Bedrock and Azure.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import ollama
import pytest

from tests.fakes.threaded import threaded
from tests.fakes.upstream import Behaviour, FakeUpstream, Seen
from tests.harness import Running, running
from tests.router.formats.dialects import (
    Answer,
    heard_by_anthropic,
    heard_by_gemini,
    heard_by_openai,
    say_gemini,
    say_ollama,
)
from tests.stories.installed import from_npm

if TYPE_CHECKING:
    from google import genai

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "d",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
CALLED = Answer("look", "hm", [("weather", {"city": "Rome"})], "tools")
NDJSON, SSE = {"content-type": "application/x-ndjson"}, {"content-type": "text/event-stream"}
GEMINI_CLI = ("@google/gemini-cli", "0.61.0", "gemini", "GEMINI_CLI_PATH")
AWS = {
    "AWS_ACCESS_KEY_ID": "AKIATEST",
    "AWS_SECRET_ACCESS_KEY": "very-secret",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def scripted(seen: Seen) -> Behaviour | None:
    """By the path alone: the fake plays an Ollama and a Gemini at once."""
    path = seen.path.partition("?")[0]
    match path.rpartition("/")[2]:
        case "ps":
            loaded = {"name": "qwen:latest", "context_length": 8192}
            return _json({"models": [loaded]})
        case "show":
            return _json({"model_info": {"qwen.context_length": 32_768}})
        case "chat":
            stream = seen.json["stream"]
            return Behaviour(body=say_ollama(CALLED, stream), headers=NDJSON if stream else {})
    if path.endswith(":generateContent"):
        return Behaviour(body=say_gemini(CALLED, stream=False))
    if path.endswith("cli:streamGenerateContent"):
        return Behaviour(body=say_gemini(_of_cli(seen), stream=True), headers=SSE)
    if path.endswith(":streamGenerateContent"):
        return Behaviour(body=say_gemini(CALLED, stream=True), headers=SSE)
    return None


def _of_cli(seen: Seen) -> Answer:
    """A turn in which the client lists its folder, then the last one."""
    if b"functionResponse" in seen.body:
        return Answer("all done")
    return Answer(calls=[("list_directory", {"dir_path": "."})], stop="tools")


def _json(value: Any) -> Behaviour:
    return Behaviour(body=json.dumps(value).encode())


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeUpstream]:
    with threaded() as fake:
        fake.script = scripted
        yield fake


@pytest.fixture(scope="module")
def router(fake: FakeUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """It has asked the Ollama what its models can hold."""
    home = tmp_path_factory.mktemp("natives")
    gemini = {"api_base": fake.url("/v1beta"), "api_key": "g-key"}
    models = {
        "qwen": {"model": "ollama_chat/qwen", "api_base": fake.url("")},
        "gemini-3-pro": {"model": "gemini/gemini-3-pro", **gemini},
        "gemini-cli": {"model": "gemini/gemini-cli", **gemini},
        "claude": {"model": "anthropic/claude-x", "api_base": fake.url(""), "api_key": "k"},
        "gpt": {"model": "openai/gpt", "api_base": fake.base, "api_key": "k"},
    }
    document = {
        "model_list": [
            {"model_name": name, "litellm_params": params} for name, params in models.items()
        ],
        "router_settings": {"num_retries": 0},
    }
    (home / "litellm-config.yaml").write_text(json.dumps(document))
    deployments = fake.url("/openai/deployments/{model}/chat/completions?api-version=2024-10-21")
    (home / "pointsman.toml").write_text(
        f"""
[providers.rock]
kind = "bedrock"
base = "{fake.url("/anthropic")}"
cloud = {{ region = "eu-west-1" }}
models = ["claude-x"]
[providers.away]
kind = "azure"
url = "{deployments}"
key = "az-key"
"""
    )
    with running(home, ssh=False, **AWS) as router:
        ends = time.monotonic() + 30
        while "routed.context_length" not in _shown(router):
            assert time.monotonic() < ends, "the router never asked the Ollama"
        yield router


def _shown(router: Running) -> dict[str, Any]:
    answer = router.post("/ollama/api/show", {"model": "qwen"}).json()
    info: dict[str, Any] = answer["model_info"]
    return info


def test_L09_a_client_of_ollama_works_with_every_model(router: Running) -> None:
    with ollama.Client(host=f"{router.front}/ollama") as client:
        _use(client, router)


def _use(client: ollama.Client, router: Running) -> None:
    names = {model.model for model in client.list().models}
    assert {"qwen", "gemini-3-pro", "claude", "gpt"} <= names
    ask: Any = {"messages": [{"role": "user", "content": "hello"}], "tools": [WEATHER]}
    for name in ("qwen:latest", "gemini-3-pro", "claude", "gpt"):
        whole = client.chat(name, think=True, **ask)
        parts = list(client.chat(name, stream=True, think=True, **ask))
        assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]
        streamed = "".join(part.message.content or "" for part in parts)
        assert streamed == whole.message.content
        if name in ("qwen:latest", "gemini-3-pro"):
            calls = [call for part in parts for call in part.message.tool_calls or ()]
            assert [call.function.arguments for call in calls] == [{"city": "Rome"}]
            assert (streamed, whole.eval_count) == ("look", 7)
    assert client.generate("claude", "hi").response == "".join(Behaviour().words)
    assert client.embed("gpt", ["a", "b"]).embeddings == [[0.6, 0.8]] * 2
    assert client.embeddings("gpt", "a").embedding == [0.6, 0.8]
    assert client.show("qwen").modelinfo["routed.context_length"] == 32_768  # type: ignore[index]
    assert ("qwen", 8192) in [(model.model, model.context_length) for model in client.ps().models]
    for refused, status in ((lambda: client.pull("x"), 501), (lambda: client.show("nobody"), 404)):
        with pytest.raises(ollama.ResponseError) as error:
            refused()
        assert error.value.status_code == status
    assert "0." in router.get("/ollama/api/version").json()["version"]
    assert router.get("/ollama").text == "Ollama is running"
    compatible = router.get("/ollama/v1/models").json()["data"]
    assert names == {model["id"] for model in compatible}


def test_L02_an_ollama_is_asked_for_a_context_that_holds_the_prompt(
    router: Running, fake: FakeUpstream
) -> None:
    def ask(words: int) -> httpx.Response:
        turns = [{"role": "user", "content": "word " * words}]
        body = {"model": "qwen", "messages": turns, "stream_options": {"include_usage": True}}
        return router.post("/litellm/v1/chat/completions", body | {"stream": True})

    # what it is loaded with; what is needed
    for words, size in ((1, 8192), (9_000, 32_768)):
        assert heard_by_openai(ask(words).content, True) == CALLED
        chats = [seen for seen in fake.requests if seen.path == "/api/chat"]
        assert chats[-1].json["options"]["num_ctx"] == size
    # more than it can hold is never sent: Ollama would cut it in silence
    too_long = ask(60_000)
    assert too_long.status_code == 400
    assert "prompt is too long" in too_long.json()["error"]["message"]


def test_gemini_is_spoken_on_both_sides(router: Running, fake: FakeUpstream) -> None:
    question = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "safetySettings": []}
    at, before = "/gemini/v1beta/models/gemini-3-pro", len(fake.requests)
    whole = router.post(f"{at}:generateContent?key=mine", question)
    streamed = router.post(f"{at}:streamGenerateContent?alt=sse", question)
    array = router.post(f"{at}:streamGenerateContent", question)
    own = [seen for seen in fake.requests[before:] if "Content" in seen.path]
    assert [seen.path for seen in own] == [
        "/v1beta/models/gemini-3-pro:generateContent",
        *["/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse"] * 2,
    ], "the client's key goes no further than here"
    assert all(seen.headers["x-goog-api-key"] == "g-key" for seen in own)
    assert own[0].json == own[1].json == question, "its own bytes"
    assert heard_by_gemini(whole.content, False) == CALLED
    assert heard_by_gemini(streamed.content, True) == CALLED
    assert array.json()[-1]["candidates"][0]["finishReason"] == "STOP"
    turns = [{"role": "user", "content": "hi"}]
    claude = router.post(
        "/claude-code/v1/messages",
        {
            "model": "litellm-internal,gemini-3-pro",
            "max_tokens": 99,
            "stream": True,
            "messages": turns,
        },
    )
    assert heard_by_anthropic(claude.content, True) == CALLED
    assert router.post(f"{at}:countTokens", question).json()["totalTokens"] > 0
    content = {"content": {"parts": [{"text": "a"}]}}
    vector = router.post("/gemini/v1beta/models/gpt:embedContent", content)
    assert vector.json() == {"embedding": {"values": [0.6, 0.8]}}
    listed = router.get("/gemini/v1beta/models").json()["models"]
    assert "models/gemini-3-pro" in [model["name"] for model in listed]
    for path, status in ((":nothing", 404), ("/x", 404), (":generateContent", 400)):
        failed = router.post(at + path, {})
        assert failed.status_code == failed.json()["error"]["code"] == status


def test_a_cloud_is_signed_in_at_and_a_deployment_has_its_address(
    router: Running, fake: FakeUpstream
) -> None:
    before = len(fake.requests)
    for model in ("rock,claude-x", "away,my-deployment"):
        turns = [{"role": "user", "content": "hi"}]
        body = {"model": model, "max_tokens": 9, "messages": turns}
        assert router.post("/claude-code/v1/messages", body).status_code == 200
    rock, away = (seen for seen in fake.requests[before:] if seen.method == "POST")
    assert rock.path == "/anthropic/v1/messages"
    assert rock.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIATEST/")
    assert "/eu-west-1/bedrock-mantle/aws4_request" in rock.headers["authorization"]
    assert away.path.startswith("/openai/deployments/my-deployment/chat/completions?api-v")
    assert away.headers["api-key"] == "az-key"
    assert "authorization" not in away.headers


@pytest.mark.real_client
# the SDK leaves a socket of its own to the collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_googles_own_sdk(router: Running, fake: FakeUpstream) -> None:
    from google import genai  # two seconds of imports
    from google.genai import types

    options = types.HttpOptions(base_url=f"{router.front}/gemini")
    with genai.Client(api_key="mine", http_options=options) as client:
        _as_googles_sdk_does(client)


def _as_googles_sdk_does(client: genai.Client) -> None:
    from google.genai import errors, types

    schema = types.Schema(
        type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}
    )
    declared = types.FunctionDeclaration(name="weather", parameters=schema)
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[declared])],
        thinking_config=types.ThinkingConfig(include_thoughts=True),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    for model in ("gemini-3-pro", "qwen"):
        whole = client.models.generate_content(model=model, contents="hi", config=config)
        assert whole.function_calls is not None
        assert [call.args for call in whole.function_calls] == [{"city": "Rome"}]
        assert whole.usage_metadata is not None
        assert whole.usage_metadata.total_token_count == sum(CALLED.used)
        parts = [
            part
            for chunk in client.models.generate_content_stream(
                model=model, contents="hi", config=config
            )
            for candidate in chunk.candidates or ()
            for part in (candidate.content and candidate.content.parts) or ()
        ]
        assert "".join(part.text or "" for part in parts if part.thought) == "hm"
        assert "".join(part.text or "" for part in parts if not part.thought) == "look"
    chat = client.chats.create(model="claude")
    words = "".join(Behaviour().words)
    assert [chat.send_message("hi").text, chat.send_message("more").text] == [words, words]
    vectors = client.models.embed_content(model="gpt", contents=["a", "b"]).embeddings or []
    assert [vector.values for vector in vectors] == [[0.6, 0.8]] * 2
    assert client.models.count_tokens(model="claude", contents="hi there").total_tokens
    assert "models/qwen" in [model.name for model in client.models.list()]
    with pytest.raises(errors.ClientError) as error:
        client.models.generate_content(model="nobody", contents="x")
    assert (error.value.code, error.value.status) == (400, "INVALID_ARGUMENT")


@pytest.mark.real_client
def test_gemini_cli_runs_a_tool_and_ends(
    router: Running, fake: FakeUpstream, pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    cache = pytestconfig.cache
    assert cache is not None
    program = from_npm(cache, *GEMINI_CLI)
    work, settings = tmp_path / "work", tmp_path / ".gemini" / "settings.json"
    work.mkdir()
    (work / "found-me").touch()
    settings.parent.mkdir()
    auth = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
    settings.write_text(json.dumps(auth | {"privacy": {"usageStatisticsEnabled": False}}))
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GEMINI_API_KEY": "x",
        "GOOGLE_GEMINI_BASE_URL": f"{router.front}/gemini",
    }
    ran = subprocess.run(
        [str(program), "-m", "gemini-cli", "--skip-trust", "-p", "list"],
        env=env,
        cwd=work,
        capture_output=True,
        text=True,
        timeout=90,
        stdin=subprocess.DEVNULL,
    )
    assert ran.returncode == 0, ran.stderr
    assert "all done" in ran.stdout
    last = [seen for seen in fake.requests if b"functionResponse" in seen.body][-1]
    assert b"found-me" in last.body
