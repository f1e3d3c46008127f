"""Neighbours on this machine: is there an Ollama, a LiteLLM, a CCR, and is it not ourselves?

The only file of the configuration that uses the network, and only loopback. `load` is given what
came out, so that it can be tried without any.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from router.config.endpoints import loopback, problem_of

#: seconds in all for one neighbour: a start must not wait for a port that swallows packets
PATIENCE = 0.8
NOBODY = "nothing listens there"
#: no honest answer of these is longer
MOST_BYTES = 1024 * 1024
#: header that every answer of a Pointsman carries
OURS = "x-pointsman"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """`state` "ours": a Pointsman answered there, this one or another."""

    address: str
    state: Literal["found", "absent", "ours", "problem", "not asked"] = "not asked"
    version: str = ""
    models: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Probes:
    """What was found. The default has asked nobody."""

    ollama: Neighbour = Neighbour("http://127.0.0.1:11434")
    litellm: Neighbour = Neighbour("http://127.0.0.1:4000")
    ccr: Neighbour = Neighbour("http://127.0.0.1:3456")


def addresses(env: Mapping[str, str]) -> Probes:
    """Where to ask. OLLAMA_HOST is followed as far as it stays on this machine."""
    usual = Probes()
    told = env.get("OLLAMA_HOST", "").strip().rstrip("/")
    if not told:
        return usual
    url = told if "://" in told else f"http://{told}"
    if problem_of(url):
        return usual
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - what a server listens on is asked at loopback
        host = "127.0.0.1"
    if not loopback(host):
        return usual
    shown = f"[{host}]" if ":" in host else host
    return Probes(ollama=Neighbour(f"{parts.scheme}://{shown}:{parts.port or 11434}"))


async def probe(where: Probes | None = None, held: Container[int] = ()) -> Probes:
    """Asks all three at once; takes at most PATIENCE seconds. Nobody is asked at the ports that are
    `held`: they are this router's, which does not answer yet."""
    where = where or Probes()
    limits = httpx.Timeout(PATIENCE)
    # trust_env off: a proxy of the environment must not be asked about our own machine
    async with httpx.AsyncClient(timeout=limits, trust_env=False) as http:
        ollama, litellm, ccr = await asyncio.gather(
            _ask(_ollama, http, where.ollama.address, held),
            _ask(_litellm, http, where.litellm.address, held),
            _ask(_ccr, http, where.ccr.address, held),
        )
    return Probes(ollama, litellm, ccr)


class _NotItError(Exception):
    """Something answered, but not what was looked for."""


_Question = Callable[[httpx.AsyncClient, str], Coroutine[Any, Any, Neighbour]]


async def _ask(
    question: _Question, http: httpx.AsyncClient, address: str, held: Container[int]
) -> Neighbour:
    if urlsplit(address).port in held:
        return Neighbour(address, "absent", detail=NOBODY)
    try:
        return await asyncio.wait_for(question(http, address), PATIENCE)
    except (httpx.ConnectError, httpx.UnsupportedProtocol):
        return Neighbour(address, "absent", detail=NOBODY)
    except (httpx.HTTPError, TimeoutError):
        return Neighbour(address, "problem", detail="something listens there but does not answer")
    except (_NotItError, ValueError):
        return Neighbour(address, "absent", detail="another program listens there")


async def _get(http: httpx.AsyncClient, url: str) -> httpx.Response:
    async with http.stream("GET", url) as response:
        body = b""
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MOST_BYTES:
                raise _NotItError
    # the stream's own length and coding headers no longer hold for what was read
    kept = {n: v for n, v in response.headers.items() if n in (OURS, "content-type")}
    return httpx.Response(response.status_code, headers=kept, content=body)


def _object(response: httpx.Response) -> dict[str, Any]:
    if response.status_code != 200:
        raise _NotItError
    value = response.json()
    if not isinstance(value, dict):
        raise _NotItError
    return value


async def _ollama(http: httpx.AsyncClient, address: str) -> Neighbour:
    first = await _get(http, f"{address}/api/version")
    if OURS in first.headers:
        return Neighbour(address, "ours")
    version = _object(first).get("version")
    if not isinstance(version, str):
        raise _NotItError
    listed = _object(await _get(http, f"{address}/api/tags")).get("models")
    entries = listed if isinstance(listed, list) else []
    names = [e.get("name") for e in entries if isinstance(e, dict)]
    models = tuple(n for n in names if isinstance(n, str) and n)
    return Neighbour(address, "found", version, models)


async def _litellm(http: httpx.AsyncClient, address: str) -> Neighbour:
    response = await _get(http, f"{address}/health/liveliness")
    if OURS in response.headers:
        return Neighbour(address, "ours")
    if response.status_code != 200 or "I'm alive!" not in response.text:
        raise _NotItError
    return Neighbour(address, "found")


async def _ccr(http: httpx.AsyncClient, address: str) -> Neighbour:
    response = await _get(http, f"{address}/")
    if OURS in response.headers:
        return Neighbour(address, "ours")
    answer = _object(response)
    if answer.get("message") != "LLMs API":
        raise _NotItError
    return Neighbour(address, "found")  # the version it tells is that of the library it is made of
