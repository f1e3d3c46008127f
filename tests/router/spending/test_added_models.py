"""Models that are added over HTTP: in force at once, after a restart too, and never half."""

from __future__ import annotations

import json
import stat
from typing import Any

import httpx
import pytest

from router.doors.management import models
from storage.home import Home
from tests.fakes.upstream import FakeUpstream
from tests.router.spending.test_keys import CHAT, MASTER, at, bearer, chat, generated, write

KEY = "sk-of-the-added-model"


def added(upstream: FakeUpstream, **params: Any) -> dict[str, Any]:
    usual = {"model": "openai/first", "api_base": upstream.base, "api_key": KEY}
    return {"model_name": "added", "litellm_params": {**usual, **params}}


async def post(http: httpx.AsyncClient, path: str, body: Any, status: int = 200) -> dict[str, Any]:
    answer = await http.post(f"/litellm{path}", json=body, headers=MASTER)
    assert answer.status_code == status, answer.text
    assert KEY not in answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_model_is_added_changed_and_removed_while_requests_run(
    test_home: Home, upstream: FakeUpstream
) -> None:
    write(test_home, upstream)
    async with at(test_home) as (_, http):
        before = await http.post(CHAT, json=chat("added"), headers=MASTER)
        assert before.status_code == 400
        row = await post(http, "/model/new", added(upstream, input_cost_per_token=1e-6))
        assert row["litellm_params"]["input_cost_per_token"] == 1e-6
        id = row["model_id"]
        assert row["model_info"]["id"] == id
        answer = await http.post(CHAT, json=chat("added"), headers=MASTER)
        assert (answer.status_code, answer.headers["x-litellm-model-id"]) == (200, id)
        assert upstream.requests[-1].headers["authorization"] == f"Bearer {KEY}"
        file = test_home.litellm_models
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        told = await http.get(
            "/litellm/model/info", params={"litellm_model_id": id}, headers=MASTER
        )
        (line,) = told.json()["data"]
        assert line["model_info"]["db_model"] is True
        assert KEY not in told.text
        await post(http, "/model/new", {**added(upstream), "model_info": {"id": id}}, 400)
    async with at(test_home) as (router, http):  # a restart
        changed = {"id": id, "litellm_params": {"model": "openai/second"}}
        await post(http, "/model/update", changed)
        answer = await http.post(CHAT, json=chat("added"), headers=MASTER)
        assert (answer.status_code, upstream.requests[-1].json["model"]) == (200, "second")
        assert upstream.requests[-1].headers["authorization"] == f"Bearer {KEY}"
        patched = await http.patch(
            f"/litellm/model/{id}/update", json={"model_name": "other"}, headers=MASTER
        )
        assert patched.json()["model_name"] == "other"
        both = {**added(upstream), "model_name": "gpt-4o", "model_info": {"id": "second"}}
        await post(http, "/model/new", both)
        groups = router.generation.groups.deployments
        assert [one.id == "second" for one in groups["gpt-4o"]] == [False, True]
        of_file = groups["gpt-4o"][0].id
        kept = await post(http, "/model/update", {"id": of_file, "litellm_params": {}}, 400)
        assert "Model in config" in kept["error"]["message"]
        for name in (id, "second"):
            gone = await post(http, "/model/delete", {"id": name})
            assert gone == {"message": f"Model: {name} deleted successfully"}
            await post(http, "/model/delete", {"id": name}, 400)
        assert not file.exists()
        key = await generated(http)
        refused = await http.post("/litellm/model/new", json=both, headers=bearer(key))
        assert refused.status_code == 401


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"model": "nosuch/x", "api_base": None}, "nosuch: this provider is not spoken"),
        ({"model": None}, "litellm_params.model"),
        ({"rpm": -1}, "litellm_params.rpm: Input should be greater"),
        ({"tag_regex": ["("]}, "does not take it"),
        ({"api_base": "not an address"}, "cannot be served"),
    ],
)
async def test_what_cannot_be_served_is_refused_and_changes_nothing(
    test_home: Home, upstream: FakeUpstream, params: dict[str, Any], words: str
) -> None:
    write(test_home, upstream)
    async with at(test_home) as (router, http):
        first = {**added(upstream), "model_info": {"id": "kept"}}
        await post(http, "/model/new", first)
        written = test_home.litellm_models.read_bytes()
        told = await post(http, "/model/new", added(upstream, **params), 400)
        assert words in told["error"]["message"]
        assert str(test_home.config) not in told["error"]["message"]
        assert test_home.litellm_models.read_bytes() == written
        assert not router.config_error
        assert (await http.post(CHAT, json=chat("added"), headers=MASTER)).status_code == 200


async def test_beside_what_is_embedded_and_where_somebody_broke_the_file(
    test_home: Home, upstream: FakeUpstream
) -> None:
    test_home.config.mkdir(parents=True, exist_ok=True)
    keys = '[litellm]\nmode = "embedded"\nkeys = ["sk-master-of-this-test"]\n'
    test_home.toml.write_text(keys + '[ccr]\nmode = "embedded"\n')
    async with at(test_home) as (router, http):
        embedded = set(router.generation.groups.deployments)
        assert embedded
        await post(http, "/model/new", added(upstream))
        assert set(router.generation.groups.deployments) == {*embedded, "added"}
        test_home.litellm_models.write_text("{")
        told = await post(http, "/model/new", added(upstream), 500)
        assert "mend or remove it" in told["error"]["message"]
        test_home.litellm_models.write_text(json.dumps({"model_list": []}))
        await post(http, "/model/new", added(upstream))


def test_prices_are_told_and_credentials_are_not() -> None:
    shown = models._shown(
        {"model": "m", "api_key": "k", "input_cost_per_token": 1, "aws_secret_access_key": "s",
         "extra_headers": {"authorization": "k"}, "vertex_credentials": "c"}
    )  # fmt: skip
    assert shown == {"model": "m", "input_cost_per_token": 1}
