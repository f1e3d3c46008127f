"""Requests and tokens of a minute, and requests at once: a spender's rates. Pure.

One rule: the minute begins with its first request, and a count is taken when a request is let in.
Tokens are counted as estimated then, and mended when the request has ended.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

WINDOW = 60.0


class Exceeded(NamedTuple):
    """`resets`: seconds until there is room; None where that is not known."""

    what: Literal["requests", "tokens", "max_parallel_requests"]
    limit: int
    remaining: int
    resets: float | None


class Rates:
    """Of one spender. Limits of None are none."""

    __slots__ = ("began", "parallel", "requests", "rpm", "running", "tokens", "tpm")

    def __init__(
        self, rpm: int | None = None, tpm: int | None = None, parallel: int | None = None
    ) -> None:
        self.rpm, self.tpm, self.parallel = rpm, tpm, parallel
        self.began = 0.0
        self.requests = self.tokens = self.running = 0

    def exceeded(self, now: float) -> Exceeded | None:
        """Why one more request is not let in now."""
        self._roll(now)
        left = self.began + WINDOW - now
        if self.parallel is not None and self.running >= self.parallel:
            return Exceeded("max_parallel_requests", self.parallel, 0, None)
        if self.rpm is not None and self.requests >= self.rpm:
            return Exceeded("requests", self.rpm, 0, left)
        if self.tpm is not None and self.tokens >= self.tpm:
            return Exceeded("tokens", self.tpm, 0, left)
        return None

    def enter(self, now: float, tokens: int) -> None:
        self._roll(now)
        self.requests += 1
        self.tokens += tokens
        self.running += 1

    def leave(self, now: float, began: float, estimated: int, used: int) -> None:
        """`estimated`: as it was let in with; that is mended where the minute is still the same."""
        self.running -= 1
        self._roll(now)
        if began >= self.began:
            self.tokens += used - estimated

    def _roll(self, now: float) -> None:
        if now - self.began >= WINDOW:
            self.began = now
            self.requests = self.tokens = 0
