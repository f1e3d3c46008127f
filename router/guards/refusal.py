"""What a connection is told that is refused before it made a request. Pure.

One rule: no API is known yet whose dialect could be spoken, so the words are the shape that most
clients read.
"""

from __future__ import annotations

import json

from uvicorn.protocols.http.httptools_impl import STATUS_LINE


def refusal(status: int, words: str, id: str, lines: bytes) -> bytes:
    """The whole answer, which ends the connection. `id`: what the log calls it, or "". `lines`: the
    headers that every answer of this server has."""
    told = f"x-request-id: {id}\r\nrequest-id: {id}\r\n".encode() if id else b""
    if status == 503:
        told += b"retry-after: 1\r\n"
    kind = "invalid_request_error" if status < 500 else "overloaded_error"
    body = json.dumps({"error": {"type": kind, "message": words}}).encode()
    return (
        b"%b%b%bcontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
    ) % (STATUS_LINE[status], lines, told, len(body), body)
