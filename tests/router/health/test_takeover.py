"""Whose part this router plays once a real LiteLLM or CCR has gone."""

from __future__ import annotations

import json

import pytest

from router.config import Flags, Neighbour, Probes, load
from router.health.takeover import due
from storage.home import Home

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
