"""The Responses API over a WebSocket: turns as by HTTP, bounds, and both sides' ways of leaving."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from router.asgi import Receive, Scope, Send
from router.contract import RequestView
from router.edge import Edge, bind
from router.service import Router
from router.settings import Limits
from router.websocket import WAITING, Socket, handshake
from storage.home import Home
from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.router.formats.responses_grammar import check_responses
from tests.router.inside import served

_LITELLM = """
model_list:
  - model_name: chatty
    litellm_params: {{model: openai/real, api_base: '{base}', api_key: k,
      input_cost_per_token: 1e-6, output_cost_per_token: 2e-6}}
  - model_name: native
    litellm_params: {{model: openai/responses/real, api_base: '{base}', api_key: k}}
general_settings: {{master_key: sk-right}}
"""
_TOML = "[retry]\nretries = 0\ncooldown = 0\n[limits]\nbody_mb = 0.1\n"
RIGHT = {"authorization": "Bearer sk-right"}
SAID = "one two three four five six seven eight "


@asynccontextmanager
async def routed(home: Home, upstream: FakeUpstream, toml: str = _TOML) -> AsyncIterator[Any]:
    """The router, and the address of its front door less the scheme."""
    (home.config / "litellm-config.yaml").write_text(_LITELLM.format(base=upstream.base))
    home.toml.write_text(toml)
    async with served(home) as (router, address):
        yield router, address.removeprefix("http://")


def opened(place: str, path: str = "/litellm/v1/responses", **headers: str) -> connect:
    asked = {**RIGHT, **headers}
    return connect(f"ws://{place}{path}", additional_headers=asked, proxy=None)


async def turn(socket: ClientConnection, **said: Any) -> list[Any]:
    """The events of one response."""
    asked = {"type": "response.create", "model": "chatty", "input": "go", **said}
    await socket.send(json.dumps(asked))
    return await told(socket)


async def told(socket: ClientConnection) -> list[Any]:
    events: list[Any] = []
    ends = ("response.completed", "response.incomplete", "response.failed", "error")
    while not events or events[-1]["type"] not in ends:
        events.append(json.loads(await socket.recv()))
    return events


def rows(router: Router) -> list[RequestView]:
    """Oldest first."""
    return list(router.live.recent)[::-1]


async def test_turns_are_requests_as_by_http(test_home: Home, upstream: FakeUpstream) -> None:
    async with routed(test_home, upstream) as (router, place):
        async with opened(place, **{"session-id": "s1"}) as socket:
            assert socket.response is not None
            assert "x-pointsman" in socket.response.headers
            assert socket.response.headers["x-request-id"].startswith("req_")
            for model in ("chatty", "native"):
                events = await turn(socket, model=model, store=False)
                frames = [
                    f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events
                ]
                assert check_responses("".join(frames).encode())["model"] == model
                first = events[-1]["response"]
                assert first["output"][0]["content"][0]["text"] == SAID
                # goes on from what nobody keeps: the provider is sent all of it
                last = (await turn(socket, model=model, store=False, input="on",
                                   previous_response_id=first["id"]))[-1]  # fmt: skip
                assert last["type"] == "response.completed"
                body = upstream.requests[-1].json
                assert "previous_response_id" not in body
                assert "type" not in body
                sent = json.dumps(body)
                assert [word in sent for word in ('"go"', SAID, '"on"')] == [True] * 3
                if model == "chatty":
                    assert last["response"]["previous_response_id"] == first["id"]
                warm = (await turn(socket, model=model, generate=False, store=False))[-1]
                asked = len(upstream.requests)
                assert (warm["response"]["output"], warm["type"]) == ([], "response.completed")
                go_on = {"input": "on", "previous_response_id": warm["response"]["id"]}
                await turn(socket, model=model, store=False, **go_on)
                assert len(upstream.requests) == asked + 1
                assert '"go"' in json.dumps(upstream.requests[-1].json)
            kept = (await turn(socket))[-1]["response"]["id"]
        seen = rows(router)
        assert [row.asked for row in seen] == ["chatty"] * 3 + ["native"] * 3 + ["chatty"]
        assert {(row.session, row.state, row.door) for row in seen} == {("s1", "done", "litellm")}
        assert seen[0].cost == upstream.requests[0].input_tokens * 1000 + 8 * 2000
        async with opened(place, "/litellm/responses") as other:  # a connection of its own
            lost = (await turn(other, store=False, previous_response_id=first["id"]))[-1]
            assert (lost["status"], lost["error"]["code"]) == (400, "previous_response_not_found")
            assert (await turn(other, previous_response_id=kept))[-1]["type"] == (
                "response.completed"
            )


async def test_errors_are_events(test_home: Home, upstream: FakeUpstream) -> None:
    nonsense: list[tuple[dict[str, Any], str | None]] = [
        ({"type": "response.cancel"}, "unknown_event"),
        ({"model": "no-such"}, None),
        ({"input": 7}, None),
        ({"model": 7, "generate": False}, None),
    ]
    limited = Behaviour(status=429, headers={"retry-after": "7"})
    async with routed(test_home, upstream) as (router, place), opened(place) as socket:
        upstream.then(limited, Behaviour(cut="middle"))
        refused = (await turn(socket))[-1]
        assert (refused["type"], refused["status"]) == ("error", 429)
        assert refused["headers"] == {"retry-after": "7"}
        assert {"message", "code", "type"} <= refused["error"].keys()
        broken = await turn(socket)
        assert [broken[0]["type"], broken[-1]["type"]] == ["response.created", "response.failed"]
        for said, code in nonsense:
            error = (await turn(socket, **said))[-1]
            assert (error["type"], error["status"]) == ("error", 400), said
            assert error["error"]["code"] == code or code is None
            assert isinstance(error["error"]["code"], str)
        await socket.send("{")
        assert (await told(socket))[-1]["status"] == 400
        # each with its row, but for the warm-up
        assert [row.state for row in rows(router)] == ["failed"] * 6
        # a failed turn takes with it what it went on from
        first = (await turn(socket, store=False))[-1]["response"]["id"]
        upstream.then(Behaviour(status=500))
        go_on = {"store": False, "previous_response_id": first}
        assert (await turn(socket, **go_on))[-1]["type"] == "error"
        assert (await turn(socket, **go_on))[-1]["error"]["code"] == "previous_response_not_found"
        # the connection has lived through all of it; keys are asked for at each turn
        assert (await turn(socket))[-1]["type"] == "response.completed"
        config = test_home.config / "litellm-config.yaml"
        config.write_text(config.read_text().replace("sk-right", "sk-new"))
        assert await router.reload() == ""
        assert (await turn(socket))[-1]["status"] == 401


async def test_who_may_open_one(test_home: Home, upstream: FakeUpstream) -> None:
    async with routed(test_home, upstream) as (router, place):
        for headers, status in [
            ({"authorization": "Bearer sk-wrong"}, 401),
            ({"origin": "http://evil.example"}, 403),
            ({"sec-websocket-version": "8"}, 400),
        ]:
            with pytest.raises(InvalidStatus) as refused:
                await opened(place, **headers)
            assert refused.value.response.status_code == status, headers
        address, _, port = place.partition(":")
        with pytest.raises(InvalidStatus) as rebound:
            await connect(
                "ws://evil.example/litellm/v1/responses",
                **{"host": address, "port": int(port), "proxy": None},
            )
        assert rebound.value.response.status_code == 403
        with pytest.raises(InvalidStatus) as elsewhere:
            await opened(place, "/litellm/v1/responses/resp_1")
        assert elsewhere.value.response.status_code == 404
        async with opened(place, "/claude-code/v1/responses") as socket:
            assert (await turn(socket, model="claude"))[-1]["type"] in (
                "response.completed",
                "error",
            )
        assert [row.door for row in rows(router)] == ["claude-code"]
        async with httpx.AsyncClient(base_url=f"http://{place}") as http:
            plain = await http.get("/litellm/v1/responses", headers=RIGHT)
            assert plain.status_code == 405


async def test_what_a_client_can_make_us_hold(test_home: Home, upstream: FakeUpstream) -> None:
    async with routed(test_home, upstream) as (_, place):
        async with opened(place) as binary:
            await binary.send(b"{}")
            with pytest.raises(ConnectionClosed):
                await binary.recv()
            assert binary.close_code == 1003
        async with opened(place) as large:
            await large.send("x" * 110_000)
            with pytest.raises(ConnectionClosed):
                await large.recv()
            assert large.close_code == 1009
        async with opened(place) as many:
            upstream.behave("real", Behaviour(stall="headers"))
            asked = json.dumps({"type": "response.create", "model": "chatty", "input": "go"})
            await many.send(asked)
            running = await upstream.arrived(1)
            for _ in range(WAITING + 1):
                await many.send(asked)
            with pytest.raises(ConnectionClosed):
                await many.recv()
            assert many.close_code == 1008
            await running.closed.wait()
        assert len(upstream.requests) == 1


async def test_a_client_that_leaves_ends_its_turn(test_home: Home, upstream: FakeUpstream) -> None:
    upstream.default = Behaviour(stall="middle")
    async with routed(test_home, upstream) as (router, place):
        for number, politely in enumerate((True, False), 1):
            socket = await opened(place)
            asked = {"type": "response.create", "model": "chatty", "input": "go"}
            await socket.send(json.dumps(asked))
            seen = await upstream.arrived(number)
            assert json.loads(await socket.recv())["type"] == "response.created"
            if politely:
                await socket.close()
            else:
                socket.transport.abort()
            await seen.closed.wait()
        upstream.default = Behaviour()
        async with opened(place) as socket:
            await turn(socket)
        assert [row.state for row in rows(router)] == ["cancelled", "cancelled", "done"]
        assert rows(router)[0].error == "the client left"


async def test_what_stands_between(test_home: Home, upstream: FakeUpstream) -> None:
    """The operator's stop, an answer from the cache, and a real LiteLLM in our place."""
    cached = "litellm_settings: {cache: true, cache_params: {type: local}}\n"
    asked = json.dumps({"type": "response.create", "model": "chatty", "input": "go"})
    async with routed(test_home, upstream) as (router, place), opened(place) as socket:
        for number, stall, last in [(1, "middle", "response.failed"), (2, "headers", "error")]:
            upstream.then(Behaviour(stall=stall))  # type: ignore[arg-type]
            await socket.send(asked)
            await upstream.arrived(number)
            if stall == "middle":
                await socket.recv()
            (record,) = router.live.running.values()
            record.stop("operator")
            assert (await told(socket))[-1]["type"] == last
        assert {row.state for row in rows(router)} == {"cancelled"}

        config = test_home.config / "litellm-config.yaml"
        config.write_text(config.read_text() + cached)
        assert await router.reload() == ""
        first, second = [(await turn(socket))[-1] for _ in range(2)]
        assert first["response"]["output"] == second["response"]["output"]
        assert (len(upstream.requests), len(rows(router))) == (3, 4)

        url = upstream.url("")
        test_home.toml.write_text(f"[litellm]\nmode = 'external'\nurl = '{url}'\n")
        assert await router.reload() == ""
        assert (await turn(socket, model="theirs"))[-1]["response"]["model"] == "theirs"
        async with opened(place, authorization="Bearer sk-theirs") as other:
            assert (await turn(other, model="theirs"))[-1]["type"] == "response.completed"
        assert upstream.requests[-1].path == "/v1/responses"
        assert upstream.requests[-1].headers["authorization"] == "Bearer sk-theirs"
        assert [row.provider for row in rows(router)[-2:]] == ["litellm"] * 2


