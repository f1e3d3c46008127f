"""Other programs behind the front door: by path and by name, both ways, and their absence."""

from __future__ import annotations

import asyncio
import contextlib
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256

import httpx
import pytest

from router.app import MOUNTS
from router.errors import ConfigError
from router.service import Router
from router.settings import DOORS
from storage.home import Home
from tests.fakes.program import Program
from tests.router.inside import served

TOML = """
[neighbours.tool]
title = "A Tool"
url = "{url}"
health = "/probe"
[neighbours.whole]
url = "{url}"
health = "/probe"
path = "/whole"
strip = false
[neighbours.named]
url = "{url}"
health = "/probe"
path = ""
host = "tool.example"
[neighbours.both]
url = "{url}"
health = "/probe"
host = "both.localhost"
[neighbours.chat]
url = "http://127.0.0.1:9"
"""
HANDSHAKE = (
    b"GET /tool/%b HTTP/1.1\r\nhost: localhost:5000\r\norigin: http://localhost:5000\r\n"
    b"connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: k\r\n\r\n"
)


@asynccontextmanager
async def behind(home: Home, program: Program) -> AsyncIterator[tuple[Router, httpx.AsyncClient]]:
    home.toml.write_text(TOML.format(url=program.url))
    async with (
        served(home) as (router, address),
        httpx.AsyncClient(base_url=address, timeout=20) as http,
    ):
        yield router, http


@pytest.mark.parametrize(
    ("host", "path", "target"),
    [
        ("localhost", "/tool/a/b?c=d%2Fe", "/a/b?c=d%2Fe"),
        ("localhost", "/tool/", "/"),
        ("localhost", "/tool/a%2Fb", "/a%2Fb"),
        ("localhost", "/whole/x", "/whole/x"),
        ("tool.example", "/health", "/health"),
        ("Tool.Example:5000", "/litellm/v1/models", "/litellm/v1/models"),
        ("both.localhost:5000", "/", "/"),
    ],
)
async def test_a_path_or_a_name_leads_to_its_program(
    test_home: Home, host: str, path: str, target: str
) -> None:
    async with Program() as program, behind(test_home, program) as (_, http):
        forged = {"host": host, "x-forwarded-for": "6.6.6.6", "connection": "x-hop"}
        answer = await http.get(path, headers={**forged, "cookie": "a=b"})
        assert (answer.status_code, answer.text) == (200, "ok")
        asked = program.asked[-1]
        assert asked.target == target
        assert asked.header("host") == host
        assert asked.header("cookie") == "a=b"
        assert asked.header("x-forwarded-for") == "127.0.0.1"
        assert asked.header("x-forwarded-host") == host


async def test_what_comes_back_fits_the_place_it_is_seen_from(test_home: Home) -> None:
    async with Program() as program, behind(test_home, program) as (_, http):
        for location, seen in [
            ("/login", "/tool/login"),
            ("/tool/login", "/tool/login"),
            (f"{program.url}/x?y", "/tool/x?y"),
            ("login", "login"),
            ("https://elsewhere.example/", "https://elsewhere.example/"),
        ]:
            program.answer = (
                b"HTTP/1.1 302 Found\r\nlocation: %b\r\nset-cookie: a=1; Expires=Mon, 1 Jan 2035"
                b"\r\nset-cookie: b=2\r\naccess-control-allow-origin: *\r\nkeep-alive: 5\r\n"
                b"date: Mon, 1 Jan 2024 00:00:00 GMT\r\ncontent-length: 0\r\n"
                b"content-disposition: filename=%b\r\n\r\n" % (location.encode(), "Éà日".encode())
            )
            answer = await http.get("/tool/a")
            assert answer.headers["location"] == seen
            cookies = answer.headers.get_list("set-cookie")
            assert cookies == ["a=1; Expires=Mon, 1 Jan 2035", "b=2"]
            assert answer.headers["content-disposition"] == "filename=Éà日"
            gone = {"access-control-allow-origin", "keep-alive", "content-type"}
            assert not gone & answer.headers.keys()
            assert len(answer.headers.get_list("date")) == 1
        assert (await http.get("/tool")).headers["location"] == "/tool/"
        moved = await http.get("/both/a?b", headers={"host": "localhost:77"})
        assert moved.headers["location"] == "http://both.localhost:77/a?b"
        far = await http.get("/both/", headers={"host": "tool.example"})
        assert far.status_code == 302  # a name of its own: all its paths are the program's
        program.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n"
        head = await http.head("/tool/a")
        assert head.headers["content-length"] == "900"
        # no header but the hop's own
        program.answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
        assert (await http.get("/tool/a")).text == "a"


