"""What the SDK has to say, in plain words and not again and again.

One rule: a failed connection is told as what failed, without the exceptions around it.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable

from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_CERTIFICATE

#: seconds until the same is complained of again
QUIET = 3600.0

#: how the library that HTTP is sent with says that no connection was made, and why
_AT = r"HTTPS?ConnectionPool\(host='([^']*)', port=(\d+)\): Max retries exceeded with url: (\S+)"
_UNTRUSTED = re.compile(
    _AT + r" \(Caused by .*?certificate verify failed: (.*?) \(_ssl\.c:\d+\)[\"')]*"
)
_UNREACHED = re.compile(
    _AT + r" \(Caused by .*?: (?:Failed to [a-z ]*: )?(?:\[Errno -?\d+\] )?([^\"')]*)[\"']?\)+"
)


def plainly(said: str) -> str:
    """The SDK's words, without the exceptions that a failed connection is wrapped in."""
    trust = f"{OTEL_EXPORTER_OTLP_CERTIFICATE} may name one that is"
    said = _UNTRUSTED.sub(rf"the certificate of \1:\2\3 is not trusted (\4): {trust}", said)
    return _UNREACHED.sub(r"nobody answers at \1:\2\3 (\4)", said)


class Complaints(logging.Handler):
    """The SDK's words, each once in QUIET seconds: it repeats itself while nobody listens."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._complain = complain
        self._said: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        args = record.args if isinstance(record.args, tuple) else ()
        which = [word for word in ("traces", "metrics", "logs") if word in args]
        kind, now = f"{record.name} {record.msg} {which}", time.monotonic()
        if now < self._said.get(kind, now):
            return
        self._said[kind] = now + QUIET
        self._complain(plainly(record.getMessage())[:300])
