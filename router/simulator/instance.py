"""The smallest value that satisfies a JSON schema: for tool calls and structured answers. Pure.

One rule: a value that cannot be made to satisfy the schema is Unfillable, never a guess.
"""

from __future__ import annotations

import re
from typing import Any

JSON = dict[str, Any]

#: deeper schemas are taken for endless ones
DEPTH = 12
#: items or characters that a schema may ask for
LONGEST = 10_000

_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "PT1S",
    "email": "simulated@example.com",
    "hostname": "example.com",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "uri": "https://example.com/simulated",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


class Unfillable(ValueError):
    """No value could be made for this schema."""


def instance(schema: Any, texts: JSON) -> Any:
    """`texts` gives the text for string fields by their name. Raises Unfillable."""
    try:
        return _make(schema, "", texts, schema if isinstance(schema, dict) else {}, 0)
    except Unfillable:
        raise
    except (TypeError, AttributeError, OverflowError, ValueError) as error:
        raise Unfillable("the schema is not one: a keyword has a value of a wrong type") from error


def _make(schema: Any, name: str, texts: JSON, root: JSON, depth: int) -> Any:
    if depth > DEPTH:
        raise Unfillable(f"{name}: nested too deeply")
    if not isinstance(schema, dict):
        if schema is False:
            raise Unfillable(f"{name}: nothing is allowed")
        return texts.get(name, "simulated")
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("enum", "examples"):
        if isinstance(schema.get(key), list) and schema[key]:
            return schema[key][0]
    if "$ref" in schema:
        return _make(_resolve(str(schema["$ref"]), root), name, texts, root, depth + 1)
    if schema.get("allOf"):
        return _make(_merged(schema, root), name, texts, root, depth + 1)
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return _first(schema, schema[key], name, texts, root, depth)
    return _typed(schema, name, texts, root, depth)


def _first(schema: JSON, choices: list[Any], name: str, texts: JSON, root: JSON, depth: int) -> Any:
    """The first of the choices that can be made."""
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")}
    trouble: Unfillable | None = None
    for choice in choices:
        whole = {**rest, **choice} if isinstance(choice, dict) else choice
        if isinstance(choice, dict) and "required" in rest and "required" in choice:
            whole["required"] = [*rest["required"], *choice["required"]]
        try:
            return _make(whole, name, texts, root, depth + 1)
        except Unfillable as error:
            trouble = error
    raise trouble or Unfillable(f"{name}: no choice is given")


def _typed(schema: JSON, name: str, texts: JSON, root: JSON, depth: int) -> Any:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if kind is None:
        kind = "object" if "properties" in schema else "array" if "items" in schema else "string"
    match kind:
        case "object":
            properties = schema.get("properties") or {}
            return {
                field: _make(properties.get(field, {}), field, texts, root, depth + 1)
                for field in schema.get("required") or ()
            }
        case "array":
            firsts = schema.get("prefixItems") or []
            items = [_make(one, name, texts, root, depth + 1) for one in firsts]
            wanted = int(schema.get("minItems") or 0)
            if wanted > LONGEST:
                raise Unfillable(f"{name}: {wanted} items are too many")
            while len(items) < wanted:
                items.append(_make(schema.get("items", {}), name, texts, root, depth + 1))
            return items
        case "string":
            return _string(schema, name, texts)
        case "integer" | "number":
            return _number(schema, name, kind)
        case "boolean":
            return False
        case "null":
            return None
    raise Unfillable(f"{name}: unknown type {kind!r}")


def _string(schema: JSON, name: str, texts: JSON) -> str:
    made = _FORMATS.get(str(schema.get("format"))) or str(texts.get(name, f"simulated {name}"))
    shortest = int(schema.get("minLength") or 0)
    if shortest > LONGEST:
        raise Unfillable(f"{name}: {shortest} characters are too many")
    made = made.strip().ljust(shortest, ".")
    longest = schema.get("maxLength")
    if isinstance(longest, int):
        made = made[:longest]
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        try:
            fits = re.search(pattern, made) is not None
        except re.error as error:
            raise Unfillable(f"{name}: pattern {pattern!r} is not understood") from error
        if not fits:
            raise Unfillable(f"{name}: nothing is known that matches {pattern!r}")
    return made


def _number(schema: JSON, name: str, kind: str) -> int | float:
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    high, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    step = schema.get("multipleOf") or 1
    made: int | float = 1
    if low is not None:
        made = low
    elif above is not None:
        made = above + 1
    elif high is not None and made > high:
        made = high
    elif below is not None and made >= below:
        made = below - 1
    if made % step:
        made = (made // step + 1) * step
    too_high = (high is not None and made > high) or (below is not None and made >= below)
    if too_high or (above is not None and made <= above):
        raise Unfillable(f"{name}: no number fits")
    return int(made) if kind == "integer" else made


def _merged(schema: JSON, root: JSON) -> JSON:
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema["allOf"]:
        whole = _resolve(str(part["$ref"]), root) if "$ref" in part else part
        for key, value in whole.items():
            if key == "properties":
                merged[key] = {**merged.get(key, {}), **value}
            elif key == "required":
                merged[key] = [*merged.get(key, []), *value]
            else:
                merged.setdefault(key, value)
    return merged


def _resolve(ref: str, root: JSON) -> JSON:
    found: Any = root
    for step in ref.removeprefix("#").strip("/").split("/") if ref != "#" else ():
        found = found.get(step.replace("~1", "/").replace("~0", "~")) if found else None
    if not isinstance(found, dict):
        raise Unfillable(f"{ref} is not in the schema")
    return found
