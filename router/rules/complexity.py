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

SIMPLE = 1
COMPLEX = 4

_HARD = re.compile(
    r"\b(?:architect\w*|design\w*|refactor\w*|migrat\w+|prove|proof|concurren\w+|race condition"
    r"|deadlock|distributed|security|vulnerab\w+|performance|optimi[sz]\w+|trade-?offs?|algorithm\w*"
    r"|debug\w*|root cause|scal(?:e|able|ability)|end-to-end|from scratch|step by step)\b",
    re.I,
)
_LIGHT = re.compile(
    r"\b(?:typos?|rename|reformat|format|spell\w*|syntax error|what is|list|translate|summari[sz]e"
    r"|commit message|hello|thanks?)\b",
    re.I,
)
_STEP = re.compile(r"^\s*(?:\d+[.)]|[-*])\s", re.M)


def score(prompt: str) -> tuple[int, str]:
    """Points, and what gave them, for people."""
    text = prompt[:JUDGED]
    points, why = 0, [f"{len(prompt):,} characters"]
    points += (len(prompt) >= 200) + (len(prompt) >= 1_500)
    if code_signs(text):
        points += 1
        why.append("code")
    hard = {match[0].lower() for match in _HARD.finditer(text)}
    points += min(4, len(hard))
    why += sorted(hard)[:3]
    if len(_STEP.findall(text)) > 1 or text.count("?") > 1:
        points += 1
        why.append("several steps")
    if light := _LIGHT.search(text):
        points -= 1
        why.append(light[0].lower())
    return points, ", ".join(why)


def look(case: Case, signals: Signals) -> Verdict:
    targets = case.generation.routes.targets
    if "simple" not in targets and "complex" not in targets and not case.overrides:
        return Verdict("not configured")
    if not signals.prompt:
        return Verdict("no prompt")
    points, why = score(signals.prompt)
    value = f"{points} points: {why}"
    if points >= COMPLEX:
        return Verdict(value, scenario="complex")
    return Verdict(value, scenario="simple" if points <= SIMPLE else None)


RULE = Rule("complexity", look)
