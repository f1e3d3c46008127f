"""More tokens than the threshold."""

from __future__ import annotations

from router.rules.plan import Case
from router.rules.rule import Rule, Verdict
from router.rules.signals import Signals


def look(case: Case, signals: Signals) -> Verdict:
    tokens, threshold = case.facts.tokens, case.generation.routes.long_context_threshold
    shown = f"{tokens:,}" if case.facts.tokens_exact else f"~{tokens:,}"
    if tokens > threshold:
        return Verdict(f"{shown} > {threshold:,}", scenario="longContext")
    return Verdict(f"{shown} ≤ {threshold:,}")


RULE = Rule(
    "longContext",
    look,
    when={"longContext": "more than {routes.long_context_threshold:,} tokens"},
)
