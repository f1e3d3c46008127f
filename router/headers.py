"""HTTP's headers as text. Pure.

One rule: the usual case, no name twice, is one comprehension. Real clients send thirty headers and
real providers twenty; decoding all of them together and splitting again takes twice as long.
"""

from __future__ import annotations


def read(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """What a parser found, its names in lower case; repeated ones joined by ", ", and cookies by a
    line break: their dates hold commas (RFC 9110 5.3)."""
    found = {name.decode("latin-1"): text.decode("latin-1") for name, text in headers}
    if len(found) < len(headers):
        found.clear()
        for raw, value in headers:
            name, text = raw.decode("latin-1"), value.decode("latin-1")
            between = "\n" if name == "set-cookie" else ", "
            found[name] = f"{found[name]}{between}{text}" if name in found else text
    return found
