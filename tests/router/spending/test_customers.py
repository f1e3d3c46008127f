"""Customers, organizations and providers: who else a budget may be of, over LiteLLM's API."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from router.config import Flags, Probes, load
from router.errors import ConfigError
from storage.home import Home
from tests.fakes.upstream import FakeUpstream
from tests.router.spending.test_keys import (
    ANSWER,
    CHAT,
    CONFIG,
    MASTER,
    at,
    bearer,
    chat,
    generated,
    write,
)


async def asked(http: httpx.AsyncClient, call: str, body: Any, status: int = 200) -> Any:
    method, path = call.split()
    answer = await http.request(method, f"/litellm{path}", json=body, headers=MASTER)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_customer_is_bounded_by_name_whoever_asks_for_them(
    test_home: Home, upstream: FakeUpstream
) -> None:
    write(test_home, upstream)
    async with at(test_home) as (_, http):
        await asked(http, "POST /budget/new", {"budget_id": "small", "max_budget": ANSWER / 2})
        made = await asked(http, "POST /customer/new", {"user_id": "ada", "budget_id": "small"})
        assert made["litellm_budget_table"]["max_budget"] == ANSWER / 2
        assert made["litellm_budget_table"]["created_at"]  # LiteLLM's own model needs it
        await asked(http, "POST /end_user/new", {"user_id": "bob", "models": ["gpt-3.5-turbo"]})
        for wrong, status in (
            ({"user_id": "ada"}, 400),
            ({"user_id": "x", "max_budget": 1, "budget_id": "small"}, 400),
            ({"user_id": "x", "budget_id": "gone"}, 404),
            ({}, 400),
        ):
            await asked(http, "POST /customer/new", wrong, status)

        async def ask(user: str, status: int, kind: str = "") -> None:
            for headers in (MASTER, bearer(key)):
                answer = await http.post(CHAT, json=chat(user=user), headers=headers)
                assert answer.status_code == status, answer.text
                assert kind in answer.text
                if status == 200:
                    break

        key = await generated(http)
        await ask("ada", 200)
        await ask("ada", 400, "customer ada")
        await ask("bob", 401, "customer_model_access_denied")
        await ask("eve", 200)
        await asked(http, "POST /customer/block", {"user_ids": ["eve"]})
        await ask("eve", 401, "blocked")
        assert await asked(http, "POST /customer/unblock", {"user_ids": ["eve"]}) == {
            "blocked_users": []
        }
        await ask("eve", 200)
    async with at(test_home) as (_, http):  # a restart
        await ask("ada", 400, "customer ada")
        told = await asked(http, "GET /customer/info?end_user_id=ada", None)
        assert told["spend"] == pytest.approx(ANSWER)
        await asked(http, "POST /customer/update", {"user_id": "ada", "max_budget": 1})
        await ask("ada", 200)
        everyone = await asked(http, "GET /customer/list", None)
        assert {one["user_id"] for one in everyone} == {"ada", "bob", "eve"}
        gone = await asked(http, "POST /customer/delete", {"user_ids": ["ada"]})
        assert gone["deleted_customers"] == 1
        await asked(http, "GET /customer/info?end_user_id=ada", None, 404)
        await asked(http, "POST /customer/delete", {"user_ids": ["bob", "ada"]}, 404)


async def test_an_organization_spends_what_its_teams_do(
    test_home: Home, upstream: FakeUpstream
) -> None:
    write(test_home, upstream)
    async with at(test_home) as (_, http):
        limits = {"organization_alias": "acme", "max_budget": 1.5 * ANSWER}
        made = await asked(http, "POST /organization/new", limits)
        id = made["organization_id"]
        one = await asked(http, "POST /team/new", {"organization_id": id})
        other = await asked(http, "POST /team/new", {})
        keys = [await generated(http, team_id=team["team_id"]) for team in (one, other)]
        for key in keys:
            assert (await http.post(CHAT, json=chat(), headers=bearer(key))).status_code == 200
        told = await asked(http, f"GET /organization/info?organization_id={id}", None)
        assert told["spend"] == pytest.approx(ANSWER)
        body = {"team_id": other["team_id"], "organization_id": id}
        await asked(http, "POST /team/update", body)
        told = await asked(http, f"GET /organization/info?organization_id={id}", None)
        assert told["spend"] == pytest.approx(2 * ANSWER)
        assert len(told["teams"]) == 2
        member = {"organization_id": id, "member": {"user_id": "u", "role": "internal_user"}}
        joined = await asked(http, "POST /organization/member_add", member)
        assert joined["updated_organization_memberships"][0]["user_id"] == "u"
    async with at(test_home) as (_, http):
        for key in keys:
            over = await http.post(CHAT, json=chat(), headers=bearer(key))
            assert (over.status_code, "organization" in over.text) == (400, True)
        update = {"organization_id": id, "max_budget": None, "models": ["gpt-3.5-turbo"]}
        await asked(http, "PATCH /organization/update", update)
        denied = await http.post(CHAT, json=chat(), headers=bearer(keys[0]))
        assert denied.json()["error"]["type"] == "org_model_access_denied"
        gone = await asked(http, "DELETE /organization/delete", {"organization_ids": [id]})
        assert gone[0]["organization_id"] == id
        assert await asked(http, "GET /organization/list", None) == []
        team = await asked(http, f"GET /team/info?team_id={one['team_id']}", None)
        assert team["team_info"]["organization_id"] is None
        assert (await http.post(CHAT, json=chat(), headers=bearer(keys[0]))).status_code == 200


PROVIDERS = """
litellm_settings: {max_end_user_budget: 0.02}
router_settings:
  num_retries: 0
  provider_budget_config:
    openai: {budget_limit: 0.01, time_period: 1d}
