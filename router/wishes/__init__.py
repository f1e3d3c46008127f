"""What one request asks of its own routing: LiteLLM's per-request fields and headers, as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, structs

from router.errors import Kind


class Other(Struct, frozen=True):
    """A fallback that is asked otherwise: fields of the body in place of the request's own (None
    takes one out), and wishes."""

    model: str
    fields: Mapping[str, Any]
    wishes: Wishes


#: what one group falls back on, in order
Chain = tuple[str | Other, ...]
Chains = Mapping[str, Chain]


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
    fallbacks: Chain | None = None
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
    #: HTTP headers for the provider
    headers: tuple[tuple[str, str], ...] = ()
    #: what it asks that is not done: told to the client
    dropped: tuple[str, ...] = ()


NO_WISHES = Wishes()


def over(usual: Wishes, own: Wishes) -> Wishes:
    """`usual` with what `own` says."""
    said = {name: getattr(own, name) for name in Wishes.__struct_fields__}
    return structs.replace(
        usual, **{name: one for name, one in said.items() if one != getattr(NO_WISHES, name)}
    )


def others(wishes: Wishes) -> Iterator[str | Other]:
    """Every fallback that a request names itself."""
    own = (wishes.group_fallbacks, wishes.context_fallbacks, wishes.content_fallbacks)
    for chain in (wishes.fallbacks or (), *(c for chains in own for c in (chains or {}).values())):
        for one in chain:
            yield one
            if isinstance(one, Other):
                yield from others(one.wishes)
