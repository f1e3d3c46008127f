"""One request for a completion, from its bytes to its row: every stage, in order. Read this first.

    bytes → parse → facts → rules → Plan → policy → attempt → provider → events → client → ledger

Nothing here knows a dialect, a rule or a price: it hands the result of each stage to the next.
A retry or a fallback happens only before the first byte of an answer was sent to the client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct

from router import circle
from router.border import Border
from router.call import Call
from router.caller import (
    Caller,
    client_of,
    public_name,
    session_named,
    session_within,
    user_of,
)
from router.canned import canned, recite
from router.delivery import deliver
from router.errors import Kind, RequestError, UpstreamError
from router.formats import Format, loose, splice
from router.guards.body import read_body
from router.health import takeover
from router.inlining import FORMATS as INLINED
from router.log import narration
from router.messages import Request
from router.outgoing import able, insist, outgoing
from router.pauses import refusal
from router.policy import Course, GiveUp, Try, Wait
from router.prices import price
from router.record import KEPT_AFTER, Attempt, Record
from router.redaction import redacted, without_quotes
from router.rules import RefusedError, decide
from router.rules.directives import undirected
from router.rules.plan import Candidate, Plan
from router.signing import EXTRAS
from router.situation import situation
from router.tally import Tally
from router.wishes import Other, Wishes
from router.wishes.fields import carried, otherwise

if TYPE_CHECKING:
    from router.service import Router

_T = TypeVar("_T")
Parse = Callable[[bytes], Request]
Attempted = Callable[[Attempt, Candidate], Awaitable[None]]


class Surface(Struct, frozen=True):
    """What a door lends to an exchange. `headers`: lines of the door's own, for every answer."""

    door: str
    plane: str  # whose rules decide: "litellm" or "ccr"
    format: Format
    headers: Callable[[Record], str]
    #: set where a real LiteLLM or CCR plays this role: the one candidate there is
    external: Candidate | None = None
    #: takes out of a request, or its headers, what it asks of its own routing
    wishes: Callable[[Request, Call, Parse], tuple[Request, Wishes]] | None = None
    #: whose Router decides, where that is not the usual one
    preset: str = ""
    #: the model that the path names: it goes before that of the body
    model: str = ""

    def read(self, parse: Callable[[bytes], _T], raw: bytes) -> _T:
        """What `parse` makes of a body, with the model that the path names. Raises CallerError."""
        if not self.model:
            return loose.read(parse, raw)
        return loose.read(lambda whole: parse(splice.named(whole, self.model)), raw)


async def exchange(router: Router, call: Call, surface: Surface) -> None:
    """Serves one request for a completion. Never raises but when the router itself is ended."""
    record = begin(router, call, surface, endpoint="chat")
    async with Border(router, call, surface.format, surface.headers, record) as border:
        raw = await read_body(call, router.generation.limits)
        border.watch_client()
        request = surface.read(surface.format.parse_request, raw)
        _learn(record, request)
        if surface.wishes is not None:
            request, record.wishes = surface.wishes(request, call, surface.format.parse_request)
        if router.paused and record.caller.session in router.paused:
            raise refusal(record.caller.session)
        plan = await choose(router, record, request, surface.external)
        if router.cache.on:
            taken = await router.cache.recall(call, surface, record, request, plan, router.now())
            if taken is None:
                return
            call = border.call = taken

        async def once(attempt: Attempt, candidate: Candidate) -> None:
            provider = candidate.provider
            if (text := canned(candidate, record.wishes)) is not None:
                await recite(router, call, surface, record, attempt, request, text)
                return
            wished, original, wishes = (
                (plan.request, request, record.wishes)
                if candidate.other is None
                else _asked_otherwise(router, attempt, request, plan, candidate.other, surface)
            )
            asked, format = router.signers.fit(wished, candidate), provider.format
            if format in INLINED and format != request.dialect:
                asked = await router.inlining.inlined(asked, format)
            sent = outgoing(router.formats, asked, original, candidate, call, wishes)
            if provider.auth in EXTRAS:
                sent = await router.signing.signed(sent)
            if sent.dropped:
                attempt.dropped = sent.dropped
                insist(candidate, sent.dropped, wishes)
            traced = attempt.traced
            upstream = await router.transport.send(
                "POST",
                sent.url,
                (*sent.headers, *traced) if traced else sent.headers,
                sent.body,
                timeouts=candidate.timeouts or provider.timeouts,
                provider=provider.name,
            )
            if upstream.status < 300:
                router.cooldowns.succeeded(candidate)
            await deliver(router, call, surface, record, attempt, wished, sent, upstream)

        border.awaits(plan.request)
        await attempts(router, record, plan, call, once)
        if router.cache.on:
            router.cache.keep(call, record)


