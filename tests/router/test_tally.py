"""Usage and money: what counts, what is estimated, what stays unknown."""

from __future__ import annotations

import pytest

from router.contract import Tokens
from router.messages import (
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    Event,
    Finish,
    OpaqueEvent,
    Start,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
    Usage,
    UsageSeen,
)
from router.settings import Price
from router.tally import Tally

START = Start("m", "x", Usage(input=10, cache_read=100, output=1))
OPEN = BlockStart(0, Text(""))
TEXT = TextDelta(0, "x" * 40)
THOUGHT = ThinkingDelta(0, "y" * 80)
CALL = ArgumentsDelta(1, "z" * 20)
FIGURES = Usage(input=10, cache_read=100, output=12, reasoning=3)
END = Finish("end_turn")


@pytest.mark.parametrize(
    ("events", "usage"),
    [
        # nothing told: all of it is estimated
        ([], Usage(input=50, estimated=True)),
        ([Start("m", "x"), OPEN, TEXT, CALL, END], Usage(input=50, output=15, estimated=True)),
        ([THOUGHT, TEXT], Usage(input=50, output=30, reasoning=20, estimated=True)),
        # told in the end: the last figures count
        ([START, OPEN, TEXT, BlockStop(0), UsageSeen(FIGURES), END], FIGURES),
        ([TEXT, UsageSeen(Usage(input=1, output=1)), TEXT, UsageSeen(FIGURES), END], FIGURES),
        ([TEXT, END, UsageSeen(FIGURES)], FIGURES),
        # told before the last words, but the answer came to its end
        ([UsageSeen(FIGURES), TEXT, END], FIGURES),
        # the client left: what was told of the input counts, the output is estimated
        (
            [START, OPEN, TEXT],
            Usage(input=10, cache_read=100, output=11, estimated=True),
        ),
        (
            [START, TEXT, UsageSeen(FIGURES), THOUGHT],
            Usage(input=10, cache_read=100, output=32, reasoning=23, estimated=True),
        ),
        # an end without figures but those of the start
        ([START, TEXT, END], Usage(input=10, cache_read=100, output=11, estimated=True)),
        # zeros are no figures
        ([TEXT, UsageSeen(Usage()), END], Usage(input=50, output=10, estimated=True)),
        ([START], Usage(input=10, cache_read=100, output=1)),
    ],
)
def test_the_last_figures_count_and_gaps_are_estimated(events: list[Event], usage: Usage) -> None:
    tally = Tally(50)
    for event in events:
        tally.feed(event)
    assert tally.usage == usage
    assert tally.tokens() == Tokens(
        input=usage.input,
        cache_read=usage.cache_read,
        output=usage.output,
        reasoning=usage.reasoning,
        estimated=usage.estimated,
    )


@pytest.mark.parametrize(
    ("event", "begins"),
    [
        (START, False),
        (OPEN, False),
        (BlockStart(0, Thinking("")), False),
        (TextDelta(0, ""), False),
        (OpaqueEvent("ping", {}), False),
        (UsageSeen(FIGURES), False),
        (TEXT, True),
        (THOUGHT, True),
        (CALL, True),
        (BlockStart(0, ToolUse("t", "Read")), True),
    ],
)
def test_the_first_token_is_the_first_that_a_person_would_see(event: Event, begins: bool) -> None:
    tally = Tally(1)
    tally.feed(event)
    assert tally.began is begins


def test_why_it_ended_is_kept() -> None:
    tally = Tally(1)
    assert tally.finish is None
    tally.feed(Finish("tool_use"))
    assert tally.finish == "tool_use"


ALL = Usage(input=7, cache_read=11, cache_write=13, cache_write_1h=17, output=19, reasoning=5)


@pytest.mark.parametrize(
    ("usage", "price", "cost"),
    [
        (ALL, Price(1, 10_000, 10, 100, 1_000), 7 + 110 + 1_300 + 17_000 + 190_000),
        (Usage(input=1_000_000), Price(140, 280), 140_000_000),  # $0.14: the guide's table
        (Usage(), Price(), 0),
        (Usage(input=1), Price(), None),
        (Usage(output=1), Price(input=1), None),
        (Usage(cache_read=1, input=1), Price(input=1, output=1), None),
        (Usage(cache_write_1h=1), Price(1, 1, 1, 1), None),
        (Usage(input=1, output=1), Price(1, 1), 2),  # kinds that were not used need no price
        (ALL, Price(0, 0, 0, 0, 0), 0),
    ],
)
def test_money_is_exact_and_what_is_unknown_stays_unknown(
    usage: Usage, price: Price, cost: int | None
) -> None:
    tally = Tally(0)
    tally.feed(Start("m", "x"))
    tally.feed(UsageSeen(usage))
    tally.feed(END)
    if usage == Usage():
        assert Tally(0).bill(price).cost == cost
    else:
        assert tally.bill(price).cost == cost


def test_the_sum_of_requests_is_the_sum_of_their_parts() -> None:
    price = Price(3_000, 15_000, 300, 3_750, 6_000)
    parts = [Usage(input=i, cache_read=3 * i, output=7 * i) for i in range(1, 100)]
    single = []
    for usage in parts:
        tally = Tally(0)
        tally.feed(UsageSeen(usage))
        single.append(tally.bill(price).cost)
    whole = Tally(0)
    whole.feed(
        UsageSeen(
            Usage(
                input=sum(u.input for u in parts),
                cache_read=sum(u.cache_read for u in parts),
                output=sum(u.output for u in parts),
            )
        )
    )
    assert whole.bill(price).cost == sum(cost for cost in single if cost is not None)
