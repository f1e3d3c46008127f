"""Providers in a cloud: their addresses, and how people configure them in each file."""

from __future__ import annotations

import pytest

from router.config.cloud import UnplacedError, auth, endpoint, places, settled
from router.providers import KINDS
from router.providers.adjustments import adjust
from router.settings import Provider
from router.signing import EXTRAS
from tests.router.config.conftest import House, said


@pytest.mark.parametrize(
    ("kind", "told", "url"),
    [
        (
            "bedrock",
            {"region": "eu-west-1"},
            "https://bedrock-mantle.eu-west-1.api.aws/anthropic/v1/messages",
        ),
        (
            "vertex",
            {"project": "p", "location": "global"},
            "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google"
            "/models/{model}:generateContent",
        ),
        (
            "vertex-claude",
            {"project": "p", "location": "us-east5"},
            "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5"
            "/publishers/anthropic/models/{model}:rawPredict",
        ),
        (
            "azure",
            {"resource": "mine"},
            "https://mine.openai.azure.com/openai/v1/chat/completions",
        ),
    ],
)
def test_an_address_is_made_of_what_is_said(kind: str, told: dict[str, str], url: str) -> None:
    made = endpoint(KINDS[kind], "", told)
    assert made.url == url
    assert made.format == KINDS[kind].format
    with pytest.raises(UnplacedError, match="needs its"):
        endpoint(KINDS[kind], "", {})


def test_the_clouds_own_variables_are_known_and_a_key_needs_no_sign_in() -> None:
    assert places(KINDS["bedrock"], {}, {"AWS_REGION": "r"}) == {"region": "r"}
    assert places(KINDS["bedrock"], {"region": "s"}, {"AWS_REGION": "r"}) == {"region": "s"}
    assert auth(KINDS["bedrock"], "key") == "bearer"
    assert auth(KINDS["azure"], "key") == "api-key"
    assert [auth(KINDS[k], "") for k in ("bedrock", "vertex", "azure")] == list(EXTRAS)


def test_vertex_wants_the_version_in_the_body_and_no_model() -> None:
    at = Provider("v", "anthropic_messages", "", "", kind="vertex-claude")
    assert adjust({"model": "c", "max_tokens": 1}, at, "c") == {"model": "c", "max_tokens": 1}
    body = adjust({"model": "c", "max_tokens": 1}, settled(at, {}), "c")
    assert body == {"anthropic_version": "vertex-2023-10-16", "max_tokens": 1}


def test_toml(house: House) -> None:
    house.write(
        toml="""
[providers.aws]
kind = "bedrock"
cloud = { region = "eu-west-1" }
[providers.az]
kind = "azure"
cloud = { resource = "mine" }
key = "k"
[providers.old]
kind = "azure"
url = "https://mine.openai.azure.com/openai/deployments/{model}/chat/completions?api-version=1"
key = "k"
[providers.google]
kind = "vertex-claude"
"""
    )
    env = {"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_CLOUD_LOCATION": "us-east5"}
    made = house.load(env).providers
    assert (made["aws"].auth, made["aws"].format) == ("aws", "anthropic_messages")
    assert made["az"].base == "https://mine.openai.azure.com/openai/v1"
    assert (made["az"].auth, made["old"].auth) == ("api-key", "api-key")
    assert "{model}" in made["old"].url
    assert made["google"].stream_url.endswith(":streamRawPredict")
    assert [each.name for each in made["google"].adjustments] == ["vertex-claude"]
    error = house.refused()
    assert "needs its location" in error.problem
    assert error.key == "providers.google"


LITELLM = """
model_list:
  - model_name: az
    litellm_params: {model: azure/dep, api_base: "https://m.openai.azure.com", api_key: k,
                     api_version: "2024-10-21"}
  - model_name: az-v1
    litellm_params:
      {model: azure/dep, api_base: "https://m.openai.azure.com/openai/v1/", api_key: k}
  - model_name: az-usual
    litellm_params: {model: azure/dep, api_base: "https://m.openai.azure.com", api_key: k2}
  - model_name: rock
    litellm_params: {model: bedrock/anthropic.claude-x, aws_region_name: eu-west-1}
  - model_name: open
    litellm_params: {model: bedrock/openai.gpt-oss, aws_region_name: eu-west-1}
  - model_name: flash
    litellm_params: {model: vertex_ai/gemini-x, vertex_project: p, vertex_location: global}
  - model_name: sonnet
    litellm_params: {model: vertex_ai/claude-x, vertex_project: p, vertex_location: us-east5}
  - model_name: lost
    litellm_params: {model: vertex_ai/gemini-x}
"""


def test_litellm(house: House) -> None:
    house.write(litellm=LITELLM)
    made = house.load()
    found = {
        name: made.providers[each[0].target.provider]
        for name, each in made.groups.deployments.items()
    }
    assert found["az"].url == (
        "https://m.openai.azure.com/openai/deployments/{model}/chat/completions"
        "?api-version=2024-10-21"
    )
    assert found["az-v1"].url == "https://m.openai.azure.com/openai/v1/chat/completions"
    assert found["az-usual"].url.endswith("/chat/completions?api-version=2025-02-01-preview")
    assert [found[n].kind for n in ("rock", "open", "flash", "sonnet")] == [
        "bedrock",
        "bedrock-openai",
        "vertex",
        "vertex-claude",
    ]
    assert [found[n].auth for n in ("az", "rock", "flash")] == ["api-key", "aws", "google"]
    assert "lost" not in found
    assert any("needs its location" in text for text in said(made, "problem"))


def test_ccr(house: House) -> None:
    house.write(
        ccr="""{"Providers": [
            {"name": "v", "api_base_url": "https://us-east5-aiplatform.googleapis.com",
             "models": ["claude-x"], "transformer": {"use": ["vertex-claude"]}},
            {"name": "g", "api_base_url": "https://us-east5-aiplatform.googleapis.com",
             "models": ["gemini-x"], "transformer": {"use": ["vertex-gemini"]}}],
            "Router": {"default": "v,claude-x"}}"""
    )
    made = house.load({"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_CLOUD_LOCATION": "us-east5"})
    assert [made.providers[n].kind for n in "vg"] == ["vertex-claude", "vertex"]
    assert [made.providers[n].auth for n in "vg"] == ["google", "google"]
    assert [a.name for a in made.providers["v"].adjustments] == ["vertex-claude"]
    lost = house.load()
    assert "v" not in lost.providers
    assert any("needs its location" in text for text in said(lost, "problem"))
