"""The tag <CCR-SUBAGENT-MODEL>provider,model</CCR-SUBAGENT-MODEL>, anywhere in the system prompt
or the first user message: there is where today's Claude Code puts a subagent's prompt."""

from __future__ import annotations

from router.rules.plan import Case
from router.rules.rule import Rule, Verdict, unknown_provider
from router.rules.signals import Signals
from router.settings import Target


def look(case: Case, signals: Signals) -> Verdict | None:
    tag = case.facts.subagent
    if not tag:
        return None
    target = Target.parse(tag)
    if target is None:
        return Verdict(
            tag, problem=f"the subagent tag {tag[:200]!r} is not a target: write provider,model"
        )
    if case.generation.provider(target.provider) is None:
        wrong = unknown_provider(case.generation, target.provider)
        return Verdict(tag, problem=f"the subagent tag: {wrong}")
    return Verdict(tag, target=target, scenario="default")


RULE = Rule("subagent", look, "no tag", when={"": "a subagent's tag"})
