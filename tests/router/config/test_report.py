"""What `pointsman import` says of a file: true, with lines, and nothing ignored without a word."""

from __future__ import annotations

import pytest

from router.config.report import report
from router.config.unfollowed import became
from tests.router.config.conftest import House

LITELLM = """model_list:
  - model_name: a
    litellm_params: {model: openai/m, api_base: "http://127.0.0.1:1/v1", api_key: k, rpd: 5,
      drop_params: [seed]}
  - model_name: lost
    litellm_params: {model: openai/m}
model_list:
  - model_name: b
    litellm_params: {model: openai/m, api_base: "http://127.0.0.1:1/v1", api_key: k, rpd: 5,
      drop_params: [seed]}
router_settings:
  redis_host: h
  fallbacks: [{b: [{model: b, temperature: 0}]}]
  num_retries: 3
  retry_policy: {RateLimitErrorRetries: 1}
  redis_password: pw
litellm_settings:
  drop_params: true
  callbacks: [prometheus]
  success_callback: [langfuse]
general_settings:
  custom_auth: mine.auth
  my_own: 1
"""


def test_of_litellm(house: House) -> None:
    house.write(litellm=LITELLM)
    found = report("litellm", house.home.litellm_yaml, {})
    maps = {one.key: one.detail for one in found.maps}
    assert "model b" in maps
    assert "model lost" not in maps
    assert maps["fallbacks of b"] == "b with its own temperature"
    settings = {key: told for key, told in maps.items() if "_settings." in key}
    assert settings == {
        "router_settings.num_retries": "3",
        "router_settings.retry_policy": "RateLimitErrorRetries",
        "litellm_settings.drop_params": "true",
    }
    assert [(one.key, one.line) for one in found.differs] == [
        ("model_list", 7),
        ("model_list[0].litellm_params.drop_params", 10),
        ("litellm_settings.success_callback", 20),
        ("general_settings.custom_auth", 22),
        ("litellm_params.rpd", None),
    ]
    assert found.differs[0].detail.startswith("is written twice (first in line 1): this one")
    assert "it counts as true" in found.differs[1].detail
    assert [(one.key, one.line) for one in found.ignored] == [
        ("router_settings.redis_host", 12),
        ("router_settings.redis_password", 16),
        ("litellm_settings.callbacks", 19),
        ("general_settings.my_own", 23),
    ]
    assert found.ignored[-1].detail == "is not known"


def test_an_address_of_the_environment_that_is_ours_is_not_followed(house: House) -> None:
    house.write(
        litellm="model_list: [{model_name: m, litellm_params: {model: openai/x, api_key: k}}]"
    )
    at_us = {"OPENAI_BASE_URL": "http://localhost:5000/litellm/v1"}
    found = report("litellm", house.home.litellm_yaml, at_us)
    maps = {one.key: one.detail for one in found.maps}
    assert maps["provider openai"].startswith("https://api.openai.com/")


@pytest.mark.parametrize(
    ("name", "differs"),
    [
        ("guardrails", True),
        ("general_settings.pass_through_endpoints", True),
        ("general_settings.allowed_ips", True),
        ("litellm_params.aws_secret_access_key", True),
        ("Router.websearch", True),
        ("general_settings.database_url", False),
        ("litellm_settings.telemetry", False),
        ("Providers[0].stream", False),
    ],
)
def test_what_changes_anything_is_a_difference(name: str, differs: bool) -> None:
    assert became(name)[1] is differs


def test_of_ccr(house: House) -> None:
    """It says of a route what a start says; one that leads to nobody does not map."""
    house.write(
        ccr="{'Providers': [{'name': 'p', 'api_base_url': 'http://127.0.0.1:1/v1/chat/completions',"
        " 'models': ['chat-big']}],\n"
        "'Router': {'default': 'p,chat-bigg', 'think': 'gone,m', 'image': 'p,chat-big'},\n"
        "'strict': true, 'forceUseImageAgent': false}"
    )
    found = report("ccr", house.home.ccr_json, {})
    assert {one.key for one in found.maps} >= {"Router.default", "Router.image", "strict"}
    assert not {"Router.think", "forceUseImageAgent"} & {one.key for one in found.maps}
    told = [f"{one.key}: {one.detail}" for one in found.differs]
    assert told == [
        "Router.default: p lists no 'chat-bigg': is chat-big meant?",
        "Router.think: no provider is called 'gone'",
    ]
    started = [f"{one.where.rpartition(': ')[2]}: {one.detail}" for one in house.load().findings]
    assert set(told) <= set(started)
