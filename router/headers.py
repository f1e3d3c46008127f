"""HTTP's headers as text. Pure.

One rule: they are read together. A real client sends thirty, a real provider twenty, and a step for
each of them would be the dearest thing about a small message.
"""

from __future__ import annotations

from itertools import chain


def read(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """What a parser found, by lower-case names; repeated ones joined by ", ", and cookies by a line
    break: their dates hold commas (RFC 9110 5.3)."""
    if not headers:
        return {}
    # no line break is left in a header that was parsed
    flat = b"\n".join(chain.from_iterable(headers)).decode("latin-1").split("\n")
    names = list(map(str.lower, flat[::2]))
    found = dict(zip(names, flat[1::2], strict=True))
    if len(found) < len(headers):
        found.clear()
        for name, text in zip(names, flat[1::2], strict=True):
            between = "\n" if name == "set-cookie" else ", "
            found[name] = f"{found[name]}{between}{text}" if name in found else text
    return found
