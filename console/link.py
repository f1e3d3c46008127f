"""The only way from a console to a router: its control socket, or the archive of one that is down.

Imports no part of the router but its contract: a console starts fast and cannot slow a request.
"""

from __future__ import annotations

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


class RouterDownError(Exception):
    """No router answers on this home's control socket."""


class Link:
    """One console's connection. `archive` reads history, with or without a router."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.archive = Archive(home.ledger)
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(home.socket)),
            base_url="http://router",
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
        return await self._ask("GET", "/snapshot", b"", contract.Snapshot)

    async def act(self, action: contract.Action) -> contract.Result:
        """Does one action. Raises RouterDownError."""
        body = msgspec.json.encode(action)
        return await self._ask("POST", "/act", body, contract.Result)  # type: ignore[arg-type]

    async def watch(self) -> AsyncIterator[contract.Change]:
        """Changes as they come, until the router goes. Raises RouterDownError when it does."""
        decoder: msgspec.json.Decoder[contract.Change] = msgspec.json.Decoder(contract.Change)
        forever = httpx.Timeout(PATIENCE, read=None)
        try:
            async with self._http.stream("GET", "/watch", timeout=forever) as response:
                async for line in response.aiter_lines():
                    yield decoder.decode(line)
        except httpx.TransportError as error:
            raise RouterDownError(str(error)) from error
        raise RouterDownError("the router closed the connection")

    async def _ask(self, method: str, path: str, body: bytes, type: type[_T]) -> _T:
        try:
            response = await self._http.request(method, path, content=body)
        except httpx.TransportError as error:
            raise RouterDownError(f"no router answers on {self.home.socket}") from error
        response.raise_for_status()
        return msgspec.json.decode(response.content, type=type)
