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
JUDGED = 4_000
#: share of the lines that look like code, from which a prompt is code
SHARE = 0.3

#: a frame of a stack trace, as JavaScript, Java and C# write it
_FRAME = re.compile(r"at [^\s(]+ ?\([^\s)]+:\d")
_FILE = re.compile(
    r"\.(?:py|pyi|js|jsx|ts|tsx|mjs|go|rs|java|kt|scala|c|h|cc|cpp|hpp|cs|rb|php|swift|sh|sql|html"
    r"|css|scss|vue|svelte|lua|zig|ex|exs|hs|ml|tf|proto|ipynb|gradle|cmake)\b"
)
_TRACES = ("Traceback (most recent", "panic: ", "error[E")
_STARTS = (
    *("def ", "class ", "func ", "fn ", "import ", "#include", "return ", "public ", "private "),
    *("const ", "let ", "var ", "if (", "if(", "for (", "for(", "while (", "while("),
    *("@", "}", "</", "SELECT "),
)
_ENDS = ("{", "}", ";", "):", "=>")

#: the value where there are none
NO_CODE = "no code in the prompt"


def code_signs(prompt: str) -> str:
    """What shows that a prompt is about code, for people; "" when nothing does."""
    text = prompt[:JUDGED]
    if "```" in text:
        return "fenced code"
    lines = [line for line in map(str.strip, text.splitlines()) if line]
    code = 0
    for line in lines:
        if line.startswith(_TRACES) or (line.startswith("at ") and _FRAME.match(line)):
            return "a stack trace"
        code += line.startswith(_STARTS) or line.endswith(_ENDS)
    for found in _FILE.finditer(text):
        before = text[max(0, found.start() - 60) : found.start()]
        if before[-1:].isalnum():
            return f"names {before.split()[-1]}{found[0]}"
    if len(lines) >= 3 and code >= len(lines) * SHARE:
        return f"{code} of {len(lines)} lines are code"
    return ""


def look(case: Case, signals: Signals) -> Verdict | None:
    if "coder" not in case.generation.routes.targets and not case.overrides:
        return None
    signs = code_signs(signals.prompt)
    return Verdict(signs, scenario="coder") if signs else Verdict(NO_CODE)


RULE = Rule(
    "coder",
    look,
    "not configured",
    when={"coder": "code in the prompt"},
    recalled=lambda value: None if value == NO_CODE else "coder",
)