async def test_the_routers_end(test_home: Home, upstream: FakeUpstream) -> None:
    upstream.behave("real", Behaviour(stall="middle"))
    async with routed(test_home, upstream) as (router, place):
        idle, busy = await opened(place), await opened(place)
        await busy.send(json.dumps({"type": "response.create", "model": "chatty", "input": "go"}))
        await upstream.arrived(1)
        router.stop()
        with pytest.raises(ConnectionClosed):
            await idle.recv()
        assert idle.close_code == 1001
        upstream.release.set()
        assert (await told(busy))[-1]["type"] == "response.completed"
        with pytest.raises(ConnectionClosed):
            await busy.recv()
        assert busy.close_code == 1001


async def test_an_hour_is_enough(test_home: Home, upstream: FakeUpstream) -> None:
    toml = _TOML + "socket_seconds = 0.05\n"
    async with routed(test_home, upstream, toml) as (_, place), opened(place) as socket:
        last = (await told(socket))[-1]
        assert last["error"]["code"] == "websocket_connection_limit_reached"
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 1000


async def test_a_silent_client_is_asked_whether_it_is_there() -> None:
    sizes = Limits()
    ended = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        socket = Socket(scope["tunnel"], 1000, silence=0.02)
        socket.open(handshake(scope, []))
        while (said := await socket.message()) is not None:
            socket.send(said)
        await socket.close()
        ended.set()

    sock = bind("127.0.0.1", 0)
    edge = Edge(app, [sock], sizes)
    await edge.start()
    try:
        port = sock.getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}/", proxy=None, ping_interval=None) as alive:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                b"GET / HTTP/1.1\r\nhost: localhost\r\n"
                b"connection: upgrade\r\nupgrade: websocket\r\n"
                b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            )
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(2) == b"\x89\x00"  # a ping, which it does not answer
            await ended.wait()
            writer.close()
            await alive.send("still here")  # it has answered, in all that time
            assert await alive.recv() == "still here"
    finally:
        await edge.drain(5)
