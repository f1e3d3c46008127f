"""Every line of the wire checklist is borne by a test: its id stands in the test's name or cases.

`python -m tests.test_checklist` prints which tests those are.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).parent
IDS = (HERE / "checklist.txt").read_text().split()
_ID = re.compile(r"(?<![A-Za-z0-9])([A-Z]\d\d)(?![0-9A-Za-z])")


def borne() -> dict[str, list[str]]:
    """Id → the tests that bear it: in their names, their docstrings or the names of their cases."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in HERE.rglob("test_*.py"):
        if path == Path(__file__):
            continue
        file = str(path.relative_to(HERE))
        for node in ast.parse(path.read_text()).body:
            name = getattr(node, "name", "")
            if isinstance(node, ast.Expr):
                continue  # the file's own docstring is no test
            words = [name] if name.startswith("test_") else []
            for inner in ast.walk(node):
                if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                    words.append(inner.value)
            for id in _ID.findall(" ".join(words).replace("_", " ")):
                found[id].add(f"{file}::{name}" if name else file)
    return {id: sorted(found[id]) for id in IDS}


def test_every_line_of_the_checklist_is_borne_by_a_test() -> None:
    assert len(IDS) == len(set(IDS)) == 134
    assert [id for id, tests in borne().items() if not tests] == []


if __name__ == "__main__":
    for id, tests in borne().items():
        print(id, ", ".join(tests))
