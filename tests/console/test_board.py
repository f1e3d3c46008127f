"""The board: what the router said, what it no longer says, and bounds."""

from __future__ import annotations

import msgspec

from console.board import RECENT, Board
from router.contract import Beat, Dropped, OverridesChanged, Reloaded, Totals
from tests.console import scene

RUNNING = scene.REQUESTS[0]


def link(board: Board) -> str:
    return board.link


def beat(*requests: object) -> Beat:
    return Beat(scene.NOW, 1, 1.0, None, 0.0, Totals(), tuple(requests))  # type: ignore[arg-type]


def test_a_finished_request_replaces_its_running_self() -> None:
    board = Board()
    board.take(scene.SNAPSHOT, scene.NOW)
    done = msgspec.structs.replace(RUNNING, state="done", status=200)
    assert not board.apply(beat(done), scene.NOW)
    assert RUNNING.id not in [r.id for r in board.running]
    assert board.finished[0] is done


def test_what_asks_for_a_new_snapshot() -> None:
    board = Board()
    assert board.apply(Dropped(3), 1.0)
    assert board.apply(Reloaded(2, "config.json:3: no"), 1.0)
    assert board.config_error == "config.json:3: no"
    assert not board.apply(OverridesChanged(scene.OVERRIDES), 1.0)
    assert board.overrides == scene.OVERRIDES


def test_it_is_bounded_but_loses_no_running_request() -> None:
    board = Board()
    many = [
        msgspec.structs.replace(scene.REQUESTS[3], id=f"r{n}", started_at=float(n))
        for n in range(RECENT + 300)
    ]
    old = msgspec.structs.replace(RUNNING, started_at=-1.0)
    board.apply(beat(old, *many), 1.0)
    assert len(board.finished) == RECENT
    assert board.finished[-1].id == "r300"
    assert board.running == [old]


def test_links_states_and_what_they_mean_for_running_requests() -> None:
    board = Board()
    assert link(board) == "connecting"
    board.silent(1.0)
    assert link(board) == "connecting"
    board.take(scene.SNAPSHOT, 2.0)
    board.silent(5.0)
    assert (board.link, board.since, board.heard) == ("stale", 5.0, 2.0)
    board.lost("gone", 9.0)
    board.lost("still gone", 12.0)
    assert (board.link, board.since, board.reason) == ("down", 9.0, "still gone")
    assert board.running == []
    assert board.requests[RUNNING.id].state == "interrupted"
    board.take(scene.SNAPSHOT, 20.0)
    assert link(board) == "live"
    assert board.requests[RUNNING.id].state == "running"
