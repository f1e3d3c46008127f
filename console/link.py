"""The only way from a console to a router: its control socket, or the archive of one that is down.

Imports no part of the router but its contract: a console starts fast and cannot slow a request.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncIterator
from typing import TypeVar

import httpx
import msgspec

from router import contract
from storage.home import Home
from storage.readers import Archive, ArchiveError

__all__ = ["Archive", "ArchiveError", "Link", "RouterDownError"]

_T = TypeVar("_T")

#: seconds; a router that does not answer within this is reported as down
PATIENCE = 5.0
#: the environment variable that carries a visitor's token
VISITOR = "POINTSMAN_VISITOR"
#: how often a router that does not know its visitor is asked again, every fifth of a second
_INTRODUCTIONS = 10
#: a Unix socket has no TLS: without this, httpx reads all the world's certificates, 34 ms each time
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_NOT_UNDERSTOOD = (
    "what answers on the control socket is not understood: a router of another version? "
    "`pointsman restart` replaces it"
)

_SNAPSHOT: msgspec.json.Decoder[contract.Snapshot] = msgspec.json.Decoder(contract.Snapshot)
_CHANGE: msgspec.json.Decoder[contract.Change] = msgspec.json.Decoder(contract.Change)
_RESULT: msgspec.json.Decoder[contract.Result] = msgspec.json.Decoder(contract.Result)


class RouterDownError(Exception):
    """No router answers on this home's control socket."""


class Link:
    """One console's connection. `archive` reads history, with or without a router.

    A console that a front (SSH, the browser) opened for a visitor has their token in its
    environment, and the router lets it do what they may. `token` is for others: "" for a front.
    """

    def __init__(self, home: Home, token: str | None = None) -> None:
        self.home = home
        if token is None:
            token = os.environ.get(VISITOR, "")
        self.archive = Archive(home.ledger)
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(home.socket), verify=_NO_TLS),
            base_url="http://router",
            headers={"x-pointsman-visitor": token} if token else {},
            timeout=PATIENCE,
        )

    async def close(self) -> None:
        await self._http.aclose()
        await self.archive.close()

    async def alive(self) -> bool:
        try:
            await self._http.get("/alive")
        except httpx.TransportError:
            return False
        return True

    async def snapshot(self) -> contract.Snapshot:
        """All that is needed to draw at once. Raises RouterDownError."""
        return await self._ask("GET", "/snapshot", b"", _SNAPSHOT)

    async def act(self, action: contract.Action) -> contract.Result:
        """Does one action. Raises RouterDownError."""
        return await self._ask("POST", "/act", msgspec.json.encode(action), _RESULT)

    async def watch(self) -> AsyncIterator[contract.Change]:
        """Changes as they come, until the router goes. Raises RouterDownError when it does."""
        forever = httpx.Timeout(PATIENCE, read=None)
        try:
            async with self._http.stream("GET", "/watch", timeout=forever) as response:
                response.raise_for_status()
                async for line in _lines(response):
                    yield _CHANGE.decode(line)
        except httpx.TransportError as error:
            raise RouterDownError(str(error)) from error
        except (httpx.HTTPStatusError, msgspec.DecodeError) as error:
            raise RouterDownError(_NOT_UNDERSTOOD) from error
        raise RouterDownError("the router closed the connection")

    @contextlib.asynccontextmanager
    async def visit(self, arrival: contract.Arrival) -> AsyncIterator[AsyncIterator[bytes]]:
        """Announces a visitor for as long as the block lasts. Yields the lines that follow: one
        means that they were dismissed; their end, that the router is gone. Raises
        RouterDownError."""
        forever = httpx.Timeout(PATIENCE, read=None)
        body = msgspec.json.encode(arrival)
        try:
            async with self._http.stream(
                "POST", "/visit", content=body, timeout=forever
            ) as response:
                response.raise_for_status()
                lines = _lines(response)
                await anext(lines)
                yield lines
        except (httpx.TransportError, StopAsyncIteration) as error:
            raise RouterDownError("no router answers") from error
        except httpx.HTTPStatusError as error:
            raise RouterDownError(_NOT_UNDERSTOOD) from error

    async def _ask(
        self, method: str, path: str, body: bytes, answer: msgspec.json.Decoder[_T]
    ) -> _T:
        try:
            response = await self._http.request(method, path, content=body)
            for _ in range(_INTRODUCTIONS):
                if response.status_code != httpx.codes.FORBIDDEN:
                    break
                # a router that has just taken another's place hears of its visitors in a moment
                await asyncio.sleep(0.2)
                response = await self._http.request(method, path, content=body)
        except httpx.TransportError as error:
            raise RouterDownError(f"no router answers on {self.home.socket}") from error
        try:
            response.raise_for_status()
            return answer.decode(response.content)
        except (httpx.HTTPStatusError, msgspec.DecodeError) as error:
            raise RouterDownError(_NOT_UNDERSTOOD) from error


async def _lines(response: httpx.Response) -> AsyncIterator[bytes]:
    """Lines of NDJSON. Not httpx's own: that also splits at U+2028 and U+0085, which stand as they
    are inside JSON strings, and so in any provider's error message."""
    rest = b""
    async for piece in response.aiter_raw():
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line
