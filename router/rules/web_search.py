"""A web search tool that the provider is to run (tools[].type web_search…)."""

from __future__ import annotations

from router.rules.plan import Case
from router.rules.rule import Rule, Verdict
from router.rules.signals import Signals


def look(case: Case, signals: Signals) -> Verdict | None:
    if case.facts.web_search:
        return Verdict("web_search tool", scenario="webSearch")
    return None


RULE = Rule("webSearch", look, "no web_search tool", when={"webSearch": "a web search tool"})
