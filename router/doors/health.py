"""`/health`, `/livez` and `/readyz`: what is already known, told. No call is made for them.

One rule: the figures are the console's own (contract.ServiceView), so that the two never differ.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from router.call import Call
from router.contract import VERSION, ServiceView

if TYPE_CHECKING:
    from router.service import Router

#: fields of a service that are told; its models have endpoints of their own
_TOLD = (
    *("state", "kind", "mode", "reason", "address", "checked_at", "requests", "errors", "p50_ms"),
    *("last_error_at", "cooling_until"),
)


async def health(router: Router, call: Call) -> None:
    """200 whatever the state of the services: it is in the answer."""
    await call.json(200, facts(router), _FRESH)


async def livez(call: Call) -> None:
    """That the process answers at all."""
    await call.answer(200, b"ok\n", "text/plain; charset=utf-8", _FRESH)


async def readyz(router: Router, call: Call) -> None:
    """Whether traffic should be sent here: 503 with the reason when it should not."""
    why = not_ready(router)
    status, text = (503, "\n".join(why)) if why else (200, "ok")
    await call.answer(status, f"{text}\n".encode(), "text/plain; charset=utf-8", _FRESH)


def not_ready(router: Router) -> list[str]:
    why = []
    if router.ledger.trouble:
        why.append(f"requests cannot be written down: {router.ledger.trouble}")
    why += [f"{s.name} is down: {s.reason}" for s in router.services() if _down(s)]
    return why


def facts(router: Router) -> dict[str, object]:
    services = router.services()
    return {
        "status": "degraded" if any(map(_down, services)) or router.ledger.trouble else "ok",
        "summary": summary(router, services),
        "version": VERSION,
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "uptime_seconds": round(router.now() - router.began, 1),
        "simulated_only": router.generation.simulated_only(),
        "config_error": router.config_error,
        "ledger": router.ledger.trouble or "ok",
        "running": len(router.live.running),
        "services": {s.name: {name: getattr(s, name) for name in _TOLD} for s in services},
    }


def summary(router: Router, services: tuple[ServiceView, ...]) -> str:
    """ "6 up, 1 down · 2 requests running", in one line for people."""
    states = Counter(service.state for service in services)
    words = ", ".join(f"{n} {state}" for state, n in states.items() if state != "off")
    running = len(router.live.running)
    words += f" · {running} request{'' if running == 1 else 's'} running"
    return words + " · every answer is simulated" if router.generation.simulated_only() else words


def _down(service: ServiceView) -> bool:
    """Only what this router was told to rely on: a provider may rest, another takes its place."""
    return service.kind == "role" and service.state == "down"


_FRESH = (("cache-control", "no-store"),)
