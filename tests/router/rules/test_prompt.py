"""What a prompt's words decide: code or not, simple or complex. By form, and in linear time."""

from __future__ import annotations

import pytest

from router.rules.coder import code_signs
from router.rules.complexity import COMPLEX, SIMPLE, score

TRACE = "it fails:\nTraceback (most recent call last):\n  File x\nValueError"
FRAMES = "crash\n    at Foo.bar (/srv/app/x:12:3)\nhelp"
CODE = "make this faster\nfor (i = 0; i < n; i++) {\n  sum += i;\n}\nplease"


@pytest.mark.parametrize(
    ("prompt", "signs"),
    [
        ("Review this:\n```python\nx = 1\n```", "fenced code"),
        ("Review this:\\n\\n```python\\n# your code\\n```", "fenced code"),  # the guide's own
        (TRACE, "a stack trace"),
        (FRAMES, "a stack trace"),
        ("look at src/router/main.py please", "names src/router/main.py"),
        ("what changed in App.tsx?", "names App.tsx"),
        (CODE, "3 of 5 lines are code"),
        ("what is the capital of France?", ""),
        ("One. Two. Three.\nA sentence; another one.\nAnd so on, etc.", ""),
        ("tell me about .py files", ""),
        ("at the station (platform 3: 12)\nwe met\nand left", ""),
        ("", ""),
    ],
)
def test_code_is_told_by_its_form(prompt: str, signs: str) -> None:
    assert code_signs(prompt) == signs


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("Fix this syntax error", "simple"),
        ("hello", "simple"),
        ("what is a monad", "simple"),
        ("rename foo to bar in utils.py", "simple"),
        ("Refactor the parser and debug what breaks", "medium"),
        (
            "Architect a distributed scheduler from scratch: security, performance, no deadlocks",
            "complex",
        ),
        (
            "Migrate the service:\n1. design the schema\n2. refactor the writers\n"
            + "The old one must go on working while both exist. " * 5,
            "complex",
        ),
        ("word " * 400, "medium"),
    ],
)
def test_how_hard_a_prompt_seems(prompt: str, kind: str) -> None:
    points, why = score(prompt)
    assert kind == ("simple" if points <= SIMPLE else "complex" if points >= COMPLEX else "medium")
    assert why.startswith(f"{len(prompt):,} characters")


@pytest.mark.parametrize(
    "hostile", ["x.y.", "\n", "{ ", " ", "at a(", "1. \n", "if(", "- ", "a.py"], ids=repr
)
def test_hostile_prompts_are_judged_in_no_time(hostile: str) -> None:
    """A quadratic pattern took six seconds on one of these and would meet the suite's timeout."""
    for _ in range(20):
        code_signs(hostile * 500_000)
        score(hostile * 500_000)
