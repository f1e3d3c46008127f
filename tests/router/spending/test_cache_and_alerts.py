"""Answers given again, budgets of the configuration, and what people are told of."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from router.config import Flags, Probes, load
from router.errors import ConfigError
from storage.home import Home
from storage.readers import Archive
from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.router.spending.test_keys import (
    ANSWER,
    CHAT,
    MASTER,
    at,
    bearer,
    chat,
    generated,
    named,
    write,
)

CACHE = "[cache]\nttl = 60\nsize_mb = 0.02\n"
#: asked after the same question was answered once: whether the kept answer is given
ASKED_AGAIN: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"stream": True}, False),
    ({"temperature": 0.5}, False),
    ({"user": "somebody else"}, True),
    ({"cache": {"no-cache": True}}, False),
    ({"cache": {"namespace": "mine"}}, False),
    ({"cache": {"s-maxage": 0.0}}, False),
    ({"cache": {"s-maxage": 600}}, True),
]


async def test_only_the_same_question_gets_the_same_answer(
    test_home: Home, upstream: FakeUpstream
) -> None:
    write(test_home, upstream, CACHE)
    async with at(test_home) as (router, http):
        wrong = []
        for more, hit in ASKED_AGAIN:
            router.cache.flush()
            for stream in (False, True):
                first = await http.post(CHAT, json=chat(stream=stream), headers=MASTER)
                asked = len(upstream.requests)
                body = {**chat(stream=stream), **more}
                if "stream" in more:
                    body["stream"] = not stream
                again = await http.post(CHAT, json=body, headers=MASTER)
                if ("x-litellm-cache-hit" in again.headers) is not hit:
                    wrong.append(f"{more}: {dict(again.headers)}")
                if hit and (again.content != first.content or len(upstream.requests) != asked):
                    wrong.append(f"{more}: {again.text}")
                router.cache.flush()
        assert not wrong, "\n".join(wrong)
        key = await generated(http)
        await http.post(CHAT, json=chat(), headers=MASTER)
        mine = await http.post(CHAT, json=chat(), headers=bearer(key))
        assert "x-litellm-cache-hit" not in mine.headers  # another key's answers are its own
        hit_again = await http.post(CHAT, json=chat(), headers=bearer(key))
        assert hit_again.headers["x-litellm-cache-hit"] == "True"
        detail = router.live.recent[0]
        assert (detail.rule, detail.cost) == ("cache", 0)
        name = hit_again.headers["x-litellm-cache-key"]
        forgotten = await http.post("/litellm/cache/delete", json={"keys": [name]}, headers=MASTER)
        assert forgotten.json() == {"status": "success", "deleted": 1}
        await http.post(CHAT, json=chat(cache={"no-store": True}), headers=bearer(key))
        again = await http.post(CHAT, json=chat(), headers=bearer(key))
        assert "x-litellm-cache-hit" not in again.headers
        for number in range(40):
            await http.post(CHAT, json=chat(seed=number), headers=MASTER)
        assert 0 < router.cache.size <= 20_000
        upstream.behave("gpt-4o", Behaviour(cut="middle"))
        for _ in range(2):  # what broke off is not kept
            cut = await http.post(CHAT, json=chat(seed=99), headers=MASTER)
            assert cut.status_code >= 500
        wrong_type = await http.post(CHAT, json=chat(cache="no"), headers=MASTER)
        assert wrong_type.status_code == 400


MESSAGES = {"max_tokens": 8, "messages": [{"role": "user", "content": "hi"}]}
#: every way of asking that LiteLLM's cache knows; Anthropic's streams too
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("/litellm/v1/chat/completions", {"messages": MESSAGES["messages"]}),
    ("/litellm/v1/messages", MESSAGES),
    ("/litellm/v1/messages", {**MESSAGES, "stream": True}),
    ("/litellm/v1/responses", {"input": "hi", "store": False}),
    ("/litellm/v1/embeddings", {"input": "hi"}),
]


async def test_every_door_of_the_plane_remembers_and_a_hit_is_free_and_counted_as_saved(
    test_home: Home, upstream: FakeUpstream
) -> None:
    write(test_home, upstream, CACHE)
    async with at(test_home) as (router, http):
        key = await generated(http, max_budget=100)
        for number, (path, body) in enumerate(KINDS, 1):
            first, again = [
                await http.post(path, json={"model": "gpt-4o", **body}, headers=bearer(key))
                for _ in range(2)
            ]
            assert (first.status_code, again.status_code) == (200, 200), first.text
            assert again.content == first.content, path
            assert again.headers["x-litellm-cache-hit"] == "True"
            assert len(upstream.requests) == number, path
        assert router.ledger.flush(5)
        archive = Archive(test_home.ledger)
        lines = await archive.costs(by="rule")
        await archive.close()
        (hits,) = (line for line in lines if line.name.startswith("cache,"))
        (asked,) = (line for line in lines if not line.name.startswith("cache,"))
        assert (hits.requests, hits.cost, hits.spend.saved) == (len(KINDS), 0, asked.cost)
        account = router.cashier.account("key", named(router, key))
        assert account is not None
        assert (account.spent, account.held) == (asked.cost, 0)
        pinged = (await http.get("/litellm/cache/ping", headers=MASTER)).json()
        assert pinged["status"] == "healthy"
        assert pinged["health_check_cache_params"]["hits"] == len(KINDS)
        flushed = await http.post("/litellm/cache/flushall", headers=MASTER)
        assert flushed.json() == {"status": "success"}
        anew = await http.post(CHAT, json={"model": "gpt-4o", **MESSAGES}, headers=bearer(key))
        assert "x-litellm-cache-hit" not in anew.headers


async def test_budgets_of_the_configuration(test_home: Home, upstream: FakeUpstream) -> None:
    budgets = f"""
