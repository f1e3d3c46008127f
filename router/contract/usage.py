"""What an answer used, and what its cost consists of."""

from __future__ import annotations

from msgspec import Struct


class Tokens(Struct, frozen=True, gc=False):
    """As router.messages.Usage: the four kinds of input and the output never overlap."""

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0  # inside output
    estimated: bool = False

    @property
    def prompt(self) -> int:
        return self.input + self.cache_read + self.cache_write + self.cache_write_1h


class Spend(Struct, frozen=True, gc=False):
    """What a cost consists of, in nano-dollars. `saved` is no part of it: what the same tokens
    would have cost more without a cache; below 0 where writing it cost more than reading saved."""

    input: int = 0  # uncached
    cache_read: int = 0
    cache_write: int = 0  # of both ages
    output: int = 0
    fees: int = 0  # per request and per web search
    saved: int = 0


class Apart(Struct, frozen=True, gc=False, omit_defaults=True):
    """What few answers have and some prices tell apart. Token counts are inside those of Tokens:
    `audio_in` and `image_in` inside input, `audio_cached` inside cache_read, the rest inside
    output."""

    audio_in: int = 0
    audio_cached: int = 0
    audio_out: int = 0
    image_in: int = 0
    image_out: int = 0
    searches: int = 0  # web searches that the provider made
    service: str = ""  # "batch", "flex", "priority", …: the tier it was served at
