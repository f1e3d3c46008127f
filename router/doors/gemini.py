"""Google's Gemini API over the names of the LiteLLM role, for Gemini's SDKs and CLI.

Serves `/gemini` on the front door. Its one rule: the key is taken as these clients send it
(`x-goog-api-key`, or `?key=`, which goes no further than here).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from router.call import Call
from router.doors.border import guarded
from router.doors.litellm import admit, by_name
from router.doors.litellm.models import names
from router.errors import CallerError
from router.exchange import exchange
from router.formats.fields import body_of
from router.formats.gemini import Gemini
from router.formats.gemini.embed import GeminiEmbed
from router.guards.body import read_body
from router.messages import JSON
from router.other_endpoints.embed import embed

if TYPE_CHECKING:
    from router.service import Router

DOOR = "gemini"
_VERSION = r"/v1(?:beta|alpha)?(?:beta)?\d*"
_CALLED = re.compile(_VERSION + r"/(?:models|tunedModels)/(?P<model>.+):(?P<method>\w+)")
_MODELS = re.compile(_VERSION + r"/models(?:/(?P<model>[^:]+))?")
_METHODS = (
    *("generateContent", "streamGenerateContent", "countTokens", "embedContent"),
    "batchEmbedContents",
)


async def gemini(router: Router, call: Call) -> None:
    await guarded(router, call, router.formats["gemini"], _route(router, call))


async def _route(router: Router, call: Call) -> None:
    query = call.query
    # neither the client's key nor its wish for a framing is for a provider
    call.scope["query_string"] = b""
    admit(router, call, (query.get("key") or [""])[0])
    if found := _CALLED.fullmatch(call.path):
        if call.method != "POST":
            raise CallerError(f"{call.method} is not served here: use POST", status=405)
        await _serve(router, call, found["model"], found["method"], query)
    elif call.method in ("GET", "HEAD") and (found := _MODELS.fullmatch(call.path)):
        await call.json(200, _models(router, found["model"]))
    else:
        raise CallerError(f"there is nothing at {call.method} {call.path}", status=404)


async def _serve(
    router: Router, call: Call, model: str, method: str, query: dict[str, list[str]]
) -> None:
    match method:
        case "generateContent":
            await exchange(router, call, by_name(router, call, DOOR, Gemini(model)))
        case "streamGenerateContent":
            array = query.get("alt") != ["sse"]
            format = Gemini(model, stream=True, array=array)
            await exchange(router, call, by_name(router, call, DOOR, format))
        case "embedContent" | "batchEmbedContents":
            surface = by_name(router, call, DOOR, router.formats["gemini"])
            wire = GeminiEmbed(model, batch=method == "batchEmbedContents")
            await embed(router, call, surface, wire)
        case "countTokens":
            await _count(router, call, model)
        case _:
            text = f"{method} is not served here: there are {', '.join(_METHODS)}"
            raise CallerError(text, status=404)


async def _count(router: Router, call: Call, model: str) -> None:
    """Of `contents`, or of a whole request to come."""
    raw = await read_body(call, router.generation.limits)
    body = body_of(raw)
    inner = body.get("generateContentRequest")
    request = Gemini(model).parse_body(inner if isinstance(inner, dict) else body)
    tokens, _ = await router.counter.count(request, None)
    await call.json(200, {"totalTokens": tokens})


def _models(router: Router, name: str | None) -> JSON:
    known = names(router)
    if name is None:
        return {"models": [_model(each) for each in known]}
    if name not in known:
        raise CallerError(f"there is no model {name!r}: see /models", status=404, kind="missing")
    return _model(name)


def _model(name: str) -> JSON:
    return {
        "name": f"models/{name}",
        "version": "routed",
        "displayName": name,
        "supportedGenerationMethods": list(_METHODS),
    }
