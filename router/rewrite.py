"""REWRITE_SYSTEM_PROMPT: a person's own text in the place of Claude Code's. Pure.

CCR replaces what stands before the last `<env>` of the second system block. Today's Claude Code has
three blocks, of which the last is its prompt and none holds an `<env>`: that one is then replaced
whole. A subagent keeps its own prompt, as does what is not Claude Code.
"""

from __future__ import annotations

from msgspec.structs import replace

from router.messages import Request, Text

ENV = "<env>"
BILLING = "x-anthropic-billing-header"
_SUBAGENT = "cc_is_subagent=true"


def rewritten(request: Request, prompt: str, *, strict: bool) -> Request:
    """The request with `prompt` in its system; the same object where there is no place for it."""
    system = request.system
    for place, part in enumerate(system):
        allowed = place == 1 if strict else place > 0
        if allowed and isinstance(part, Text) and ENV in part.text:
            kept = ENV + part.text.rpartition(ENV)[2]
            return _with(request, place, replace(part, text=prompt + kept))
    if strict or len(system) < 3:
        return request
    first, last = system[0], system[2]
    if not isinstance(first, Text) or not isinstance(last, Text):
        return request
    if not first.text.startswith(BILLING) or _SUBAGENT in first.text:
        return request
    return _with(request, 2, replace(last, text=prompt))


def _with(request: Request, place: int, text: Text) -> Request:
    system = [*request.system[:place], text, *request.system[place + 1 :]]
    return replace(request, system=system, raw=b"")
