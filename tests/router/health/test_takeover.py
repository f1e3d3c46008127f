"""Whose part this router plays once a real LiteLLM or CCR has gone."""

from __future__ import annotations

import json
from dataclasses import replace

import httpx
import pytest

from router.config import Flags, Neighbour, Probes, load
from router.health.takeover import ADVICE, GONE, due
from router.settings import RetryPolicy, Role
from storage.home import Home
from tests.router import inside

CCR, LITELLM = "http://127.0.0.1:3456", "http://127.0.0.1:4000"
PROVIDER = {
    "name": "real",
    "api_base_url": "http://127.0.0.1:9/v1/chat/completions",
    "api_key": "k",
    "models": ["m"],
}
DEPLOYMENT = {"model_name": "m", "litellm_params": {"model": "openai/m", "api_key": "k"}}
KEYS = {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}


@pytest.mark.parametrize(
    ("env", "ccr", "litellm", "played"),
    [
        ({}, False, False, ""),  # the rest would be simulated
        ({}, True, False, "ccr"),
        ({}, False, True, "litellm"),
        ({}, True, True, "litellm ccr"),
        (KEYS, False, False, ""),  # of their models and routes nothing is known
    ],
)
def test_whose_part_is_played(
    test_home: Home, env: dict[str, str], ccr: bool, litellm: bool, played: str
) -> None:
    if ccr:
        config = {"Providers": [PROVIDER], "Router": {"default": "real,m"}}
        test_home.ccr_json.write_text(json.dumps(config))
    if litellm:
        test_home.litellm_yaml.write_text(json.dumps({"model_list": [DEPLOYMENT]}))
    there = Probes(litellm=Neighbour(LITELLM, "found"), ccr=Neighbour(CCR, "found"))
    made = load(test_home, env, Flags(), 1, there)
    assert [role.name for role in due(made, lambda _url: True)] == played.split()
    assert not due(made, lambda _url: False)
    told = load(test_home, env, Flags(), 1, Probes())
    assert not due(told, lambda _url: True)
    test_home.toml.write_text(f'[ccr]\nurl = "{CCR}"\n[litellm]\nurl = "{LITELLM}"\n')
    assert not due(load(test_home, env, Flags(), 1, there), lambda _url: True), "it was told so"


async def test_a_client_is_told_at_once_of_one_that_is_gone_for_long(test_home: Home) -> None:
    """Claude Code would try again for minutes, without a word."""
    body = {"max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
    async with inside.served(test_home) as (router, front), httpx.AsyncClient() as http:
        gone = Role("ccr", "external", "http://127.0.0.1:9", found=True)
        router.generation = replace(router.generation, ccr=gone, retry=RetryPolicy(retries=0))
        for retry, advised in ((None, False), ("false", True)):
            answer = await http.post(f"{front}/ccr/v1/messages", json=body)
            assert answer.status_code == 502
            assert answer.headers.get("x-should-retry") == retry
            assert (ADVICE in answer.json()["error"]["message"]) is advised
            router.health.probes._refused[gone.url] = router.now() - GONE
