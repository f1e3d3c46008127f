"""The landing page: what runs, where to go, and what to paste. True without its script, too."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from router.contract import VERSION, ServiceView
from router.doors import health
from router.doors.call import Call
from router.pages import HEADERS, HTML, Markup, filled
from router.settings import Role

if TYPE_CHECKING:
    from router.service import Router

_STATES = {
    "up": "● up",
    "degraded": "◐ degraded",
    "down": "✗ down",
    "unknown": "○ unknown",
    "off": "– off",
}


async def landing(router: Router, call: Call) -> None:
    services = router.services()
    generation = router.generation
    listen = generation.listen
    base = "http://" + call.headers.get("host", f"localhost:{listen.port}")
    name = base.removeprefix("http://").rpartition(":")[0] or "localhost"
    groups = sorted(generation.groups.deployments)
    usual = "claude-3-5-sonnet-20241022"
    state = health.facts(router)
    page = filled(
        "landing.html",
        version=VERSION,
        overall="up" if state["status"] == "ok" else "degraded",
        summary=health.summary(router, services),
        base=base,
        ccr_key=_key(generation.ccr, "any"),
        litellm_key=_key(generation.litellm, "any"),
        model=usual if usual in groups or not groups else groups[0],
        console=f"ssh -p {listen.ssh_port} developer@{name}" if listen.ssh_port else "pointsman",
        points=Markup("".join(_points(router, base, services))),
        services=Markup("".join(map(_row, services))),
    )
    await call.answer(200, page, HTML, HEADERS)


def _key(role: Role, without: str) -> str:
    """What stands for the client's key in a snippet: never a key itself."""
    return f"your-{role.name}-key" if role.keys else without


def _points(router: Router, base: str, services: tuple[ServiceView, ...]) -> list[str]:
    """One card for each way in: those for a browser are links, those for programs are addresses."""
    states = {service.name: service.state for service in services}
    ways = [
        (site.title, f"{site.path}/" if site.path else f"http://{site.host}/", "", site.name)
        for site in router.generation.sites
    ]
    ways += [
        ("LiteLLM", "/litellm/", "models, admin", "LiteLLM"),
        ("Claude Code Router", "/ccr/ui", "routes", "CCR"),
    ]
    cards = [
        _card(f'<a href="{escape(path)}">{escape(title)}</a>', words, s)
        for title, path, words, s in ways
    ]
    for title, path, of in (
        ("OpenAI API", "/litellm/v1/", "LiteLLM"),
        ("CCR API", "/ccr/v1/", "CCR"),
        ("Claude Code", "/claude-code/v1/", "CCR"),
    ):
        cards.append(_card(f"<strong>{title}</strong><code>{escape(base + path)}</code>", "", of))
    return [
        card.replace("@", f'class="{states.get(s, "off")}">{_STATES[states.get(s, "off")]}')
        for card, s in cards
    ]


def _card(head: str, words: str, service: str) -> tuple[str, str]:
    """The card with "@" in the place of its state's class and words, and whose state that is."""
    about = f"<span>{escape(words)}</span>" if words else ""
    return f'<li>{head}{about}<span data-service="{escape(service)}" @</span></li>', service


def _row(service: ServiceView) -> str:
    first = "—" if service.p50_ms is None else f"{service.p50_ms:.0f} ms"
    simulated = "simulated" if service.mode == "simulated" else ""
    note = ": ".join(filter(None, (simulated, service.reason)))
    return (
        f'<tr><td>{escape(service.name)}<td class="{service.state}">{_STATES[service.state]}'
        f'<td class="number">{service.requests:,}<td class="number">{service.errors:,}'
        f'<td class="number">{first}<td>{escape(note)}'
    )
