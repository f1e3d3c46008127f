"""How a provider stands, by what went by of it."""

from __future__ import annotations

import msgspec
import pytest

from router.contract import SPAN, RequestView
from router.passed import Passed

AT = 1_000 * SPAN


def request(at: float, state: str) -> RequestView:
    view = RequestView("req_1", at, "done", "ccr", "openai_chat", duration_ms=1.0)
    return msgspec.structs.replace(view, state=state)


@pytest.mark.parametrize(
    ("went", "later", "state"),
    [
        ("......", 0, "up"),
        ("x.x...", 0, "up"),  # two are no habit
        ("xx.x.......", 0, "degraded"),
        ("xx.x............", 0, "up"),  # of so many
        ("xx.x.......", 3 * SPAN, "up"),  # that was long ago
    ],
)
def test_what_often_fails_is_not_well_though_the_last_went_well(
    went: str, later: float, state: str
) -> None:
    passed = Passed()
    for each in went:
        passed.served(request(AT, "failed" if each == "x" else "done"))
    passed.last_ok_at, passed.last_error, passed.last_error_at = AT, "Rate limit", AT - 1
    found, why = passed.condition(AT + later)
    assert found == state
    assert why == ("3 of 11 attempts failed of late: Rate limit" if state == "degraded" else "")
