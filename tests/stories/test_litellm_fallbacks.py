"""Fallbacks that ask otherwise, and a request's own headers: who is asked with what.

One table; ours is asked it each time, the real LiteLLM (found by LITELLM_PATH) where it is there.
Where the two differ on purpose a case has LiteLLM's own column and the reason.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from storage.home import Home
from tests.fakes.upstream import FakeUpstream
from tests.router import inside
from tests.stories.test_litellm_original import PROGRAM, SETTINGS, litellm
from tests.stories.test_litellm_plane import BEHAVIOURS, TOML, chat

JSON = dict[str, Any]
CONFIG = """
up: &up {api_base: '%s', api_key: a-provider-key}
model_list:
  - {model_name: ok, litellm_params: {model: openai/ok, <<: *up}}
  - {model_name: ok2, litellm_params: {model: openai/ok2, <<: *up, temperature: 0.7}}
  - {model_name: headed, litellm_params: {model: openai/hd, <<: *up, extra_headers: {x-mine: cfg}}}
  - {model_name: e500, litellm_params: {model: openai/e500, <<: *up}}
  - {model_name: e503, litellm_params: {model: openai/e503, <<: *up}}
  - {model_name: ectx, litellm_params: {model: openai/ectx, <<: *up}}
  - {model_name: f1, litellm_params: {model: openai/e500, <<: *up}}
  - {model_name: f2, litellm_params: {model: openai/e500, <<: *up}}
  - {model_name: f3, litellm_params: {model: openai/e500, <<: *up}}
router_settings:
  num_retries: 0
  disable_cooldowns: true
  fallbacks:
    - f1: [{model: ok2, temperature: 0, messages: [{role: user, content: as set}]}]
    - f2: [nobody]
    - f3: [{model: e503, seed: 4}, ok]
  context_window_fallbacks: [{ectx: [{model: ok2, temperature: 0.1}]}]
  default_fallbacks: [ok]
"""
WORDS = [{"role": "user", "content": "otherwise"}]
HEADERS = {"x-mine": "asked", "x-one": "1"}
TWO = {"x-two": "2"}
SAID: JSON = {"messages": [{"role": "user", "content": "hi"}]}
OWN: JSON = {"messages": WORDS}
E500: tuple[str, JSON] = ("e500", SAID)
CHAT, EMBED = "/v1/chat/completions", "/v1/embeddings"


def tagged(words: str) -> JSON:
    """As Claude Code's subagents are told their model."""
    tag = "<CCR-SUBAGENT-MODEL>litellm-internal,e500</CCR-SUBAGENT-MODEL>"
    return {"messages": [{"role": "user", "content": tag + words}]}


