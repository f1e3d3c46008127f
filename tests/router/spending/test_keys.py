"""Virtual keys over HTTP: LiteLLM's documented requests, and what each key may then do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from router.service import Router
from storage.home import Home
from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.router import inside
from tests.waiting import until

MASTER = {"authorization": "Bearer sk-master-of-this-test"}
CHAT = "/litellm/v1/chat/completions"
#: what one answer of the fake costs: a prompt token, eight of output, in dollars a token
ANSWER = 0.001 + 8 * 0.002
CONFIG = """
up: &up {api_base: '%s', api_key: k, input_cost_per_token: 0.001, output_cost_per_token: 0.002}
model_list:
  - {model_name: gpt-4o, litellm_params: {model: openai/gpt-4o, <<: *up}}
  - {model_name: gpt-3.5-turbo, litellm_params: {model: openai/cheap, <<: *up},
     model_info: {access_groups: [beta-models], supports_vision: true, max_tokens: 77}}
  - {model_name: unpriced, litellm_params: {model: openai/odd, api_base: '%s', api_key: k}}
  - {model_name: "wild/*", litellm_params: {model: "openai/*", <<: *up}}
general_settings: {master_key: sk-master-of-this-test}
router_settings: {num_retries: 0}
"""
GEMINI = {"contents": [{"parts": [{"text": "hi"}]}]}
TOML = '[litellm]\nmode = "embedded"\n[ccr]\nmode = "embedded"\n'


def write(home: Home, upstream: FakeUpstream, toml: str = "") -> None:
    home.config.mkdir(parents=True, exist_ok=True)
    home.litellm_yaml.write_text(CONFIG % (upstream.base, upstream.base))
    home.toml.write_text(TOML + toml)


@asynccontextmanager
async def at(home: Home) -> AsyncIterator[tuple[Router, httpx.AsyncClient]]:
    """The router of a home, and a client at its front door."""
    async with (
        inside.served(home) as (router, front),
        httpx.AsyncClient(base_url=front, timeout=20) as http,
    ):
        yield router, http


@pytest.fixture
async def plane(
    test_home: Home, upstream: FakeUpstream
) -> AsyncIterator[tuple[Router, httpx.AsyncClient]]:
    write(test_home, upstream)
    async with at(test_home) as (router, http):
        yield router, http


def chat(model: str = "gpt-4o", **more: Any) -> dict[str, Any]:
    return {
        "model": model,
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 8,
        **more,
    }


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


async def generated(http: httpx.AsyncClient, **body: Any) -> str:
    answer = await http.post("/litellm/key/generate", json=body, headers=MASTER)
    assert answer.status_code == 200, answer.text
    key: str = answer.json()["key"]
    return key


async def info(http: httpx.AsyncClient, key: str) -> dict[str, Any]:
    found = await http.get("/litellm/key/info", params={"key": key}, headers=MASTER)
    told: dict[str, Any] = found.json()["info"]
    return told


def named(router: Router, key: str) -> str:
    """What the ledger calls a key."""
    found = router.cashier.find(key)
    assert found is not None
    return found.name


#: what a key is made with → what happens: (status, the error's type, part of its words)
LIMITS: list[tuple[dict[str, Any], dict[str, Any], int, str, str]] = [
    ({}, chat(), 200, "", ""),
    (
        {"models": ["gpt-3.5-turbo"]},
        chat(),
        401,
        "key_model_access_denied",
        "Tried to access gpt-4o",
    ),
    ({"models": ["beta-models"]}, chat("gpt-3.5-turbo"), 200, "", ""),
    ({"models": ["beta-models"]}, chat(), 401, "key_model_access_denied", "can only access models"),
    ({"models": ["wild/*"]}, chat("wild/x"), 200, "", ""),
    # nor by its own fallbacks does a request reach what its key may not
    (
        {"models": ["gpt-4o"]},
        chat() | {"fallbacks": [{"model": "gpt-3.5-turbo", "temperature": 0}]},
        401,
        "key_model_access_denied",
        "Tried to access gpt-3.5-turbo",
    ),
    ({"duration": "1s"}, chat(), 400, "expired_key", "Expired Key. Key Expiry time"),
    ({"blocked": True}, chat(), 401, "auth_error", "Key is blocked. Update via `/key/unblock`"),
    (
        {"max_budget": 0},
        chat(),
        400,
        "budget_exceeded",
        "Budget has been exceeded! Current cost: 0",
    ),
    ({"max_budget": 1, "spend": 1}, chat(), 400, "budget_exceeded", "Max budget: 1"),
    ({"model_max_budget": {"gpt-4o": 0}}, chat(), 400, "budget_exceeded", "key model"),
    ({"model_max_budget": {"gpt-4o": 0}}, chat("gpt-3.5-turbo"), 200, "", ""),
    ({"rpm_limit": 0}, chat(), 429, "throttling_error", "Limit type: requests. Current limit: 0"),
    ({"tpm_limit": 0}, chat(), 429, "throttling_error", "Limit type: tokens"),
    ({"max_parallel_requests": 0}, chat(), 429, "throttling_error", "max_parallel_requests"),
    ({"model_rpm_limit": {"gpt-4o": 0}}, chat(), 429, "throttling_error", "requests"),
    ({"allowed_routes": ["/models"]}, chat(), 403, "auth_error", "not allowed to call this route"),
]


async def test_what_a_key_may_do(plane: tuple[Router, httpx.AsyncClient]) -> None:
    router, http = plane
    wrong = []
    for terms, body, status, type, words in LIMITS:
        key = await generated(http, **terms)
        if "duration" in terms:
            real, router.cashier._wall = router.cashier._wall, lambda: 4e9
        answer = await http.post(CHAT, json=body, headers=bearer(key))
        if "duration" in terms:
            router.cashier._wall = real
        error = answer.json().get("error", {})
        if answer.status_code != status or error.get("type", "") != type:
            wrong.append(f"{terms} {body['model']}: {answer.status_code} {answer.text[:300]}")
        elif words not in error.get("message", ""):
            wrong.append(f"{terms}: {error}")
        if error and (error["code"] != str(status) or key in answer.text):
            wrong.append(f"{terms}: {error}")
        if terms in ({"rpm_limit": 0}, {"tpm_limit": 0}):
            told = await http.post("/litellm/v1/messages", json=body, headers=bearer(key))
            later = [int(each.headers["retry-after"]) for each in (answer, told)]
            assert all(0 < seconds <= 60 for seconds in later), "E08"
            assert (told.status_code, told.json()["type"]) == (429, "error"), "E08"
            assert told.json()["error"]["type"] == "rate_limit_error", "E08"
    assert not wrong, "\n".join(wrong)


async def test_headers_tell_what_a_key_may_use_up(plane: tuple[Router, httpx.AsyncClient]) -> None:
    _, http = plane
    key = await generated(http, max_budget=2.5, rpm_limit=9, spend=0.5)
    told = (await http.post(CHAT, json=chat(), headers=bearer(key))).headers
    names = ("spend", "max-budget", "rpm-limit", "tpm-limit")
    known = [told.get(f"x-litellm-key-{name}") for name in names]
    assert known == ["0.5", "2.5", "9", None]
    assert "x-litellm-key-spend" not in (await http.post(CHAT, json=chat(), headers=MASTER)).headers


async def test_the_documented_life_of_a_key(plane: tuple[Router, httpx.AsyncClient]) -> None:
    """Each as LiteLLM's pages show it, in the order of a day."""
    router, http = plane

    async def ask(method: str, path: str, body: Any = None) -> Any:
        answer = await http.request(method, f"/litellm{path}", json=body, headers=MASTER)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    made = await ask(
        "POST",
        "/key/generate",
        {
            "models": ["gpt-3.5-turbo", "gpt-4o"],
            "duration": "20m",
            "metadata": {"user": "ishaan@berri.ai"},
            "team_id": None,
            "max_budget": 10,
            "budget_duration": "30d",
            "key_alias": "ishaans-key",
            "permissions": {"pii_masking": False},
        },
    )
    key, token = made["key"], made["token"]
    assert key.startswith("sk-")
    assert made["key_name"] == f"sk-...{key[-4:]}"
    assert made["metadata"] == {"user": "ishaan@berri.ai"}
    assert made["expires"].endswith("Z")
    assert made["permissions"] == {"pii_masking": False}
    assert len(token) == 64
    assert (await http.post(CHAT, json=chat(), headers=bearer(key))).status_code == 200
    assert (await http.get("/litellm/key/info", headers=bearer(key))).json()["key"] == token
    assert (await info(http, key))["spend"] == pytest.approx(ANSWER)
    assert (await info(http, token))["key_alias"] == "ishaans-key"
    updated = await ask("POST", "/key/update", {"key": key, "models": ["gpt-4o"], "spend": 3})
    assert (updated["models"], updated["spend"]) == (["gpt-4o"], 3.0)
    assert (await ask("GET", "/key/list"))["keys"] == [token]
    full = await ask("GET", "/key/list?return_full_object=true&page=1&size=5")
    assert (full["keys"][0]["token"], full["total_count"]) == (token, 1)
    assert (await ask("POST", "/key/block", {"key": key}))["blocked"] is True
    assert (await http.post(CHAT, json=chat(), headers=bearer(key))).status_code == 401
    assert (await ask("POST", "/key/unblock", {"key": token}))["blocked"] is False
    again = await ask("POST", f"/key/{key}/regenerate", {"max_budget": 100})
    assert again["key"] != key
    assert (again["spend"], again["max_budget"]) == (3.0, 100)
    assert (await http.post(CHAT, json=chat(), headers=bearer(key))).status_code == 401
    answer = await http.post(CHAT, json=chat(), headers=bearer(again["key"]))
    assert answer.status_code == 200, answer.text
    assert (await ask("GET", "/spend/keys"))[0]["spend"] == pytest.approx(3 + ANSWER)
    reset = await ask("POST", f"/key/{again['token']}/reset_spend", {"reset_to": 0})
    assert reset["spend"] == 0
    assert await ask("POST", "/key/delete", {"keys": [again["key"]]}) == {
        "deleted_keys": [again["key"]]
    }
    gone = await http.post(CHAT, json=chat(), headers=bearer(again["key"]))
    assert (gone.status_code, gone.json()["error"]["type"]) == (401, "token_not_found_in_db")
    assert key not in router.ledger.path.read_bytes().decode("latin-1")


