"""What /global/activity and /global/spend say of a handful of requests, in LiteLLM's shapes."""

from __future__ import annotations

import time
from typing import Any

import httpx

from storage.home import Home
from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.router.spending.test_cache_and_alerts import CACHE
from tests.router.spending.test_keys import ANSWER, CHAT, MASTER, at, chat, write


async def test_activity_of_a_day(test_home: Home, upstream: FakeUpstream) -> None:
    write(test_home, upstream, CACHE)
    upstream.behave("cheap", Behaviour(status=429))
    async with at(test_home) as (router, http):
        for body, status in (
            (chat(user="ann"), 200),
            (chat(user="ann"), 200),  # from memory
            (chat("gpt-3.5-turbo", user="ben"), 429),
        ):
            answer = await http.post(CHAT, json=body, headers=MASTER)
            assert answer.status_code == status, answer.text
        assert router.ledger.flush(5)
        found = await _asked(http)
    today = time.strftime("%b %d")
    assert found["activity"]["sum_api_requests"] == 3
    assert {one["model"] for one in found["activity/model"]} == {"gpt-4o", "cheap"}
    day = {"date": today, "num_rate_limit_exceptions": 1}
    refused = {"daily_data": [day], "sum_num_rate_limit_exceptions": 1}
    assert found["exceptions"] == refused
    (deployment,) = found["exceptions/deployment"]
    assert deployment["api_base"].endswith(",cheap")
    assert deployment | refused == deployment
    assert found["none"] == {"daily_data": [], "sum_num_rate_limit_exceptions": 0}
    assert (found["group"]["call_type"], found["group"]["generated_completion_tokens"]) == (
        "acompletion",
        8,
    )
    totals = found["cache_hits"]
    assert (totals["cache_hits"], totals["api_requests"], totals["failed_requests"]) == (1, 1, 1)
    assert totals["cache_hit_ratio"] == 0.5
    spent = {one["end_user"]: (one["total_count"], one["total_spend"]) for one in found["users"]}
    assert sorted(spent.values()) == [(1, 0.0), (2, ANSWER)]
    assert set(found["names"]["end_users"]) == set(spent)


async def _asked(http: httpx.AsyncClient) -> dict[str, Any]:
    async def ask(path: str, method: str = "GET", **more: Any) -> Any:
        answer = await http.request(method, f"/litellm/global/{path}", headers=MASTER, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    hits = await ask("activity/cache_hits")
    group = {"model_group": "gpt-3.5-turbo"}
    return {
        "activity": await ask("activity"),
        "activity/model": await ask("activity/model"),
        "exceptions": await ask("activity/exceptions", params=group),
        "exceptions/deployment": await ask("activity/exceptions/deployment", params=group),
        "none": await ask("activity/exceptions", params={"model_group": "gpt-4o"}),
        "group": hits["groups"][0],
        "cache_hits": hits["totals"],
        "users": await ask("spend/end_users", "POST", json={}),
        "names": await ask("all_end_users"),
    }
