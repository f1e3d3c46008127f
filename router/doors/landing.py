"""The landing page: where to go, what to paste, and what runs. True without its script, too.

One rule: what /health keeps from strangers is not told here either, and a key never is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from router.call import Call
from router.contract import VERSION, ServiceView
from router.doors import health
from router.doors.site import stands_in
from router.guards.origin import scheme
from router.pages import HEADERS, HTML, Markup, filled
from router.settings import Role, Site

if TYPE_CHECKING:
    from router.service import Router

_STATES = {
    "up": "● up",
    "degraded": "◐ degraded",
    "down": "✗ down",
    "unknown": "○ unknown",
    "off": "– off",
}
#: kinds of services whose own traffic nobody counts
_UNCOUNTED = ("neighbour", "ssh")
#: the guide's, where it is offered
_USUAL = "claude-3-5-sonnet-20241022"
_PLAIN = re.compile(r"[\w.:/@+-]+")


class Way(Struct, frozen=True):
    """One way in. `service`: whose state it shows; "": none."""

    title: str
    place: str
    about: str
    service: str = ""


async def landing(router: Router, call: Call, told: bool) -> None:
    """`told`: whether the one who asks may see the figures."""
    generation = router.generation
    listen = generation.listen
    services = router.services() if told else ()
    states = {service.name: service.state for service in services}
    host = call.headers.get("host", f"localhost:{listen.port}")
    base = f"{scheme(host, listen.origins)}://{host}"
    name = urlsplit(base).hostname or "localhost"
    page = filled(
        "landing.html",
        version=VERSION,
        base=base,
        ccr_key=_key(generation.ccr, "any"),
        litellm_key=_key(generation.litellm, "any"),
        model=_model(generation.groups.deployments),
        console=f"ssh -p {listen.ssh_port} developer@{name}" if listen.ssh_port else "pointsman",
        doors=Markup("".join(_door(way, states) for way in _doors(router))),
        apis=Markup("".join(_api(way, states) for way in _apis(base))),
        status=Markup(_status(router, services) if told else ""),
        simulated=Markup(_SIMULATED if router.generation.simulated_only() else ""),
        services=Markup(_table(services) if told else _UNTOLD),
    )
    await call.answer(200, page, HTML, HEADERS)


def _model(groups: Iterable[str]) -> str:
    """One that can be asked for as it stands: a name with a quote would end a shell's, and one with
    a star is many."""
    plain = sorted(filter(_PLAIN.fullmatch, groups))
    if _USUAL in plain or not groups:
        return _USUAL
    return plain[0] if plain else "your-model"


def _key(role: Role, without: str) -> str:
    """What stands for the client's key in a snippet: never a key itself."""
    return f"your-{role.name}-key" if role.keys else without


def _doors(router: Router) -> list[Way]:
    """What opens in a browser."""
    generation = router.generation
    admin, routes = _pages(generation.litellm), _pages(generation.ccr)
    return [
        Way("Console", "/console/", "every request, its route, why, and what it costs"),
        *(_neighbour(router, site) for site in generation.sites),
        Way("LiteLLM", "/litellm/", f"models and health, in {admin}", "LiteLLM"),
        Way("Claude Code Router", "/ccr/ui", f"routes, in {routes}", "CCR"),
    ]


def _pages(role: Role) -> str:
    """Whose pages open there."""
    return "its own pages" if role.mode == "external" else "the console"


def _neighbour(router: Router, site: Site) -> Way:
    place = f"{site.path}/" if site.path else f"http://{site.host}/"
    if stands_in(router, site):
        return Way(
            site.name.capitalize(), place, f"the console's {site.stand_in}, until {site.title} runs"
        )
    return Way(site.title, place, site.about or f"at {site.path or site.host}", site.name)


def _apis(base: str) -> list[Way]:
    return [
        Way("OpenAI", f"{base}/litellm/v1", "any OpenAI client", "LiteLLM"),
        Way("Claude Code", f"{base}/claude-code", "ANTHROPIC_BASE_URL", "CCR"),
        Way("CCR", f"{base}/ccr/v1", "routed by what a request is", "CCR"),
        Way("Ollama", f"{base}/ollama", "OLLAMA_HOST", ""),
        Way("Gemini", f"{base}/gemini", "Google's SDKs and CLI", ""),
    ]


def _door(way: Way, states: Mapping[str, str]) -> str:
    return (
        f'<li><a href="{escape(way.place)}">{escape(way.title)}</a>{_state(way, states)}'
        f"<p>{escape(way.about)}</p></li>"
    )


def _api(way: Way, states: Mapping[str, str]) -> str:
    return (
        f"<li><strong>{escape(way.title)}</strong>{_state(way, states)}"
        f"<code>{escape(way.place)}</code><p>{escape(way.about)}</p></li>"
    )


def _state(way: Way, states: Mapping[str, str]) -> str:
    state = states.get(way.service, "")
    if not state:
        return ""
    return f'<span data-service="{escape(way.service)}" class="{state}">{_STATES[state]}</span>'


def _status(router: Router, services: tuple[ServiceView, ...]) -> str:
    well = health.facts(router)["status"] == "ok" and not router.generation.simulated_only()
    ill = any(service.state in ("degraded", "down") for service in services)
    kind = "up" if well and not ill else "degraded"
    words = escape(health.summary(router, services))
    return f'<p id="summary" role="status" class="{kind}">{words}</p>'


def _table(services: tuple[ServiceView, ...]) -> str:
    """Drawn anew by landing.js as time goes on, in the same form."""
    return (
        '<table><thead><tr><th scope="col">Service<th scope="col">State'
        '<th scope="col" class="number">Requests<th scope="col" class="number">Errors'
        '<th scope="col" class="number">First byte<th scope="col">Note</thead>'
        f'<tbody id="services">{"".join(map(_row, services))}</tbody></table>'
        "<p>Requests and errors since the router started; the first byte as it is of late.</p>"
    )


def _row(service: ServiceView) -> str:
    counted = service.kind not in _UNCOUNTED
    requests = f"{service.requests:,}" if counted else ""
    errors = f"{service.errors:,}" if counted else ""
    first = "" if service.p50_ms is None else f"{service.p50_ms:.0f} ms"
    simulated = "simulated" if service.mode == "simulated" else ""
    note = ": ".join(filter(None, (simulated, service.reason)))
    return (
        f'<tr><td>{escape(service.name)}<td class="{service.state}">{_STATES[service.state]}'
        f'<td class="number" data-of="requests">{requests}'
        f'<td class="number" data-of="errors">{errors}'
        f'<td class="number" data-of="first byte">{first}<td>{escape(note)}'
    )


_SIMULATED = (
    '<p class="notice">No provider has a key yet, so <strong>every answer is simulated</strong>.'
    " <code>pointsman doctor</code> says which keys and programs were looked for.</p>"
)
_UNTOLD = (
    "<p>Told to those who show a client's key:"
    ' <code>curl -H "Authorization: Bearer …" …/health</code></p>'
)
