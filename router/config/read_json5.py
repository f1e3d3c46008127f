"""CCR's config.json: JSON with comments and trailing commas, as a Document.

One rule: a key that is written twice is refused: JSON's readers would take either.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from router.config.document import DEEPEST, Document, Place, dotted, read_text
from router.errors import ConfigError


def read_json5(path: Path) -> Document:
    """Raises ConfigError."""
    # imported here: 85 ms that a start without such a file need not pay
    from json5 import JSON5DecodeError, loads
    from json5.loader import ModelLoader

    file, text = str(path), read_text(path)
    try:
        root = loads(text, loader=ModelLoader()).value
    except JSON5DecodeError as error:
        raise _error(str(error), file, text) from None
    lines: dict[Place, int] = {}
    data = _value(root, (), lines, file)
    if not isinstance(data, dict):
        raise ConfigError("should be an object: { … }", file=file, line=1)
    return Document(file, data, lines)


#: json5's names for what it waited for
_WANTED = {"COLON": "':'", "COMMA": "','", "RBRACE": "'}'", "RBRACKET": "']'"}


def _error(message: str, file: str, text: str) -> ConfigError:
    """In our words. Only the first complaint counts: the rest are json5 tripping over that one."""
    primary = message.partition("\nAdditionally")[0]
    at = re.search(r"(?:char|index) (\d+)", primary)
    offset = int(at[1]) if at else len(text)
    line = text.count("\n", 0, offset) + 1
    before = text[text.rfind("\n", 0, offset) + 1 : offset]
    wanted = re.search(r"Was expecting ([A-Za-z ]+?)(?: in or near|$|\n)", primary)
    if not text.strip():
        problem = "is empty: write {} or remove it"
    elif "UNTERMINATED" in primary or "line terminator" in primary:
        problem = "is not JSON: a quote is not closed"
    elif "EOF" in primary or offset >= len(text.rstrip()) or text[offset:].startswith("/*"):
        problem = "ends too early: a brace, bracket, quote or comment is not closed"
    else:
        place = f"at column {len(before) + 1}" if before.strip() else "before this line"
        words = [_WANTED.get(word, word) for word in wanted[1].split()] if wanted else []
        problem = (
            f"is not JSON: expected {' '.join(words)} {place}"
            if words
            else (f"is not JSON: something that may not be there, at column {len(before) + 1}")
        )
    return ConfigError(problem, file=file, line=line)


def _value(node: Any, path: Place, lines: dict[Place, int], file: str) -> Any:
    if len(path) > DEEPEST:
        raise ConfigError("is nested too deeply", file=file, line=node.lineno)
    kind = type(node).__name__
    if kind == "JSONObject":
        result: dict[str, Any] = {}
        for key, value in node.key_value_pairs:
            name = key.name if type(key).__name__ == "Identifier" else key.characters
            if name in result:
                raise _twice(file, (*path, name), key.lineno, lines[(*path, name)])
            lines[(*path, name)] = key.lineno
            result[name] = _value(value, (*path, name), lines, file)
        return result
    if kind == "JSONArray":
        entries = []
        for index, value in enumerate(node.values):
            lines[(*path, index)] = value.lineno or lines.get(path, 1)
            entries.append(_value(value, (*path, index), lines, file))
        return entries
    if kind == "UnaryOp":
        inner = node.value.value
        return -inner if node.op == "-" else inner
    return node.characters if hasattr(node, "characters") else node.value


def _twice(file: str, path: Place, line: int, first: int) -> ConfigError:
    return ConfigError(
        f"is written twice (first in line {first}): join the two",
        file=file,
        key=dotted(path),
        line=line,
    )
