"""The Claude Code Router role: Anthropic Messages, routed by the rules.

Serves `/ccr` and `/claude-code` on the front door and the root of port 3456. It keeps what Claude
Code expects of a gateway: nothing unknown is refused, both forms of key are taken, a refused key
says `x-should-retry: false` (else the client retries for minutes).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from router.call import Call
from router.caller import admitted, session_of
from router.contract import VERSION
from router.doors import discovery, relay, responses
from router.doors.border import guarded
from router.doors.console import at_the_front, moved
from router.errors import CallerError
from router.exchange import Surface, exchange
from router.formats import loose
from router.guards.body import read_body
from router.headers import lines
from router.record import Record
from router.settings import Secret

if TYPE_CHECKING:
    from router.service import Router

_PRESET = re.compile(r"/preset/([^/]+)/v1/messages")
_MODELS = re.compile(r"(?:/v1)?/models(?:/(.+))?")

#: where a completion is asked for, and the format that is spoken there
_SPOKEN = {"/v1/messages": "anthropic_messages", "/v1/chat/completions": "openai_chat"}
#: where a client tells of itself
_TELEMETRY = frozenset(("/api/event_logging/batch", "/v1/metrics", "/v1/logs", "/v1/traces"))
#: the guide's page for configuration, which is the console's
_UI = {"/ccr/ui": "../console/", "/ccr/ui/": "../../console/"}
#: for who opens the address that a client is given
_BASE = "is a base address: clients add /messages, /chat/completions, /responses or /models to it"


async def ccr(router: Router, call: Call) -> None:
    ui = _UI.get(call.scope["path"])
    if ui and router.generation.ccr.mode == "embedded":
        await moved(call, ui, "routes")
        return
    await _serve(router, call, "ccr")


async def claude_code(router: Router, call: Call) -> None:
    await _serve(router, call, "claude-code")


async def _serve(router: Router, call: Call, door: str) -> None:
    if call.method == "GET" and await relay.visited(router, call, router.generation.ccr):
        return
    dialect = "openai_responses" if "/responses" in call.path else "anthropic_messages"
    format = router.formats[dialect]
    await guarded(router, call, format, _route(router, call, door))


def _for_all(call: Call) -> dict[str, str] | None:
    """What is answered without a key: signs of life, and a client's telemetry, which is not kept (a
    404 would be an error at every flush). None for every other path."""
    if call.method == "POST":
        return {"status": "ok"} if call.path in _TELEMETRY else None
    if call.method not in ("GET", "HEAD"):
        return None
    match call.path:
        case "" | "/":
            return {"message": "LLMs API", "version": VERSION}
        case "/health":
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            return {"status": "ok", "timestamp": now}
        case "/api/hello":
            return {"message": "hello"}
    return None


async def _route(router: Router, call: Call, door: str) -> None:
    role = router.generation.ccr
    if (told := _for_all(call)) is not None:
        await call.json(200, told)
        return
    if role.mode == "external" and not call.path.startswith("/v1/messages"):
        await relay.relay(router, call, role)
        return
    if role.keys or router.cashier.on:
        _admit(router, call, role.keys)
    if call.method == "POST" and (format := _SPOKEN.get(call.path)):
        await exchange(router, call, _surface(router, call, door, format))
        return
    match call.method, call.path:
        case "POST", path if found := _PRESET.fullmatch(path):
            await exchange(router, call, _preset(router, call, door, found[1]))
        case "POST", "/v1/messages/count_tokens":
            await count_tokens(router, call)
        case _, path if responses.PATHS.fullmatch(path):
            surface = _surface(router, call, door, "openai_responses")
            again = partial(_serve, router, door=door)
            await responses.responses(router, call, surface, again)
        case "GET", path if found := _MODELS.fullmatch(path):
            listed = discovery.model(router, found[1]) if found[1] else None
            await call.json(200, listed or discovery.models(router, call))
        case _, path if path in _SPOKEN or path == "/v1/messages/count_tokens":
            raise CallerError(f"{call.method} is not served here: use POST", status=405)
        case "GET", "/ui" | "/ui/" if await at_the_front(router, call, "/ccr/ui/"):
            pass
        case _, path:
            base = f"{call.scope['path']} {_BASE}" if path in ("/v1", "/v1/") else ""
            raise CallerError(base or f"there is nothing at {call.scope['path']}", status=404)


def _admit(router: Router, call: Call, keys: Sequence[Secret]) -> None:
    """Raises CallerError."""
    key = call.key
    if (holder := router.cashier.find(key)) is not None:
        router.cashier.check(holder, call.path)
    elif keys and not admitted(key, keys):
        raise CallerError(
            "Invalid API key" if key else "APIKEY is missing",
            status=401,
            kind="credential",
            headers=(("x-should-retry", "false"),),
        )


def _surface(router: Router, call: Call, door: str, format: str) -> Surface:
    role = router.generation.ccr
    external = None
    if role.mode == "external":
        external = relay.candidate(role, call, format)
    return Surface(door, "ccr", router.formats[format], headers, external)


def _preset(router: Router, call: Call, door: str, name: str) -> Surface:
    hooks = router.generation.hooks
    if hooks is None or name not in (hooks.presets or ()):
        raise CallerError(f"there is no preset {name[:100]!r}", status=404, kind="missing")
    return replace(_surface(router, call, door, "anthropic_messages"), preset=name)


def headers(record: Record) -> str:
    """Header lines: what every answer of a routed request tells about its route."""
    attempts, told = record.attempts, ""
    if attempts and not record.pinged:  # then another may answer in the end
        last = attempts[-1]
        candidate, provider = last.candidate, last.candidate.provider
        told = _way(provider.name, candidate.model, record.rule, len(attempts), provider.simulated)
        if last.limits:
            told += lines(last.limits)
        if last.dropped:
            told += lines([("x-pointsman-dropped", ", ".join(last.dropped)[:500])])
    if record.problems:
        told += lines([("x-pointsman-problem", "; ".join(record.problems)[:500])])
    return told


@lru_cache(maxsize=1_024)
def _way(provider: str, model: str, rule: str, attempts: int, simulated: bool) -> str:
    """The same for nearly every answer of a model."""
    told = [
        ("x-pointsman-model", f"{provider},{model}"),
        ("x-pointsman-rule", rule),
        ("x-pointsman-attempts", str(attempts)),
    ]
    return lines(told + [("x-pointsman-simulated", "1")] * simulated)


async def count_tokens(router: Router, call: Call) -> None:
    """Counts here, not at a provider: Claude Code asks 26 times in a row and wants it fast."""
    raw = await read_body(call, router.generation.limits)
    request = loose.read(router.formats["anthropic_messages"].parse_request, raw)
    tokens, _ = await router.counter.count(request, None)
    seen = router.sessions.get(session_of(call.headers, request.body))
    if (
        seen is not None and not router.generation.routes.strict
    ):  # an estimate that is too low makes the client compact too late
        tokens = round(tokens * seen.ratio)
    await call.json(200, {"input_tokens": tokens})
