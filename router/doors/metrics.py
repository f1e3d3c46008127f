"""`/metrics`: what Prometheus scrapes, made when it asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from router.call import Call
from router.contract import VERSION
from router.telemetry.exposition import CONTENT_TYPE, family, services, traffic

if TYPE_CHECKING:
    from router.service import Router


async def metrics(router: Router, call: Call) -> None:
    lines = [
        *traffic(router.meters),
        *services(router.services(), router.health.outcomes()),
        *_router(router),
        *_process(),
        "",
    ]
    fresh = [("cache-control", "no-store")]
    await call.answer(200, "\n".join(lines).encode("utf-8", "replace"), CONTENT_TYPE, fresh)


def _router(router: Router) -> list[str]:
    ledger = router.ledger
    lines: list[str] = []
    for name, kind, words, value in (
        ("requests_running", "gauge", "Requests being answered now.", len(router.live.running)),
        ("upstream_connections", "gauge", "Connections to providers.", router.transport.open),
        ("ledger_waiting_rows", "gauge", "Rows not yet stored.", ledger.waiting),
        ("ledger_dropped_rows_total", "counter", "Rows lost to a full queue.", ledger.dropped),
        ("ledger_failed_rows_total", "counter", "Rows that could not be stored.", ledger.failed),
        ("config_generation", "gauge", "Reloads, from 1.", router.generation.number),
        ("config_refused", "gauge", "1: the newest edit was refused.", bool(router.config_error)),
    ):
        lines += family(f"pointsman_{name}", kind, words, [({}, int(value))])
    today = router.live.beat().today
    spent = [
        ({"simulated": "false"}, today.cost / 1e9),
        ({"simulated": "true"}, today.simulated_cost / 1e9),
    ]
    words = "Dollars of this local day from the ledger, as far as prices are known."
    lines += family("pointsman_today_cost_dollars", "gauge", words, spent)
    words = "Calls of this day whose price is not known: the dollars are a lower bound."
    lines += family("pointsman_today_unpriced", "gauge", words, [({}, today.unpriced)])
    words = "Turned away before a model was chosen: keys, paths, names, and what is no request."
    away = [({"status": str(status)}, count) for status, count in router.meters.refused.items()]
    lines += family("pointsman_refused_requests_total", "counter", words, away)
    info = [({"version": VERSION}, 1)]
    return [*lines, *family("pointsman_info", "gauge", "The version that runs.", info)]


def _process() -> list[str]:
    """Under the names that every Prometheus client uses."""
    process = psutil.Process()
    with process.oneshot():
        cpu = process.cpu_times()
        figures = (
            ("cpu_seconds_total", "counter", "CPU time.", cpu.user + cpu.system),
            ("resident_memory_bytes", "gauge", "Memory.", process.memory_info().rss),
            ("open_fds", "gauge", "Open files and sockets.", process.num_fds()),
            ("start_time_seconds", "gauge", "Unix time of the start.", process.create_time()),
        )
    lines: list[str] = []
    for name, kind, words, value in figures:
        lines += family(f"process_{name}", kind, words, [({}, value)])
    return lines
