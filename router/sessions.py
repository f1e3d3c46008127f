"""What each session's last answer showed: how its model counts, and what is warm in its cache.

Held in memory and bounded; no text. Two things come of it: our count of the next request is put
right by the ratio that this session has shown (Claude's tokenizers find notably more tokens than
cl100k does), and a switch away from a warm cache can say what it costs.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from msgspec import Struct

from router.contract import Tokens
from router.settings import Price

if TYPE_CHECKING:
    from router.record import Record

#: sessions remembered, the most recently used ones
REMEMBERED = 2_000
#: tokens of our own count from which a ratio says something
TELLING = 1_000
#: a ratio beyond these is not a tokenizer's: the provider counts something else
LOWEST, HIGHEST = 0.7, 1.8
#: seconds that a provider keeps a prefix since it was last used
WARM, WARM_1H = 300.0, 3_600.0


class Seen(Struct, frozen=True, gc=False):
    """The last answer of a session. `at` is Unix seconds; `cached` counts the tokens that the
    provider now keeps for it."""

    provider: str
    model: str
    at: float
    ratio: float  # the provider's tokens for each one that we count
    cached: int
    lasts: float  # seconds that they are kept
    price: Price
    key: str = ""
    rule: str = ""  # the scenario that it was answered under

    @property
    def target(self) -> str:
        return f"{self.provider},{self.model}"

    def warm(self, now: float) -> int:
        """Tokens that are still cached."""
        return self.cached if now - self.at < self.lasts else 0


class Sessions:
    """One per router. Keyed by session and agent: a subagent has a cache of its own."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], Seen] = OrderedDict()

    def get(self, session: str, agent: str = "") -> Seen | None:
        return self._seen.get((session, agent))

    def under(self, scope: str) -> list[Seen]:
        """Those that an override of this scope would meet: "everywhere", "session:ID" (its
        subagents' too), "key:NAME", "scenario:NAME"."""
        kind, _, name = scope.partition(":")
        if kind == "session":
            return [seen for (id, _), seen in self._seen.items() if id == name]
        if kind in ("key", "scenario"):
            field = "key" if kind == "key" else "rule"
            return [seen for seen in self._seen.values() if getattr(seen, field) == name]
        return list(self._seen.values())

    def learn(self, record: Record, now: float) -> None:
        """`record` has ended. Side calls have another prompt: they say nothing of the session."""
        caller, last = record.caller, record.attempts[-1] if record.attempts else None
        if not caller.session or last is None or last.outcome != "ok" or record.facts.side_call:
            return
        tokens = last.tokens
        if tokens.estimated or not tokens.prompt:
            return
        key = (caller.session, caller.agent)
        before = self._seen.pop(key, None)
        name, model = last.candidate.provider.name, last.candidate.model
        facts = record.facts
        counted = (facts.counted or facts.tokens) if facts.tokens_exact else 0
        ratio = shown_ratio(counted, tokens)
        if ratio is None:
            ratio = before.ratio if before and before.target == f"{name},{model}" else 1.0
        self._seen[key] = Seen(
            provider=name,
            model=model,
            at=now,
            ratio=ratio,
            cached=tokens.cache_read + tokens.cache_write + tokens.cache_write_1h,
            lasts=WARM_1H if tokens.cache_write_1h else WARM,
            price=last.price,
            key=caller.key,
            rule=record.rule,
        )
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)


def shown_ratio(counted: int, tokens: Tokens) -> float | None:
    """The provider's prompt tokens for each one of ours; None where that says nothing."""
    if counted < TELLING:
        return None
    ratio = tokens.prompt / counted
    return ratio if LOWEST <= ratio <= HIGHEST else None


def switch_cost(seen: Seen, to: Price) -> int | None:
    """Nano-dollars that reading the cached tokens anew at another model costs more than reading
    them where they are; None where a price is unknown. Never less than 0: a cheaper model is no
    loss."""
    fresh = to.cache_write if to.cache_write is not None else to.input
    if fresh is None or seen.price.cache_read is None:
        return None
    return max(0, round(seen.cached * (fresh - seen.price.cache_read)))
