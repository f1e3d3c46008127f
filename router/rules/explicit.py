"""An explicit choice in this request: the header x-pointsman-model, or `/model provider,model` at
the start of a line of the newest user text.

One that does not resolve is loud and passes on to the next rule; a `/model` then stays in the text,
since it may be prose after all.
"""

from __future__ import annotations

from router.rules.directives import directives
from router.rules.plan import Case
from router.rules.rule import Rule, Verdict, unknown_provider
from router.rules.signals import Signals
from router.settings import Target

HEADER_NAME = "x-pointsman-model"


def look_header(case: Case, signals: Signals) -> Verdict | None:
    text = case.caller.headers.get(HEADER_NAME, "")
    if not text:
        return None
    target = Target.parse(text)
    if target is None:
        return Verdict(
            text, problem=f"{HEADER_NAME}: {text[:200]!r} is not a target: write provider,model"
        )
    if case.generation.provider(target.provider) is None:
        wrong = unknown_provider(case.generation, target.provider)
        return Verdict(text, problem=f"{HEADER_NAME}: {wrong}")
    return Verdict(text, target=target, scenario="default")


def look_prompt(case: Case, signals: Signals) -> Verdict | None:
    if not signals.directed:
        return None
    first: Target | None = None
    for text in signals.newest[1]:
        for target in directives(text.text):
            if case.generation.provider(target.provider) is not None:
                return Verdict(str(target), target=target, scenario="default")
            first = first or target
    if first is None:
        return None
    wrong = unknown_provider(case.generation, first.provider)
    return Verdict(str(first), problem=f"/model {str(first)[:200]}: {wrong}")


HEADER = Rule("header", look_header, "not sent", when={"": "the header x-pointsman-model"})
PROMPT = Rule(
    "/model",
    look_prompt,
    "none in the newest prompt",
    when={"": "/model provider,model in the prompt"},
)
