"""Budgets, rates and periods as arithmetic: nothing leaks, whatever happens in whatever order."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.messages import Request
from router.settings import Deployment, Groups, Price, Target
from router.spending.access import may_use
from router.spending.account import MOST, TYPICAL, Account, Hold, estimate
from router.spending.period import FOREVER, parse
from router.spending.rates import WINDOW, Rates

STEP = st.tuples(
    st.sampled_from(["begin", "end", "cancel"]),
    st.integers(0, 50),  # which of those that run
    st.integers(0, 900),  # what is held
    st.integers(0, 100),  # percent of that which it costs
)


@settings(max_examples=300)
@given(st.lists(STEP, max_size=60), st.integers(1, 3000))
def test_what_is_held_is_released_and_a_limit_is_passed_by_one_request_at_most(
    steps: list[tuple[str, int, int, int]], limit: int
) -> None:
    account = Account("key", "k", FOREVER, 1e9, limit=limit)
    running: list[tuple[Hold, int]] = []
    spent, largest = 0, 0
    for what, which, amount, share in steps:
        if what == "begin":
            if not account.exhausted:
                running.append((Hold([account], amount), amount * share // 100))
                largest = max(largest, amount)
        elif running:
            hold, cost = running.pop(which % len(running))
            hold.release()
            hold.release()  # a second time does nothing
            if what == "end":
                account.charge(cost, 1e9)
                spent += cost
        assert account.spent == spent
        assert account.held == sum(hold.amount for hold, _ in running)
        assert account.spent + account.held < limit + max(largest, 1)
    for hold, _ in running:
        hold.release()
    assert account.held == 0


def test_a_window_ends_and_what_began_before_it_is_the_last_ones() -> None:
    begun = datetime(2026, 3, 10, 8, 7).timestamp()
    account = Account("house", "", parse("day"), begun, limit=10)
    account.charge(10, begun)
    assert account.exhausted
    account.roll(begun + 86_400)
    assert (account.spent, account.exhausted) == (0, False)
    account.charge(7, begun)  # ended late
    assert account.spent == 0
    account.charge(7, begun + 86_400)
    assert account.spent == 7


def test_what_an_account_says_of_itself() -> None:
    """At its limits to the unit; without any; and its rate, never over less than a quarter hour."""
    begun = datetime(2026, 3, 10).timestamp()
    account = Account("key", "k", parse("day"), begun, limit=10, soft=5)
    said = []
    for amount in (4, 1, 4, 1):
        account.charge(amount, begun)
        said.append((account.over_soft, account.exhausted))
    assert said == [(False, False), (True, False), (True, False), (True, True)]
    held = Hold([empty := Account("key", "k", FOREVER, begun, limit=2, soft=1)], 1)
    assert (empty.over_soft, empty.exhausted) == (True, False)
    held.release()
    assert (empty.over_soft, empty.exhausted) == (False, False)
    assert [account.rate(begun + after) for after in (0, 1, 900, 1_000)] == [
        *(0.0, 10 / 900, 10 / 900, 10 / 1_000)
    ]
    endless = Account("key", "k", FOREVER, begun)
    endless.charge(10**15, begun)
    endless.roll(begun + 1e9)
    assert (endless.over_soft, endless.exhausted, endless.rate(begun + 9)) == (False, False, 0.0)
    assert endless.spent == 10**15
    account.roll(begun + 86_399)
    assert account.spent == 10


@pytest.mark.parametrize(
    ("text", "anchor", "at", "start", "end"),
    [
        ("day", "2026-01-01 00:00", "2026-03-10 08:07", "2026-03-10 00:00", "2026-03-11 00:00"),
        ("week", "2026-01-01 00:00", "2026-11-22 23:59", "2026-11-16 00:00", "2026-11-23 00:00"),
        ("month", "2026-01-01 00:00", "2026-12-31 08:07", "2026-12-01 00:00", "2027-01-01 00:00"),
        ("hour", "2026-01-01 00:00", "2026-12-31 08:07", "2026-12-31 08:00", "2026-12-31 09:00"),
        ("30d", "2026-01-01 10:05", "2026-01-31 09:59", "2026-01-01 10:00", "2026-01-31 10:00"),
        ("30d", "2026-01-01 10:05", "2026-01-31 10:01", "2026-01-31 10:00", "2026-03-02 10:00"),
        ("1mo", "2026-01-31 10:00", "2026-02-28 10:00", "2026-02-28 10:00", "2026-03-31 10:00"),
        ("1mo", "2026-01-31 10:00", "2026-02-28 09:00", "2026-01-31 10:00", "2026-02-28 10:00"),
        ("30s", "2026-01-01 10:00", "2026-01-01 10:01", "2026-01-01 10:01", "2026-01-01 10:01"),
    ],
)
def test_periods(text: str, anchor: str, at: str, start: str, end: str) -> None:
    times = [datetime.fromisoformat(one).timestamp() for one in (anchor, at)]
    begin, until = parse(text).window(*times)
    assert datetime.fromtimestamp(begin).isoformat(" ", "minutes") == start
    assert until is not None
    assert datetime.fromtimestamp(until).isoformat(" ", "minutes") == end
    assert begin <= times[1] < until


@given(
    st.sampled_from(["1h", "50m", "7d", "30d", "2w", "1mo", "3mo", "day", "week", "month"]),
    st.floats(1.6e9, 1.9e9),
    st.floats(0, 2e8),
)
def test_windows_meet(text: str, anchor: float, later: float) -> None:
    period = parse(text)
    _, until = period.window(anchor, anchor + later)
    assert until is not None
    assert period.window(anchor, until)[0] == until


def test_what_is_no_duration_is_refused() -> None:
    for text in ("0d", "d", "1y", "-3d", "3 fortnights", "99999999d"):
        with pytest.raises(ValueError, match="is no duration: write 30s"):
            parse(text)


def test_what_a_request_may_cost() -> None:
    price = Price(1, 2, 1, 3, 3)

    def asked(**fields: object) -> Request:
        return Request(dialect="openai_chat", model="m", messages=[], **fields)  # type: ignore[arg-type]

    assert estimate(10, asked(max_tokens=5), price) == 10 * 3 + 5 * 2
    assert estimate(10, asked(), price) == 30 + TYPICAL * 2
    assert estimate(10, asked(max_tokens=10**12), price) == 30 + MOST * 2
    assert estimate(10, asked(max_tokens=5, extra={"n": 3}), price) == 30 + 30
    for many, times in ((128, 128), (1, 1), (129, 1), (0, 1), (-3, 1), ("3", 1)):
        assert estimate(10, asked(max_tokens=5, extra={"n": many}), price) == 30 + 10 * times
    assert estimate(10, asked(max_tokens=5), Price()) == 0
    assert estimate(10, asked(), Price(1, None, 1, 3, 3)) == 30  # embeddings


def test_rates_count_what_was_let_in_and_mend_it_at_the_end() -> None:
    rates = Rates(rpm=2, tpm=100, parallel=2)
    rates.enter(1000, 40)
    rates.enter(1001, 40)
    assert rates.exceeded(1002) == ("max_parallel_requests", 2, 0, None)
    rates.leave(1003, 1000, 40, 90)
    assert rates.exceeded(1003) == ("requests", 2, 0, WINDOW - 3)
    rates.rpm = 9
    assert rates.exceeded(1004) == ("tokens", 100, 0, WINDOW - 4)
    assert rates.exceeded(1000 + WINDOW) is None  # one still runs, in the next minute
    rates.leave(1000 + WINDOW, 1001, 40, 900)
    assert (rates.tokens, rates.running) == (0, 0)


def test_lists_of_models() -> None:
    target = Target("p", "m")
    groups = Groups(
        deployments={
            "gpt-4o": (Deployment("gpt-4o", target, access_groups=("beta",)),),
            "other": (Deployment("other", target),),
        },
        aliases={"nick": "gpt-4o"},
    )
    for models, asked, allowed in [
        ([], "gpt-4o", True),
        (["gpt-4o"], "gpt-4o", True),
        (["gpt-4o"], "nick", True),
        (["gpt-4o"], "other", False),
        (["gpt-4o"], "", False),
        (["openai/*"], "openai/gpt-4o", True),
        (["openai/*"], "anthropic/x", False),
        (["beta"], "gpt-4o", True),
        (["beta"], "other", False),
        (["all-proxy-models"], "other", True),
        (["all-team-models"], "other", True),
        (["no-default-models"], "other", False),
        (["no-default-models", "other"], "other", True),
    ]:
        assert may_use(models, asked, groups) is allowed, (models, asked)
