"""Host, Origin, content type and body size, as tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from router.asgi import Receive
from router.errors import CallerError
from router.guards import check, origin, proxied
from router.guards.body import ClientGoneError, read_body
from router.headers import read as read_headers
from router.settings import Generation, Groups, Limits, Listen, Role, Routes, Secret


def generation(hosts: tuple[str, ...] = (), origins: tuple[str, ...] = ()) -> Generation:
    listen = Listen(hosts=hosts, origins=origins)
    roles = (Role("litellm"), Role("ccr"))
    return Generation(1, {}, Routes(), Groups(), *roles, listen=listen)


OURS = generation(("gate.example",), ("https://app.example",))


def scope(method: str = "POST", own: str = "127.0.0.1", **headers: str) -> dict[str, Any]:
    named = {"host": "localhost:5000", **headers}
    pairs = [(k.replace("_", "-").encode(), v.encode("latin-1")) for k, v in named.items()]
    return {"type": "http", "method": method, "headers": pairs, "server": (own, 5000)}


class Asked:
    def __init__(self, headers: dict[str, str], receive: Receive) -> None:
        self.headers = headers
        self.receive = receive

    def arrived(self) -> bytes | None:
        return None


def verdict(scope: dict[str, Any]) -> int:
    """200, or the status of the refusal."""
    try:
        check(scope, read_headers(scope["headers"]), OURS)
    except CallerError as error:
        return error.status
    return 200


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", 200),
        ("localhost:5000", 200),
        ("LOCALHOST:1", 200),
        ("localhost.:5000", 200),
        ("console.localhost:5000", 200),
        ("127.0.0.1:5000", 200),
        ("127.9.9.9", 200),
        ("[::1]:5000", 200),
        ("[::1]", 200),
        ("gate.example", 200),
        ("Gate.Example:443", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("evil-localhost", 403),
        ("127.0.0.1.evil.example", 403),
        ("evil.example:127.0.0.1", 403),
        ("evil@localhost", 403),
        ("localhost@evil.example", 403),
        ("[::1].evil.example", 403),
        ("[evil.example]", 403),
        ("192.168.1.5:5000", 403),
        ("2130706433", 403),
        ("0.0.0.0", 403),
        ("", 403),
        (":5000", 403),
        ("\xa0localhost", 403),
    ],
)
def test_host(host: str, expected: int) -> None:
    assert verdict(scope(host=host)) == expected


def test_the_address_that_was_dialled_is_a_name_of_ours() -> None:
    assert verdict(scope(own="192.168.1.5", host="192.168.1.5:5000")) == 200
    assert verdict(scope(own="192.168.1.5", host="192.168.1.6:5000")) == 403


@pytest.mark.parametrize(
    ("sent", "host", "expected"),
    [
        ("http://localhost:5000", "localhost:5000", 200),
        ("http://127.0.0.1:5000", "127.0.0.1:5000", 200),
        ("http://[::1]:5000", "[::1]:5000", 200),
        ("https://app.example", "localhost:5000", 200),
        ("http://localhost:8080", "localhost:5000", 403),
        ("http://localhost", "localhost:5000", 403),
        ("http://app.example", "localhost:5000", 403),
        ("https://app.example.evil", "localhost:5000", 403),
        ("https://evil.example", "localhost:5000", 403),
        ("http://gate.example", "gate.example", 403),  # same origin, but not on loopback
        ("null", "localhost:5000", 403),
        ("file://", "localhost:5000", 403),
        ("http://[::1", "localhost:5000", 403),
        ("chrome-extension://localhost:5000", "localhost:5000", 403),
    ],
)
def test_origin(sent: str, host: str, expected: int) -> None:
    assert verdict(scope(host=host, origin=sent)) == expected
    assert verdict(scope("GET", host=host, origin=sent)) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("application/vnd.api+json", 200),
        ("application/json, application/json", 200),
        ("application/json, text/plain", 415),
        ("text/plain", 415),
        ("text/plain; application/json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=application/json", 415),
        ("text/json", 415),
        ("application/xml", 415),
    ],
)
async def test_content_type(kind: str, expected: int) -> None:
    async def receive() -> dict[str, Any]:
        return part(b"{}", False)

    seen = 200
    try:
        await read_body(Asked({"content-type": kind}, receive), LIMITS)
    except CallerError as error:
        seen = error.status
    assert seen == expected
    assert await read_body(Asked({}, receive), LIMITS) == b"{}"


def test_preflight_is_answered_for_named_origins_alone() -> None:
    def ask(sent: str, method: str = "OPTIONS", **more: str) -> origin.Headers | None:
        headers = {n.decode(): v.decode() for n, v in scope(origin=sent, **more)["headers"]}
        return origin.preflight(method, headers, OURS.listen.origins)

    wants = {"access_control_request_method": "POST", "access_control_request_headers": "x-a"}
    answer = dict(ask("https://app.example", **wants) or [])
    assert answer["access-control-allow-origin"] == "https://app.example"
    assert answer["access-control-allow-headers"] == "x-a"
    assert "access-control-allow-credentials" not in answer
    assert ask("https://evil.example", **wants) is None
    assert ask("https://app.example") is None
    assert ask("https://app.example", "POST", **wants) is None
    assert origin.cors("https://evil.example", OURS.listen.origins) == []
    assert origin.cors("", ("",)) == []


LIMITS = Limits(body_bytes=10)


async def read(*messages: dict[str, Any], length: str | None = None) -> bytes:
    pending = list(messages)

    async def receive() -> dict[str, Any]:
        return pending.pop(0)

    headers = {"content-length": length} if length else {}
    return await read_body(Asked(headers, receive), LIMITS)


def part(body: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_body() -> None:
    assert await read(part(b"0123456789", False), length="10") == b"0123456789"
    assert await read(part(b"01"), part(b""), part(b"23", False)) == b"0123"
    assert await read({"type": "http.request"}) == b""
    with pytest.raises(ClientGoneError):
        await read(part(b"01"), {"type": "http.disconnect"})


@pytest.mark.parametrize(
    ("messages", "length"),
    [
        ([], "11"),  # refused before anything is read
        ([part(b"0" * 11, False)], None),
        ([part(b"0" * 6), part(b"0" * 5)], None),
    ],
)
async def test_body_too_big(messages: list[dict[str, Any]], length: str | None) -> None:
    with pytest.raises(CallerError) as caught:
        await read(*messages, length=length)
    assert caught.value.status == 413


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.0.0.1", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("unknown", ""),
        ("\x1b[2J, 203.0.113.9", ""),
        ("", ""),
    ],
)
def test_whom_a_proxy_asks_for(forwarded: str, address: str) -> None:
    assert proxied.far(forwarded) == address
    assert (proxied.problem(address, OURS) is not None) is bool(address)


def test_a_proxy_before_roles_with_keys_is_as_it_should_be() -> None:
    keys = (Secret("a-long-key-of-ours"),)
    mine, theirs = Role("litellm", keys=keys), Role("ccr", mode="external", url="http://h")
    assert proxied.problem("203.0.113.9", replace(OURS, litellm=mine, ccr=theirs)) is None
    half = proxied.problem("203.0.113.9", replace(OURS, litellm=mine))
    assert half is not None
    assert "[ccr]" in half.detail
    assert "[litellm]" not in half.detail
