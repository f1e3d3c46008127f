"""Tools that the client runs."""

from __future__ import annotations

from router.rules.plan import Case
from router.rules.rule import Rule, Verdict
from router.rules.signals import Signals


def look(case: Case, signals: Signals) -> Verdict | None:
    tools = case.facts.tools
    if not tools:
        return None
    return Verdict("1 tool" if tools == 1 else f"{tools:,} tools", scenario="tool")


RULE = Rule("tool", look, "no tools", when={"tool": "tools that the client runs"})
