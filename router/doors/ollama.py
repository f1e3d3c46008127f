"""Ollama's API over the names of the LiteLLM role, so that a client of Ollama works with any model.

Serves `/ollama` on the front door; `/ollama/v1` is the same OpenAI face that Ollama has. Its one
rule: what manages models on a disk (pull, push, create, delete) is refused in clear words.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from router.call import Call
from router.doors.border import guarded
from router.doors.litellm import admit, by_name, litellm
from router.doors.litellm.models import CREATED, names
from router.errors import CallerError
from router.exchange import exchange
from router.formats.fields import body_of
from router.formats.ollama_chat import OllamaChat, OllamaGenerate
from router.formats.ollama_chat.embed import OllamaEmbed
from router.formats.ollama_chat.writer import stamp
from router.guards.body import read_body
from router.messages import JSON
from router.other_endpoints.embed import embed
from router.settings import Provider

if TYPE_CHECKING:
    from router.service import Router

DOOR = "ollama"
#: clients compare it to learn what is served: the version whose API this is
VERSION = "0.14.0"
LATEST = ":latest"
_MANAGES = frozenset({"/api/pull", "/api/push", "/api/create", "/api/copy", "/api/delete"})
_POSTED = frozenset({"/api/chat", "/api/generate", "/api/show", "/api/embed", "/api/embeddings"})
_FORMATS: dict[str, type[OllamaChat]] = {"/api/chat": OllamaChat, "/api/generate": OllamaGenerate}


async def ollama(router: Router, call: Call) -> None:
    if call.path == "/v1" or call.path.startswith("/v1/"):
        await litellm(router, call)
    else:
        await guarded(router, call, router.formats["ollama_chat"], _route(router, call))


async def _route(router: Router, call: Call) -> None:
    match call.method, call.path:
        case "GET" | "HEAD", "" | "/":
            await call.answer(200, b"Ollama is running", "text/plain; charset=utf-8")
            return
        case "GET" | "HEAD", "/api/version":
            await call.json(200, {"version": VERSION})
            return
    admit(router, call)
    if call.method == "POST":
        _any_type(call)
    match call.method, call.path:
        case "POST", "/api/chat" | "/api/generate" as path:
            known = names(router)
            format = _FORMATS[path](lambda name: known_as(name, known))
            await exchange(router, call, by_name(router, call, DOOR, format))
        case "POST", "/api/embed" | "/api/embeddings" as path:
            surface = by_name(router, call, DOOR, router.formats["ollama_chat"])
            await embed(router, call, surface, OllamaEmbed(single=path == "/api/embeddings"))
        case "GET" | "HEAD", "/api/tags":
            await call.json(200, {"models": [_card(name) for name in names(router)]})
        case "GET" | "HEAD", "/api/ps":
            await call.json(200, {"models": _loaded(router)})
        case "POST", "/api/show":
            raw = await read_body(call, router.generation.limits)
            await call.json(200, _show(router, body_of(raw)))
        case _, path if path in _MANAGES or path.startswith("/api/blobs"):
            raise CallerError(
                f"{path}: models are not managed here, only routed: use `ollama` at the"
                " machine that has them, or the provider's own tools",
                status=501,
            )
        case _, path if path in _POSTED:
            raise CallerError(f"{call.method} is not served here: use POST", status=405)
        case _:
            raise CallerError(f"there is nothing at {call.method} {call.path}", status=404)


def _any_type(call: Call) -> None:
    """Ollama takes every body for JSON, and its own documentation asks by `curl -d`, which then
    says that it sends a form. A web page's form says its Origin, and was refused by that."""
    call.headers.pop("content-type", None)


def known_as(asked: str, known: list[str]) -> str:
    """The name among `known` that is meant ("x" and "x:latest" are one to Ollama's clients);
    `asked` itself where there is none."""
    if asked not in known:
        other = asked.removesuffix(LATEST) if asked.endswith(LATEST) else asked + LATEST
        if other in known:
            return other
    return asked


def _card(name: str) -> JSON:
    return {
        "name": name,
        "model": name,
        "modified_at": stamp(CREATED),
        "size": 0,
        "digest": "",
        "details": {
            "parent_model": "",
            "format": "",
            "family": "",
            "families": [],
            "parameter_size": "",
            "quantization_level": "",
        },
    }


def _served(router: Router, name: str) -> tuple[Provider, str] | None:
    """The provider and its model behind a name; the first of several."""
    generation = router.generation
    group = generation.groups.aliases.get(name, name)
    for deployment in generation.groups.deployments.get(group, ()):
        if provider := generation.provider(deployment.target.provider):
            return provider, deployment.target.model
    return None


def _loaded(router: Router) -> list[JSON]:
    """Names whose model an Ollama behind us holds in memory now."""
    found = []
    for name in names(router):
        served = _served(router, name)
        if served is not None and (size := served[0].loaded.get(served[1])):
            expires = datetime.fromtimestamp(router.wall() + 300, UTC).isoformat()
            found.append(
                {**_card(name), "expires_at": expires, "size_vram": 0, "context_length": size}
            )
    return found


def _show(router: Router, body: JSON) -> JSON:
    asked = body.get("model") or body.get("name")
    if not isinstance(asked, str):
        raise CallerError("model: should be a string", param="model")
    name = known_as(asked, names(router))
    if name not in names(router):
        raise CallerError(f"model '{asked}' not found: see /api/tags", status=404, kind="missing")
    served = _served(router, name)
    info: JSON = {"general.architecture": "routed", "general.basename": name}
    if served is not None:
        context = served[0].context
        if size := context.get(served[1], context.get("")):
            info["routed.context_length"] = size
    return {
        "modelfile": f"# routed by Pointsman\nFROM {name}",
        "parameters": "",
        "template": "",
        "details": _card(name)["details"],
        "model_info": info,
        # what a model behind a name can do is not known for all: none is kept from trying
        "capabilities": ["completion", "tools", "vision"],
        "modified_at": stamp(CREATED),
    }
