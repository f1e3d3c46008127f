"""Small work: a Claude Haiku was asked for, or the request's shape says that it is a side call.

Today's Claude Code names sessions with the main model, so the name alone would miss those.
"""

from __future__ import annotations

from router.rules.plan import Case
from router.rules.rule import Rule, Verdict
from router.rules.signals import Signals


def look(case: Case, signals: Signals) -> Verdict:
    if case.facts.side_call:
        return Verdict(f"side call: {case.facts.side_call}", scenario="background")
    asked = signals.asked
    if "claude" in asked and "haiku" in asked:
        return Verdict(asked, scenario="background")
    return Verdict(f"{asked} is no haiku" if asked else "no model named")


RULE = Rule("background", look, when={"background": "a haiku, or a side call"})
