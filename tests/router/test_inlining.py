"""L07, G11: far files reach providers that take only bytes, and nothing private is fetched."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import pytest

from router.errors import UpstreamError
from router.inlining import MOST_BYTES, MOST_FILES, MOST_TOGETHER, Inlining, public
from router.messages import Request
from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.router.formats.test_gemini import G
from tests.router.formats.test_ollama import L
from tests.router.formats.wire import ask_a, bot, provider, result, use, user

PNG = {"content-type": "image/png; charset=x"}


def far(url: str, kind: str = "image") -> dict[str, Any]:
    return {"type": kind, "source": {"type": "url", "url": url}}


def asked(*urls: str) -> Request:
    return ask_a(messages=[user([far(url) for url in urls])])


async def refused(inlining: Inlining, *urls: str) -> str:
    try:
        with pytest.raises(UpstreamError) as error:
            await inlining.inlined(asked(*urls), "ollama_chat")
    finally:
        await inlining.close()
    assert (error.value.kind, error.value.status) == ("caller", 400)
    return error.value.message


async def test_L07_G11_a_far_file_is_sent_as_bytes(upstream: FakeUpstream) -> None:
    moved = Behaviour(status=302, headers={"location": "/there.png"}, body=b"")
    data = base64.b64encode(b"picture").decode()
    upstream.script = lambda seen: (
        moved if seen.path == "/moved" else Behaviour(body=b"picture", headers=PNG)
    )
    moving, plain = upstream.url("/moved"), upstream.url("/a.png?signed=1")
    turns = [
        user([far(moving), far(plain)]),
        bot([use("t")]),
        user([result("t", [far(plain)])]),
    ]
    request = ask_a(messages=turns)
    inlining = Inlining(lambda address: True)
    try:
        made = await inlining.inlined(request, "ollama_chat")
        kept = ask_a(messages=[user([far("gs://bucket/x")])])
        assert await inlining.inlined(kept, "gemini") is kept, "it reads that by itself"
        assert await inlining.inlined(ask_a(), "gemini") is not None
    finally:
        await inlining.close()
    ollama = L.render_request(made, provider("ollama"), "m")["messages"]
    assert [m.get("images") for m in ollama if "images" in m] == [[data, data], [data]]
    gemini = G.render_request(made, provider("gemini"), "gemini-3")["contents"][0]["parts"]
    assert gemini == [{"inlineData": {"mimeType": "image/png", "data": data}}] * 2
    paths = sorted(seen.path for seen in upstream.requests)
    assert paths == ["/a.png?signed=1", "/moved", "/there.png"], "each once"
    assert all(seen.headers["host"] == f"127.0.0.1:{upstream.port}" for seen in upstream.requests)


@pytest.mark.parametrize(
    ("address", "goes"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        *((private, False) for private in ("127.0.0.1", "10.1.2.3", "192.168.0.1", "::1")),
        *((private, False) for private in ("169.254.169.254", "fd00::1", "0.0.0.0", "x")),
        *(
            (private, False)
            for private in (
                *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "::ffff:0:7f00:1"),
                *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:a9fe:a9fe::"),
                *("fec0::1", "fe80::1%lo", "ff02::1", "224.0.0.1", "100.64.0.1", "5f00::1"),
                *("2001:0:7f00:1::", "2001:db8::1", "240.0.0.1", "2130706433", "0x7f000001"),
            )
        ),
    ],
)
def test_what_is_public(address: str, goes: bool) -> None:
    assert public(address) is goes


async def test_nothing_of_this_machine_is_fetched(upstream: FakeUpstream) -> None:
    for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]"):
        url = f"http://{host}:{upstream.port}/secret"
        assert "not public" in await refused(Inlining(), url)
    assert upstream.requests == []


async def test_a_redirect_is_judged_as_well(upstream: FakeUpstream) -> None:
    upstream.default = Behaviour(status=302, headers={"location": "http://127.0.0.2/"}, body=b"")
    inlining = Inlining(lambda address: address == "127.0.0.1")
    assert "not public" in await refused(inlining, upstream.url("/"))


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (Behaviour(body=b"<p>", headers={"content-type": "text/html"}), "no image and no PDF"),
        (Behaviour(status=404, body=b""), "status 404"),
        (Behaviour(body=bytes(MOST_BYTES + 1), headers=PNG), "more than"),
        (Behaviour(status=302, headers={"location": "/"}, body=b""), "too many redirects"),
        (Behaviour(status=302, headers={"location": "file:///x"}, body=b""), "only http"),
        (Behaviour(raw=b""), "RemoteProtocolError"),
        (
            Behaviour(body=gzip.compress(b"x" * 1000), headers={**PNG, "content-encoding": "gzip"}),
            "packed",
        ),
    ],
)
async def test_what_is_no_file(upstream: FakeUpstream, behaviour: Behaviour, words: str) -> None:
    upstream.default = behaviour
    message = await refused(Inlining(lambda address: True), upstream.url("/x?key=hidden"))
    assert words in message
    assert "hidden" not in message


async def test_not_too_many() -> None:
    urls = [f"http://h.test/{number}" for number in range(MOST_FILES + 1)]
    assert f"{MOST_FILES} at most" in await refused(Inlining(), *urls)


async def test_not_too_much_together(upstream: FakeUpstream) -> None:
    upstream.default = Behaviour(body=bytes(MOST_BYTES), headers=PNG)
    urls = [upstream.url(f"/{n}") for n in range(MOST_TOGETHER // MOST_BYTES + 1)]
    assert "together" in await refused(Inlining(lambda address: True), *urls)


async def test_no_cookie_goes_from_one_to_the_next(upstream: FakeUpstream) -> None:
    upstream.default = Behaviour(body=b"x", headers={**PNG, "set-cookie": "a=b; Path=/"})
    inlining = Inlining(lambda address: True)
    try:
        for number in range(2):
            await inlining.inlined(asked(upstream.url(f"/{number}")), "ollama_chat")
    finally:
        await inlining.close()
    assert not any("cookie" in seen.headers for seen in upstream.requests)
    assert {seen.headers["accept-encoding"] for seen in upstream.requests} == {"identity"}
