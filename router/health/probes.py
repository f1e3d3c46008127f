"""Whether the programs on this machine are there, and are those that are meant.

One rule: never a billed call. They are asked for a page, and an Ollama for its models.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from router.health import ollama, takeover
from router.health.ollama import Rooms
from router.settings import Generation, Site

#: bytes of a neighbour's answer that are looked at
MOST_BYTES = 256 * 1024


class Answer(NamedTuple):
    """What came of asking. `there` None: nobody was asked yet; `at` is Unix seconds."""

    there: bool | None = None
    reason: str = "not asked yet"
    at: float | None = None


class Probes:
    """`wall` gives Unix seconds, `now` the monotonic clock."""

    def __init__(self, wall: Callable[[], float], now: Callable[[], float]) -> None:
        self._wall = wall
        self._now = now
        self._answers: dict[str, Answer] = {}  # by URL
        self._refused: dict[str, float] = {}  # url → since when nobody listens there
        self._sites: dict[str, Answer] = {}  # by name
        #: root address of an Ollama → what it told of its models
        self.rooms: dict[str, Rooms] = {}
        self._http = httpx.AsyncClient(timeout=2.0, trust_env=False)

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(self, generation: Generation) -> None:
        """Asks what runs on this machine whether it is there. Takes at most a few seconds."""
        urls = {r.url for r in (generation.litellm, generation.ccr) if r.mode == "external"}
        urls |= {root(p.url) for p in generation.providers.values() if p.local and p.url}
        ollamas = ollama.asked(generation)
        await asyncio.gather(
            *(self._ask(url) for url in urls),
            *(self._ask_rooms(address, models) for address, models in ollamas.items()),
            *(self.recognise(site) for site in generation.sites),
        )

    def gone(self, url: str) -> bool:
        """Whether nobody has listened there for long."""
        return self._now() - self._refused.get(url, self._now()) >= takeover.GONE

    async def _ask_rooms(self, address: str, models: set[str]) -> None:
        with contextlib.suppress(httpx.HTTPError):  # whether it answers at all is told by `_ask`
            await ollama.ask(self._http, address, models, self.rooms.setdefault(address, Rooms()))

    async def _ask(self, url: str) -> None:
        try:
            response = await self._http.get(url)
            answered, reason = response.status_code < 500, f"answered {response.status_code}"
            self._refused.pop(url, None)
        except httpx.HTTPError as error:
            answered, reason = False, f"does not answer: {_why(error)}"
            if isinstance(error, httpx.ConnectError):
                self._refused.setdefault(url, self._now())
        self._answers[url] = Answer(answered, "" if answered else reason, self._wall())

    async def recognise(self, site: Site) -> None:
        """Whether the program at a site's address is the one that is meant."""
        try:
            async with self._http.stream("GET", site.url + site.health) as response:
                body = b""
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > MOST_BYTES:
                        break
            answered, reason = response.status_code < 500, f"answered {response.status_code}"
            if answered and site.marker and site.marker.encode() not in body.replace(b": ", b":"):
                answered, reason = False, "another program answers there"
            elif answered:
                reason = ""
        except httpx.ReadTimeout:  # one that is busy for a while has not become another
            answered, reason = self.recognised(site), "answers slowly"
        except httpx.HTTPError as error:
            answered, reason = False, f"does not answer: {_why(error)}"
        self._sites[site.name] = Answer(answered, reason, self._wall())

    def recognised(self, site: Site) -> bool:
        return bool(self.of_site(site).there)

    def of(self, url: str) -> Answer:
        return self._answers.get(url, Answer())

    def of_site(self, site: Site) -> Answer:
        return self._sites.get(site.name, Answer())


def root(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/" if parts.netloc else ""


def _why(error: httpx.HTTPError) -> str:
    match error:
        case httpx.ConnectError():
            return "no connection"
        case httpx.TimeoutException():
            return "silence"
        case _:
            return "it speaks no HTTP, or hung up"
