"""How often a screen is painted: nothing is lost in between, and the shortest hides nothing."""

from __future__ import annotations

from collections.abc import Callable

from console.pace import STEPS, Pace


def test_what_comes_in_between_is_painted_once_when_the_time_is_up() -> None:
    painted: list[int] = []
    armed: list[tuple[float, Callable[[], None]]] = []
    pace = Pace(lambda: painted.append(1), lambda s, then: armed.append((s, then)), 2)
    for _ in range(5):
        pace.ask()
    assert (len(painted), [seconds for seconds, _ in armed]) == (1, [2.0])
    armed.pop()[1]()
    assert (len(painted), len(armed)) == (2, 1)
    armed.pop()[1]()  # nothing came: nothing is painted, and the next is painted at once
    assert (len(painted), len(armed)) == (2, 0)
    pace.ask()
    assert (len(painted), len(armed)) == (3, 1)
    assert [pace.ticked() for _ in range(4)] == [False, True, False, True]


def test_the_shortest_paints_everything_and_the_steps_end() -> None:
    painted: list[int] = []
    pace = Pace(lambda: painted.append(1), lambda s, then: None, 0.3)
    for _ in range(5):
        pace.ask()
    assert len(painted) == 5
    assert pace.ticked()
    assert [pace.step(1) for _ in STEPS] == [*STEPS[1:], STEPS[-1]]
    assert [pace.step(-1) for _ in STEPS] == [*reversed(STEPS[:-1]), STEPS[0]]