def _asked_otherwise(
    router: Router, attempt: Attempt, request: Request, plan: Plan, other: Other, surface: Surface
) -> tuple[Request, Request, Wishes]:
    """What a fallback is sent that asks otherwise than its request, as the rules leave it; before
    they took anything out of it; what holds for it."""
    asked = otherwise(request, other, surface.format.parse_request)
    wished = asked if plan.request is request else carried(request, plan.request, asked)
    if not router.generation.routes.strict:
        wished = undirected(wished, router.generation)
    attempt.asked = wished
    return wished, asked, other.wishes


def begin(router: Router, call: Call, surface: Surface, endpoint: str) -> Record:
    """Opens the record of a request whose body is not yet read."""
    headers, key = call.headers, call.key
    holder = router.cashier.find(key) if router.cashier.on else None
    caller = Caller(
        door=surface.door,
        plane=surface.plane,
        headers=headers,
        session=session_named(headers),
        agent=headers.get("x-claude-code-agent-id", "")[:100],
        key=public_name(key) if holder is None else holder.name,
        team=(holder.team_id or "") if holder is not None else "",
        client=client_of(headers),
        project=headers.get("x-pointsman-project", "")[:100],
        sent_id=headers.get("x-request-id", "")[:100],
        preset=surface.preset,
    )
    now = router.now()
    record = Record(
        router.new_id(),
        caller,
        surface.format.name,
        endpoint,
        router.wall(),
        now,
        now + KEPT_AFTER,
        task=asyncio.current_task(router.loop),
    )
    if holder is not None:
        record.holder, record.user = holder, holder.user_id or ""
    call.id = record.id
    router.live.open(record)
    if router.telemetry is not None:
        router.telemetry.began(record.id, headers)
    return record


def _learn(record: Record, request: Request) -> None:
    """What a body tells of itself, and of who sent it where the headers did not."""
    record.asked = request.model or ""
    record.stream = request.stream
    if request.user and not record.user:
        record.user = user_of(request.user)
    if not record.caller.session and (session := session_within(request.body)):
        record.caller = msgspec.structs.replace(record.caller, session=session)


async def choose(
    router: Router, record: Record, request: Request, external: Candidate | None = None
) -> Plan:
    """Counts, looks and decides; the record keeps the whole trace. Raises CallerError."""
    if record.holder is not None:
        request.model = record.asked = router.cashier.register.meaning(record.holder, record.asked)
    case = await situation(
        router.means,
        request,
        record.caller,
        router.generation,
        router.overrides.in_force(),
        at=record.started_at,
        chance=router.chance(),
        now=router.now(),
        wishes=record.wishes,
    )
    record.facts = case.facts
    if external is not None:
        plan = Plan(
            candidates=(msgspec.structs.replace(external, model=request.model or ""),),
            rule="external",
            value=external.provider.url,
            looks=(),
            request=request,
        )
    else:
        try:
            plan = decide(case)
        except RefusedError as error:
            record.rule, record.value, record.looks = error.rule, error.value, error.looks
            raise
    if request.bound is not None:
        plan = able(plan)
    record.rule, record.value, record.looks = plan.rule, plan.value, plan.looks
    if circle.MARK in record.caller.headers:
        plan = circle.opened(plan)
    if plan.override:
        router.overrides.served(plan.override)
    record.problems = plan.problems
    for problem in plan.problems:
        router.log.warning("rules", problem, request=record.id)
    if router.log.debugs:
        narration.decided(router.log, record, plan, router.now())
    return router.cashier.admit(record, case, plan) if router.cashier.on else plan