#: what went up: the model, the body without it, headers of the client's
Sent = list[tuple[str, JSON] | tuple[str, JSON, dict[str, str]]]
#: case → path, body, what ours sends
CASES: dict[str, tuple[str, JSON, Sent]] = {
    "own fields": (
        CHAT,
        chat("e500", temperature=1, fallbacks=[{"model": "ok2", **OWN, "temperature": 0}]),
        [("e500", SAID | {"temperature": 1}), ("ok2", OWN | {"temperature": 0})],
    ),
    "they stay for the next": (
        CHAT,
        chat("e500", fallbacks=[{"model": "e503", **OWN, "num_retries": 1}, {"model": "ok"}]),
        [E500, ("e503", OWN), ("e503", OWN), ("ok", OWN)],
    ),
    "the same model": (
        CHAT,
        chat("e500", fallbacks=[{"model": "e500", **OWN}]),
        [E500, ("e500", OWN)],
    ),
    "fallbacks of its own": (
        CHAT,
        chat("e500", fallbacks=[{"model": "e503", "fallbacks": ["ok2"]}]),
        [E500, ("e503", SAID), ("ok2", SAID | {"temperature": 0.7})],
    ),
    "in a chain": (
        CHAT,
        chat("e500", fallbacks=[{"e500": [{"model": "ok", **OWN}]}]),
        [E500, ("ok", OWN)],
    ),
    "for a long prompt": (
        CHAT,
        chat("ectx", context_window_fallbacks=[{"ectx": [{"model": "ok", **OWN}]}]),
        [("ectx", SAID), ("ok", OWN)],
    ),
    "a plain list is for every failure": (
        CHAT,
        chat("ectx", fallbacks=["ok"]),
        [("ectx", SAID), ("ok", SAID)],
    ),
    "of the file": (CHAT, chat("f1", temperature=1), [
        ("e500", SAID | {"temperature": 1}),
        ("ok2", {"messages": [{"role": "user", "content": "as set"}], "temperature": 0}),
    ]),
    "of the file, for the next": (
        CHAT,
        chat("f3"),
        [E500, ("e503", SAID | {"seed": 4}), ("ok", SAID | {"seed": 4})],
    ),
    "of the file, for a long prompt": (
        CHAT,
        chat("ectx"),
        [("ectx", SAID), ("ok2", SAID | {"temperature": 0.1})],
    ),
    "embeddings": (
        EMBED,
        {"model": "e500", "input": "x", "fallbacks": [{"model": "ok", "input": "y"}]},
        [("e500", {"input": "x"}), ("ok", {"input": "y"})],
    ),
    # a name that nobody has is the first of default_fallbacks; a request's own chains are all
    "nobody": (CHAT, chat("e500", fallbacks=["nobody"]), [E500, ("ok", SAID)]),
    "nobody, otherwise": (
        CHAT,
        chat("e500", fallbacks=[{"model": "nobody", **OWN}]),
        [E500, ("ok", OWN)],
    ),
    "nobody in a chain": (
        CHAT,
        chat("e500", fallbacks=[{"e500": ["nobody"]}]),
        [E500, ("ok", SAID)],
    ),
    "nobody in the file": (CHAT, chat("f2"), [E500, ("ok", SAID)]),
    "its own chains are all": (CHAT, chat("e500", fallbacks=[{"other": ["ok2"]}]), [E500]),
    "nothing behind its own": (
        CHAT,
        chat("e500", fallbacks=[{"e500": ["e503"]}]),
        [E500, ("e503", SAID)],
    ),
    "the default": (CHAT, chat("e500"), [E500, ("ok", SAID)]),
    # headers
    "headers": (CHAT, chat("ok", extra_headers=HEADERS), [("ok", SAID, HEADERS)]),
    "headers by their other name": (CHAT, chat("ok", headers=HEADERS), [("ok", SAID, HEADERS)]),
    "headers for embeddings": (
        EMBED,
        {"model": "ok", "input": "x", "extra_headers": HEADERS},
        [("ok", {"input": "x"}, HEADERS)],
    ),
    "headers of a fallback": (
        CHAT,
        chat("e500", extra_headers=HEADERS, fallbacks=[{"model": "ok", "extra_headers": TWO}]),
        [("e500", SAID, HEADERS), ("ok", SAID, TWO)],
    ),
    "headers over those of the file": (
        CHAT,
        chat("headed", extra_headers=HEADERS),
        [("hd", SAID, {"x-mine": "cfg", "x-one": "1"})],
    ),
    "a key": (
        CHAT,
        chat("ok", extra_headers={"Authorization": "Bearer evil", "api-key": "e", "x-one": "1"}),
        [("ok", SAID, {"x-one": "1"})],
    ),
    # what is for the rules alone reaches no provider, whoever asks it with what
    "a tag, and a field of its own": (
        CHAT,
        chat("e500", **tagged("hi"), fallbacks=[{"model": "ok", "seed": 4}]),
        [E500, ("ok", SAID | {"seed": 4})],
    ),
    "a tag in words of its own": (
        CHAT,
        chat("e500", **tagged("hi"), fallbacks=[{"model": "ok", **tagged("otherwise")}]),
        [E500, ("ok", OWN)],
    ),
    "a list of both kinds": (
        CHAT,
        chat("e500", fallbacks=[{"model": "e503", **OWN}, "ok"]),
        [E500, ("e503", OWN), ("ok", OWN)],
    ),
}  # fmt: skip
#: what LiteLLM 1.106.2 sends instead, and why ours is another
OTHERWISE: dict[str, Sent] = {
    # what an operator set up stays: it may say whose account it is
    "headers over those of the file": [("hd", SAID, HEADERS)],
    # a client could replace the provider's key
    "a key": [("ok", SAID, {"authorization": "Bearer evil", "api-key": "e", "x-one": "1"})],
    # its client for embeddings asks a failing provider three times, whatever num_retries says
    "embeddings": [*[("e500", {"input": "x"})] * 3, ("ok", {"input": "y"})],
    # names beside models with fields make it forget the latter
    "a list of both kinds": [E500, ("ok", SAID)],
    # it knows nothing of CCR's
    "a tag, and a field of its own": [("e500", tagged("hi")), ("ok", tagged("hi") | {"seed": 4})],
    "a tag in words of its own": [("e500", tagged("hi")), ("ok", tagged("otherwise"))],
}
#: body, the names in x-pointsman-dropped
UNDONE: list[tuple[JSON, str]] = [
    (
        {"extra_headers": {"Host": "h", "x-n": "a\r\nx-evil: 1", "bad name": "x", "x-fine": "y"}},
        "extra_headers.Host, extra_headers.x-n, extra_headers.unknown",
    ),
    ({"extra_headers": {"x-long": "y" * 5000}}, "extra_headers.x-long"),
    ({"extra_headers": {f"x-{n}": "" for n in range(33)}}, "extra_headers.x-32"),
    ({"extra_headers": {"transfer-encoding": "chunked", "x-amz-date": "1"}},
     "extra_headers.transfer-encoding, extra_headers.x-amz-date"),
    ({"api_key": "k", "guardrails": ["g"], "litellm_call_id": "1"}, "api_key, guardrails"),
]  # fmt: skip
#: body, what the error says
WRONG: list[tuple[JSON, str]] = [
    ({"extra_headers": ["a"]}, "extra_headers: should be an object"),
    ({"extra_headers": {"x-n": 5}}, "extra_headers.x-n: should be a string"),
    ({"fallbacks": [{"model": "ok", "api_base": "http://127.0.0.1:1"}]}, "api_base is not allowed"),
    ({"fallbacks": [{"model": "ok", "messages": 7}]}, "fallbacks: ok: messages"),
    ({"fallbacks": [{"messages": WORDS}]}, "fallbacks: should name its model"),
    ({"fallbacks": [{"m": [{"model": 5}]}]}, "fallbacks: should name its model"),
    ({"fallbacks": [{"model": "ok", "num_retries": "x"}]}, "num_retries: should be a number"),
]


