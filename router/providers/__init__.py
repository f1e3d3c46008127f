"""Providers as data: one file each, found by being here. Adding one is adding a file.

`KINDS` has them all by name. A provider of no known kind is "compatible": it speaks OpenAI's
format and nothing more is assumed of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatch
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from urllib.parse import urlsplit

from router.providers.kind import Kind, Quirks

__all__ = ["KINDS", "Kind", "Quirks", "also", "kind_of", "litellm_kind", "quirks"]


def _found() -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for module in iter_modules(__path__):
        kind = getattr(import_module(f"{__name__}.{module.name}"), "KIND", None)
        if isinstance(kind, Kind):
            kinds[kind.name] = kind
    return kinds


KINDS: Mapping[str, Kind] = MappingProxyType(_found())

_HOSTS = {
    urlsplit(k.base).hostname: k.name for k in KINDS.values() if k.base and not (k.local or k.needs)
}
_LIKE = {kind.hosts: kind.name for kind in KINDS.values() if kind.hosts}
_PREFIXES = {prefix: kind.name for kind in KINDS.values() for prefix in kind.litellm}


@lru_cache(maxsize=256)
def quirks(kind: str) -> Quirks:
    """The dialect of a kind; that of "compatible" for one that is not known."""
    return KINDS.get(kind, KINDS["compatible"]).quirks


@lru_cache(maxsize=256)
def also(kind: str) -> Mapping[str, str]:
    """Formats that a kind speaks besides its own, and their paths behind the base."""
    return KINDS.get(kind, KINDS["compatible"]).also


def kind_of(url: str) -> Kind:
    """The kind that serves an address, told by its host; Ollama, by its port or its own path."""
    parts = urlsplit(url)
    if parts.port == 11434 or parts.path.endswith("/api/chat"):
        return KINDS["ollama"]
    host = parts.hostname or ""
    found = _HOSTS.get(host) or next((n for like, n in _LIKE.items() if fnmatch(host, like)), "")
    return KINDS[found or "compatible"]


def litellm_kind(prefix: str) -> Kind | None:
    """The kind that LiteLLM names with `prefix/` before a model; None if we know none."""
    name = _PREFIXES.get(prefix)
    return KINDS[name] if name else None
