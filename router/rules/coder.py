"""A prompt that is about code: it quotes some, shows a stack trace, or names source files.

Judged by form alone and only from the user's own newest words: the rest of an agent's conversation
is always full of code.
"""

from __future__ import annotations

import re

from router.rules.plan import Case
from router.rules.rule import Rule, Verdict
from router.rules.signals import Signals

#: characters of a prompt that are judged: enough to tell, and a bound on the work
JUDGED = 20_000
#: share of the lines that look like code, from which a prompt is code
SHARE = 0.3

_TRACE = re.compile(r"^Traceback \(most recent|^\s+at \S+ ?\(.+:\d+|^panic: |^error\[E\d+\]", re.M)
_FILE = re.compile(
    r"\b[\w./-]+\.(?:py|pyi|js|jsx|ts|tsx|mjs|go|rs|java|kt|scala|c|h|cc|cpp|hpp|cs|rb|php|swift"
    r"|sh|sql|html|css|scss|vue|svelte|lua|zig|ex|exs|hs|ml|tf|proto|ipynb|gradle|cmake)\b"
)
_LINE = re.compile(
    r"^\s*(?:def |class |func |fn |import |from \S+ import |#include|return\b|public |private "
    r"|const |let |var |if ?\(|for ?\(|while ?\(|@\w+|\}|SELECT |</?\w+)|[{};]\s*$|\)\s*:\s*$",
    re.M,
)


def code_signs(prompt: str) -> str:
    """What shows that a prompt is about code, for people; "" when nothing does."""
    text = prompt[:JUDGED]
    if "```" in text:
        return "fenced code"
    if _TRACE.search(text):
        return "a stack trace"
    if found := _FILE.search(text):
        return f"names {found[0][:60]}"
    lines = sum(1 for line in text.splitlines() if line.strip())
    code = len({text.count("\n", 0, match.start()) for match in _LINE.finditer(text)})
    if lines >= 3 and code >= lines * SHARE:
        return f"{code} of {lines} lines are code"
    return ""


def look(case: Case, signals: Signals) -> Verdict:
    if "coder" not in case.generation.routes.targets and not case.overrides:
        return Verdict("not configured")
    signs = code_signs(signals.prompt)
    return Verdict(signs, scenario="coder") if signs else Verdict("no code in the prompt")


RULE = Rule("coder", look)
