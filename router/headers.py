"""HTTP's headers as text: what was sent to us, and what we send. Pure.

One rule: no outside text may begin a header of its own, or break off an answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

_value = itemgetter(1)
#: what HTTP does not allow in a value, and what would drive the terminal of `curl -i`
_CONTROLS = dict.fromkeys(n for n in (*range(0x20), *range(0x7F, 0xA0)) if n != 9)
#: dates of cookies hold commas (RFC 9110 5.3); those that are sent back are one list (RFC 6265 4.2)
_BETWEEN = {"set-cookie": "\n", "cookie": "; "}


def read(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """What a parser found, its names in lower case; repeated ones joined by ", ", or as their kind
    needs it.

    The usual case, no name twice, is one comprehension. Real clients send thirty headers and real
    providers twenty; decoding all of them together and splitting again takes twice as long."""
    found = {name.decode("latin-1"): text.decode("latin-1") for name, text in headers}
    if len(found) < len(headers):
        found.clear()
        for raw, value in headers:
            name, text = raw.decode("latin-1"), value.decode("latin-1")
            between = _BETWEEN.get(name, ", ")
            found[name] = f"{found[name]}{between}{text}" if name in found else text
    return found


def lines(headers: Iterable[tuple[str, str]]) -> str:
    """Header lines of an answer, each with its end. Where one of the values has more than printable
    ASCII, all are cleaned. (A name is ours, or was a token to a parser.)"""
    told = list(headers)
    if not told:
        return ""
    values = "".join(map(_value, told))
    if not (values.isascii() and values.isprintable()):
        told = [(name, _clean(value)) for name, value in told]
    return "\r\n".join(map(": ".join, told)) + "\r\n"


def _clean(value: str) -> str:
    """A program's file name in UTF-8 is read as such: half of its bytes look like controls."""
    try:
        text = value.encode("latin-1").decode()
    except UnicodeError:
        return value.translate(_CONTROLS)
    return text.translate(_CONTROLS).encode().decode("latin-1")
