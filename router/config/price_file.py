"""The price map that was given by `pointsman prices --update FILE`, where there is one.

One rule: a map that cannot be read is a problem that is said, and the catalogue prices instead; it
refuses no configuration.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from router.contract import Finding
from router.prices.map import PriceMap, read
from storage.home import owned_as

WHAT = "price map"


def parsed(data: bytes) -> dict[str, Any]:
    """The entries of a map. Raises ValueError for what is none, with what is wrong."""
    try:
        entries = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"is no JSON: {error}") from None
    if not isinstance(entries, dict):
        raise ValueError("should be an object of models, as LiteLLM's price map is")
    if not any(isinstance(e, dict) and read(e, "") is not None for e in entries.values()):
        raise ValueError("has no model with input_cost_per_token or output_cost_per_token")
    return entries


def install(given: Path, path: Path) -> None:
    """Puts a map in the place of this home's, readable by its owner alone. Raises ValueError for
    what is no map, OSError; then nothing has changed."""
    data = given.read_bytes()
    parsed(data)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        owned_as(path.parent, file)
    fresh.replace(path)


def load(path: Path) -> tuple[PriceMap | None, list[Finding]]:
    """The map of this home, with a finding where there is a file."""
    try:
        data = path.read_bytes()
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None, []
    except OSError as error:
        return None, [Finding(WHAT, str(path), "problem", f"cannot be read: {error.strerror}")]
    try:
        entries = parsed(data)
    except ValueError as error:
        return None, [Finding(WHAT, str(path), "problem", str(error))]
    name = f"price map of {written:%Y-%m-%d}"
    text = f"{len(entries):,} models; used before the catalogue"
    return PriceMap(entries, name), [Finding(WHAT, str(path), "found", text)]
