"""The list of models behind the Claude Code doors, in Anthropic's form with OpenAI's fields beside.

A client that speaks Anthropic's API (it sends anthropic-version, as Claude Code does) gets ids that
its picker keeps; any other gets "provider,model".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.aliases import PREFIX, aliases, resolved
from router.call import Call
from router.errors import CallerError

if TYPE_CHECKING:
    from router.service import Router

#: a fixed date for the models we list: clients require the field and nobody knows the true one
CREATED = "2026-01-01T00:00:00Z"


def models(router: Router, call: Call) -> dict[str, object]:
    """All of them at once: no list is so long that it needs pages."""
    if "anthropic-version" in call.headers:
        data = [_model(id, target) for id, target in aliases(router.generation).items()]
    else:
        data = [_model(target, target) for target in router.generation.targets()]
    return {
        "data": data,
        "has_more": False,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "object": "list",
    }


def model(router: Router, name: str) -> dict[str, object]:
    """One model by either of its ids."""
    target = resolved(router.generation, name) if name.startswith(PREFIX) else name
    if target not in router.generation.targets():
        raise CallerError(f"there is no model {name!r}: see /v1/models", status=404, kind="missing")
    return _model(name, target)


def _model(id: str, target: str) -> dict[str, object]:
    return {
        "type": "model",
        "id": id,
        "display_name": target.replace(",", "/", 1),
        "created_at": CREATED,
        "object": "model",
        "owned_by": target.split(",", 1)[0],
    }
