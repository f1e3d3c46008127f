"""What a switch costs: the prompt that the session's last model still keeps in its cache.

Never changes a decision; it only says, in the trace, what following it throws away.
"""

from __future__ import annotations

from router.contract import Look
from router.prices import price
from router.rules.plan import Candidate, Case
from router.sessions import switch_cost

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


def said(cost: int | None) -> str:
    """Nano-dollars for people: "about $0.1143 more"."""
    if cost is None:
        return "what that costs is not known"
    if cost == 0:
        return "no dearer there"
    return f"about ${cost / 1e9:.4f} more"