[[budgets]]
scope = "session"
limit = {ANSWER / 2}
per = "forever"
[[budgets]]
scope = "model:gpt-4o"
soft = {1.5 * ANSWER}
limit = 100
cheaper = "litellm-internal,gpt-3.5-turbo"
"""
    write(test_home, upstream, budgets)
    async with at(test_home) as (router, http):

        async def ask(session: str) -> httpx.Response:
            return await http.post(CHAT, json=chat(), headers={**MASTER, "x-session-id": session})

        assert (await ask("a")).status_code == 200
        over = await ask("a")
        assert (over.status_code, over.json()["error"]["type"]) == (400, "budget_exceeded")
        assert "session a" in over.text
        assert (await ask("b")).status_code == 200
        assert (await ask("c")).headers["x-litellm-model-name"] == "openai/cheap"
        views = {(view.scope, view.name): view for view in router.cashier.views()}
        assert views["session", "a"].state == "over"
        assert views["model", "gpt-4o"].spent == round(2 * ANSWER * 1e9)
        assert {alert.subject for alert in router.alerts.recent} >= {"session a", "session b"}
        unpriced = await http.post(CHAT, json=chat("unpriced"), headers=MASTER)
        assert unpriced.status_code == 200
        assert any(alert.kind == "unpriced" for alert in router.alerts.recent)


async def test_what_is_held_stays_held_when_a_budget_is_edited(
    test_home: Home, upstream: FakeUpstream
) -> None:
    house = '[[budgets]]\nscope = "house"\nlimit = %s\n'
    write(test_home, upstream, house % 100)
    async with at(test_home) as (router, http):
        upstream.default = Behaviour(stall="middle")
        async with http.stream("POST", CHAT, json=chat(stream=True), headers=MASTER):
            (before,) = router.cashier.views()
            write(test_home, upstream, house % (ANSWER / 2))
            assert not await router.reload()
            (after,) = router.cashier.views()
            assert after.held == before.held > 0
            assert after.limit == round(ANSWER / 2 * 1e9)
            over = await http.post(CHAT, json=chat(), headers=MASTER)
            assert over.status_code == 429
            upstream.release.set()
        while router.live.running:
            await router.live.watch().get()
        (ended,) = router.cashier.views()
        assert (ended.held, ended.spent > 0) == (0, True)


async def test_a_provider_that_goes_down_and_an_unpriced_model_are_told_to_every_console(
    test_home: Home, upstream: FakeUpstream
) -> None:
    write(test_home, upstream, "[retry]\ncooldown = 0\n")
    async with at(test_home) as (router, http):
        watcher = router.live.watch()
        unpriced = await http.post(CHAT, json=chat("unpriced"), headers=MASTER)
        assert unpriced.status_code == 200
        upstream.default = Behaviour(status=500, body=b"{}")
        for _ in range(5):
            await http.post(CHAT, json=chat(), headers=MASTER)
        host = upstream.base.split("/")[2]
        wanted = {("unpriced", f"{host},odd"), ("provider", host)}
        async with asyncio.timeout(20):
            while wanted - {(one.kind, one.subject) for one in router.alerts.recent}:
                await watcher.get()  # the next beat, or an alert


async def test_a_webhook_is_told_also_where_it_fails_at_first(
    test_home: Home, upstream: FakeUpstream
) -> None:
    async with FakeUpstream() as hook:
        hook.then(Behaviour(status=500, body=b"{}"), Behaviour(body=b"{}"))
        alerts = f'[alerts]\nwebhook = "{hook.base}/hook"\nkinds = ["budget"]\n'
        toml = alerts + '[[budgets]]\nscope = "house"\nsoft = 0.001\n'
        write(test_home, upstream, toml)
        async with at(test_home) as (router, http):
            router.alerts._sleep = lambda seconds: asyncio.sleep(0)
            answer = await http.post(CHAT, json=chat(user="a secret name"), headers=MASTER)
            assert answer.status_code == 200
            await hook.arrived(2)
        bodies = [seen.json for seen in hook.requests]
        assert bodies[0] == bodies[1]
        assert bodies[0]["kind"] == "budget"
        words = "Pointsman: budget: house passed its soft limit of $0.001: $0.0"
        assert bodies[0]["text"].startswith(words)
        assert b"secret" not in hook.requests[0].body


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('[[budgets]]\nscope = "planet"\nlimit = 1\n', "should be house"),
        ('[[budgets]]\nscope = "model"\nlimit = 1\n', "should be house"),
        ('[[budgets]]\nscope = "house"\n', "needs a limit"),
        ('[[budgets]]\nscope = "house"\nlimit = 1\nper = "soon"\n', "is no duration"),
        ('[[budgets]]\nscope = "house"\nlimit = 1\ncheaper = "x"\n', "provider,model"),
        ('[alerts]\nwebhook = "nowhere"\n', "alerts.webhook"),
        ("[cache]\nsize_mb = 0\n", "cache.size_mb"),
    ],
)
def test_what_is_wrong_is_told_by_its_key(test_home: Home, toml: str, words: str) -> None:
    test_home.toml.parent.mkdir(parents=True, exist_ok=True)
    Path(test_home.toml).write_text(toml)
    with pytest.raises(ConfigError, match=words):
        load(test_home, {}, Flags(simulator_url="http://127.0.0.1:9"), 1, Probes())
