"""What is left: the default route."""

from __future__ import annotations

from router.rules.plan import Case
from router.rules.rule import Rule, Verdict
from router.rules.signals import Signals


def look(case: Case, signals: Signals) -> Verdict:
    return Verdict(signals.asked or "no model named", scenario="default")


RULE = Rule("default", look, when={"default": "everything else"})
