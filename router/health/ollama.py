"""What an Ollama tells of its models: how many tokens each can hold, and is loaded with now.

Its one rule: asked off the request's path, by the probe that looks after this machine; what is
learnt is put beside the configuration, and what a person configured wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
from msgspec import Struct, field

from router.settings import Generation, Provider

#: models asked about in one round: a machine may have hundreds
AT_ONCE = 8
_LATEST = ":latest"


class Rooms(Struct):
    """Of one Ollama: model → tokens it was built for, model → tokens it is loaded with."""

    most: dict[str, int] = field(default_factory=dict)
    loaded: dict[str, int] = field(default_factory=dict)
    #: bytes of graphics memory it takes, and when it is let go, as Ollama writes it
    held: dict[str, tuple[int | None, str]] = field(default_factory=dict)


def asked(generation: Generation) -> dict[str, set[str]]:
    """Root address of each Ollama on this machine or network → the models we know of."""
    found: dict[str, set[str]] = {}
    for provider in generation.providers.values():
        if provider.kind == "ollama" and provider.local:
            found.setdefault(root(provider), set()).update(provider.models)
    return found


async def ask(http: httpx.AsyncClient, address: str, models: set[str], rooms: Rooms) -> None:
    """Brings `rooms` up to date. Raises httpx.HTTPError; another program's answers say nothing."""
    rooms.loaded, rooms.held = {}, {}
    for entry in _entries(await _get(http, f"{address}/api/ps")):
        _put(rooms.loaded, entry.get("name"), entry.get("context_length"))
        vram, until = entry.get("size_vram"), entry.get("expires_at")
        rooms.held[str(entry.get("name"))] = (
            vram if isinstance(vram, int) else None,
            until[:40] if isinstance(until, str) else "",
        )
    # a new model may have been pulled under a name that nobody wrote down
    for name in [*rooms.loaded, *sorted(models - rooms.most.keys())][:AT_ONCE]:
        if name not in rooms.most:
            info = await _get(http, f"{address}/api/show", {"model": name})
            found = info.get("model_info")
            for key, value in found.items() if isinstance(found, dict) else ():
                if str(key).endswith(".context_length"):
                    _put(rooms.most, name, value)


def learnt(generation: Generation, told: Mapping[str, Rooms]) -> Generation:
    """The generation with what each Ollama told; the same object where none has told anything."""
    changed = {}
    for name, provider in generation.providers.items():
        rooms = told.get(root(provider)) if provider.kind == "ollama" else None
        if rooms is not None and (rooms.most or rooms.loaded):
            # Only its own API can be asked for more than a model is loaded with.
            holds = rooms.most if provider.format == "ollama_chat" else rooms.loaded
            context = {**holds, **provider.context}
            changed[name] = replace(provider, context=context, loaded=dict(rooms.loaded))
    if not changed:
        return generation
    return replace(generation, providers={**generation.providers, **changed})


def root(provider: Provider) -> str:
    return provider.base.removesuffix("/v1")


async def _get(http: httpx.AsyncClient, url: str, body: object = None) -> dict[str, Any]:
    """The object that is answered; {} for whatever is none."""
    response = await (http.get(url) if body is None else http.post(url, json=body))
    try:
        value = response.json() if response.status_code == 200 else None
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {}


def _entries(answer: dict[str, Any]) -> list[dict[str, Any]]:
    models = answer.get("models")
    return [m for m in models if isinstance(m, dict)] if isinstance(models, list) else []


def _put(sizes: dict[str, int], name: Any, size: Any) -> None:
    """A name without a tag means the latest: both are known by."""
    if isinstance(name, str) and type(size) is int and size > 0:
        sizes[name] = sizes[name.removesuffix(_LATEST)] = size
