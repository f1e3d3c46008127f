"""What one request asks of its own routing: LiteLLM's per-request fields and headers, as data."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from router.errors import Kind

Chains = Mapping[str, tuple[str, ...]]


class Controls(Struct, frozen=True):
    """What a request says of the cache: LiteLLM's `cache` field. Seconds."""

    no_cache: bool = False
    no_store: bool = False
    use: bool = False  # where the cache is only for those who ask for it
    ttl: float | None = None
    newest: float | None = None  # s-maxage: an older answer will not do
    namespace: str = ""


class Wishes(Struct, frozen=True):
    """All None or empty: the request asks nothing, and the configuration holds."""

    retries: int | None = None
    #: tried after the group that was asked for, whichever that is
    fallbacks: tuple[str, ...] | None = None
    #: by group, instead of the configured ones
    group_fallbacks: Chains | None = None
    context_fallbacks: Chains | None = None
    content_fallbacks: Chains | None = None
    no_fallbacks: bool = False
    tags: tuple[str, ...] = ()
    timeout: float | None = None  # seconds
    stream_timeout: float | None = None  # seconds
    #: answered with this text, without asking anyone
    mock: str | None = None
    #: treats the first group as failed in this way, to show that the fallbacks work
    fails_with: Kind | None = None
    #: whether fields without a place at the provider are left out; None: as configured
    drop_params: bool | None = None
    #: what it asks of the cache of answers
    cache: Controls | None = None


NO_WISHES = Wishes()