"""
SPARE = """  - model_name: gpt-4o
    litellm_params: {model: deepseek/spare, order: 2, api_base: '%s', api_key: k,
      input_cost_per_token: 0, output_cost_per_token: 0}
general_settings"""


async def test_a_provider_whose_budget_is_spent_is_passed_over(
    test_home: Home, upstream: FakeUpstream
) -> None:
    write(test_home, upstream)
    base = upstream.base
    text = (CONFIG % (base, base)).partition("router_settings")[0] + PROVIDERS
    spare = SPARE % base.replace("127.0.0.1", "localhost")
    text = text.replace("openai/gpt-4o,", "openai/gpt-4o, order: 1,")
    test_home.litellm_yaml.write_text(text.replace("general_settings", spare))
    async with at(test_home) as (_, http):
        served = [
            (await http.post(CHAT, json=chat(), headers=MASTER)).headers["x-litellm-model-name"]
            for _ in range(3)
        ]
        assert served == ["openai/gpt-4o", "deepseek/spare", "deepseek/spare"]
        none_left = await http.post(CHAT, json=chat("gpt-3.5-turbo"), headers=MASTER)
        assert (none_left.status_code, "provider 127.0.0.1" in none_left.text) == (400, True)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("{openai: {budget_limit: 1, time_period: soon}}", "is no duration"),
        ("{openai: {time_period: 1d}}", "needs a budget_limit"),
        ("{openai: {budget_limit: -1}}", "greater than or equal"),
    ],
)
def test_a_wrong_provider_budget_names_its_line(
    test_home: Home, upstream: FakeUpstream, settings: str, words: str
) -> None:
    write(test_home, upstream)
    text = f"router_settings:\n  provider_budget_config: {settings}\n"
    test_home.litellm_yaml.write_text(text)
    with pytest.raises(ConfigError, match=words) as caught:
        load(test_home, {}, Flags(simulator_url="http://127.0.0.1:9"), 1, Probes())
    assert "provider_budget_config.openai" in str(caught.value)
