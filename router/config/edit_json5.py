"""Changes routes and models in CCR's config.json on a person's command: only what was meant.

One rule: the text is cut and joined, never written anew, so that comments, order and quotes stay;
and what came out is read again before anybody gets to see it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    |(?P<mark>[{}\[\]:,])
    |(?P<word>[^\s{}\[\]:,"'/]+)""",
    re.VERBOSE | re.DOTALL,
)
#: what may stand behind a value on its line
_REST = re.compile(r"[ \t]*(?://[^\n]*|/\*[^\n]*?\*/[ \t]*(?=\n))?")


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


class _Member(NamedTuple):
    key: str
    start: int
    value: int
    end: int


class _Object(NamedTuple):
    """Offsets: of `{`, of `}`, of each member; and whether a comma follows the last one."""

    start: int
    end: int
    members: list[_Member]
    comma: bool


def with_targets(text: str, targets: Mapping[str, str]) -> str:
    """The same file with these routes in its Router. Raises ValueError where that cannot be done
    without touching anything else."""
    if text.startswith("\ufeff"):  # as an editor of Windows leaves it
        return "\ufeff" + with_targets(text[1:], targets)
    wanted = _read(text)
    router = wanted.setdefault("Router", {})
    if not isinstance(router, dict):
        raise ValueError("config.json cannot be edited: Router is no object")
    router.update(targets)
    made = text
    for scenario, target in targets.items():
        made = _with(made, scenario, _json(target))
    return _checked(made, wanted)


def with_models(text: str, provider: str, models: Sequence[str], fresh: Mapping[str, Any]) -> str:
    """The same file with these models of a provider, which is made of `fresh` (its address, its
    key, …) where it is not there yet. Raises ValueError, also for a provider without an address."""
    if text.startswith("\ufeff"):
        return "\ufeff" + with_models(text[1:], provider, models, fresh)
    wanted = _read(text)
    key = "providers" if "providers" in wanted and "Providers" not in wanted else "Providers"
    listed = wanted.setdefault(key, [])
    if not isinstance(listed, list):
        raise ValueError(f"config.json cannot be edited: {key} is no list")
    names = [one.get("name") if isinstance(one, dict) else None for one in listed]
    if provider not in names:
        if not fresh.get("api_base_url"):
            raise ValueError(f"config.json has no provider {provider!r}: a new one has an address")
        entry = {"name": provider, **fresh, "models": list(models)}
        listed.append(entry)
        return _checked(_with_provider(text, key, _json(entry)), wanted)
    if fresh:
        raise ValueError(f"config.json has a provider {provider!r} already")
    number = names.index(provider)
    known = listed[number].setdefault("models", [])
    if not isinstance(known, list):
        raise ValueError(f"config.json cannot be edited: models of {provider!r} are no list")
    for model in models:
        if model not in known:
            known.append(model)
            text = _with_model(text, key, number, _json(model))
    return _checked(text, wanted)


def _with_provider(text: str, key: str, entry: str) -> str:
    tokens = _tokens(text)
    whole = _object(tokens, 0)
    place = next((one for one in whole.members if one.key == key), None)
    if place is None:
        return _added(text, whole, f"{_json(key)}: [{entry}]")
    return _added(text, _array(tokens, _at(tokens, place)), entry)


def _with_model(text: str, key: str, number: int, entry: str) -> str:
    """Into the provider that is the `number`th of the list named `key`."""
    tokens = _tokens(text)
    providers = next(one for one in _object(tokens, 0).members if one.key == key)
    provider = _array(tokens, _at(tokens, providers)).members[number]
    inside = _object(tokens, _at(tokens, provider))
    models = next((one for one in inside.members if one.key == "models"), None)
    if models is None:
        return _added(text, inside, f'"models": [{entry}]')
    return _added(text, _array(tokens, _at(tokens, models)), entry)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _checked(made: str, wanted: Mapping[str, Any]) -> str:
    if _read(made) != wanted:
        raise ValueError("config.json cannot be edited as it is written: change it by hand")
    return made


