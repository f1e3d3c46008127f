"""Sign-ins of clouds: what goes into the headers where a key alone does not do.

Its one rule: the libraries that sign come with an extra each and are imported only where one is
used; fetching a credential is I/O and happens off the event loop, its token is kept until it ages.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec

import msgspec
from msgspec import Struct

from router.errors import UpstreamError
from router.extras import to_install
from router.outgoing import Outgoing
from router.settings import Provider

#: sign-in → the module that it needs, and the extra that brings it
EXTRAS: Mapping[str, tuple[str, str]] = {
    "aws": ("botocore.auth", "bedrock"),
    "google": ("google.auth", "vertex"),
    "azure": ("azure.identity", "azure"),
}
#: seconds before its end at which a token is renewed
MARGIN = 300.0
Headers = tuple[tuple[str, str], ...]


class Token(Struct, frozen=True):
    """`ends` is Unix seconds."""

    text: str
    ends: float


def missing(auth: str, extras: Mapping[str, tuple[str, str]] = EXTRAS) -> str:
    """Why a provider with this sign-in cannot be used here; "" where nothing is missing."""
    if auth not in extras:
        return ""
    module, extra = extras[auth]
    try:
        there = find_spec(module) is not None
    except ModuleNotFoundError:  # of its parent
        there = False
    return "" if there else f"needs an extra: `{to_install(extra)}`"


class Signing:
    """One per router; belongs to one event loop."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._tokens: dict[str, Token] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def signed(self, sent: Outgoing) -> Outgoing:
        """With what its provider's cloud asks for. Raises UpstreamError of kind "credential"."""
        added = await self.headers(sent.provider, sent.url, sent.headers, sent.body)
        return msgspec.structs.replace(sent, headers=(*sent.headers, *added))

    async def headers(self, provider: Provider, url: str, headers: Headers, body: bytes) -> Headers:
        """What to add to a POST of `body`; () where the provider needs no sign-in."""
        if provider.auth not in EXTRAS:
            return ()
        try:
            if provider.auth == "aws":
                from router.signing.aws import sign

                return await asyncio.to_thread(sign, provider, url, headers, body)
            token = await self._token(provider)
        except Exception as error:  # noqa: BLE001  each library has its own tree of errors
            raise UpstreamError(
                f"no credential for {provider.name}: {type(error).__name__}: {str(error)[:300]}",
                kind="credential",
                status=502,
                provider=provider.name,
            ) from None
        return (("authorization", f"Bearer {token.text}"),)

    async def _token(self, provider: Provider) -> Token:
        """Fetched once for all who wait for it."""
        name = f"{provider.auth} {sorted(provider.cloud.items())}"
        async with self._locks.setdefault(name, asyncio.Lock()):
            known = self._tokens.get(name)
            if known is None or known.ends - MARGIN < self._wall():
                if provider.auth == "google":
                    from router.signing.google import fetch
                else:
                    from router.signing.azure import fetch
                known = self._tokens[name] = await asyncio.to_thread(fetch, provider)
        return known