async def test_users_teams_and_budgets_bound_the_keys_that_name_them(
    plane: tuple[Router, httpx.AsyncClient],
) -> None:
    _, http = plane

    async def ask(method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = await http.request(method, f"/litellm{path}", json=body, headers=MASTER)
        assert answer.status_code == status, (path, answer.text)
        return answer.json()

    user = await ask("POST", "/user/new", {"user_id": "ana", "max_budget": ANSWER / 2})
    assert user["key"].startswith("sk-")
    assert (await http.post(CHAT, json=chat(), headers=bearer(user["key"]))).status_code == 200
    second = await generated(http, user_id="ana")
    over = await http.post(CHAT, json=chat(), headers=bearer(second))
    assert over.status_code == 400
    assert "user ana" in over.text
    told = await ask("GET", "/user/info?user_id=ana")
    assert told["user_info"]["spend"] == pytest.approx(ANSWER)
    assert len(told["keys"]) == 2
    await ask("POST", "/user/update", {"user_id": "ana", "max_budget": 5})
    assert (await http.post(CHAT, json=chat(), headers=bearer(second))).status_code == 200
    assert (await ask("GET", "/user/list"))["total"] == 1

    await ask("POST", "/key/generate", {"team_id": "nobody"}, status=404)
    team = await ask("POST", "/team/new", {"team_alias": "core", "models": ["gpt-4o"]})
    id = team["team_id"]
    member = await generated(http, team_id=id, models=["all-team-models"])
    denied = await http.post(CHAT, json=chat("gpt-3.5-turbo"), headers=bearer(member))
    assert denied.json()["error"]["type"] == "team_model_access_denied"
    await ask(
        "POST", "/team/member_add", {"team_id": id, "member": {"role": "user", "user_id": "ana"}}
    )
    assert (await ask("GET", f"/team/info?team_id={id}"))["team_info"]["members_with_roles"]
    await ask("POST", "/team/block", {"team_id": id})
    blocked = await http.post(CHAT, json=chat(), headers=bearer(member))
    assert blocked.status_code == 401
    assert "is blocked" in blocked.text
    await ask("POST", "/team/unblock", {"team_id": id})

    await ask("POST", "/budget/new", {"budget_id": "free-tier", "rpm_limit": 1, "max_budget": 1})
    tiered = await generated(http, budget_id="free-tier")
    codes = [
        (await http.post(CHAT, json=chat(), headers=bearer(tiered))).status_code for _ in range(2)
    ]
    assert codes == [200, 429]
    await ask("POST", "/budget/update", {"budget_id": "free-tier", "rpm_limit": 100})
    assert (await http.post(CHAT, json=chat(), headers=bearer(tiered))).status_code == 200
    assert (await ask("POST", "/budget/info", {"budgets": ["free-tier"]}))[0]["rpm_limit"] == 100
    assert (await ask("POST", "/team/delete", {"team_ids": [id]})) == {"deleted_teams": [id]}
    assert (await http.post(CHAT, json=chat(), headers=bearer(member))).status_code == 401
    assert await ask("POST", "/user/delete", {"user_ids": ["ana"]}) == 1


async def test_teams_lists_aliases_members_and_administrators_count(
    plane: tuple[Router, httpx.AsyncClient],
) -> None:
    """As LiteLLM's own proxy tests ask: tests/test_keys.py, test_team.py, test_users.py there."""
    router, http = plane

    async def ask(
        method: str, path: str, body: Any = None, key: str = "", status: int = 200
    ) -> Any:
        headers = bearer(key) if key else MASTER
        answer = await http.request(method, f"/litellm{path}", json=body, headers=headers)
        assert answer.status_code == status, (path, answer.text)
        return answer.json()

    await ask("POST", "/user/new", {"user_id": "bo", "user_email": "bo@example.com"})
    team = await ask(
        "POST",
        "/team/new",
        {
            "models": ["gpt-4o"],
            "model_aliases": {"cheap": "gpt-4o"},
            "members_with_roles": [{"role": "user", "user_email": "bo@example.com"}],
        },
    )
    id = team["team_id"]
    assert [one["user_id"] for one in team["members_with_roles"]] == ["bo", "default_user_id"]
    assert [one["team_id"] for one in (await ask("GET", "/user/info?user_id=bo"))["teams"]] == [id]

    # a key may ask for what its team may, and by the names that either gives to models
    key = await generated(http, team_id=id, aliases={"mine": "gpt-4o", "not": "gpt-3.5-turbo"})
    assert [one["id"] for one in (await ask("GET", "/v1/models", key=key))["data"]] == ["gpt-4o"]
    seen = (await ask("GET", "/model/info", key=key))["data"]
    assert [one["model_name"] for one in seen] == ["gpt-4o"]
    for asked, status in (("gpt-4o", 200), ("cheap", 200), ("mine", 200), ("not", 401)):
        answer = await http.post(CHAT, json=chat(asked), headers=bearer(key))
        assert answer.status_code == status, (asked, answer.text)
    await asyncio.to_thread(router.ledger.flush, 5)
    spent = (await ask("GET", "/spend/logs", key=key))[0]
    assert spent["model_group"] == "gpt-3.5-turbo"  # was asked for by "not", and refused
    assert (await ask("GET", "/v2/model/info?model=gpt-4o"))["data"][0]["model_name"] == "gpt-4o"
    assert (await ask("GET", "/v2/model/info?model=none"))["data"] == []
    said = (await ask("GET", "/v2/model/info?model=gpt-3.5-turbo"))["data"][0]["model_info"]
    assert (said["supports_vision"], said["max_tokens"], said["mode"]) == (True, 77, "chat")
    assert said["input_cost_per_token"] == 0.001
    for wanted, count in (("gpt-4o", 1), ("openai/cheap", 1), ("none", 0)):
        heard = await http.get(f"/litellm/health?model={wanted}", headers=MASTER)
        told = heard.json()
        assert told["healthy_count"] + told["unhealthy_count"] == count, wanted
        assert heard.status_code == (200 if count else 503)

    # an administrator's key manages; anybody else's does not, and sees no other user
    chief = await ask("POST", "/user/new", {"user_role": "proxy_admin"})
    await ask("POST", "/key/delete", {"keys": [key]}, key=chief["key"])
    other = await ask("POST", "/user/new", {"user_role": "internal_user"})
    await ask("POST", "/key/generate", {}, key=other["key"], status=401)
    for user in ("bo", "nobody"):
        await ask("GET", f"/user/info?user_id={user}", key=other["key"], status=403)
    assert (await ask("POST", "/user/update", {"user_id": "new"}))["user_id"] == "new"

    # a bound that would not hold is not taken
    for path, body in (
        ("/team/new", {"team_member_budget": 1}),
        ("/customer/new", {"user_id": "c", "allowed_model_region": "eu"}),
    ):
        assert "is not kept here" in str(await ask("POST", path, body, status=400))


async def test_a_member_of_a_team_has_a_budget_inside_it(
    plane: tuple[Router, httpx.AsyncClient],
) -> None:
    """LiteLLM's max_budget_in_team: over all the keys of a user in that team, and no others."""
    router, http = plane

    async def post(path: str, **body: Any) -> Any:
        answer = await http.post(f"/litellm/team/{path}", json=body, headers=MASTER)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def asked(key: str, model: str = "gpt-4o") -> tuple[int, str]:
        answer = await http.post(CHAT, json=chat(model), headers=bearer(key))
        return answer.status_code, answer.text

    team = (await post("new", team_id="core"))["team_id"]
    eva = {"team_id": team, "user_id": "eva"}
    added = await post(
        "member_add", team_id=team, member={"role": "user", "user_id": "eva"},
        max_budget_in_team=1.5 * ANSWER, budget_duration="30d",
    )  # fmt: skip
    (row,) = added["updated_team_memberships"]
    assert row["litellm_budget_table"]["max_budget"] == 1.5 * ANSWER
    first, second = [await generated(http, **eva) for _ in range(2)]
    others = [
        await generated(http, team_id=team, user_id="bo"),
        await generated(http, user_id="eva"),
    ]
    assert [(await asked(key))[0] for key in (first, second)] == [200, 200]
    status, text = await asked(first)
    assert status == 400
    assert "(member core eva; resets at" in text
    assert [(await asked(key))[0] for key in others] == [200, 200]
    # a deleted key's spend stays; so does it through a restart, where it is added up anew
    await http.post("/litellm/key/delete", json={"keys": [second]}, headers=MASTER)
    router.cashier.accounts.reread()
    told = (await http.get(f"/litellm/team/info?team_id={team}", headers=MASTER)).json()
    assert told["team_memberships"][0]["spend"] == pytest.approx(2 * ANSWER)
    assert (await asked(first))[0] == 400
    await post("member_update", **eva, max_budget_in_team=99, allowed_models=["gpt-3.5-turbo"])
    assert (await asked(first))[0] == 403
    assert (await asked(first, "gpt-3.5-turbo"))[0] == 200
    await post("member_update", **eva, allowed_models=[], rpm_limit=1)
    assert (await asked(first))[0] == 429
    await post("member_delete", **eva)
    assert (await asked(first))[0] == 200


@pytest.mark.parametrize("stream", [False, True])
async def test_M05_two_hundred_at_the_edge_pass_a_budget_by_one_reservation_at_most(
    plane: tuple[Router, httpx.AsyncClient], upstream: FakeUpstream, stream: bool
) -> None:
    router, http = plane
    limit = 20 * ANSWER
    key = await generated(http, max_budget=limit)
    # nobody is answered before all have asked: what is held is all that stands before the limit
    upstream.behave("gpt-4o", Behaviour(stall="headers"))
    body, headers = chat(stream=stream), bearer(key)
    asked = [asyncio.create_task(http.post(CHAT, json=body, headers=headers)) for _ in range(200)]
    await until(lambda: len(upstream.requests) + sum(one.done() for one in asked) == 200, 10)
    upstream.release.set()
    answers = await asyncio.gather(*asked)
    served = sum(answer.status_code == 200 for answer in answers)
    refused = [answer for answer in answers if answer.status_code in (400, 429)]
    assert served + len(refused) == 200
    assert served == len(upstream.requests)
    spend = (await info(http, key))["spend"]
    assert spend == pytest.approx(served * ANSWER)
    held = 0.003 + 8 * 0.002  # a prompt as if written to a cache, and all the output allowed
    assert limit - held <= spend < limit + held
    account = router.cashier.account("key", named(router, key))
    assert account is not None
    assert account.held == 0


async def test_what_leaves_in_the_middle_is_settled_too(
    plane: tuple[Router, httpx.AsyncClient], upstream: FakeUpstream
) -> None:
    router, http = plane
    key = await generated(http, max_budget=100, max_parallel_requests=3)
    name = named(router, key)
    account = router.cashier.account("key", name)
    assert account is not None
    upstream.behave("gpt-4o", Behaviour(stall="middle"))
    async with http.stream("POST", CHAT, json=chat(stream=True), headers=bearer(key)) as answer:
        await upstream.requests[0].stalled.wait()
        assert account.held > 0
        assert answer.status_code == 200
    await upstream.requests[0].closed.wait()
    upstream.behave("gpt-4o", Behaviour(status=500, body=b"{}"))
    assert (await http.post(CHAT, json=chat(), headers=bearer(key))).status_code == 500
    upstream.behave("gpt-4o", Behaviour())
    assert (await http.post(CHAT, json=chat(), headers=bearer(key))).status_code == 200
    assert account.held == 0
    assert router.cashier.accounts._rates["key", name].running == 0
    ledger = await asyncio.to_thread(_in_ledger, router)
    assert account.spent == ledger[name] > 0


def _in_ledger(router: Router) -> dict[str, int]:
    assert router.ledger.flush(5)
    return router.ledger.spent("key", 0)


async def test_a_restart_forgets_neither_keys_nor_what_they_spent(
    test_home: Home, upstream: FakeUpstream
) -> None:
    write(test_home, upstream, '[[budgets]]\nscope = "house"\nlimit = 5\nper = "month"\n')
    async with at(test_home) as (_, http):
        key = await generated(
            http,
            max_budget=2 * ANSWER,
            model_max_budget={"gpt-4o": 1},
            user_id="u",
            spend=0.001,
        )
        assert (await http.post(CHAT, json=chat(), headers=bearer(key))).status_code == 200
        before = await info(http, key)
    async with at(test_home) as (router, http):
        assert await info(http, key) == before
        assert before["spend"] == pytest.approx(ANSWER + 0.001)
        by_model = router.cashier.accounts._accounts["key", named(router, key), "gpt-4o"]
        assert by_model.spent == round(ANSWER * 1e9)
        (house,) = (view for view in router.cashier.views() if view.scope == "house")
        assert house.spent == round(ANSWER * 1e9)
        codes = [
            (await http.post(CHAT, json=chat(), headers=bearer(key))).status_code for _ in range(2)
        ]
        assert codes == [200, 400]


async def test_only_the_master_key_manages_and_a_virtual_one_sees_itself(
    plane: tuple[Router, httpx.AsyncClient],
) -> None:
    _, http = plane
    key, other = await generated(http, models=["gpt-4o"]), await generated(http)
    cases: list[tuple[str, str, Any, dict[str, str], int]] = [
        ("POST", "/key/generate", {}, {}, 401),
        ("POST", "/key/generate", {}, bearer("sk-nobody"), 401),
        ("POST", "/key/generate", {}, bearer(key), 401),
        ("GET", "/key/list", None, bearer(key), 401),
        ("GET", "/key/info", None, bearer(key), 200),
        ("GET", f"/key/info?key={other}", None, bearer(key), 404),
        ("GET", "/spend/logs", None, bearer(key), 200),
        ("GET", "/global/spend", None, bearer(key), 401),
        ("GET", "/model/info", None, bearer(key), 200),
        ("GET", "/health", None, {}, 401),
        ("GET", "/health", None, bearer(key), 200),
        ("GET", "/health/liveliness", None, {}, 200),
        ("GET", "/health/readiness", None, {}, 200),
        ("POST", "/key/generate", {"max_budget": "much"}, MASTER, 422),
        ("POST", "/key/generate", {"max_budget": -1}, MASTER, 400),
        ("POST", "/key/generate", {"budget_duration": "soon"}, MASTER, 422),
        ("POST", "/key/generate", {"duration": "soon"}, MASTER, 400),
        ("POST", "/key/generate", {"key": "no-prefix"}, MASTER, 400),
        ("POST", "/key/generate", {"key": other}, MASTER, 400),
        ("POST", "/key/generate", [], MASTER, 400),
        ("POST", "/key/update", {"key": "sk-nobody"}, MASTER, 404),
        ("POST", "/key/update", {"key": 7}, MASTER, 400),
        ("POST", "/key/delete", {"keys": []}, MASTER, 400),
        ("GET", "/key/info?key=sk-nobody", None, MASTER, 404),
        ("GET", "/key/list?page=x", None, MASTER, 400),
        ("GET", "/spend/logs?start_date=soon", None, MASTER, 400),
    ]
    for method, path, body, headers, status in cases:
        answer = await http.request(method, f"/litellm{path}", json=body, headers=headers)
        assert answer.status_code == status, (method, path, body, answer.text)
        if status >= 400:
            assert answer.json()["error"]["code"] == str(status)
    seen = (await http.get("/litellm/model/info", headers=bearer(key))).json()["data"]
    assert {one["model_name"] for one in seen} == {"gpt-4o"}
    listed = (await http.get("/litellm/v1/models", headers=bearer(key))).json()["data"]
    assert [one["id"] for one in listed] == ["gpt-4o"]


async def test_a_virtual_key_sees_what_it_spent_and_nobody_elses(
    plane: tuple[Router, httpx.AsyncClient],
) -> None:
    router, http = plane
    mine, other = await generated(http), await generated(http)
    for key, model in ((mine, "gpt-4o"), (other, "gpt-3.5-turbo"), (other, "gpt-4o")):
        await http.post(CHAT, json=chat(model), headers=bearer(key))
    await asyncio.to_thread(router.ledger.flush, 5)
    own, today = named(router, mine), time.strftime("%Y-%m-%d")

    async def logs(headers: dict[str, str], query: str) -> Any:
        return (await http.get(f"/litellm/spend/logs?{query}", headers=headers)).json()

    span = f"start_date={today}&end_date={today}"
    for headers, query in (
        (bearer(mine), span),
        (bearer(mine), f"{span}&api_key={other}"),
        (MASTER, f"{span}&api_key={mine}"),
    ):
        (day,) = await logs(headers, query)
        assert day["models"] == {"gpt-4o": pytest.approx(ANSWER)}, query
        assert day["users"] == {own: pytest.approx(ANSWER)}
        assert day["spend"] == pytest.approx(ANSWER)
    (everyone,) = await logs(MASTER, span)
    assert everyone["spend"] == pytest.approx(3 * ANSWER)
    assert len(everyone["users"]) == 2
    for headers, query in (
        (bearer(mine), f"api_key={other}"),
        (MASTER, f"api_key={mine}&limit=1"),  # not among the newest rows of all
        (bearer(mine), f"{span}&summarize=false"),
    ):
        assert [one["model_group"] for one in await logs(headers, query)] == ["gpt-4o"], query
    theirs = (await logs(MASTER, "limit=1"))[0]["request_id"]
    assert await logs(bearer(mine), f"request_id={theirs}") == []


async def test_without_a_master_key_nothing_can_be_changed(
    test_home: Home, upstream: FakeUpstream
) -> None:
    write(test_home, upstream)
    test_home.litellm_yaml.write_text("model_list: []\n")
    async with at(test_home) as (_, http):
        answer = await http.post("/litellm/key/generate", json={})
        assert answer.status_code == 403
        assert "master_key" in answer.text
        assert (await http.get("/litellm/key/list")).status_code == 200


async def test_a_key_is_bound_on_every_door(plane: tuple[Router, httpx.AsyncClient]) -> None:
    _, http = plane
    key = await generated(http, max_budget=0)
    message = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 8}
    for path, body, headers in [
        ("/claude-code/v1/messages", {"model": "gpt-4o", **message}, {"x-api-key": key}),
        ("/ccr/v1/messages", {"model": "gpt-4o", **message}, bearer(key)),
        ("/litellm/v1/messages", {"model": "gpt-4o", **message}, {"x-api-key": key}),
        ("/litellm/v1/responses", {"model": "gpt-4o", "input": "hi"}, bearer(key)),
        ("/litellm/v1/embeddings", {"model": "gpt-4o", "input": "hi"}, bearer(key)),
        ("/ollama/api/chat", {"model": "gpt-4o", **message}, bearer(key)),
        (f"/gemini/v1beta/models/gpt-4o:generateContent?key={key}", GEMINI, {}),
    ]:
        answer = await http.post(path, json=body, headers=headers)
        # LiteLLM's own status in the dialects that it tells in its own shapes
        status = 400 if path.startswith("/litellm/") else 429
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        assert "Budget has been exceeded" in answer.text, path
        assert answer.headers["x-should-retry"] == "false"
