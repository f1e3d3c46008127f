"""What a request may make of the way to another program behind the front door."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from storage.home import Home
from tests.fakes.program import Program
from tests.router.inside import served

LAST = "connection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/tool%2f@127.0.0.2:9/x", "/%40127.0.0.2%3A9/x"),
        ("/tool%2f.elsewhere.example/x", "/.elsewhere.example/x"),
        ("/tool%2F9/x", "/9/x"),
        ("/tool//elsewhere.example/x", "//elsewhere.example/x"),
        ("/%74ool/a%2fb", "/a/b"),
    ],
)
async def test_no_path_changes_the_host(test_home: Home, path: str, target: str) -> None:
    async with Program() as program:
        test_home.toml.write_text(f'[neighbours.tool]\nurl = "{program.url}"\nhealth = "/probe"\n')
        async with served(test_home) as (_, address):
            answer = await _raw(address, f"GET {path} HTTP/1.1\r\nhost: localhost\r\n{LAST}")
        assert answer.startswith("HTTP/1.1 200 ")
        assert [asked.target for asked in program.asked] == [target]


async def test_what_is_named_as_the_hops_own_stays_there(test_home: Home) -> None:
    async with Program() as program:
        test_home.toml.write_text(f'[neighbours.tool]\nurl = "{program.url}"\nhealth = "/probe"\n')
        async with served(test_home) as (_, address):
            await _raw(
                address,
                "GET /tool/ HTTP/1.1\r\nhost: localhost\r\nx-hop: 1\r\nx-end: 2\r\n"
                "connection: close, X-Hop\r\n\r\n",
            )
        assert program.asked[0].header("x-hop") == ""
        assert program.asked[0].header("x-end") == "2"


async def test_a_page_drives_no_terminal(test_home: Home) -> None:
    async with served(test_home) as (_, address):
        for accept in ("text/html", "*/*"):
            answer = await _raw(
                address,
                "GET /%1b]52;c;aGk=%07%c2%9b2J HTTP/1.1\r\nhost: localhost\r\n"
                f"accept: {accept}\r\n{LAST}",
            )
            assert answer.startswith("HTTP/1.1 404 ")
            assert "]52;c;" in answer
            assert not set(answer) & {"\x1b", "\x07", "\x9b"}


async def _raw(address: str, request: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(address).port)
    writer.write(request.encode())
    try:
        return (await reader.read(-1)).decode()
    finally:
        writer.close()
