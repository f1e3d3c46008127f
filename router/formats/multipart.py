"""One field of a multipart/form-data body, found, replaced or added in its own bytes.

Its one rule: a byte that need not change does not: a file of many megabytes is not taken apart.
"""

from __future__ import annotations

import re

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,200})"|([^\s;]{1,200}))', re.IGNORECASE)
#: headers of one part; more than this is a file whose content looks like a boundary
_HEAD = 4096


def boundary_of(content_type: str) -> bytes | None:
    """Of a header `content-type: multipart/form-data; boundary=…`; None for any other."""
    if not content_type.lower().startswith("multipart/form-data"):
        return None
    found = _BOUNDARY.search(content_type)
    return (found[1] or found[2]).encode("latin-1", "replace") if found else None


def find(body: bytes, boundary: bytes, name: str) -> tuple[int, int] | None:
    """Where the value of a field begins and ends; None where there is no such field."""
    mark = b"--" + boundary
    wanted = re.compile(rb';\s*name="?%b"?\s*(?:;|$)' % re.escape(name.encode()), re.IGNORECASE)
    at = body.find(mark)
    while at >= 0:
        start = at + len(mark)
        if body[start : start + 2] == b"--":
            return None
        head_end = body.find(b"\r\n\r\n", start, start + _HEAD)
        end = body.find(b"\r\n" + mark, start)
        if head_end < 0 or end < 0:
            return None
        for line in body[start:head_end].split(b"\r\n"):
            key, _, rest = line.partition(b":")
            if key.strip().lower() == b"content-disposition" and wanted.search(rest):
                return head_end + 4, max(end, head_end + 4)
        at = end + 2
    return None


def added(body: bytes, boundary: bytes, name: str, value: bytes) -> bytes:
    """With one field more, before the others. A body without any is as it was."""
    mark = b"--" + boundary
    at = body.find(mark)
    if at < 0:
        return body
    field = b'%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
    view = memoryview(body)
    return b"".join((view[:at], field % (mark, name.encode(), value), view[at:]))


def replaced(body: bytes, place: tuple[int, int], value: bytes) -> bytes:
    view = memoryview(body)
    return b"".join((view[: place[0]], value, view[place[1] :]))
