"""The socket behind the page, through the router's front door: who gets in, and what they get."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket
from collections.abc import Callable

import pyte
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from console.web.server import SEATS
from tests.console.web.conftest import PATIENCE, Door


class Page:
    """A page's end: it draws what comes on a screen of its own."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.screen = pyte.Screen(100, 30)
        self._stream = pyte.ByteStream(self.screen)
        self.again = ""

    async def until(self, seen: Callable[[str], bool]) -> str:
        async with asyncio.timeout(PATIENCE):
            while not seen(shown := "\n".join(self.screen.display)):
                message = await self.socket.recv()
                if isinstance(message, str):
                    self.again = json.loads(message)["again"]
                else:
                    self._stream.feed(message)
        return shown

    async def closed(self) -> tuple[int, str]:
        """How the other end closed the socket; what it still showed is not looked at."""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await self.socket.recv()
        await self.socket.close()
        await self.socket.wait_closed()
        assert self.socket.close_code is not None
        return self.socket.close_code, self.socket.close_reason or ""

    async def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(rows, columns)
        await self.socket.send(json.dumps({"size": [columns, rows]}))


def handshake(door: Door, shown: str, origin: str) -> int:
    """The status that answers a handshake; an opened socket is closed at once."""
    host, _, port = door.address.partition(":")
    lines = [
        "GET /console/ws HTTP/1.1",
        f"Host: {door.address}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}",
        f"Sec-WebSocket-Protocol: pointsman, {shown}",
        *([f"Origin: {origin}"] if origin else []),
    ]
    with socket.create_connection((host, int(port)), PATIENCE) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        with connection.makefile("rb") as answer:
            return int(answer.readline().split()[1])


async def opened(door: Door, shown: str, query: str = "") -> Page:
    opening = await connect(
        f"ws://{door.address}/console/ws?size=100x30{query}",
        origin=f"http://{door.address}",  # type: ignore[arg-type]
        subprotocols=["pointsman", shown],  # type: ignore[list-item]
        open_timeout=PATIENCE,
        compression=None,
    )
    return Page(opening)


@pytest.mark.parametrize(
    ("shown", "origin", "status"),
    [
        ("ticket.TICKET", "http://evil.example", 403),
        ("ticket.TICKET", "http://localhost:1", 403),
        ("ticket.wrong", "", 401),
        ("again.wrong", "", 401),
        ("nothing", "", 401),
    ],
)
def test_who_is_refused_before_the_socket_opens(
    door: Door, shown: str, origin: str, status: int
) -> None:
    ticket = door.ticket()
    origin = origin or f"http://{door.address}"
    assert handshake(door, shown.replace("TICKET", ticket), origin) == status


def test_no_origin_is_no_page(door: Door) -> None:
    assert handshake(door, f"ticket.{door.ticket()}", "") == 403


async def test_a_ticket_opens_one_console_which_waits_for_its_page(door: Door) -> None:
    ticket = await asyncio.to_thread(door.ticket, "--role", "view")
    page = await opened(door, f"ticket.{ticket}", query="&screen=costs")
    assert "7 days" in await page.until(lambda text: "7 days" in text)
    again = await asyncio.to_thread(handshake, door, f"ticket.{ticket}", f"http://{door.address}")
    assert again == 401, "a ticket is good once"
    visitors = json.loads(await asyncio.to_thread(door.pointsman, "ssh", "sessions", "--json"))
    (visitor,) = [v for v in visitors if v["by"].startswith("web:")]
    assert (visitor["role"], visitor["doing"]) == ("view", "console")
    await page.resize(70, 20)
    await page.until(lambda text: "\n" in text and "Costs" in text and len(text) < 1500)
    # the connection breaks, and the page comes back to the same console
    page.socket.transport.abort()
    await page.socket.wait_closed()
    back = await opened(door, f"again.{page.again}")
    back.screen.resize(24, 80)
    await back.resize(80, 24)
    assert "7 days" in await back.until(lambda text: "7 days" in text)
    # whoever opens it elsewhere takes it over
    other = await opened(door, f"again.{page.again}")
    closed = await back.closed()
    assert closed[0] == 4002
    await other.resize(80, 24)
    await other.until(lambda text: "7 days" in text)
    await other.socket.send(b"\x03\x03")
    closed = await other.closed()
    assert (closed[0], closed[1][-6:]) == (4000, "code 0")


async def test_a_dismissed_browser_is_told(door: Door) -> None:
    page = await opened(door, f"ticket.{await asyncio.to_thread(door.ticket, '--keep')}")
    await page.until(lambda text: "Live" in text)
    visitors = json.loads(await asyncio.to_thread(door.pointsman, "ssh", "sessions", "--json"))
    await asyncio.to_thread(door.pointsman, "ssh", "kick", visitors[-1]["id"])
    closed = await page.closed()
    assert closed[0] == 4000


def test_the_pages_files_and_the_ways_to_them(door: Door) -> None:
    for path, place in (
        ("/console", "console/"),
        ("/litellm/", "../console/?screen=health"),
        ("/ccr/ui", "../console/?screen=routes"),
        ("/ccr/ui/", "../../console/?screen=routes"),
    ):
        answer = door.router.get(path)
        assert (answer.status_code, answer.headers["location"]) == (307, place), path
    page = door.router.get("/console/")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert "://" not in page.text, "nothing is fetched from elsewhere"
    assert "<script>" not in page.text
    for name in ("xterm.js", "xterm.css", "console.js", "addon-fit.js", "LICENSE.xterm"):
        assert door.router.get(f"/console/{name}").status_code == 200, name
    for name in ("../server.py", "%2e%2e/server.py", "static/console.js", "nothing"):
        assert door.router.get(f"/console/{name}").status_code in (400, 404), name


@pytest.mark.long
async def test_no_more_consoles_than_there_are_seats(door: Door) -> None:
    """Of nine that come at once one is told why; a seat that is left is free again."""

    ticket = (await asyncio.to_thread(door.link, "--keep")).rpartition("#ticket=")[2]
    pages: list[Page] = []

    async def page() -> Page:
        pages.append(await opened(door, f"ticket.{ticket}"))
        return pages[-1]

    async def outcome(page: Page) -> tuple[int, str] | None:
        with contextlib.suppress(ConnectionClosed):
            await page.until(lambda text: "req/s" in text)
            return None
        return await page.closed()

    try:
        await asyncio.gather(*(page() for _ in range(SEATS + 1)))
        outcomes = await asyncio.gather(*(outcome(each) for each in pages))
        refused = (4001, f"{SEATS} consoles are open in browsers already")
        assert [each for each in outcomes if each] == [refused]
        inside = pages[outcomes.index(None)]
        await inside.socket.send(b"\x03\x03")
        await inside.closed()
        assert "req/s" in await (await page()).until(lambda text: "req/s" in text)
    finally:
        for each in pages:
            each.socket.transport.abort()
            await each.socket.wait_closed()
