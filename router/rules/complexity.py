"""How hard a prompt seems, from its form: `simple` at 1 point or less, `complex` from 4.

    length     1 point from 200 characters, 2 from 1,500
    code       1 point for quoted code or a stack trace
    hard words 1 point each, at most 4: design, refactor, migrate, prove, concurrency, …
    steps      1 point for a list or for several questions
    light words take 1 point off: typo, rename, what is, …

A rough guess, made in microseconds and told in the trace; used only where such a route is
configured. Words are English: in other languages length and form still count.
"""

from __future__ import annotations

import re

from router.rules.coder import JUDGED, code_signs
from router.rules.plan import Case
from router.rules.rule import Rule, Verdict
from router.rules.signals import Signals
from router.settings import Scenario

SIMPLE = 1
COMPLEX = 4

_POINTS = re.compile(r"(-?\d+) points")
_WORD = re.compile(r"[a-z]{4,}")
_STEP = re.compile(r"^[ \t]*(?:\d{1,3}[.)]|[-*])[ \t]", re.M)
#: words that begin so
_HARD = (
    *("architect", "design", "refactor", "migrat", "prove", "proof", "concurren", "deadlock"),
    *("distribut", "securit", "vulnerab", "performance", "optimi", "algorithm", "debug", "scalab"),
    *("trade", "invariant", "consisten"),
)
_HARD_PHRASES = ("race condition", "root cause", "end-to-end", "from scratch", "step by step")
_LIGHT = (
    *("typo", "rename", "reformat", "syntax error", "what is ", "translate", "summarize"),
    *("summarise", "commit message", "hello", "thanks", "spelling"),
)


def score(prompt: str) -> tuple[int, str]:
    """Points, and what gave them, for people."""
    text = prompt[:JUDGED].lower()
    why = [f"{len(prompt):,} characters"]
    points = (len(prompt) >= 200) + (len(prompt) >= 1_500)
    if code_signs(prompt):
        points += 1
        why.append("code")
    hard = {word for word in set(_WORD.findall(text)) if word.startswith(_HARD)}
    hard.update(phrase for phrase in _HARD_PHRASES if phrase in text)
    points += min(4, len(hard))
    why += sorted(hard)[:4]
    if len(_STEP.findall(text)) > 1 or text.count("?") > 1:
        points += 1
        why.append("several steps")
    if light := next((words for words in _LIGHT if words in text), ""):
        points -= 1
        why.append(light.strip())
    return points, ", ".join(why)


def look(case: Case, signals: Signals) -> Verdict | None:
    targets = case.generation.routes.targets
    if "simple" not in targets and "complex" not in targets and not case.overrides:
        return None
    if not signals.prompt:
        return Verdict("no prompt")
    points, why = score(signals.prompt)
    return Verdict(f"{points} points: {why}", scenario=_scenario(points))


def _scenario(points: int) -> Scenario | None:
    return "complex" if points >= COMPLEX else "simple" if points <= SIMPLE else None


def _recalled(value: str) -> Scenario | None:
    found = _POINTS.match(value)
    return _scenario(int(found[1])) if found else None


RULE = Rule(
    "complexity",
    look,
    "not configured",
    when={"simple": "a simple prompt", "complex": "a complex prompt"},
    recalled=_recalled,
)
