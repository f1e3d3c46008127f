"""HTTP_PROXY, HTTPS_PROXY and NO_PROXY; and where a URL leads."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.errors import UpstreamError
from router.settings import Timeouts
from router.transport import Proxies, Transport
from router.transport.address import parse
from tests.fakes.certificate import contexts
from tests.fakes.proxy import proxy_to
from tests.fakes.upstream import FakeUpstream

PATIENT = Timeouts(connect=5, first_byte=5, idle=5, total=10)


async def get(transport: Transport, url: str) -> bytes:
    answer = await transport.send("GET", url, (), b"", timeouts=PATIENT, provider="fake")
    return await answer.body(10**6)


async def test_plain_http_is_asked_of_the_proxy_by_its_whole_address(
    upstream: FakeUpstream,
) -> None:
    env = {"HTTP_PROXY": f"http://us%40er:s3cret@127.0.0.1:{upstream.port}"}
    transport = Transport(proxies=Proxies.from_env(env))
    assert b"fake" in await get(transport, "http://api.example/v1/models?x=1")
    seen = upstream.requests[0]
    assert seen.path == "http://api.example/v1/models?x=1"
    assert seen.headers["host"] == "api.example"
    assert seen.headers["proxy-authorization"] == "Basic dXNAZXI6czNjcmV0"
    assert b"fake" in await get(transport, upstream.url("/v1/models"))  # loopback: never proxied
    assert upstream.requests[1].path == "/v1/models"
    await transport.close()


async def test_https_goes_through_a_tunnel(tmp_path: Path) -> None:
    server, client = contexts(tmp_path)
    async with FakeUpstream(tls=server) as secured, proxy_to(secured.port) as proxied:
        env = {"https_proxy": f"http://u:p@127.0.0.1:{proxied.port}"}
        transport = Transport(proxies=Proxies.from_env(env), tls=client)
        for _ in range(2):
            assert b"fake" in await get(transport, "https://api.example/v1/models")
        assert len(proxied.heads) == 1  # the tunnel is kept
        assert proxied.heads[0].startswith(b"CONNECT api.example:443 HTTP/1.1\r\n")
        assert b"proxy-authorization: Basic dTpw\r\n" in proxied.heads[0]
        assert "proxy-authorization" not in secured.requests[0].headers
        with pytest.raises(UpstreamError, match="not trusted"):
            await get(transport, "https://other.example/v1/models")
        await transport.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 407 Who are you\r\n\r\n", "the proxy answered 407"),
        (b"nonsense\r\n\r\n", "the proxy answered"),
        (b"HTTP/1.1 200", "the proxy closed"),
        (b"a" * 20_000, "no end"),
    ],
)
async def test_a_proxy_that_refuses(tmp_path: Path, answer: bytes, words: str) -> None:
    _, client = contexts(tmp_path)
    async with proxy_to(1) as proxied:
        proxied.answer = answer
        env = {"HTTPS_PROXY": f"127.0.0.1:{proxied.port}"}
        transport = Transport(proxies=Proxies.from_env(env), tls=client)
        with pytest.raises(UpstreamError, match=words) as caught:
            await get(transport, "https://api.example/")
        assert caught.value.kind == "connect"
        assert transport.open == 0


@pytest.mark.parametrize(
    ("url", "proxied"),
    [
        ("https://api.example/", True),
        ("https://inner.example/", False),
        ("https://deep.inner.example/", False),
        ("https://notinner.example/", True),
        ("https://ported.example:8443/", False),
        ("https://ported.example/", True),
        ("https://10.1.2.3/", False),
        ("https://11.1.2.3/", True),
        ("https://localhost/", False),
        ("https://x.localhost/", False),
        ("https://127.0.0.2/", False),
        ("https://[::1]/", False),
        ("http://api.example/", False),
        ("https://deep.starred.example/", False),
        ("https://spaced.example/", False),
        ("https://ended.example/", False),
        ("https://[2001:db8::1]/", False),
        ("https://[2001:db8::2]/", True),
    ],
)
def test_no_proxy(url: str, proxied: bool) -> None:
    bypass = "inner.example, ported.example:8443 ,10.0.0.0/8,, *.starred.example spaced.example"
    bypass += ",ended.example.,[2001:db8::1]"
    proxies = Proxies.from_env({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": bypass})
    assert (proxies.choose(parse(url)) is not None) is proxied
    everything = Proxies.from_env({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"})
    assert everything.choose(parse(url)) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTPS_PROXY", "socks5://u:s3cret@proxy"),
        ("ALL_PROXY", "socks5h://u:s3cret@proxy:1080"),
        ("https_proxy", "https://u:s3cret@proxy"),
        ("HTTPS_PROXY", "http://u:s3cret@proxy:99999"),
        ("HTTPS_PROXY", "http://u:s3cret@[::1"),
    ],
)
async def test_what_is_meant_for_a_proxy_that_cannot_be_used_never_goes_past_it(
    upstream: FakeUpstream, name: str, value: str
) -> None:
    proxies = Proxies.from_env({name: value})
    words = f"{name.upper()} is not the http:// address of a proxy"
    assert proxies.troubles == (words,)
    transport = Transport(proxies=proxies)
    with pytest.raises(UpstreamError, match=words) as caught:
        await get(transport, "https://api.example/")
    assert caught.value.kind == "connect"
    assert "s3cret" not in caught.value.message
    assert b"fake" in await get(transport, upstream.url("/v1/models"))  # loopback never meant it
    await transport.close()


@pytest.mark.parametrize(
    ("url", "authority", "target"),
    [
        ("http://h", "h", "/"),
        ("http://h:80/a", "h", "/a"),
        ("https://h:443/a?b=c&d", "h", "/a?b=c&d"),
        ("https://h:8443/a", "h:8443", "/a"),
        ("http://[::1]:11434/api", "[::1]:11434", "/api"),
        ("http://h/a b\tc", "h", "/a%20bc"),
        ("http://h/a%20b", "h", "/a%20b"),
        ("http://h/é", "h", "/%C3%A9"),
        ("http://h/v1/models/a:stream?alt=sse#part", "h", "/v1/models/a:stream?alt=sse"),
        ("http://bücher.example/", "xn--bcher-kva.example", "/"),
    ],
)
def test_address(url: str, authority: str, target: str) -> None:
    address = parse(url)
    assert (address.authority, address.target) == (authority, target)


@pytest.mark.parametrize(
    "url", ["", "h/a", "ftp://h/", "http://", "http://:80/", "http://u:s3cret@h/", "http://h:x/"]
)
def test_an_address_that_leads_nowhere(url: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 — its words are ours or urllib's
        parse(url)
    assert "s3cret" not in str(caught.value)
