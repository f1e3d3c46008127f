"""A tool's JSON Schema as the subset of OpenAPI that Gemini takes.

Its one rule: what Gemini would refuse the whole request for is said in another way or left out;
what the schema means for the model stays.
"""

from __future__ import annotations

from typing import Any

from router.messages import JSON

_KEPT = frozenset(
    {
        *("title", "description", "nullable", "items", "minItems", "maxItems", "properties"),
        *("required", "minProperties", "maxProperties", "minimum", "maximum", "minLength"),
        *("maxLength", "pattern", "anyOf", "propertyOrdering"),
    }
)
_FORMATS = {
    "string": frozenset({"date-time", "enum"}),
    "number": frozenset({"float", "double"}),
    "integer": frozenset({"int32", "int64"}),
}
#: a reference into itself is followed so often; deeper it is any object
_DEEPEST = 8


def cleaned(schema: JSON) -> JSON:
    """The schema of a function's parameters, or of an answer."""
    found = schema.get("$defs") or schema.get("definitions")
    return _clean(schema, found if isinstance(found, dict) else {}, 0)


def lowered(schema: Any) -> Any:
    """The way back: Gemini's clients write types in capitals ("STRING"), nobody else does."""
    if isinstance(schema, list):
        return [lowered(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value.lower()
        if key == "type" and isinstance(value, str)
        else {name: lowered(inner) for name, inner in value.items()}
        if key == "properties" and isinstance(value, dict)
        else lowered(value)
        for key, value in schema.items()
    }


def _clean(schema: Any, defs: JSON, depth: int) -> JSON:
    if not isinstance(schema, dict):
        return {}  # `true`: anything
    if isinstance(reference := schema.get("$ref"), str):
        target = defs.get(reference.rpartition("/")[2])
        if target is None or depth >= _DEEPEST:
            return {"type": "object"}
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return _clean({**target, **beside}, defs, depth + 1)
    for part in schema.get("allOf") or ():
        schema = _merged(schema, _clean(part, defs, depth + 1))
    clean = {key: value for key, value in schema.items() if key in _KEPT}
    _type(clean, schema, defs, depth)
    _values(clean, schema)
    if isinstance(items := clean.get("items"), dict | bool):
        clean["items"] = _clean(items, defs, depth + 1)
    elif "items" in clean:
        del clean["items"]
    properties = clean.pop("properties", None)
    if isinstance(properties, dict) and properties:
        clean["properties"] = {k: _clean(v, defs, depth + 1) for k, v in properties.items()}
    if "required" in clean:
        named = [n for n in clean.pop("required") or () if n in clean.get("properties", {})]
        if named:
            clean["required"] = named
    if clean.get("type") == "array":
        clean.setdefault("items", {"type": "string"})  # an array without items is refused
    return clean


def _merged(schema: JSON, part: JSON) -> JSON:
    whole = {**part, **schema}
    for key in ("properties", "required"):
        if key in part and key in schema:
            both = (part[key], schema[key])
            whole[key] = {**both[0], **both[1]} if key == "properties" else [*both[0], *both[1]]
    return whole


def _type(clean: JSON, schema: JSON, defs: JSON, depth: int) -> None:
    """One type in a word; several become alternatives, "null" becomes `nullable`."""
    kind = schema.get("type")
    options = schema.get("anyOf") or schema.get("oneOf") or []
    if isinstance(kind, list):
        known = [one for one in kind if one != "null"]
        if len(known) < len(kind):
            clean["nullable"] = True
        if len(known) == 1:
            kind = known[0]
        else:
            options = [{**schema, "type": one} for one in known]
            kind = None
    if isinstance(kind, str):
        clean["type"] = kind
    clean.pop("anyOf", None)
    if isinstance(options, list) and options:
        others = [o for o in options if not (isinstance(o, dict) and o.get("type") == "null")]
        if len(others) < len(options):
            clean["nullable"] = True
        made = [_clean(one, defs, depth + 1) for one in others]
        if len(made) == 1:
            clean.update({**made[0], **{k: v for k, v in clean.items() if k != "type"}})
        elif made:
            clean["anyOf"] = made
            for key in ("type", "properties", "items", "required"):
                clean.pop(key, None)
    if "properties" in clean and "type" not in clean:
        clean["type"] = "object"


def _values(clean: JSON, schema: JSON) -> None:
    """`enum` only of strings, `const` as an enum of one, and formats that are known."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(values, list) and values:
        words = [value for value in values if isinstance(value, str)]
        if len(words) == len([value for value in values if value is not None]) and words:
            clean["type"], clean["enum"] = "string", [word for word in words if word] or words
        else:
            told = f"one of {', '.join(map(str, values))}"
            about = clean.get("description")
            clean["description"] = f"{about} ({told})" if about else told
    form = schema.get("format")
    if isinstance(form, str) and form in _FORMATS.get(str(clean.get("type")), ()):
        clean["format"] = form
