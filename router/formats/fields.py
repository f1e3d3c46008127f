"""Reading a client's JSON: each helper gives the value, or says which field is wrong.

Its one rule: nothing but CallerError leaves, and it names the field as the client would.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from router.errors import CallerError
from router.messages import JSON
from router.settings import LONGEST_NAME

_T = TypeVar("_T")
#: in one request; the longest contexts hold ten million
MOST_TOKENS = 1_000_000_000
#: what a body begins with that is not as it should be sent
_OTHERWISE = {
    b"\x1f\x8b": "it is compressed: send it without content-encoding",
    b"\x28\xb5\x2f\xfd": "it is compressed: send it without content-encoding",
    b"\xff\xfe": "it is UTF-16: send it as UTF-8",
    b"\xfe\xff": "it is UTF-16: send it as UTF-8",
}
_decode = msgspec.json.Decoder().decode
_NAMES = {
    str: "a string",
    int: "an integer",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


def body_of(raw: bytes) -> JSON:
    """The request's JSON object."""
    try:
        body = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        why = next((words for mark, words in _OTHERWISE.items() if raw.startswith(mark)), error)
        raise CallerError(
            f"the request body is not JSON: {why}", code=None, param="request_body"
        ) from None
    if type(body) is not dict:
        raise CallerError("the request body must be a JSON object", param="request_body")
    return body


class bounded:
    """A context in which JSON nested too deeply to be walked is the caller's mistake."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is RecursionError:
            raise CallerError("the request body is nested too deeply", param="request_body")


def take(body: JSON, key: str, kind: type[_T]) -> _T | None:
    """`body[key]` taken out, None where it is absent or null."""
    value = body.pop(key, None)
    if value is None or type(value) is kind:
        return value
    raise wrong(key, kind)


def take_each(body: JSON, kinds: Mapping[str, type]) -> JSON:
    """Those of these fields that are there, taken out; float stands for any number. Few requests
    have many of them: what is not there is not looked for."""
    found = {}
    for key in [key for key in body if key in kinds]:
        value, kind = body.pop(key), kinds[key]
        if type(value) is kind:
            found[key] = value
        elif value is not None:
            if kind is not float:
                raise wrong(key, kind)
            found[key] = _number(key, value)
    return found


def take_model(body: JSON) -> str | None:
    """The model's name. It is written to the ledger, the log and headers, so it is bounded."""
    model = take(body, "model", str)
    if model is not None and len(model) > LONGEST_NAME:
        raise CallerError(f"model: longer than {LONGEST_NAME} characters", param="model")
    return model


def take_number(body: JSON, key: str) -> float | None:
    value = body.pop(key, None)
    return None if value is None else _number(key, value)


def _number(key: str, value: Any) -> float:
    if type(value) is float or type(value) is int:
        return value
    raise CallerError(f"{key}: should be a number", param=key)


def count_of(value: Any) -> int:
    """A provider's count of tokens: 0 for whatever is not one. More than MOST_TOKENS is none: it
    would make sums of money absurd, and SQLite refuses a row with more than 64 bits."""
    return value if type(value) is int and 0 < value <= MOST_TOKENS else 0


def wrong(where: str, kind: type) -> CallerError:
    return CallerError(f"{where}: should be {_NAMES.get(kind, kind.__name__)}", param=where)


def missing(where: str) -> CallerError:
    return CallerError(f"{where}: Field required", param=where)


def text_of(block: JSON, key: str, where: str) -> str:
    """A field that must be there and be a string."""
    value = block.get(key)
    if type(value) is str:
        return value
    raise missing(f"{where}.{key}") if value is None else wrong(f"{where}.{key}", str)


def rest_of(block: JSON, known: frozenset[str]) -> JSON | None:
    """The members of a block that have no place of their own."""
    rest = {key: value for key, value in block.items() if key not in known}
    return rest or None


def json_object(text: str) -> Any:
    """A tool call's arguments: {} for none ("null" is how some servers write that), None where
    they are not an object as JSON.

    Some models encode them twice: such a string is decoded once more.
    """
    if not text.strip():
        return {}
    try:
        value = _decode(text)
        if type(value) is str:
            value = _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return {} if value is None else value if type(value) is dict else None
