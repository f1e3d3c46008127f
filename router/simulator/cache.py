"""Prompt caching as providers do it: a prefix that was sent lately is cheaper the next time.

One rule: nothing is remembered but digests, a bounded number of them. The clock is handed in.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b

from msgspec import Struct

from router.simulator.tokens import Segment

#: prefixes remembered
ROOM = 10_000
#: tokens; shorter prefixes are not cached by either provider
SHORTEST = 1024
#: seconds
LIFETIMES = {"5m": 300.0, "1h": 3600.0}


class Input(Struct, frozen=True):
    """Input tokens by kind; they do not overlap."""

    fresh: int
    read: int = 0
    written: int = 0
    written_1h: int = 0

    @property
    def all(self) -> int:
        return self.fresh + self.read + self.written + self.written_1h


class PromptCache:
    def __init__(self) -> None:
        self._expires: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        """Prefixes remembered, known or expired."""
        return len(self._expires)

    def marked(self, model: str, segments: list[Segment], now: float) -> Input:
        """Anthropic's way: what a client marked is read where it is known, written where not."""
        last = max((place for place, one in enumerate(segments) if one.mark), default=-1)
        prefixes = _prefixes(model, segments)
        known = self._longest_known(prefixes[: last + 1], now)
        every = sum(one.tokens for one in segments)
        end = prefixes[last][1] if last >= 0 else 0
        if end < SHORTEST:
            return Input(fresh=every)
        ttl = segments[last].mark
        for digest, _ in prefixes[: last + 1]:
            self._remember(digest, now + LIFETIMES[ttl])
        new = end - known
        if ttl == "1h":
            return Input(fresh=every - end, read=known, written_1h=new)
        return Input(fresh=every - end, read=known, written=new)

    def automatic(self, model: str, segments: list[Segment], now: float) -> Input:
        """OpenAI's way: a prefix seen before is read, in steps of 128 tokens; writing is free."""
        prefixes = _prefixes(model, segments)
        known = self._longest_known(prefixes[:-1], now) // 128 * 128
        for digest, _ in prefixes:
            self._remember(digest, now + LIFETIMES["5m"])
        every = sum(one.tokens for one in segments)
        return Input(fresh=every - known, read=known)

    def _longest_known(self, prefixes: list[tuple[bytes, int]], now: float) -> int:
        for digest, tokens in reversed(prefixes):
            if tokens >= SHORTEST and self._expires.get(digest, 0.0) > now:
                return tokens
        return 0

    def _remember(self, digest: bytes, until: float) -> None:
        self._expires[digest] = until
        self._expires.move_to_end(digest)
        if len(self._expires) > ROOM:
            self._expires.popitem(last=False)


def _prefixes(model: str, segments: list[Segment]) -> list[tuple[bytes, int]]:
    """For each segment, the digest and the tokens of everything up to its end."""
    digest, tokens, made = blake2b(model.encode(), digest_size=16), 0, []
    for one in segments:
        digest.update(one.digest)
        tokens += one.tokens
        made.append((digest.digest(), tokens))
    return made
