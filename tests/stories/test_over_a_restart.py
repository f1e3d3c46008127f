"""What an operator saw and set before the router ended is there when the next one has begun."""

from __future__ import annotations

import httpx

from router.contract import (
    Edited,
    EditRoutes,
    Pause,
    Refused,
    Resume,
    Routes,
    ShowRoutes,
    UndoRoutes,
)
from router.control.actions import act
from router.control.socket import snapshot
from router.service import Router
from storage.home import Home
from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.router import inside
from tests.stories.test_keys_and_rests import BODY, MESSAGES, configure, key_of

PAUSED = {"x-claude-code-session-id": "s1"}


def told(router: Router, name: str) -> list[tuple[object, ...]]:
    """Of a service and its keys: how things are, the last error, and what went by."""
    view = next(view for view in snapshot(router).services if view.name == name)
    return [
        (one.name, one.state, one.last_error, one.p50_ms is None, sum(n for n, _ in one.history))
        for one in (view, *view.keys)
    ]


async def test_health_of_every_key_and_pauses_outlive_the_router(
    test_home: Home, upstream: FakeUpstream
) -> None:
    configure(test_home, upstream)
    upstream.script = lambda seen: Behaviour(status=401) if key_of(seen) == "first-key" else None
    async with httpx.AsyncClient(timeout=10) as http, inside.served(test_home) as (router, front):
        router.chance = lambda: 0.0
        for _ in range(2):
            assert (await http.post(front + MESSAGES, json=BODY)).status_code == 200
        for one in ("s1", "s2"):
            await http.post(front + MESSAGES, json=BODY, headers={next(iter(PAUSED)): one})
            await act(router, Pause(one))
        await act(router, Resume("s2"))
        before = told(router, "many")
        role = told(router, "CCR")
        keys = next(view.keys for view in snapshot(router).services if view.name == "many")
        assert [(key.state, key.cooling_until is not None) for key in keys] == [
            ("degraded", True),
            ("up", False),
            ("unknown", False),
        ]
        assert keys[0].last_error not in ("", "credential"), "in the provider's own words"
        assert "first-key" not in repr(keys), "a key is told by its number and its short name"
    async with httpx.AsyncClient(timeout=10) as http, inside.served(test_home) as (router, front):
        assert told(router, "CCR") == role
        after = told(router, "many")
        assert [one[0] for one in after] == ["many", "key 1", "key 2", "key 3"]
        assert [one[2:] for one in after] == [one[2:] for one in before]
        assert snapshot(router).paused == ("s1",)
        refused = await http.post(front + MESSAGES, json=BODY, headers=PAUSED)
        assert refused.status_code == 503
        await act(router, Resume("all"))
    async with inside.served(test_home) as (router, _):
        assert snapshot(router).paused == ()


async def test_edits_of_the_routes_are_taken_back_by_the_next_router(
    test_home: Home, upstream: FakeUpstream
) -> None:
    configure(test_home, upstream)
    before = test_home.toml.read_text()
    edits = ({"default": "many,m"}, {"longContextThreshold": "7", "fallback.default": "many,n"})
    async with inside.served(test_home) as (router, _):
        for each in edits:
            done = await act(router, EditRoutes(each, dry=False))
            assert isinstance(done, Edited), done
        routes = router.generation.routes
        assert routes.long_context_threshold == 7
        assert [str(target) for target in routes.fallback["default"]] == ["many,n"]
        answer = await act(router, ShowRoutes())
        assert isinstance(answer, Routes)
        values = {value.name: value.value for value in answer.values}
        assert (values["longContextThreshold"], values["fallback.default"]) == ("7", "many,n")
        refused = await act(router, EditRoutes({"fallback.default": "gone,n"}, dry=False))
        assert isinstance(refused, Refused)
    assert test_home.route_edits.stat().st_mode & 0o777 == 0o600
    async with inside.served(test_home) as (router, _):
        assert router.edits.newest == "longContextThreshold → 7, fallback.default → many,n"
        for _ in edits:
            assert isinstance(await act(router, UndoRoutes()), Edited)
        assert isinstance(await act(router, UndoRoutes()), Refused)
        assert router.generation.routes.long_context_threshold == 60_000
    assert test_home.toml.read_text() == before
