"""A dry run: the stages up to the Plan, for a request that is never sent or recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from router.caller import Caller, client_of, session_of
from router.contract import Explain, Explained, OverrideView, Refused
from router.errors import RequestError
from router.formats import Format
from router.formats.splice import members
from router.rules import RefusedError, decide
from router.settings import Generation
from router.situation import Means, situation


def _dialect(plane: str, body: bytes) -> str:
    """The format of a body at a door: that of the door, but for what has no messages."""
    try:
        found = members(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = {}
    if "input" in found and "messages" not in found:
        return "openai_responses"
    return "openai_chat" if plane == "litellm" else "anthropic_messages"


async def explain(
    action: Explain,
    formats: Mapping[str, Format],
    generation: Generation,
    means: Means,
    overrides: Sequence[OverrideView],
    at: float,
) -> Explained | Refused:
    """Which models the body would get at Unix time `at`, in order, and every rule that was looked
    at."""
    plane = "litellm" if action.door == "litellm" else "ccr"
    format = formats[_dialect(plane, action.body.encode())]
    headers = {name.lower(): value for name, value in action.headers.items()}
    try:
        request = format.parse_request(action.body.encode())
    except RequestError as error:
        return Refused(error.message)
    caller = Caller(
        door=action.door,
        plane=plane,
        headers=headers,
        session=session_of(headers, request.body),
        client=client_of(headers),
    )
    case = await situation(means, request, caller, generation, tuple(overrides), at=at, dry=True)
    facts = case.facts
    try:
        plan = decide(case)
    except RefusedError as error:
        return Explained(
            candidates=(), rule=error.rule, looks=error.looks, facts=facts, error=error.message
        )
    return Explained(
        candidates=tuple(f"{c.provider.name},{c.model}" for c in plan.candidates),
        rule=plan.rule,
        looks=plan.looks,
        facts=facts,
    )
