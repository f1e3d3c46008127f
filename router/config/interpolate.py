"""Values taken from the environment: CCR's `$NAME` and `${NAME}`, LiteLLM's `os.environ/NAME`.

As in both tools a name that is not set stays as it was written; here it is also reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from router.settings import Secret

#: CCR's own grammar: capitals only, so that "$5" and "$var" in a text stay what they are
_DOLLAR = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}|\$([A-Z_][A-Z0-9_]*)")
_OS_ENVIRON = "os.environ/"

#: called with the path of the value and the name that is not set
Missing = Callable[[tuple[str | int, ...], str], None]


def dollars(value: Any, env: Mapping[str, str], missing: Missing) -> Any:
    """`value` with every `$NAME` and `${NAME}` in its strings replaced, at any depth."""

    def put(text: str, path: tuple[str | int, ...]) -> str:
        def one(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            if name not in env:
                missing(path, name)
                return match[0]
            return env[name]

        return _DOLLAR.sub(one, text)

    return _each(value, (), put)


def os_environ(value: Any, env: Mapping[str, str], missing: Missing) -> Any:
    """`value` with every string `os.environ/NAME` replaced, at any depth."""

    def put(text: str, path: tuple[str | int, ...]) -> str:
        if not text.startswith(_OS_ENVIRON):
            return text
        name = text.removeprefix(_OS_ENVIRON)
        if name not in env:
            missing(path, name)
            return text
        return env[name]

    return _each(value, (), put)


def unresolved(text: str) -> bool:
    """Whether a value is still the name of a variable that is not set."""
    return text.startswith(_OS_ENVIRON) or Secret(text).unset() != ""


def _each(
    value: Any, path: tuple[str | int, ...], put: Callable[[str, tuple[str | int, ...]], str]
) -> Any:
    if isinstance(value, str):
        return put(value, path)
    if isinstance(value, dict):
        return {key: _each(inner, (*path, key), put) for key, inner in value.items()}
    if isinstance(value, list):
        return [_each(inner, (*path, index), put) for index, inner in enumerate(value)]
    return value