async def test_a_body_keeps_the_coding_it_has(test_home: Home) -> None:
    async with Program() as program, behind(test_home, program) as (_, http):
        program.answer = (
            b"HTTP/1.1 200 OK\r\ncontent-encoding: x\r\ncontent-length: 2\r\n\r\n\x1f\x8b"
        )
        for offered in ("gzip, br", ""):
            asked = {"accept-encoding": offered}
            async with http.stream("GET", "/tool/a.js", headers=asked) as answer:
                assert [piece async for piece in answer.aiter_raw()] == [b"\x1f\x8b"]
            assert answer.headers["content-encoding"] == "x"
            assert program.asked[-1].header("accept-encoding") == offered


async def test_what_changes_something_is_asked_once(test_home: Home) -> None:
    asked: list[bytes] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one request, takes one more, and dies."""
        for answer in (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b""):
            with contextlib.suppress(asyncio.IncompleteReadError):
                head = await reader.readuntil(b"\r\n\r\n")
                if b"/probe" not in head:
                    asked.append(head.split(b" ")[0])
                writer.write(answer)
        writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", 0)
    async with Program() as program, behind(test_home, program) as (router, http):
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        test_home.toml.write_text(TOML.format(url=url))
        assert await router.reload() == ""
        for method, status, sent in [("GET", 200, 1), ("POST", 200, 1), ("GET", 200, 2)]:
            asked.clear()
            assert (await http.request(method, "/tool/")).status_code == status
            assert asked == [method.encode()] * sent
        for method, path, status in [("TRACE", "/tool/", 405), ("GET", "/tool/..%2fx", 400)]:
            refused = await http.request(method, path)
            assert refused.status_code == status
            assert "not passed on" in refused.json()["error"]["message"]
    server.close()


async def test_streams_pass_piece_by_piece_both_ways(test_home: Home) -> None:
    async with Program() as program, behind(test_home, program) as (_, http):
        program.slow = True
        program.answer = (
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
            b"data: 1\n\n|data: 2\n\n"
        )
        async with http.stream("GET", "/tool/events") as answer:
            pieces = answer.aiter_bytes()
            assert await anext(pieces) == b"data: 1\n\n"
            program.go.set()
            assert await anext(pieces) == b"data: 2\n\n"
        program.go.clear()
        async with http.stream("GET", "/tool/events") as answer:
            assert await anext(answer.aiter_bytes()) == b"data: 1\n\n"
        await program.left.wait()  # the client left, so the program was left too

        program.slow = False
        program.seen.clear()

        async def body() -> AsyncIterator[bytes]:
            yield b"first"
            await program.seen.wait()  # it is there before the second is made
            yield b"second" * 50_000

        kinds = {"content-type": "multipart/form-data; boundary=x"}
        answer = await http.post("/tool/upload", content=body(), headers=kinds)
        assert answer.status_code == 200
        assert b"".join(program.asked[-1].pieces) == b"first" + b"second" * 50_000
        sized = await http.post("/tool/upload", content=b"x" * 300_000)
        assert sized.status_code == 200
        assert program.asked[-1].header("content-length") == "300000"


async def test_a_program_that_answers_before_the_end_of_the_upload(test_home: Home) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        await done.wait()
        yield b"y"

    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 No\r\ncontent-length: 3\r\n\r\nbig")
        await writer.drain()
        done.set()
        await reader.read(-1)
        writer.close()

    done = asyncio.Event()
    server = await asyncio.start_server(early, "127.0.0.1", 0)
    async with Program() as program, behind(test_home, program) as (router, http):
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        test_home.toml.write_text(TOML.format(url=url))
        assert await router.reload() == ""
        answer = await http.post("/tool/upload", content=body())
        assert (answer.status_code, answer.text) == (413, "big")
    server.close()


async def test_websockets_pass_both_ways(test_home: Home) -> None:
    async with Program() as program, behind(test_home, program) as (router, http):
        port = http.base_url.port

        async def shake(path: bytes, more: bytes = b"") -> tuple[bytes, asyncio.StreamReader]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            open_writers.append(writer)
            writer.write(HANDSHAKE % path + more)
            return await reader.readuntil(b"\r\n\r\n"), reader

        open_writers: list[asyncio.StreamWriter] = []
        head, reader = await shake(b"push?a=b", more=b"early")
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"sec-websocket-accept: yes" in head
        assert await reader.readexactly(10) == b"helloearly"
        assert program.asked[-1].target == "/push?a=b"
        assert program.asked[-1].header("sec-websocket-key") == "k"
        much = bytes(range(256)) * 4000
        open_writers[-1].write(much)
        assert await reader.readexactly(len(much)) == much
        open_writers[-1].close()
        await program.left.wait()

        head, reader = await shake(b"no", more=b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 403 ")
        assert await reader.read(-1) == b"not so"  # and nothing after it is another request
        for line in (b"content-type: text/x", b"location: /tool/login", b"a=1; Path=/tool/"):
            assert line in head
        assert re.findall(rb"x-request-id: (\S+)", head) == [b"own"]
        head, reader = await shake(b"bye")
        assert await reader.read(-1) == b"hello"
        assert router.transport.open == 0
        # what is not a neighbour's takes no offer
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HANDSHAKE.replace(b"/tool/%b", b"/health"))
        assert (await reader.read(-1)).startswith(b"HTTP/1.1 200 ")
        for each in (*open_writers, writer):
            each.close()


async def test_an_open_websocket_does_not_hold_the_end(test_home: Home) -> None:
    async with Program() as program:
        async with behind(test_home, program) as (_, http):
            reader, writer = await asyncio.open_connection("127.0.0.1", http.base_url.port)
            writer.write(HANDSHAKE % b"push")
            await reader.readuntil(b"hello")
        assert await reader.read(-1) == b""
        writer.close()


async def test_a_page_of_another_origin_may_not_use_them(test_home: Home) -> None:
    async with Program() as program, behind(test_home, program) as (_, http):
        for host, origin, status in [
            ("tool.example", "http://tool.example", 200),
            ("tool.example", "http://localhost:5000", 403),
            ("both.localhost:5000", "http://both.localhost:5000", 200),
            ("localhost:5000", "http://both.localhost:5000", 403),
            ("other.example", "http://other.example", 403),
        ]:
            headers = {"host": host, "origin": origin}
            answer = await http.post("/tool/", headers=headers, content=b"a=b")
            assert answer.status_code == status, (host, origin)


async def test_a_local_name_that_is_nobody_s_is_told_and_no_landing_page(test_home: Home) -> None:
    async with Program() as program, behind(test_home, program) as (router, http):
        typo = {"host": "bath.localhost:5000", "accept": "text/html"}
        for path in ("/", "/health", "/tool/"):
            page = await http.get(path, headers=typo)
            assert page.status_code == 404
            assert "nothing here is called bath.localhost" in page.text
            assert "<code>both.localhost</code> (both)" in page.text
        assert program.asked == []
        # it stands alone: at a program's own name, the addresses of our files are the program's
        style = re.search("<style>(.*)</style>", page.text, re.DOTALL)
        assert style is not None
        digest = b64encode(sha256(style[1].encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in page.headers["content-security-policy"]
        assert "<svg" in page.text
        assert "<img" not in page.text
        assert (await http.get("/assets/page.css", headers=typo)).status_code == 200
        assert (await http.get("/litellm/v1/models", headers=typo)).status_code == 200
        test_home.toml.write_text("[listen]\nhosts = ['Bath.localhost']")
        assert await router.reload() == ""
        assert (await http.get("/livez", headers=typo)).text == "ok\n"


async def test_what_does_not_run_says_where_it_was_looked_for(test_home: Home) -> None:
    async with Program() as program, behind(test_home, program) as (router, http):
        host = {"host": "chat.localhost", "accept": "text/html"}
        page = await http.get("/", headers=host)
        assert page.status_code == 502
        assert "Open WebUI does not run" in page.text
        assert "http://127.0.0.1:9" in page.text
        assert "pointsman neighbours start chat" in page.text
        assert 'http-equiv="refresh"' in page.text
        told = (await http.get("/", headers={"host": "chat.localhost"})).json()
        assert "connection refused" in told["error"]["message"]
        # n8n was not configured: what has its port and was not recognised is not taken for it
        router.health.probes._sites.pop("n8n", None)
        absent = await http.get("/n8n/", headers={"host": "localhost"})
        assert absent.status_code == 502
        assert "pointsman neighbours start n8n" in absent.json()["error"]["message"]
        await router.health.probes.ask(router.generation)
        states = {view.name: view.state for view in router.services()}
        assert (states["tool"], states["chat"]) == ("up", "down")
        assert states["n8n"] in ("off", "up")  # one may run on the machine that tests
        # one that is to be started here is not missed before
        test_home.toml.write_text(
            '[neighbours.wiki]\nurl = "http://127.0.0.1:9"\npath = "/wiki"\ncommand = ["wiki"]'
        )
        assert await router.reload() == ""
        await router.health.probes.ask(router.generation)
        wiki = next(view for view in router.services() if view.name == "wiki")
        assert (wiki.state, "neighbours start wiki" in wiki.reason) == ("off", True)
        # taken back while it runs
        test_home.toml.write_text("")
        assert await router.reload() == ""
        assert (await http.get("/tool/")).status_code == 404
        assert (await http.get("/", headers={"host": "tool.example"})).status_code == 403


async def test_a_program_that_is_busy_is_still_the_one_that_was_found(test_home: Home) -> None:
    async with Program() as program, behind(test_home, program) as (router, _):

        async def state() -> tuple[str, str]:
            await router.health.probes.ask(router.generation)
            (found,) = [view for view in router.services() if view.name == "tool"]
            return found.state, found.reason

        assert await state() == ("up", "")
        router.health.probes._http.timeout = httpx.Timeout(0.05)
        program.slow, program.answer = True, b"|" + program.answer
        assert await state() == ("degraded", "answers slowly")
        assert router.health.probes.recognised(router.generation.sites[0])
        program.go.set()
        program.slow, program.answer = False, program.answer[1:]
        assert await state() == ("up", "")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("path = '/x'", "needs its address"),
        ("url = 'http://h:1'\npath = '/'", "a path below / or a host"),
        ("url = 'http://h:1/?a'", "no ?, # or space"),
        ("url = 'http://h:1'\nhealth = 'probe'", "should begin with /"),
        ("url = 'http://h:1'\ndirectory = 'wiki'", "should be a whole path"),
        ("url = 'http://h:1'\npath = '/a?b'", "between single /"),
        ("url = 'http://h:1'\npath = '/a/../b'", "between single /"),
        ("url = 'http://h:1'\npath = '/a b'", "between single /"),
        ("url = 'http://h:1'\npath = '/ollama'", "front door's own"),
        ("url = 'http://h:1'\nhost = '127.0.0.2'", "a name alone"),
        ("url = 'http://h:1'\nhost = 'a..b'", "a name alone"),
        ("url = 'http://h:1'\nhost = 'box.lan'\n[listen]\nhosts = ['box.lan']", "own, or a role's"),
        (
            "url = 'http://h:1'\nhost = 'ccr.localhost'\n[ccr]\nmode = 'external'\n"
            "url = 'http://h:2'",
            "own, or a role's",
        ),
        ("url = 'http://h:1'\npath = 'x'", "should begin with /"),
        ("url = 'http://h:1'\npath = '/litellm/x'", "front door's own"),
        ("url = 'http://h:1'\nhost = 'a:5'", "a name alone"),
        ("url = 'http://h:1'\nhost = 'localhost'", "front door's own"),
        ("url = 'http://127.0.0.1:5000'", "this router itself"),
        ("url = 'http://h:1'\nhost = 'chat.localhost'", "is what"),
        ("url = 'http://h:1'\nspeed = 3", "not a setting"),
    ],
)
async def test_a_neighbour_that_cannot_be_meant_is_refused(
    test_home: Home, line: str, words: str
) -> None:
    test_home.toml.write_text(f"[neighbours.mine]\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        async with served(test_home):
            pass
    assert "neighbours.mine" in str(caught.value)
    if words != "not a setting":
        assert words in str(caught.value)


async def test_what_nobody_asked_for_makes_way(test_home: Home) -> None:
    provider = '{"name": "n8n", "api_base_url": "http://h/v1", "api_key": "k", "models": ["m"]}'
    test_home.ccr.mkdir(parents=True, exist_ok=True)
    test_home.ccr_json.write_text(f'{{"Providers": [{provider}]}}')
    test_home.toml.write_text("[listen]\nhosts = ['chat.localhost']")
    async with served(test_home) as (router, _):
        assert router.generation.sites == ()
        assert "n8n" in router.generation.providers


async def test_a_name_of_ours_is_no_neighbour_s(test_home: Home) -> None:
    assert MOUNTS.keys() == DOORS.keys()
    for name in ("ssh", "LiteLLM", "ollama", "simulator", "'a/b'", "'../x'"):
        test_home.toml.write_text(f"[neighbours.{name}]\nurl = 'http://h:1'\npath = '/x'\n")
        with pytest.raises(ConfigError, match=r"name is at most|another service is called"):
            async with served(test_home):
                pass
