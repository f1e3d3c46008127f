"""Planted secrets and texts, every way to fail, at debug level: nothing of them is ever written."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.fakes.upstream import Behaviour, FakeUpstream, Seen
from tests.harness import Running, running

NAMES = (
    *("ccrkey", "envkey", "yamlkey", "header", "proxy"),  # sent to providers, or to a proxy
    *("master", "apikey", "client", "xapikey", "cookie", "query"),  # sent by clients
    *("system", "prompt", "tool", "result", "user", "answer", "embedded"),  # a conversation's
)
#: no prefix by which a key could be told from a word, each long enough to be looked for whole
SECRETS = {
    name: f"{name}{'qzwxjkvp'[: 4 + at % 4]}7{name[::-1]}canary" for at, name in enumerate(NAMES)
}
PROVIDERS = ("ccrkey", "envkey", "yamlkey", "header")


def configure(home: Path, upstream: FakeUpstream) -> None:
    ccr = home / ".claude-code-router"
    ccr.mkdir(parents=True)
    (ccr / "config.json").write_text(
        json.dumps(
            {
                "APIKEY": SECRETS["apikey"],
                "LOG_LEVEL": "debug",
                "Providers": [
                    {
                        "name": name,
                        "api_base_url": upstream.url(path),
                        "api_key": key,
                        "models": ["m"],
                    }
                    for name, path, key in (
                        ("open", "/v1/chat/completions", SECRETS["ccrkey"]),
                        ("anthropic", "/v1/messages", "$CANARY_KEY"),
                    )
                ],
                "Router": {"default": "open,m", "background": "anthropic,m"},
            }
        )
    )
    (home / "litellm-config.yaml").write_text(
        f"""
model_list:
  - model_name: chat
    litellm_params: {{model: openai/m, api_base: '{upstream.base}', api_key: {SECRETS["yamlkey"]},
      extra_headers: {{x-secret-token: {SECRETS["header"]}}}}}
  - model_name: text-embedding
    litellm_params: {{model: openai/e, api_base: '{upstream.base}', api_key: {SECRETS["yamlkey"]}}}
