"""How a provider stands, by what went by of it."""

from __future__ import annotations

import msgspec
import pytest

from router.config import Flags, Probes, load
from router.contract import SPAN, RequestView
from router.cooldowns import Cooldowns
from router.health import Health
from router.health.passed import Passed
from router.record import Attempt
from router.rules.plan import Candidate
from storage.home import Home

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


def test_what_stood_in_says_nothing_of_the_real_provider(test_home: Home) -> None:
    """Also over a restart; and a key whose variable is not set is told before any request."""
    flags = Flags(directory=test_home.config, simulator_url="http://127.0.0.1:9")

    def shown(health: Health) -> tuple[str, str, str]:
        made = load(test_home, {}, flags, 1, Probes())
        (view,) = (v for v in health.views(made) if v.name == "deepseek")
        return view.mode, view.state, view.reason

    health = Health(lambda: AT, lambda: AT, Cooldowns(), {})

    def attempted(outcome: str) -> None:
        to = Candidate(load(test_home, {}, flags, 1, Probes()).providers["deepseek"], "m", "")
        health.attempted(Attempt(1, to, "", AT, AT, ended=AT + 1, outcome=outcome), AT)

    attempted("ok")
    assert shown(health) == ("simulated", "up", "")
    again = Health(lambda: AT, lambda: AT, Cooldowns(), {}, health.kept())
    test_home.ccr_json.write_text(
        '{"Providers": [{"name": "deepseek", "api_key": "$NOT_SET", "models": ["m"],'
        ' "api_base_url": "https://api.deepseek.com/chat/completions"}],'
        ' "Router": {"default": "deepseek,m"}}'
    )
    assert shown(again) == ("real", "unknown", "its key, $NOT_SET, is not set")
    attempted("credential")  # before anybody looks
    assert shown(health) == ("real", "degraded", "credential")
