"""The ids of a request's trace and spans: made of its own id, so that who has one finds the others.

One rule: a client's trace goes on, and of what it says of that no more than the trace's id is told.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

#: its trace and its flags, as W3C has them
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(?:-|$)"
)


def traceparent(request: str, number: int, headers: Mapping[str, str]) -> str:
    """For the provider that is called for a request's attempt of that number. `headers` are the
    client's."""
    found = _TRACEPARENT.match(headers.get("traceparent", ""))
    trace, sampled = (
        (found[1], int(found[2], 16) & 1) if found else (f"{trace_id(request):032x}", 1)
    )
    return f"00-{trace}-{attempt_id(request, number):016x}-{sampled:02x}"


def trace_id(request: str) -> int:
    """The trace of a request that came with none: made of its id, as its own span's is, so that a
    line of the log finds them, whichever is sent first."""
    return int.from_bytes(hashlib.sha256(request.encode("utf-8", "replace")).digest()[:16], "big")


def span_id(request: str) -> int:
    return trace_id(request) & (1 << 64) - 1


def attempt_id(request: str, number: int) -> int:
    return span_id(f"{request}/{number}")


class Ids(RandomIdGenerator):
    """Used by one thread alone."""

    _trace = 0
    _span = 0

    def of(self, request: str) -> None:
        """The next span is this request's own."""
        self._trace, self._span = trace_id(request), span_id(request)

    def attempt(self, request: str, number: int) -> None:
        """The next span is that of an attempt, whose id its provider was told."""
        self._span = attempt_id(request, number)

    def generate_trace_id(self) -> int:
        return self._trace

    def generate_span_id(self) -> int:
        return self._span
