"""What a switch costs: the prompt that the session's last model still keeps in its cache.

Never changes a decision; it only says, in the trace and of an override, what following it throws
away.
"""

from __future__ import annotations

from collections.abc import Iterable

from router.contract import Look
from router.prices import price
from router.rules.plan import Candidate, Case
from router.sessions import Seen, switch_cost
from router.settings import Generation, Target

#: cached tokens below which nobody wants to read about it
WORTH_SAYING = 2_000


def look(case: Case, chosen: Candidate) -> Look | None:
    """None where nothing is warm, or where what is warm is used."""
    seen = case.seen
    if seen is None:
        return None
    cached = seen.warm(case.at)
    here = (chosen.provider.name, chosen.model)
    if cached < WORTH_SAYING or here == (seen.provider, seen.model):
        return None
    cost = switch_cost(seen, price(chosen.provider, chosen.model, case.generation))
    return Look(
        "warm cache",
        f"{cached:,} tokens at {seen.target}"[:300],
        note="the switch reads them anew: " + said(cost),
    )


def thrown_away(sessions: Iterable[Seen], named: str, generation: Generation, now: float) -> str:
    """What it costs to send all of these to `named`, a "provider,model", for people; "" where no
    cache is lost. `now` is on the wall clock."""
    target = Target.parse(named)
    provider = generation.provider(target.provider) if target else None
    if target is None or provider is None:
        return ""
    to, here = price(provider, target.model, generation), f"{provider.name},{target.model}"
    lost = [one for one in sessions if one.target != here and one.warm(now) >= WORTH_SAYING]
    if not lost:
        return ""
    costs = [switch_cost(seen, to) for seen in lost]
    cost = None if None in costs else sum(cost or 0 for cost in costs)
    tokens = sum(seen.cached for seen in lost)
    caches = "1 warm cache" if len(lost) == 1 else f"{len(lost)} warm caches"
    return f"leaves {caches} of {tokens:,} tokens: {said(cost)}"


def said(cost: int | None) -> str:
    """Nano-dollars for people: "about $0.1143 more"."""
    if cost is None:
        return "what that costs is not known"
    if cost == 0:
        return "no dearer there"
    return f"about ${cost / 1e9:.4f} more"
