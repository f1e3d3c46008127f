"""A dry run: the stages up to the Plan, for a request that is never sent or recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from router.caller import Caller
from router.contract import Explain, Explained, OverrideView, Refused
from router.doors.callers import client_of, session_of
from router.errors import RequestError
from router.facts import look_at
from router.formats import Format
from router.messages import Request
from router.rules import RefusedError, decide, nearest_bound
from router.rules.plan import Case
from router.settings import Generation
from router.tokens import Counter


async def measured(
    counter: Counter, request: Request, caller: Caller, generation: Generation
) -> tuple[int, bool]:
    """Tokens, and whether they were counted exactly. In strict mode CCR's own sum."""
    if generation.routes.strict and caller.plane == "ccr":
        return await counter.strict_count(request), True
    return await counter.count(request, nearest_bound(generation))


async def explain(
    action: Explain,
    formats: Mapping[str, Format],
    generation: Generation,
    counter: Counter,
    overrides: Sequence[OverrideView],
) -> Explained | Refused:
    """Which models the body would get, in order, and every rule that was looked at."""
    plane = "litellm" if action.door == "litellm" else "ccr"
    format = formats["openai_chat" if plane == "litellm" else "anthropic_messages"]
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
    facts = look_at(request, caller, *await measured(counter, request, caller, generation))
    case = Case(
        request=request,
        caller=caller,
        facts=facts,
        generation=generation,
        overrides=tuple(overrides),
        chance=0.0,
    )
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
