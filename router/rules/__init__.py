"""Which model: the rules in their order, and how their verdicts become a Plan. Pure.

The first rule that hits and resolves wins; every rule that was looked at is kept with the value it
saw. A hit that does not resolve is noted, and the next rule is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from router.aliases import resolved
from router.contract import Look
from router.errors import CallerError
from router.messages import Request
from router.rules import (
    background,
    body_model,
    coder,
    complexity,
    context,
    custom,
    default,
    explicit,
    groups,
    guard,
    image,
    long_context,
    named,
    pins,
    strict,
    subagent,
    think,
    tool,
    warm,
    web_search,
)
from router.rules.directives import without_directives, without_subagent_tag
from router.rules.plan import Candidate, Case, Plan
from router.rules.rule import RefusedError, Rule, Verdict
from router.rules.signals import Signals
from router.rules.targets import resolve, scenario_target
from router.wishes import NO_WISHES

__all__ = [
    "CCR",
    "TABLE",
    "RefusedError",
    "Rule",
    "decide",
    "decide_by",
]

PINS = (pins.FORCED, explicit.HEADER, explicit.PROMPT, pins.OVERRIDE)
TABLE = (
    custom.RULE,
    body_model.RULE,
    image.RULE,
    long_context.RULE,
    subagent.RULE,
    context.RULE,
    background.RULE,
    web_search.RULE,
    think.RULE,
    tool.RULE,
    coder.RULE,
    complexity.RULE,
    named.RULE,
    default.RULE,
)
CCR = (*PINS, *TABLE)


class _Way(Struct, frozen=True):
    """The rules of a plane, in order. `unpinned`: the trace of the pins where nothing is pinned,
    as for nearly every request."""

    pins: tuple[Rule, ...]
    table: tuple[Rule, ...]
    unpinned: tuple[Look, ...]


def _way(pins: tuple[Rule, ...], table: tuple[Rule, ...]) -> _Way:
    return _Way(pins, table, tuple(rule.missed for rule in pins if rule.missed is not None))


_CCR = _way(PINS, TABLE)
_STRICT = _way(strict.PINS, strict.TABLE)
_LITELLM = _way(PINS, (body_model.RULE, groups.RULE))

#: in a plan that stands for many
_NOBODYS = Request("", None, [])

#: characters of a value that the trace keeps: a client may name a model of any length
LONGEST = 300


def decide(case: Case) -> Plan:
    """Raises RefusedError, with the looks so far, when no model may or can serve the request."""
    generation = case.generation
    ccr = _STRICT if generation.routes.strict else _CCR
    way = _LITELLM if case.caller.plane == "litellm" else ccr
    asked = resolved(generation, case.request.model or "")
    signals = Signals(case.request, asked)
    # all that the pins look at: without it none of them can hit
    pinned = case.overrides or signals.directed or explicit.HEADER_NAME in case.caller.headers
    usual = way is _LITELLM and not pinned and case.wishes is NO_WISHES
    if usual and (known := _standing(case, asked)) is not None:
        return known
    decision = _Decision(case)
    rules = way.table
    if pinned:
        rules = (*way.pins, *way.table)
    else:
        decision.looks += way.unpinned
    plan = decision.follow(rules, signals)
    if usual and plan is not None:
        _stand(case, asked, plan)
    if plan is None:  # handed on by the LiteLLM plane
        inner = asked.removeprefix(generation.groups.ccr_prefix)
        plan = decision.follow(ccr.table, Signals(case.request, inner))
    if plan is None:
        raise decision.refused(
            CallerError(
                "no model can serve this: no default route is configured that resolves"
                + "".join(f"; {problem}" for problem in (*decision.problems, *decision.gaps)),
                status=404,
                kind="missing",
                code="provider_not_found",
            )
        )
    return plan


def _standing(case: Case, asked: str) -> Plan | None:
    """The plan of a group's requests before this one, where they have all had the same."""
    plan: Plan | None = case.generation.standing.get(asked)
    if plan is None or case.facts.subagent:
        return None
    if not guard.all_hold(plan.candidates, case.facts.tokens):
        return None
    if case.seen is not None and warm.look(case, plan.candidates[0]):
        return None
    return Plan(plan.candidates, plan.rule, plan.value, plan.looks, case.request)


def _stand(case: Case, asked: str, plan: Plan) -> None:
    """Keeps a plan, but never a request, where all that it depends on is the model's name."""
    if (
        plan.rule == groups.RULE.name
        and case.seen is None
        and not case.facts.subagent
        and guard.all_hold(plan.candidates, case.facts.tokens)
        and groups.stands(case.generation.groups, asked, plan.candidates)
    ):
        case.generation.standing[asked] = replace(plan, request=_NOBODYS)


def decide_by(case: Case, order: Sequence[Rule], asked: str) -> Plan | None:
    """By these rules alone: for a dry run over kept facts. Raises RefusedError."""
    return _Decision(case).follow(order, Signals(case.request, asked))


