"""What is done when a request has ended: it is counted, kept and logged.

One rule: money comes first, so that whoever is told of the end finds it settled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract import RequestDetail
from router.record import Record

if TYPE_CHECKING:
    from router.service import Router


def ended(router: Router, record: Record) -> None:
    if router.cashier.on:
        router.cashier.settle(record)
    detail = record.detail()
    view = detail.request
    router.live.close(detail)
    if view.cost is None:
        _unpriced(router, detail)
    router.health.served(view)
    router.meters.finished(view)
    if view.session:
        router.sessions.learn(record, router.wall())
    router.ledger.request(detail)
    if router.telemetry is not None:
        router.telemetry.finished(detail, record.ends)
    where = f"{view.provider},{view.model}" if view.provider else "no provider"
    text = f"{view.door} {view.asked or '(no model)'} → {where} {view.state}"
    if view.status is not None:
        text += f" {view.status}"
    if view.sent_id:
        text += f" (x-request-id {view.sent_id})"
    if view.error:
        router.log.warning("exchange", f"{text}: {view.error}", view.id, view.simulated)
    else:
        router.log.info("exchange", f"{text} by {view.rule}", view.id, view.simulated)


def _unpriced(router: Router, detail: RequestDetail) -> None:
    for attempt in detail.attempts:
        if attempt.cost is None and not attempt.simulated:
            words = "has no known price: what it costs is in no sum and no budget"
            router.alerts.raised("unpriced", f"{attempt.provider},{attempt.model}", words)
