"""The contract's structs as rows of the ledger, and back.

One rule: a column has the name of its field, so that a field without a column (or a
column without a field) is one failing test and never a silent loss. Pure.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from router.contract import (
    Apart,
    AttemptView,
    Facts,
    LogLine,
    Look,
    OverrideView,
    RequestDetail,
    RequestView,
    ServiceChange,
    Spend,
    Tokens,
)

Row = tuple[Any, ...]
_S = TypeVar("_S", bound=Struct)

#: as stored; the index is the severity
LEVELS: Final = ("debug", "info", "warning", "error")

_encode = msgspec.json.Encoder().encode
_decode_looks = msgspec.json.Decoder(tuple[Look, ...]).decode
_decode_names = msgspec.json.Decoder(tuple[str, ...]).decode
_decode_apart = msgspec.json.Decoder(Apart).decode
_decode_facts = msgspec.json.Decoder(Facts).decode


def _columns(struct: type[Struct], *left_out: str) -> tuple[str, ...]:
    names: list[str] = []
    for name in struct.__struct_fields__:
        if name == "tokens":
            names += Tokens.__struct_fields__
        elif name == "spend":
            names += (f"spend_{part}" for part in Spend.__struct_fields__)
        elif name not in left_out:
            names.append(name)
    return tuple(names)


#: `seq` is the row's own number: it is read but never written
REQUEST: Final = _columns(RequestView, "seq")
DETAIL: Final = (*REQUEST, "looks", "facts")
ATTEMPT: Final = _columns(AttemptView)
LOG: Final = _columns(LogLine, "id")
HEALTH: Final = _columns(ServiceChange)
#: whether an override can be honoured now is computed, not kept
OVERRIDE: Final = _columns(OverrideView, "problem")

_REQUEST_TOKENS: Final = REQUEST.index("input")
_ATTEMPT_TOKENS: Final = ATTEMPT.index("input")
_ATTEMPT_SPEND: Final = ATTEMPT.index("spend_input")
_KINDS: Final = len(Tokens.__struct_fields__)
_SPENT: Final = len(Spend.__struct_fields__)
_LEVEL: Final = LOG.index("level")


def request_row(detail: RequestDetail) -> Row:
    """In the order of DETAIL."""
    at = _REQUEST_TOKENS
    flat = msgspec.structs.astuple(detail.request)
    tags = detail.request.tags
    return (
        *flat[:at],
        *msgspec.structs.astuple(detail.request.tokens),
        *flat[at + 1 : -2],
        _encode(tags).decode() if tags else "",
        _encode(detail.looks).decode(),
        _encode(detail.facts).decode(),
    )


def attempt_row(view: AttemptView, request: str) -> Row:
    """`request` (the id of its request) and then the order of ATTEMPT."""
    at = _ATTEMPT_TOKENS
    *flat, spend, price, apart, dropped = msgspec.structs.astuple(view)
    return (
        request,
        *flat[:at],
        *msgspec.structs.astuple(view.tokens),
        *flat[at + 1 :],
        *msgspec.structs.astuple(spend),
        price,
        _encode(apart).decode() if apart is not None else "",
        _encode(dropped).decode() if dropped else "",
    )


def log_row(line: LogLine) -> Row:
    """In the order of LOG; the database gives the id."""
    flat = msgspec.structs.astuple(line)[1:]
    return (*flat[:_LEVEL], LEVELS.index(line.level), *flat[_LEVEL + 1 :])


def override_row(view: OverrideView) -> Row:
    """In the order of OVERRIDE."""
    return msgspec.structs.astuple(view)[:-1]


def read_request(row: Row) -> RequestView:
    """From REQUEST and seq."""
    *rest, tags, seq = row
    named = _decode_names(tags) if tags else ()
    return _with_tokens(RequestView, (*rest, named, seq), _REQUEST_TOKENS)


def read_attempt(row: Row) -> AttemptView:
    """From ATTEMPT."""
    at = _ATTEMPT_SPEND
    *_, price, apart, dropped = row
    spend = Spend(*row[at : at + _SPENT])
    used = _decode_apart(apart) if apart else None
    rest = (*row[:at], spend, price, used, _decode_names(dropped) if dropped else ())
    return _with_tokens(AttemptView, rest, _ATTEMPT_TOKENS)


def read_detail(row: Row, attempts: list[Row]) -> RequestDetail:
    """From DETAIL and seq, and the rows of ATTEMPT."""
    *request, looks, facts, seq = row
    return RequestDetail(
        request=read_request((*request, seq)),
        looks=_decode_looks(looks),
        attempts=tuple(read_attempt(one) for one in attempts),
        facts=_decode_facts(facts),
    )


def read_log(row: Row) -> LogLine:
    """From the id and LOG."""
    at = _LEVEL + 1
    return _typed(LogLine, (*row[:at], LEVELS[row[at]], *row[at + 1 :]))


def read_override(row: Row) -> OverrideView:
    """From OVERRIDE."""
    return _typed(OverrideView, row)


def legal(struct: _S) -> _S:
    """The same with every lone surrogate replaced: UTF-8, and so SQLite, has no place for one."""
    plain = _legal(msgspec.to_builtins(struct))
    return msgspec.convert(plain, type(struct))


def _legal(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_legal(name): _legal(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_legal(item) for item in value]
    return value


def _with_tokens(struct: type[_S], row: Row, at: int) -> _S:
    tokens = _typed(Tokens, row[at : at + _KINDS])
    return _typed(struct, (*row[:at], tokens, *row[at + _KINDS :]))


def _typed(struct: type[_S], row: Row) -> _S:
    """SQLite has no booleans: 0 and 1 become what the field says."""
    values = list(row)
    for place in _FLAGS[struct]:
        values[place] = bool(values[place])
    return struct(*values)


_FLAGS: Final[dict[type[Struct], tuple[int, ...]]] = {
    struct: tuple(
        place for place, field in enumerate(msgspec.structs.fields(struct)) if field.type is bool
    )
    for struct in (RequestView, AttemptView, Tokens, LogLine, OverrideView)
}