async def sent(http: httpx.AsyncClient, upstream: FakeUpstream, path: str, body: JSON) -> Sent:
    before = len(upstream.requests)
    await http.post(path, json=body)
    made: Sent = []
    for seen in (one for one in upstream.requests[before:] if one.method == "POST"):
        said = {k: v for k, v in seen.json.items() if k not in ("model", "stream")}
        heads = {k: v for k, v in seen.headers.items() if k[:2] == "x-" and "stainless" not in k}
        if not seen.headers["authorization"].endswith("Bearer a-provider-key"):
            heads |= {"authorization": seen.headers["authorization"]}
        heads |= {k: v for k, v in seen.headers.items() if k == "api-key"}
        made.append((seen.model, said, heads) if heads else (seen.model, said))
    return made


async def test_who_is_asked_with_what(test_home: Home, upstream: FakeUpstream) -> None:
    test_home.config.mkdir(parents=True, exist_ok=True)
    test_home.litellm_yaml.write_text(CONFIG % upstream.base)
    test_home.toml.write_text(TOML)
    upstream.script = lambda seen: BEHAVIOURS.get(seen.model)
    async with (
        inside.served(test_home) as (_, front),
        httpx.AsyncClient(base_url=front + "/litellm", timeout=10) as http,
    ):
        for name, (path, body, expected) in CASES.items():
            assert await sent(http, upstream, path, body) == expected, name
        streamed = chat("e500", stream=True, fallbacks=[{"model": "ok", "stream": False, **OWN}])
        answer = await http.post(CHAT, json=streamed)
        assert answer.text.rstrip().endswith("[DONE]"), answer.text
        assert answer.headers["x-pointsman-dropped"] == "fallbacks.stream"
        for more, told in UNDONE:
            answer = await http.post(CHAT, json=chat("ok", **more))
            assert answer.headers["x-pointsman-dropped"] == told
            heads = upstream.requests[-1].headers
            assert heads["authorization"] == "Bearer a-provider-key"
            assert not heads.keys() & {"x-evil", "x-n", "x-long", "x-amz-date", "bad name"}
        for more, words in WRONG:
            answer = await http.post(CHAT, json=chat("ok", **more))
            assert answer.status_code == 400
            assert words in answer.json()["error"]["message"], answer.text


@pytest.mark.real_client
@pytest.mark.timeout(400)
@pytest.mark.skipif(not PROGRAM, reason="LITELLM_PATH names no litellm")
async def test_litellm_asks_the_same(tmp_path: Path, upstream: FakeUpstream) -> None:
    upstream.script = lambda seen: BEHAVIOURS.get(seen.model)
    said = {"authorization": "Bearer sk-master"}
    wrong: dict[str, Sent] = {}
    with litellm(tmp_path, CONFIG % upstream.base + SETTINGS) as base:
        async with httpx.AsyncClient(base_url=base, timeout=60, headers=said) as http:
            for name, (path, body, expected) in CASES.items():
                did = await sent(http, upstream, path, body)
                if did != OTHERWISE.get(name, expected):
                    wrong[name] = did
    assert wrong == {}
