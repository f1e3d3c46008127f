"""Models, or a whole provider, added to CCR's config.json: what `ccr model` asks then.

One rule: a key is neither shown as it is typed nor told afterwards.
"""

from __future__ import annotations

import json
from typing import Any

import click

from console.output import fail, out, secret, who, with_link
from console.text import clean


def add(provider: str) -> None:
    """Asks for what is missing ("" as provider: a new one), writes it, and uses it at once."""
    from router.contract import AddModels, Edited, Refused

    address, key = "", ""
    transformers: tuple[Any, ...] = ()
    if not provider:
        provider = click.prompt("Name of the provider").strip()
        address = click.prompt("Address (api_base_url, as …/v1/chat/completions)").strip()
        key = secret("Key, or $VARIABLE", default="").strip()
    models = tuple(_names(click.prompt("Models (comma between)")))
    if address:
        transformers = tuple(
            _uses(click.prompt("Transformers (comma between)", "", show_default=False))
        )
    action = AddModels(provider, models, address, key, transformers, by=who())
    added = with_link(lambda link: link.act(action))
    if isinstance(added, Refused):
        fail(added.message)
    assert isinstance(added, Edited)
    out(clean(added.message))
    out(f"{'written into' if added.applied else 'as it stands in'} {clean(added.file)}")


def _names(text: str) -> list[str]:
    return [name for each in text.split(",") if (name := each.strip())]


def _uses(text: str) -> list[Any]:
    """Names, or a list as config.json has it: [["maxtoken", {"max_tokens": 65536}], "deepseek"]."""
    if not text.lstrip().startswith("["):
        return list(_names(text))
    try:
        found = json.loads(text)
    except ValueError as error:
        fail(f"transformers: not JSON: {error}")
    return list(found)
