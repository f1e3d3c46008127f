"""Routes that lead back to this router."""

from __future__ import annotations

import json

import httpx
import pytest

from router.circle import MARK
from router.config import Flags, Neighbour, Probes, load
from storage.home import Home
from tests.fakes.upstream import FakeUpstream
from tests.router import inside

BODY = {"model": "x", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        ("http://localhost:5000/ccr/v1/messages", True),
        ("http://127.0.0.1:3456/v1/messages", True),
        ("http://[::1]:5000/claude-code/v1/messages", True),
        ("http://localhost:5001/v1/messages", False),
        ("http://box.lan:5000/ccr/v1/messages", False),
    ],
)
async def test_what_has_been_there_goes_there_no_more(
    test_home: Home, upstream: FakeUpstream, address: str, ours: bool
) -> None:
    provider = {"api_key": "k", "models": ["m"], "transformer": {"use": ["Anthropic"]}}
    config = {
        "Providers": [
            provider | {"name": "round", "api_base_url": address},
            provider | {"name": "real", "api_base_url": upstream.url("/v1/messages")},
        ],
        "Router": {"default": "round,m", "think": "real,m"},
    }
    test_home.ccr_json.write_text(json.dumps(config))
    async with inside.served(test_home) as (router, front), httpx.AsyncClient() as http:
        found = router.generation.providers["round"]
        assert ((MARK, "1") in found.headers) is ours
        if not ours:
            return
        url = f"{front}/ccr/v1/messages"
        answer = await http.post(url, json=BODY, headers={MARK: "1"})
        assert answer.status_code == 400
        assert "go round in a circle" in answer.json()["error"]["message"]
        assert not router.live.recent[0].attempts
        # what goes elsewhere is served: LiteLLM's role may ask CCR's over HTTP
        elsewhere = BODY | {"model": "real,m"}
        answer = await http.post(url, json=elsewhere, headers={MARK: "1"})
        assert answer.status_code == 200
        assert MARK not in upstream.requests[-1].headers


def test_a_real_litellm_at_the_port_that_would_be_ours_is_another(test_home: Home) -> None:
    there = Probes(litellm=Neighbour("http://127.0.0.1:4000", "found"))
    asked = load(test_home, {}, Flags(), 1, there).providers["litellm-internal"]
    assert asked.url == "http://127.0.0.1:4000/v1/chat/completions"
    assert MARK not in dict(asked.headers)