async def attempts(router: Router, record: Record, plan: Plan, call: Call, once: Attempted) -> None:
    """Tries the candidates as policy says until one has answered. Raises what the last one did."""
    retry, loads = router.generation.retry, router.means.loads
    course = Course(plan.candidates, retry, router.cooldowns, loads, record.wishes)
    while True:
        now = router.now()
        match course.next(now):
            case Try(candidate, number, reason):
                attempt = Attempt(number, candidate, reason, router.wall(), now)
                if number == 1 and candidate is not plan.candidates[0]:
                    record.pass_over(plan.candidates[0], candidate)
                _open(router, record, attempt)
                try:
                    await once(attempt, candidate)
                except UpstreamError as error:
                    error.mended = router.signers.refused(error, plan.request)
                    settle(router, record, attempt, plan.request, error)
                    course.failed(error, router.now(), router.chance())
                    if call.started and not record.pinged:
                        raise
                except BaseException as error:
                    course.left(router.now())
                    _broken(router, record, attempt, error)
                    raise
                else:
                    settle(router, record, attempt, plan.request)
                    course.succeeded(router.now(), *_measured(record, attempt))
                    return
            case Wait(seconds, full):
                if full is None:
                    await asyncio.sleep(seconds)
                else:
                    await asyncio.wait((loads.turn(full),), timeout=seconds)
            case GiveUp(error):
                if isinstance(error, UpstreamError):
                    groups = (one.group for one in plan.candidates if one.group)
                    error.groups = tuple(dict.fromkeys(groups))
                raise error


def _open(router: Router, record: Record, attempt: Attempt) -> None:
    candidate = attempt.candidate
    provider, at = candidate.provider, attempt.started_at
    attempt.price = price(provider, candidate.model, router.generation, at)
    attempt.tally = Tally(record.facts.tokens, router.signers.learner(candidate))
    record.attempts.append(attempt)
    if router.telemetry is not None:
        attempt.traced = router.telemetry.traced(record.id, attempt.number, record.caller.headers)
    if router.log.debugs:
        narration.attempted(router.log, record, attempt)


def _measured(record: Record, attempt: Attempt) -> tuple[int, float | None]:
    """Tokens that were used, and a stream's seconds to its first, where a strategy counts them."""
    deployment = attempt.candidate.deployment
    if deployment is None or not deployment.counted:
        return 0, None
    tokens, first = attempt.tokens, record.first_token
    streamed = record.stream and first is not None
    return tokens.prompt + tokens.output, first - attempt.started if streamed and first else None


def _broken(router: Router, record: Record, attempt: Attempt, error: BaseException) -> None:
    """Writes down how an attempt ended that was broken off on our side."""
    if attempt.ended is None:  # else its provider was done before
        attempt.ended = router.now()
    attempt.outcome = _ours(error)
    if router.log.debugs:
        narration.attempted(router.log, record, attempt)


def _ours(error: BaseException) -> Kind:
    if isinstance(error, asyncio.CancelledError):
        return "cancelled"
    return error.kind if isinstance(error, RequestError) else "ours"


def _say_gone(router: Router, name: str, error: UpstreamError) -> None:
    """Of a real LiteLLM or CCR that was found and has been gone for long: clients would try again
    for minutes without a word."""
    for role in (router.generation.litellm, router.generation.ccr):
        if role.found and role.name == name and router.health.probes.gone(role.url):
            error.message += f"; {takeover.ADVICE}"
            error.headers = (*error.headers, ("x-should-retry", "false"))


def settle(
    router: Router,
    record: Record,
    attempt: Attempt,
    request: Request,
    error: UpstreamError | None = None,
) -> None:
    """Writes down how an attempt ended."""
    if attempt.ended is None:
        attempt.ended = router.now()
    attempt.outcome = "ok" if error is None else error.kind
    provider = attempt.candidate.provider
    if error is not None:
        error.provider, error.model = provider.name, attempt.candidate.model
        error.vendor = provider.kind
        # the one place that every failure of a provider passes before anyone is told of it
        error.message = redacted(error.message, provider)
        if error.kind == "connect" and provider.source == "external":
            _say_gone(router, provider.name, error)
        attempt.error = error.noted = without_quotes(error.message, attempt.asked or request)
        their_id = f", its request-id {error.provider_id}" if error.provider_id else ""
        router.log.warning(
            "exchange",
            f"attempt {attempt.number} at {provider.name},{attempt.candidate.model}"
            f" failed ({error.kind}{their_id}): {error.noted}",
            request=record.id,
            simulated=provider.simulated,
        )
    router.health.attempted(attempt, router.wall())
    if router.log.debugs:
        narration.attempted(router.log, record, attempt)
