"""The first system block of Claude Code, "x-anthropic-billing-header: …", which is for Anthropic.

It changes from request to request: left in, it would spoil the cached prefix at every other
provider. Its one rule: what is taken out is taken out of the bytes too, and no other byte changes.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from router.formats.anthropic_messages.parse import NAME
from router.formats.splice import splice
from router.messages import Request, Text
from router.settings import Provider

MARK = "x-anthropic-billing-header"


def meant_for(provider: Provider, model: str) -> bool:
    """Whether the block may go there: to a Claude behind Anthropic's own API."""
    return provider.kind == "anthropic" and "claude" in model.lower()


def without_billing(request: Request) -> Request:
    """The request without that block; the same object where there is none."""
    if request.dialect != NAME or not request.system:
        return request
    first = request.system[0]
    if type(first) is not Text or not first.text.startswith(MARK):
        return request
    blocks = request.body.get("system")
    if not isinstance(blocks, list):  # one string that begins so: a person's own
        return request
    kept = {"system": blocks[1:]}
    raw = splice(request.raw, {"system": msgspec.json.encode(blocks[1:])}) if request.raw else b""
    return replace(request, system=request.system[1:], body={**request.body, **kept}, raw=raw)
