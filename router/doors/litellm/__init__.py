"""The LiteLLM role: OpenAI's API over named groups of models.

Serves `/litellm` on the front door and the root of port 4000, with and without `/v1`, since
LiteLLM's own client leaves it out. Errors have LiteLLM's shape, the code as a string.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import msgspec

from router.call import Call
from router.caller import admitted
from router.doors import ccr, management, relay, responses
from router.doors.border import guarded
from router.doors.console import at_the_front, moved
from router.doors.litellm.answers import headers
from router.doors.litellm.errors import formats
from router.doors.litellm.health import health
from router.doors.litellm.models import listed
from router.errors import CallerError
from router.exchange import Surface, exchange
from router.formats import Format, other_endpoints
from router.other_endpoints.embed import embed
from router.other_endpoints.forward import forward
from router.wishes.taken import wishes_of

if TYPE_CHECKING:
    from router.service import Router

#: what is answered by a completion, and the format that its path speaks
_COMPLETIONS = (
    (re.compile(r"(/v1|/(engines|openai/deployments)/.+)?/chat/completions"), "openai_chat"),
    (re.compile(r"(/v1|/(engines|openai/deployments)/.+)?/completions"), "openai_completions"),
    (re.compile(r"/v1/messages"), "anthropic_messages"),
)
_EMBED = re.compile(r"(/v1)?/embeddings|/(engines|openai/deployments)/.+/embeddings")
#: Azure's paths, and the old ones of OpenAI, name the model: that goes before the body's
_NAMES = re.compile(
    r"/(?:engines|openai/deployments)/(.+?)/(?:(?:chat/)?completions|embeddings|responses)"
)
_MODELS = re.compile(r"(?:/v1)?/models(?:/(.+))?")
#: for who opens the address that a client is given
_BASE = "is a base address: clients add /chat/completions, /embeddings, /models, … to it"
#: what a meter must read; everything else of an external LiteLLM is relayed as it is
_METERED = re.compile(
    r".*/(completions|responses|embeddings|messages|images/\w+|audio/\w+|moderations|rerank)"
)
_POSTED = re.compile(rf"(?:{_METERED.pattern})|.*/count_tokens")


async def litellm(router: Router, call: Call) -> None:
    if call.method == "GET" and await relay.visited(router, call, router.generation.litellm):
        return
    completes = _completing(call.path)
    format = _spoken(router, completes or _dialect(call.path))
    await guarded(router, call, format, _route(router, call, format if completes else None))


def _spoken(router: Router, dialect: str) -> Format:
    role = router.generation.litellm
    return formats(role.errors, role.over_budget).get(dialect) or router.formats[dialect]


def _dialect(path: str) -> str:
    """In which format the errors of a path are told."""
    if path.startswith("/v1/messages"):
        return "anthropic_messages"
    return "openai_responses" if responses.PATHS.fullmatch(path) else "openai_chat"


@lru_cache(maxsize=256)
def _completing(path: str) -> str:
    """The format of a path that completes; "" for any other."""
    return next((format for paths, format in _COMPLETIONS if paths.fullmatch(path)), "")


async def _route(router: Router, call: Call, completes: Format | None) -> None:
    """`completes`: what is spoken at a path that completes."""
    role = router.generation.litellm
    external = role.mode == "external"
    if external and not _read_here(call):
        await relay.relay(router, call, role)
        return
    if call.method in ("GET", "HEAD") and await _public(router, call):
        return
    if not external:
        admit(router, call)
    if completes is not None and call.method == "POST":
        await exchange(router, call, _surface(router, call, completes))
        return
    match call.method, call.path:
        case _, path if responses.PATHS.fullmatch(path):
            surface = _surface(router, call, _spoken(router, "openai_responses"))
            await responses.responses(router, call, surface, partial(litellm, router))
        case "POST", path if _EMBED.fullmatch(path):
            await embed(router, call, _surface(router, call, _spoken(router, "openai_chat")))
        case "POST", path if other_endpoints.PATHS.fullmatch(path):
            await forward(router, call, _surface(router, call, _spoken(router, "openai_chat")))
        case "POST", "/v1/messages/count_tokens":
            await ccr.count_tokens(router, call)
        case "GET", path if found := _MODELS.fullmatch(path):
            await call.json(200, listed(router, found[1], call.key))
        case method, path if (found_route := management.find(method, path)) is not None:
            await management.serve(router, call, *found_route)
        case method, path if method != "POST" and _POSTED.fullmatch(path):
            raise CallerError(f"{method} is not served here: use POST", status=405)
        case _:
            raise CallerError(_nothing(call), status=404)


def _nothing(call: Call) -> str:
    base = call.path in ("/v1", "/v1/")
    return (
        f"{call.scope['path']} {_BASE}"
        if base
        else f"there is nothing at {call.method} {call.path}"
    )


def _read_here(call: Call) -> bool:
    """Whether a request for an external LiteLLM is metered, and not just relayed."""
    if call.method == "POST":
        return _METERED.fullmatch(call.path) is not None
    return responses.is_socket(call)


async def _public(router: Router, call: Call) -> bool:
    """What needs no key."""
    match call.path:
        case "" | "/" if call.scope["path"] in ("/litellm", "/litellm/"):
            # the guide's admin page
            deep = call.scope["path"].endswith("/")
            await moved(call, "../console/" if deep else "console/", "health")
        case "" | "/":
            await call.json(200, {"message": "LiteLLM role of Pointsman", "docs": "/v1/models"})
        case "/ui" | "/ui/" if await at_the_front(router, call, "/litellm/"):
            pass
        case "/health":
            admit(router, call)
            wanted = {name: (call.query.get(name) or [""])[0] for name in ("model", "model_id")}
            told = health(router, **wanted)
            # as LiteLLM's: of a model that is asked for, the status alone says whether it serves
            failed = any(wanted.values()) and not told["healthy_count"]
            await call.json(503 if failed else 200, told)
        case "/health/liveliness" | "/health/liveness":
            await call.json(200, "I'm alive!")
        case "/health/readiness":
            await call.json(200, {"status": "healthy", "db": "connected", "cache": None})
        case _:
            return False
    return True


def admit(router: Router, call: Call, key: str = "") -> None:
    """`key`: where a client shows it in a place of its own. Raises CallerError."""
    if key and not call.key:
        call.key = key.strip()  # whose it is counts from here on
    keys = router.generation.litellm.keys
    if not keys and not router.cashier.on:
        return
    key = call.key
    if key and key == call.headers.get("authorization"):
        raise CallerError(
            "Authentication Error, Malformed API Key passed in. Ensure Key has `Bearer ` prefix.",
            status=401,
            kind="credential",
            code="auth_error",
        )
    if (holder := router.cashier.find(key)) is not None:
        router.cashier.check(holder, call.path)
        return
    if not keys:
        return
    if not key:
        raise CallerError(
            "Authentication Error, No api key passed in.",
            status=401,
            kind="credential",
        )
    if not admitted(key, keys):
        raise CallerError(
            "Authentication Error, Invalid proxy server token passed.",
            status=401,
            kind="credential",
            code="token_not_found_in_db",
        )


def _surface(router: Router, call: Call, format: Format) -> Surface:
    role = router.generation.litellm
    external = relay.candidate(role, call, format.name) if role.mode == "external" else None
    wishes = None if external else wishes_of
    named = _NAMES.fullmatch(call.path) if call.path.startswith(("/engines/", "/openai/")) else None
    if named:
        call.scope["query_string"] = b""  # Azure's api-version speaks of an API that ends here
    return Surface(
        "litellm",
        "litellm",
        format,
        partial(headers, router),
        external,
        wishes,
        model=named[1] if named else "",
    )


def by_name(router: Router, call: Call, door: str, format: Format) -> Surface:
    """For the doors of other dialects whose clients choose a model by its name as well."""
    role, external = router.generation.litellm, None
    if role.mode == "external":
        external = relay.candidate(role, call, "openai_chat")
        provider = replace(external.provider, url=role.url.rstrip("/") + "/v1/chat/completions")
        external = msgspec.structs.replace(external, provider=provider)
    return Surface(door, "litellm", format, partial(headers, router), external)
