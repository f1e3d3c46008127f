"""A request's `extra_headers`: those that may go to a provider, the names of those that may not.

One rule: nothing that signs in, says where a message goes or how it is framed comes from a client.
LiteLLM lets a client replace the provider's key in this way. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from router.errors import CallerError

#: LiteLLM takes both; the second wins
HOLDING = ("headers", "extra_headers")
#: headers of one request, characters of a name, of a value and of all values
MOST, LONGEST_NAME, LONGEST_VALUE, LARGEST = 32, 100, 4096, 16_384
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.1
_VALUE = re.compile(r"(?:[!-~](?:[ -~\t]*[!-~])?)?")
#: what signs in, or says who pays, by any provider's name for it
_SECRET = re.compile(
    r"auth(?!ors?(?:$|-))|cookie|secret|password|credential|signature|(?:api|access|subscription|function|master)"
    r"[-_]?key|^(?:x-)?key$|token$"
)
#: a hop's own, a message's frame, and what a signature of a cloud is made of
_OURS = frozenset(
    {
        *("host", "connection", "keep-alive", "te", "trailer", "upgrade", "expect", "via"),
        *("transfer-encoding", "content-length", "content-type", "content-encoding", "date"),
        *("accept", "accept-encoding", "forwarded", "http2-settings", "anthropic-version"),
    }
)
_PREFIXES = ("proxy-", "sec-", "x-amz-", "x-forwarded-", "x-pointsman-", ":")


def headers_of(
    body: Mapping[str, Any], at: str = ""
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """The headers to send, their names in lower case, and what is not sent ("extra_headers.host").
    `at` stands before each name. Raises CallerError for what is no object of texts."""
    found: dict[str, str] = {}
    dropped: list[str] = []
    size = 0
    for field, name, text in _said(body):
        size += len(text)
        if size <= LARGEST and len(found) < MOST and _may_pass(name.lower(), text):
            found[name.lower()] = text
        else:
            dropped.append(f"{at}{field}.{shown(name)}")
    return tuple(found.items()), tuple(dropped)


def shown(name: str) -> str:
    """A header's name, as it may itself stand in a header."""
    return name if _TOKEN.fullmatch(name) and len(name) <= LONGEST_NAME else "unknown"


def _said(body: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for field in HOLDING:
        said = body.get(field)
        if said is None:
            continue
        if not isinstance(said, dict):
            raise CallerError(f'{field}: should be an object, as {{"x-name": "text"}}', param=field)
        for name, text in said.items():
            if not isinstance(text, str):
                raise CallerError(f"{field}.{shown(name)}: should be a string", param=field)
            yield field, name, text


def _may_pass(name: str, text: str) -> bool:
    return not (
        shown(name) != name
        or len(text) > LONGEST_VALUE
        or _VALUE.fullmatch(text) is None
        or name in _OURS
        or name.startswith(_PREFIXES)
        or _SECRET.search(name)
    )
