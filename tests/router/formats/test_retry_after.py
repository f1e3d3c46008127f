"""When to ask again, in every way that providers say it: E03."""

from __future__ import annotations

import pytest

from router.formats.retry_after import retry_after

DATE = {"date": "Sun, 22 Nov 2026 12:00:00 GMT"}


@pytest.mark.parametrize(
    ("headers", "message", "body", "seconds"),
    [
        ({"retry-after": "7"}, "", b"", 7.0),
        ({"retry-after": "0.5"}, "", b"", 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, "", b"", 1.5),
        ({"retry-after": "Sun, 22 Nov 2026 12:01:30 GMT", **DATE}, "", b"", 90.0),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT", **DATE}, "", b"", 0.0),
        ({"retry-after": "Sun, 22 Nov 2026 12:01:30 GMT"}, "", b"", None),
        ({"retry-after": "soon"}, "", b"", None),
        ({"retry-after": "-5"}, "", b"", None),
        ({"retry-after": "1e9999"}, "", b"", None),
        ({}, "Please try again in 6ms.", b"", 0.006),
        ({}, "Please retry in 2m", b"", 120.0),
        ({}, "", b'{"retryDelay": "37s"}', 37.0),
        ({"x-ratelimit-reset-requests": "6m0s"}, "", b"", 360.0),
        (
            {
                "x-ratelimit-remaining-requests": "12",
                "x-ratelimit-reset-requests": "1h",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "1m2.5s",
            },
            "",
            b"",
            62.5,
        ),
        ({"x-ratelimit-reset": "1795348860000", **DATE}, "", b"", 60.0),  # OpenRouter
        ({"x-ratelimit-reset": "1795348860", **DATE}, "", b"", 60.0),  # GitHub
        (
            {
                "anthropic-ratelimit-tokens-remaining": "0",
                "anthropic-ratelimit-tokens-reset": "2026-11-22T12:00:20Z",
                **DATE,
            },
            "",
            b"",
            20.0,
        ),
        ({"x-ratelimit-reset-tokens": "17"}, "", b"", 17.0),
        ({"x-ratelimit-reset": "999999999"}, "", b"", 999_999_999.0),
        ({"x-ratelimit-reset": "1000000000", **DATE}, "", b"", 0.0),  # in 2001
        ({"x-ratelimit-reset": "2026-11-22T14:00:20+02:00", **DATE}, "", b"", 20.0),
        ({"x-ratelimit-reset": "2026-11-22T12:00:20", **DATE}, "", b"", 20.0),
        ({"x-session-reset": "9", "x-ratelimit-remaining-requests": "0"}, "", b"", None),
        ({"x-ratelimit-reset": "9" * 16, **DATE}, "", b"", None),
        ({"x-ratelimit-reset": "when it suits"}, "", b"", None),
    ],
)
def test_every_way_to_say_it(
    headers: dict[str, str], message: str, body: bytes, seconds: float | None
) -> None:
    assert retry_after(headers, message, body, limited=True) == seconds


def test_a_reset_counts_only_where_a_limit_was_the_reason() -> None:
    headers = {"x-ratelimit-reset-requests": "6m0s"}
    assert retry_after(headers, "", b"", limited=False) is None
