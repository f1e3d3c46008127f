"""What one source of configuration gave: the words that the sources and `load` share."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from router.config.document import Document
from router.config.interpolate import unresolved
from router.contract import Finding
from router.prices import nano
from router.providers.adjustments import CHANGES, NATIVE
from router.settings import (
    NO_KEY,
    Adjustment,
    Budget,
    Deployment,
    Groups,
    Price,
    Provider,
    ResponseCaching,
    Routes,
    Secret,
)

#: what people paste from guides: no protection on any address that others can reach
DEFAULT_KEYS = frozenset(
    {
        "ccr-dev-key-2024",
        "your-litellm-key",
        "your-secret-key",
        "sk-1234",
        "sk-litellm",
        "devpassword",
        "test",
        "changeme",
        "secret",
    }
)


class Key(BaseModel):
    """One of several keys of a provider: the heavier, the more requests it gets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(min_length=1)
    weight: float = Field(default=1.0, ge=0)


SECRET_NAME = re.compile(
    r"(api_?key|apikey|master_key|^(?:api_)?keys?$|token$|secret|password)", re.I
)


@dataclass(slots=True)
class Part:
    """`groups` and `routes` are None where the source says nothing of that plane."""

    providers: dict[str, Provider] = field(default_factory=dict)
    routes: Routes | None = None
    groups: Groups | None = None
    key: Secret = NO_KEY  # what clients of this source's role must show
    over_budget: int | None = None  # the status of a request over its budget
    port: int | None = None
    proxy: Secret = NO_KEY  # address of the proxy on the way to providers
    cache: ResponseCaching | None = None
    budgets: tuple[Budget, ...] = ()
    #: deployments beside the usual ones, where the source names no others
    added: dict[str, tuple[Deployment, ...]] = field(default_factory=dict)
    retry: dict[str, Any] = field(default_factory=dict)  # fields of RetryPolicy
    findings: list[Finding] = field(default_factory=list)
    document: Document | None = None
    #: further files that it was made from
    follows: tuple[str, ...] = ()
    #: the same with its variables put in
    resolved: Document | None = None


def problem(what: str, document: Document, text: str, *path: str | int) -> Finding:
    return Finding(what, document.where(*path), "problem", text)


def exposed(what: str, document: Document) -> list[Finding]:
    """A problem where other users of the machine can change a file, and so what runs here, or can
    read one that holds a secret."""
    try:
        mode = os.stat(document.file).st_mode
    except OSError:
        return []
    if mode & stat.S_IWOTH:
        text = f"others may change it, and so what runs here: chmod 600 {document.file}"
        return [Finding(what, document.file, "problem", text)]
    if not mode & (stat.S_IRGRP | stat.S_IROTH) or not _holds_secret(document.data):
        return []
    text = f"holds keys and others may read it: chmod 600 {document.file}"
    return [Finding(what, document.file, "problem", text)]


def _holds_secret(value: Any, name: str = "") -> bool:
    if isinstance(value, Mapping):
        return any(_holds_secret(inner, str(key)) for key, inner in value.items())
    if isinstance(value, list):
        return any(_holds_secret(inner, name) for inner in value)
    return (
        isinstance(value, str)
        and bool(value)
        and SECRET_NAME.search(name) is not None
        and not unresolved(value)
    )


def sorted_out(
    what: str, document: Document, found: list[tuple[Adjustment, tuple[str | int, ...]]]
) -> tuple[tuple[Adjustment, ...], list[Finding]]:
    """The adjustments that change a body, and a finding for each name that cannot be honoured."""
    kept, findings = [], []
    for adjustment, path in found:
        if adjustment.name in CHANGES:
            kept.append(adjustment)
        elif adjustment.name not in NATIVE:
            known = ", ".join(sorted({*CHANGES, *NATIVE}))
            text = f"no adjustment is called {adjustment.name!r} (known: {known})"
            findings.append(problem(what, document, text, *path))
    return tuple(kept), findings


def several_keys(one: str, many: Sequence[str | Key]) -> tuple[tuple[Secret, float], ...]:
    """All keys of a provider with their weights; none where there is but one."""
    keys = [(Secret(one), 1.0)] if one else []
    for each in many:
        weight = 1.0 if isinstance(each, str) else each.weight
        keys.append((Secret(each if isinstance(each, str) else each.key), weight))
    kept = {key.reveal(): (key, weight) for key, weight in keys if key}
    return tuple(kept.values()) if len(kept) > 1 else ()


def first_key(many: Sequence[str | Key]) -> str:
    return next((one if isinstance(one, str) else one.key for one in many), "")


def once_per_key(provider: Provider) -> Provider:
    """A provider of several keys holds itself once for each: rests and draws are of a key."""
    if not provider.keys:
        return provider
    each = tuple(
        replace(provider, key=key, keys=(), slot=slot, weight=weight)
        for slot, (key, weight) in enumerate(provider.keys, 1)
    )
    return replace(provider, key=each[0].key, per_key=each)


def per_million(dollars: float | None) -> float | None:
    """Dollars per million tokens as nano-dollars per token; None stays unknown."""
    return None if dollars is None else nano(Decimal(str(dollars)), 1_000_000)


def price(
    input: float | None, output: float | None, *, source: str, **others: float | None
) -> Price:
    """A price from dollars per million tokens; `others` are fields of Price. A price of 0 for both
    is free, caches and searches included."""
    rates: dict[str, Any] = {name: per_million(value) for name, value in others.items()}
    if input == 0 and output == 0:
        free = ("cache_read", "cache_write", "cache_write_1h", "search")
        rates |= {name: 0 for name in free if rates.get(name) is None}
    return Price(per_million(input), per_million(output), source=source, **rates)