class _Decision:
    """One decision in the making: the looks and problems so far."""

    __slots__ = ("case", "gaps", "looks", "problems")

    def __init__(self, case: Case) -> None:
        self.case = case
        self.looks: list[Look] = []
        self.problems: list[str] = list(case.problems)
        self.gaps: list[str] = []  # routes whose target does not resolve
        routes = case.generation.routes
        if routes.personal:
            self.looks.append(Look("Router", routes.source[-LONGEST:]))

    def refused(self, error: CallerError) -> RefusedError:
        return RefusedError(error, tuple(self.looks))

    def follow(self, rules: Sequence[Rule], signals: Signals) -> Plan | None:
        """Asks rule after rule. None when none of them gave candidates."""
        case, looks = self.case, self.looks
        for rule in rules:
            verdict = rule.look(case, signals)
            if verdict is None:
                if rule.missed is not None:
                    looks.append(rule.missed)
                continue
            if verdict.problem:
                self.problems.append(verdict.problem)
            if verdict.error is not None:
                self._note(rule, verdict, hit=True, note="refused: " + verdict.error.message)
                raise self.refused(verdict.error)
            if verdict.hands_on:
                self._note(rule, verdict, hit=True)
                return None
            if verdict.candidates or verdict.target or verdict.scenario:
                plan = self._taken(rule, verdict, signals)
                if plan is not None:
                    return plan
            else:
                self._note(rule, verdict)
        return None

    def _taken(self, rule: Rule, verdict: Verdict, signals: Signals) -> Plan | None:
        """The plan that a hit makes; None where it does not resolve."""
        case, looks = self.case, self.looks
        candidates, override, note = self._candidates(rule, verdict)
        if not candidates:
            self._note(rule, verdict, note=note)
            return None
        first = candidates[0]
        target = f"{first.provider.name},{first.model}"
        self._note(rule, verdict, hit=True, target=target, note=note)
        if not guard.all_hold(candidates, case.facts.tokens):
            candidates = self._guarded(list(candidates), verdict)
        if case.seen is not None and (lost := warm.look(case, candidates[0])):
            looks.append(lost)
        return Plan(
            candidates=tuple(candidates),
            rule=rule.name,
            value=verdict.value[:LONGEST],
            looks=tuple(looks),
            request=self._stripped(rule, signals),
            override=override,
            problems=tuple(self.problems),
        )

    def _note(
        self, rule: Rule, verdict: Verdict, *, hit: bool = False, target: str = "", note: str = ""
    ) -> None:
        note = note or verdict.note or verdict.problem
        self.looks.append(Look(rule.name, verdict.value[:LONGEST], hit, target[:LONGEST], note))

    def _candidates(self, rule: Rule, verdict: Verdict) -> tuple[Sequence[Candidate], str, str]:
        """What a verdict leads to, in order; the override that decided; why there is nothing."""
        if verdict.candidates:
            return _distinct(verdict.candidates), "", ""
        case, scenario = self.case, verdict.scenario
        target, override, note = verdict.target, verdict.override, ""
        if target is None:
            assert scenario is not None  # else it misses
            target, override, problem = scenario_target(case, scenario)
            if problem:
                self.problems.append(problem)
            if target is None:
                return [], "", problem or f"no {scenario} target is configured"
            if override:
                note = f"{scenario} is overridden"
        found = resolve(case, target, f"rule {rule.name}")
        if not found.candidates:
            wrong = f"rule {rule.name} → {target}: {found.problem}"[:1000]
            (self.problems if verdict.target else self.gaps).append(wrong)
            return [], "", found.problem
        candidates = found.candidates
        if scenario is not None and not verdict.last_word:
            for fallback in case.generation.routes.fallback.get(scenario, ()):
                candidates += resolve(case, fallback, f"fallback of {scenario}").candidates
        return _distinct(candidates), override, note

    def _guarded(self, candidates: list[Candidate], verdict: Verdict) -> tuple[Candidate, ...]:
        """Puts those with room first. A scenario's choice (not a pin) that has no room anywhere
        gives way to longContext and default."""
        tokens = self.case.facts.tokens
        roomy = [candidate for candidate in candidates if guard.holds(candidate, tokens)]
        if not roomy and verdict.target is None and not verdict.candidates:
            for scenario in ("longContext", "default"):
                target, _, _ = scenario_target(self.case, scenario)
                if target is not None:
                    why = f"{scenario}: more room"
                    candidates += resolve(self.case, target, why).candidates
            candidates = list(_distinct(candidates))
            roomy = [candidate for candidate in candidates if guard.holds(candidate, tokens)]
        room = guard.context_of(candidates[0])
        value = f"{tokens:,} tokens"
        if room is not None and tokens > room:
            value = f"{tokens:,} > {room:,}"
        if not roomy:
            self.looks.append(Look("guard", value, True, "", "refused: no candidate has room"))
            raise self.refused(guard.too_long(candidates, tokens))
        ordered = guard.by_room(candidates, tokens)
        first = ordered[0]
        note = f"{candidates[0].provider.name},{candidates[0].model} has no room"
        if first is not candidates[0]:
            target_name = f"{first.provider.name},{first.model}"
            self.looks.append(Look("guard", value, True, target_name, note))
        return ordered

    def _stripped(self, rule: Rule, signals: Signals) -> Request:
        """The request to send: without directives that are ours, else the very same object."""
        case = self.case
        if case.generation.routes.strict and case.caller.plane != "litellm":
            return without_subagent_tag(case.request) if rule.name == "subagent" else case.request
        request = case.request
        if signals.directed:
            request = without_directives(
                request, lambda target: case.generation.provider(target.provider) is not None
            )
        return without_subagent_tag(request) if case.facts.subagent else request


def _distinct(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """Each provider's model once per key and way, where it came first."""
    if len(candidates) == 1:
        return candidates
    first: dict[tuple[str, str, int, str, int], Candidate] = {}
    for one in candidates:
        other = id(one.other) if one.other is not None else 0
        first.setdefault((one.provider.name, one.model, one.provider.slot, one.branch, other), one)
    return list(first.values())