def _read(text: str) -> dict[str, Any]:
    from json5 import JSON5DecodeError, loads  # 85 ms that only an edit needs

    try:
        read = loads(text)
    except (JSON5DecodeError, ValueError):
        raise ValueError("config.json cannot be read: `pointsman doctor` names the line") from None
    if not isinstance(read, dict):
        raise ValueError("config.json cannot be edited: it is no object")
    return read


def _tokens(text: str) -> list[_Token]:
    return [
        _Token(str(found.lastgroup), found[0], found.start(), found.end())
        for found in _TOKEN.finditer(text)
        if found.lastgroup != "skip"
    ]


def _at(tokens: list[_Token], member: _Member) -> int:
    """The token that the member's value begins with."""
    return next(i for i, token in enumerate(tokens) if token.start == member.value)


def _with(text: str, scenario: str, value: str) -> str:
    tokens = _tokens(text)
    whole = _object(tokens, 0)
    router = next((one for one in whole.members if one.key == "Router"), None)
    if router is None:
        return _added(text, whole, f'"Router": {{ {_json(scenario)}: {value} }}')
    inner = _object(tokens, _at(tokens, router))
    for member in inner.members:
        if member.key == scenario:
            return text[: member.value] + value + text[member.end :]
    return _added(text, inner, f"{_json(scenario)}: {value}")


def _array(tokens: list[_Token], at: int) -> _Object:
    """The array that begins with the token `at`: its elements are members without a key."""
    members: list[_Member] = []
    depth, comma, begun = 0, True, -1
    for token in tokens[at:]:
        mark = token.kind == "mark"
        if mark and token.text in ("}", "]"):
            depth -= 1
            if depth == 0:
                return _Object(tokens[at].start, token.start, members, comma and bool(members))
        if depth == 1 and mark and token.text == ",":
            comma = True
        elif depth == 1:
            if comma:
                begun, comma = token.start, False
                members.append(_Member("", begun, begun, token.end))
            members[-1] = _Member("", begun, begun, token.end)
        if mark and token.text in ("{", "["):
            depth += 1
    raise ValueError("config.json cannot be edited: a bracket is not closed")


def _object(tokens: list[_Token], at: int) -> _Object:
    """The object that begins with the token `at`."""
    members: list[_Member] = []
    depth, key, comma = 0, None, False
    value = -1
    for index in range(at, len(tokens)):
        token = tokens[index]
        opens, closes = token.text in ("{", "["), token.text in ("}", "]")
        if token.kind == "mark" and closes:
            depth -= 1
            if depth == 0:
                return _Object(tokens[at].start, token.start, members, comma)
        if depth == 1 and token.kind == "mark" and token.text == ",":
            key, value, comma = None, -1, True
        elif depth == 1 and token.kind == "mark" and token.text == ":" and value < 0:
            value = tokens[index + 1].start
        elif depth == 1 and key is None:
            key, comma = token, False
        elif depth == 1 and key is not None and value >= 0:
            member = _Member(_name(key.text), key.start, value, token.end)
            members = [one for one in members if one.start != key.start] + [member]
        if token.kind == "mark" and opens:
            depth += 1
    raise ValueError("config.json cannot be edited: a brace is not closed")


def _name(text: str) -> str:
    return text[1:-1] if text[0] in "\"'" else text


def _added(text: str, where: _Object, entry: str) -> str:
    """A member at the end, on a line of its own where the last one is."""
    if not where.members:
        return f"{text[: where.start + 1]} {entry} {text[where.end :]}"
    last = where.members[-1]
    indent = text[text.rfind("\n", 0, last.start) + 1 : last.start]
    lines = "\n" in text[where.start : last.start] and not indent.strip()
    end = last.end
    if where.comma:
        end = next(
            found.end()
            for found in _TOKEN.finditer(text, last.end)
            if found.lastgroup == "mark" and found[0] == ","
        )
    made = text[: last.end] + ("" if where.comma else ",") + text[last.end : end]
    rest = _REST.match(text, end) if lines else None
    stay = rest[0] if rest else ""
    made += stay + (f"\n{indent}" if lines else " ") + entry
    return made + text[end + len(stay) :]
