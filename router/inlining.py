"""Files that a client names by their address, fetched for a provider that takes only their bytes.

Its one rule: only what anyone on the internet could fetch is fetched. The address that was looked
up and judged is the one that is connected to, so a name that changes its mind gains nothing;
nothing of this machine or its networks can be read through a model.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import socket
from collections.abc import Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx
import msgspec

from router.errors import UpstreamError
from router.formats.gemini.render import READS
from router.messages import Document, Image, Message, Part, Request, ToolResult

#: formats of providers that take no address of a file, but those that they read themselves
FORMATS: dict[str, tuple[str, ...]] = {"ollama_chat": (), "gemini": READS}
MOST_BYTES = 20 * 1024 * 1024
#: files of one request; a conversation names the same ones again and again
MOST_FILES = 20
#: bytes of all of them together: each takes thrice its size while it becomes a part of the request
MOST_TOGETHER = 40 * 1024 * 1024
#: seconds for one file, its redirects included
PATIENCE = 20.0
_REDIRECTS = 3
#: all of IPv6 that is given out, and what of it leads to an IPv4 address inside (RFC 3056). Others
#: that do, such as NAT64's 64:ff9b::/96, Python calls global: behind them may be 169.254.169.254.
_GIVEN_OUT = ipaddress.IPv6Network("2000::/3")
_6TO4 = ipaddress.IPv6Network("2002::/16")


def public(address: str) -> bool:
    """Whether an IP address is one of the internet, by itself and not by what it stands for."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if ip.version == 6 and (ip not in _GIVEN_OUT or ip in _6TO4):
        return False
    return ip.is_global and not ip.is_multicast


class Inlining:
    """One per router; belongs to one event loop. `allowed` judges an IP address."""

    def __init__(self, allowed: Callable[[str], bool] = public) -> None:
        self._allowed = allowed
        self._http: httpx.AsyncClient | None = None

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()

    async def inlined(self, request: Request, format: str) -> Request:
        """The request with its far files in it; the same object where it has none. Raises
        UpstreamError of kind "caller": another provider may take the address as it is."""
        reads = FORMATS[format]
        wanted = {
            url: None
            for message in request.messages
            for url in _far(message.parts)
            if not (reads and url.startswith(reads))
        }
        if not wanted:
            return request
        if len(wanted) > MOST_FILES:
            raise _refused(f"{len(wanted)} files by their address: {MOST_FILES} at most")
        room = _Room()
        try:
            async with asyncio.TaskGroup() as group:  # one that is refused ends the others
                tasks = {url: group.create_task(self._file(url, room)) for url in wanted}
        except ExceptionGroup as refusals:
            raise refusals.exceptions[0] from None
        files = {url: task.result() for url, task in tasks.items()}
        messages = [
            Message(message.role, _with(message.parts, files), message.extra)
            for message in request.messages
        ]
        return msgspec.structs.replace(request, messages=messages)

    async def _file(self, url: str, room: _Room) -> tuple[str, str]:
        """Media type and base64."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._followed(url, room)
        except (TimeoutError, httpx.TimeoutException):
            raise _refused(f"the file at {_shown(url)}: no answer in {PATIENCE:g} s") from None
        except (httpx.HTTPError, OSError, ValueError) as error:
            raise _refused(f"the file at {_shown(url)}: {type(error).__name__}") from None

    async def _followed(self, url: str, room: _Room) -> tuple[str, str]:
        for _ in range(_REDIRECTS + 1):
            answer = await self._get(url, room)
            if isinstance(answer, tuple):
                return answer
            url = urljoin(url, answer)
        raise _refused(f"the file at {_shown(url)}: too many redirects")

    async def _get(self, url: str, room: _Room) -> tuple[str, str] | str:
        """The file, or where it has gone."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise _refused(f"the file at {_shown(url)}: only http and https are fetched")
        address = await self._looked_up(parts)
        if self._http is None:
            # no cookie of one request's may go with another's
            none = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
            self._http = httpx.AsyncClient(timeout=PATIENCE, trust_env=False, cookies=none)
        host = f"[{address}]" if ":" in address else address
        there = parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host, fragment="")
        asked = self._http.build_request(
            "GET",
            there.geturl(),
            headers={
                "host": parts.netloc.rpartition("@")[2],
                "user-agent": "pointsman",
                # what is small on its way may be large unpacked
                "accept-encoding": "identity",
            },
            extensions={"sni_hostname": parts.hostname},
        )
        answer = await self._http.send(asked, stream=True)
        try:
            if answer.has_redirect_location:
                return answer.headers["location"]
            if answer.status_code != 200:
                raise _refused(f"the file at {_shown(url)}: status {answer.status_code}")
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            if not (kind.startswith("image/") or kind == "application/pdf"):
                raise _refused(f"the file at {_shown(url)}: no image and no PDF")
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise _refused(f"the file at {_shown(url)}: packed, though that was not asked for")
            data = bytearray()
            async for piece in answer.aiter_raw():
                data += piece
                room.left -= len(piece)
                if len(data) > MOST_BYTES:
                    raise _refused(f"the file at {_shown(url)}: more than {MOST_BYTES:,} bytes")
                if room.left < 0:
                    raise _refused(
                        f"the files of one request are more than {MOST_TOGETHER:,} bytes together"
                    )
        finally:
            await answer.aclose()
        return kind, base64.b64encode(data).decode()

    async def _looked_up(self, parts: SplitResult) -> str:
        """An address that may be connected to."""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        for *_, where in found:
            if not self._allowed(str(where[0])):
                raise _refused(
                    f"the file at {_shown(parts.geturl())}: an address of a machine or network"
                    " that is not public is not fetched"
                )
        return str(found[0][4][0])


class _Room:
    """What the files of one request may still take, in bytes."""

    def __init__(self) -> None:
        self.left = MOST_TOGETHER


def _far(parts: list[Part]) -> list[str]:
    found = []
    for part in parts:
        if isinstance(part, Image | Document) and part.url is not None:
            found.append(part.url)
        elif isinstance(part, ToolResult):
            found += _far(part.parts)
    return found


def _with(parts: list[Part], files: dict[str, tuple[str, str]]) -> list[Part]:
    made: list[Part] = []
    for part in parts:
        if isinstance(part, Image | Document) and part.url in files:
            kind, data = files[part.url]
            part = msgspec.structs.replace(part, media_type=kind, data=data, url=None)
        elif isinstance(part, ToolResult):
            part = msgspec.structs.replace(part, parts=_with(part.parts, files))
        made.append(part)
    return made


def _shown(url: str) -> str:
    """Without what a signed address carries."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:200]


def _refused(words: str) -> UpstreamError:
    return UpstreamError(words, kind="caller", status=400)