general_settings: {{master_key: {SECRETS["master"]}}}
"""
    )
    (home / "pointsman.toml").write_text(
        "[log]\nlevel = 'debug'\n[retry]\nretries = 1\nbackoff = 0.01\ncooldown = 0.0\n"
        "[litellm]\nmode = 'embedded'\n[ccr]\nmode = 'embedded'\n"
    )


def bodies() -> dict[str, tuple[dict[str, Any], str]]:
    """Path → a good body full of texts, and the key that its door asks for."""
    anthropic = {
        "system": SECRETS["system"],
        "metadata": {"user_id": f"user_{SECRETS['user']}"},
        "tools": [{"name": "look", "description": SECRETS["tool"], "input_schema": {}}],
        "messages": [
            {"role": "user", "content": f"first {SECRETS['prompt']} last"},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t", "name": "look", "input": {"a": "b"}}],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t", "content": SECRETS["result"]}
                ],
            },
        ],
    }
    chat = {
        "model": "chat",
        "user": SECRETS["user"],
        "messages": [
            {"role": "system", "content": SECRETS["system"]},
            {"role": "user", "content": SECRETS["prompt"]},
        ],
    }
    embed = {"model": "text-embedding", "input": SECRETS["embedded"]}
    told = {"model": "chat", "instructions": SECRETS["system"], "input": SECRETS["prompt"]}
    ollama = {key: chat[key] for key in ("model", "messages")}
    gemini = {
        "systemInstruction": {"parts": [{"text": SECRETS["system"]}]},
        "contents": [{"role": "user", "parts": [{"text": SECRETS["prompt"]}]}],
    }
    return {
        "/ccr/v1/messages": (anthropic | {"model": "open,m"}, "apikey"),
        "/claude-code/v1/messages": (anthropic | {"model": "anthropic,m"}, "apikey"),
        "/ccr/v1/messages/count_tokens": (anthropic, "apikey"),
        "/litellm/v1/chat/completions": (chat, "master"),
        "/litellm/v1/embeddings": (embed, "master"),
        "/litellm/v1/responses": (told, "master"),
        "/litellm/v1/images/generations": (
            {"model": "chat", "prompt": SECRETS["prompt"], "user": SECRETS["user"]},
            "master",
        ),
        "/ollama/api/chat": (ollama, "master"),
        "/gemini/v1beta/models/chat:generateContent": (gemini, "master"),
    }


def behaviours() -> list[tuple[Behaviour, str]]:
    """Each with a body in which EVERYTHING stands for all that the provider was sent."""
    stream = {"content-type": "text/event-stream"}
    error = '{"error": {"message": "you sent EVERYTHING", "type": "x"}}'
    detail = '{"detail": [{"loc": ["body"], "input": "EVERYTHING"}]}'
    event = '{"type": "error", "error": {"type": "api_error", "message": "you sent EVERYTHING"}}'
    return [
        (Behaviour(words=(SECRETS["answer"], " and more")), ""),
        *((Behaviour(status=code), error) for code in (400, 401, 403, 404, 429, 500, 529)),
        *((Behaviour(status=code), detail) for code in (422, 302)),
        *((Behaviour(status=500), text) for text in ("EVERYTHING", "<p>EVERYTHING</p>", " ")),
        (Behaviour(), '{"choices": 1, "content": "EVERYTHING"}'),
        (Behaviour(), error),
        (Behaviour(headers=stream), f"data: {error}\n\n"),
        (Behaviour(headers=stream), f"event: error\ndata: {event}\n\n"),
        (Behaviour(headers=stream), "data: {EVERYTHING\n\n"),
        (Behaviour(raw=b"HTTP/1.1 799 odd\r\ncontent-length: 0\r\n\r\n"), ""),
        (Behaviour(raw=b"\x1b]52;c;aGk=\x07 is no HTTP"), ""),
        *((Behaviour(cut=point), "") for point in ("headers", "first", "middle")),
    ]


def echoing(behaviour: Behaviour, template: str) -> Callable[[Seen], Behaviour]:
    def answer(seen: Seen) -> Behaviour:
        if not template:
            return behaviour
        # the texts first: an error is shortened before it is kept
        all_of_it = f"{seen.body.decode()} {seen.headers}"
        sent = json.dumps(all_of_it)[1:-1] if "{" in template else all_of_it
        headers = {name: value for name, value in seen.headers.items() if "auth" in name}
        first = json.dumps(str(headers))[1:-1] if "{" in template else str(headers)
        return replace(behaviour, body=template.replace("EVERYTHING", first + sent).encode())

    return answer


def files(router: Running) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes()
        for path in router.home.rglob("*")
        if path.is_file() and path.name not in ("config.json", "litellm-config.yaml")
    }


def command_lines(router: Running) -> dict[str, bytes]:
    process = psutil.Process(router.process.pid)
    ours = (process, *process.children(recursive=True))
    return {f"command line {one.pid}": " ".join(one.cmdline()).encode() for one in ours}


def hits(found: dict[str, bytes]) -> list[tuple[str, str]]:
    """Also of the first twelve characters, and of what JSON or a URL would make of them."""
    return [
        (place, name)
        for place, data in found.items()
        for name, secret in SECRETS.items()
        if secret[:12].encode() in data or secret[-14:].encode() in data
    ]


async def exercise(router: Running, upstream: FakeUpstream) -> list[str]:
    """Every endpoint with every behaviour, whole and streamed, and the refusals. Returns what
    clients were told of failures."""
    told: list[str] = []
    more = {"cookie": SECRETS["cookie"]}
    query = {"signed": SECRETS["query"]}
    async with httpx.AsyncClient(timeout=30, headers=more, params=query) as client:
        for behaviour, template in behaviours():
            upstream.script = echoing(behaviour, template)
            for path, (body, key) in bodies().items():
                for stream in (False, True) if "messages" in path or "chat" in path else (False,):
                    shown = {"headers": {"authorization": f"Bearer {SECRETS[key]}"}}
                    if path.startswith("/gemini"):  # as its SDKs may
                        shown = {"params": query | {"key": SECRETS[key]}}
                    answer = await client.post(
                        router.front + path,
                        json=body | ({"stream": True} if stream else {}),
                        **shown,  # type: ignore[arg-type]
                    )
                    if answer.status_code != 200 or "error" in answer.text:
                        told.append(answer.text + str(answer.headers))
        for path, (body, _) in bodies().items():
            for headers in (
                {"authorization": f"Bearer {SECRETS['client']}"},
                {"x-api-key": SECRETS["xapikey"]},
                {"host": "evil.example"},
                {"origin": f"https://{SECRETS['client']}.example"},
                {"content-type": "text/plain"},
            ):
                answer = await client.post(router.front + path, json=body, headers=headers)
                assert 400 <= answer.status_code < 500
            for content in (json.dumps(body).encode()[:-1], b'"' + SECRETS["prompt"].encode()):
                answer = await client.post(
                    router.front + path,
                    content=content,
                    headers={
                        "content-type": "application/json",
                        "authorization": f"Bearer {SECRETS[bodies()[path][1]]}",
                    },
                )
                assert answer.status_code == 400
            if path.startswith("/gemini"):
                wrong = {"key": SECRETS["client"]}
                assert (await client.post(router.front + path, json=body, params=wrong)).status_code
        for path in ("/snapshot", "/health", "/nothing", "/metrics", "/", "/n8n/x", "/console/"):
            told.append((await client.get(router.front + path)).text)
        async with httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(router.home / "run" / "control.sock"))
        ) as control:
            told.append((await control.get("http://router/snapshot")).text)
    return told


async def test_no_secret_and_no_text_is_ever_written(
    tmp_path: Path, upstream: FakeUpstream
) -> None:
    home = tmp_path / "pointsman"
    configure(home, upstream)
    proxy = f"http://user:{SECRETS['proxy']}@127.0.0.1:9"
    with running(home, CANARY_KEY=SECRETS["envkey"], HTTP_PROXY=proxy, CCR_DEBUG="true") as router:
        told = await exercise(router, upstream)
        live = command_lines(router) | {f"{k} (live)": v for k, v in files(router).items()}
        code = await asyncio.to_thread(router.stop)
        assert router.process.stdout is not None
        assert router.process.stderr is not None
        said = {"stdout": router.process.stdout.read(), "stderr": router.process.stderr.read()}
        after = await asyncio.to_thread(files, router)
    assert code == 0
    sent = "\n".join(f"{seen.headers}{seen.body!r}" for seen in upstream.requests)
    for name in ("ccrkey", "envkey", "yamlkey", "header", "prompt", "result", "embedded"):
        assert SECRETS[name] in sent, f"{name} was never used, so it could not have leaked"
    for name in ("client", "xapikey", "cookie", "master", "apikey", "proxy"):
        assert SECRETS[name] not in sent, f"{name} went to a provider"
    with sqlite3.connect(home / "data" / "ledger.db") as ledger:
        dump = "\n".join(ledger.iterdump())
        (failed,) = ledger.execute("SELECT count(*) FROM request WHERE state = 'failed'").fetchone()
    ledger.close()
    assert failed > 100
    places = live | after | {name: text.encode() for name, text in said.items()}
    places["ledger"] = dump.encode()
    assert hits(places) == []
    (log,) = (text.decode() for path, text in after.items() if path.endswith("ccr.log"))
    for stage in ("decided by", "attempt 1 at", "ok: status 200", "(none), ended after"):
        assert any('"debug"' in line and stage in line for line in log.splitlines()), stage
    keys = {name for answer in told for name in (*PROVIDERS, "proxy") if SECRETS[name] in answer}
    assert keys == set(), "a client was told a key"
    (home / "control").write_text(f"a leak: {SECRETS['prompt']}")
    assert hits({"control": (home / "control").read_bytes()}) == [("control", "prompt")]
