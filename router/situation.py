"""From a parsed request to the Case that the rules are given: the last stage that may wait.

The rules are pure, so all that has to be asked of somebody is asked here: how many tokens there
are, what this session has shown before, whose Router decides, what the person's own router says.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct, field

from router.caller import Caller
from router.contract import OverrideView
from router.custom import CustomRouters
from router.errors import RequestError
from router.facts import look_at
from router.formats import Format
from router.image_agent import ImageAgent
from router.loads import Loads
from router.messages import Request
from router.projects import Projects
from router.rewrite import rewritten
from router.rules.plan import Case
from router.rules.strict import own_session
from router.sessions import Sessions
from router.settings import Generation, Hooks
from router.tokens import Counter
from router.wishes import NO_WISHES, Wishes


class Means(Struct, frozen=True):
    """Whom to ask."""

    counter: Counter = field(default_factory=Counter)
    sessions: Sessions = field(default_factory=Sessions)
    projects: Projects = field(default_factory=Projects)
    custom: CustomRouters = field(default_factory=CustomRouters)
    loads: Loads = field(default_factory=Loads)
    image_agent: ImageAgent | None = None
    #: to read what a custom router made of a body
    formats: Mapping[str, Format] = field(default_factory=dict)


async def situation(
    means: Means,
    request: Request,
    caller: Caller,
    generation: Generation,
    overrides: tuple[OverrideView, ...] = (),
    *,
    at: float = 0.0,
    chance: float = 0.0,
    now: float = 0.0,
    wishes: Wishes = NO_WISHES,
    dry: bool = False,
) -> Case:
    """`at` is Unix seconds, `now` the monotonic clock, `chance` uniform in [0, 1). `dry`: nobody is
    asked for what costs money."""
    hooks = generation.hooks if caller.plane == "ccr" else None
    problems: tuple[str, ...] = ()
    if hooks is not None and hooks.presets is not None and caller.preset in hooks.presets:
        generation = means.projects.preset(generation, hooks.presets[caller.preset])
        hooks = None  # as in CCR: a preset has none of its own
    if hooks is not None:
        request, problems = await _described(means, hooks, request, generation, caller, dry=dry)
        session = own_session(request) if generation.routes.strict else caller.session
        if hooks.personal is not None and session:
            told = None if generation.routes.strict else request
            generation = await means.projects.generation(generation, hooks.personal, session, told)
        request = _rewritten(hooks, request, generation)
    strict = generation.routes.strict and caller.plane == "ccr"
    seen = means.sessions.get(caller.session, caller.agent) if caller.session else None
    ratio = 1.0 if seen is None or strict else seen.ratio
    if strict:
        tokens, exact = await means.counter.strict_count(request), True  # CCR's own sum
    else:
        bound = generation.nearest_bound
        near = bound if ratio == 1.0 else int(bound / ratio)
        tokens, exact = await means.counter.count(request, near)
    facts = look_at(request, caller, tokens, exact, ratio)
    custom = None
    if hooks is not None and hooks.custom is not None:
        raw = request.raw or msgspec.json.encode(request.body)
        custom = await means.custom.ask(
            hooks.custom, raw, caller.headers, caller.session, facts.tokens
        )
        if custom.body:
            try:
                request = _changed(means, request, custom.body)
            except RequestError as error:
                words = f"custom router: what it made of the body is no request: {error.message}"
                problems = (*problems, words[:300])
            else:
                request, more = await _described(means, hooks, request, generation, caller, dry=dry)
                request = _rewritten(hooks, request, generation)
                problems = (*problems, *more)
                if not strict:  # CCR has counted before
                    tokens, exact = await means.counter.count(request, near)
                facts = look_at(request, caller, tokens, exact, ratio)
    return Case(
        request=request,
        caller=caller,
        facts=facts,
        generation=generation,
        overrides=overrides,
        chance=chance,
        at=at,
        seen=seen,
        custom=custom,
        problems=problems,
        loads=means.loads,
        now=now,
        wishes=wishes,
    )


async def _described(
    means: Means,
    hooks: Hooks,
    request: Request,
    generation: Generation,
    caller: Caller,
    *,
    dry: bool,
) -> tuple[Request, tuple[str, ...]]:
    """With words for its pictures, where the image agent is wanted; and what went wrong."""
    seer = generation.routes.targets.get("image")
    if not hooks.image_agent or seer is None or means.image_agent is None or dry:
        return request, ()
    return await means.image_agent.described(request, str(seer), caller.session)


def _rewritten(hooks: Hooks, request: Request, generation: Generation) -> Request:
    if hooks.system_prompt is None:
        return request
    return rewritten(request, hooks.system_prompt, strict=generation.routes.strict)


def _changed(means: Means, request: Request, body: bytes) -> Request:
    """The request that a custom router made of this one; how it is answered stays the client's
    choice. Raises RequestError."""
    changed = means.formats[request.dialect].parse_request(body)
    return msgspec.structs.replace(
        changed,
        model=request.model if changed.model == request.body.get("model") else changed.model,
        stream=request.stream,
        include_usage=request.include_usage,
        bound=request.bound,
    )
