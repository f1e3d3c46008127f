"""The LiteLLM plane: a model's name → alias → group → deployments, and what a group falls back on.

Both planes know each other without HTTP: a `ccr-…` name goes to the CCR rules, a CCR route may name
a group. A chain between them ends after a few hops and never visits a name twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

import msgspec
from msgspec import Struct, structs

from router.errors import CallerError
from router.rules import tags
from router.rules.plan import Candidate, Case
from router.rules.rule import Rule, Verdict, unknown_provider
from router.rules.signals import Signals
from router.rules.strategies import draw, ordered
from router.settings import Deployment, Groups, Provider, Timeouts
from router.wishes import NO_WISHES, Chain, Other, Wishes, over

#: names visited at most on the way to a deployment: alias, group, group behind it
HOPS = 4


class Expanded(Struct, frozen=True):
    """What a name stands for; with no candidates, `problem` says why."""

    candidates: tuple[Candidate, ...]
    problem: str = ""


def expand(case: Case, name: str, reason: str) -> Expanded:
    """The deployments behind a model's name: the chosen one, the rest of its group, fallbacks."""
    return _with_fallbacks(case, name, _expand(case, name, reason, (), ""))


def _with_fallbacks(case: Case, name: str, found: Expanded) -> Expanded:
    if not found.candidates:
        return found
    wishes, groups = case.wishes, case.generation.groups
    if wishes.no_fallbacks or not (
        groups.fallbacks
        or groups.default_fallbacks
        or groups.context_fallbacks
        or groups.content_fallbacks
        or wishes is not NO_WISHES
    ):
        return found
    main, branches = _Ways(case).behind(name)
    chains = wishes.content_fallbacks or groups.content_fallbacks
    own = f"refused:{unaliased(groups, name)}"
    first = found.candidates
    if any(one.branch == own for one in branches) or (groups.default_fallbacks and not chains):
        first = tuple(structs.replace(one, screened=True) for one in first)  # as in LiteLLM
    return Expanded((*first, *main, *branches))


class _Ways:
    """Everything that a request may fall back on, each group once per way. A group that cannot be
    served is passed by.

    What a fallback asks otherwise holds for those after it, too, as in LiteLLM: `sent` is all of it
    so far."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._groups = case.generation.groups
        self._main: list[Candidate] = []
        self._branches: list[Candidate] = []

    def behind(self, name: str) -> tuple[list[Candidate], list[Candidate]]:
        self._follow(name, "", {unaliased(self._groups, name)}, 0, None, first=True)
        return self._main, self._branches

    def _follow(
        self, name: str, branch: str, done: set[str], depth: int, sent: Other | None, *, first: bool
    ) -> None:
        groups, wishes = self._groups, self._case.wishes if sent is None else sent.wishes
        own = unaliased(groups, name)
        if depth >= groups.max_fallbacks:
            return
        if not branch and wishes.fallbacks is None:  # a plain list is for every failure
            for kind, chains in (
                ("too_long", wishes.context_fallbacks or groups.context_fallbacks),
                ("refused", wishes.content_fallbacks or groups.content_fallbacks),
            ):
                chain = chains.get(name, chains.get(own, ()))
                self._each(chain, name, f"{kind}:{own}", {own}, depth, sent)
        chain = fallbacks(groups, name, wishes, first=first)
        self._each(chain, name, branch, done, depth, sent)

    def _each(
        self, chain: Chain, name: str, branch: str, done: set[str], depth: int, sent: Other | None
    ) -> None:
        for one in chain:
            if isinstance(one, Other):
                sent = _together(sent, one, self._case.wishes)
            self._add(one, name, branch, done, depth, sent)

    def _add(
        self,
        one: str | Other,
        name: str,
        branch: str,
        done: set[str],
        depth: int,
        sent: Other | None,
    ) -> None:
        other, key = (one, "") if isinstance(one, str) else (one.model, _named(one))
        gone, usual = "", _first_default(self._groups)
        if usual and not find(self._groups, unaliased(self._groups, other)):
            gone, other = other, usual  # as LiteLLM does with a name that nobody has
        own = unaliased(self._groups, other)
        if own + key in done:
            return
        done.add(own + key)
        kind = branch.partition(":")[0]
        reason = f"fallback of {name}" + (f" ({kind})" if kind else "")
        reason += f" in place of {gone}, which is not there" if gone else ""
        case = self._case
        if sent is not None:
            reason += f", with its own {', '.join(sent.fields) or 'wishes'}"[:200]
            case = structs.replace(case, wishes=sent.wishes)
        found = _expand(case, own, reason, (), branch).candidates
        if sent is not None:
            told = f" asked otherwise: {len(done)}"  # a leg apart from those of the same group
            found = tuple(structs.replace(one, other=sent, leg=one.leg + told) for one in found)
        (self._branches if branch else self._main).extend(found)
        lists = isinstance(one, Other) and one.wishes.fallbacks is not None
        self._follow(other, branch, done, depth + 1, sent, first=lists)


def _together(sent: Other | None, more: Other, wishes: Wishes) -> Other:
    """What the next one is asked, with what those before it were."""
    fields = more.fields if sent is None else {**sent.fields, **more.fields}
    return Other(more.model, fields, over(wishes if sent is None else sent.wishes, more.wishes))


def _named(other: Other) -> str:
    """What tells it from another of the same model."""
    return " " + msgspec.json.encode(other, order="sorted").decode()


def _first_default(groups: Groups) -> str:
    first = next(iter(groups.default_fallbacks), "")
    return first if isinstance(first, str) else first.model


def _expand(case: Case, name: str, reason: str, seen: tuple[str, ...], branch: str) -> Expanded:
    groups = case.generation.groups
    name = unaliased(groups, name)
    if name in seen or len(seen) >= HOPS:
        return Expanded(
            (), f"the model {name!r} leads back to itself: " + " → ".join((*seen, name))
        )
    deployments = find(groups, name)
    if not deployments:
        return Expanded((), f"no model group is named {name[:100]!r}")
    return _group(case, name, deployments, reason, seen, branch)


def _group(
    case: Case,
    name: str,
    deployments: tuple[Deployment, ...],
    reason: str,
    seen: tuple[str, ...],
    branch: str,
) -> Expanded:
    """What a group's deployments stand for, in the order to be tried."""
    if case.generation.groups.tag_filtering:
        deployments = tags.allowed(case, deployments)
    if not deployments:
        asked = ", ".join(case.wishes.tags)
        return Expanded((), f"{tags.REFUSED}. Passed model={name} and tags=[{asked}]")
    if len(deployments) == 1:
        return _served(case, deployments[0], name, reason, (*seen, name), branch)
    candidates: list[Candidate] = []
    problems: list[str] = []
    for place, deployment in enumerate(ordered(case, deployments)):
        why = reason if place == 0 else f"other deployment of {name}"
        found = _served(case, deployment, name, why, (*seen, name), branch)
        candidates += found.candidates
        problems += [found.problem] if found.problem else []
    return Expanded(tuple(candidates), "" if candidates else "; ".join(problems))


def _served(
    case: Case,
    deployment: Deployment,
    name: str,
    reason: str,
    seen: tuple[str, ...],
    branch: str,
) -> Expanded:
    target = deployment.target
    provider = case.generation.provider(target.provider)
    if provider is None:
        return Expanded((), unknown_provider(case.generation, target.provider))
    model = _filled(deployment, name)
    if provider.plane == "litellm":
        return _expand(case, model, reason, seen, branch)
    leg = name if deployment.order == 1 else f"{name} (order {deployment.order})"
    params = deployment.params
    found: list[Candidate] = []
    for one in keyed(provider, case.chance) if provider.per_key else (provider,):
        timeouts = _timeouts(case, deployment, one)
        found.append(Candidate(one, model, reason, params, leg, branch, name, deployment, timeouts))
    return Expanded(tuple(found))


def keyed(provider: Provider, chance: float) -> tuple[Provider, ...]:
    """The provider once per key, the drawn one first."""
    first = draw([one.weight for one in provider.per_key], chance)
    return provider.per_key[first:] + provider.per_key[:first]


def _timeouts(case: Case, deployment: Deployment, provider: Provider) -> Timeouts | None:
    """Those of a request before those of its deployment; None: the provider's own."""
    wishes, usual = case.wishes, provider.timeouts
    if wishes is NO_WISHES and deployment.stream_timeout is None:
        return None
    seconds = wishes.timeout
    if case.request.stream:
        seconds = wishes.stream_timeout or seconds or deployment.stream_timeout
    if seconds is None:
        return None
    if case.request.stream:
        return replace(usual, first_byte=seconds, idle=seconds)
    return replace(usual, first_byte=seconds, idle=seconds, total=min(usual.total, seconds))


def _filled(deployment: Deployment, name: str) -> str:
    """The provider's own name for the model: what a `*` in the group's name stood for is put into
    the `*` of the deployment's."""
    model = deployment.target.model
    if "*" not in model:
        return model
    before, star, after = deployment.group.partition("*")
    matched = name[len(before) : len(name) - len(after)] if star else name
    return model.replace("*", matched)


def unaliased(groups: Groups, name: str) -> str:
    aliases, hops = groups.aliases, HOPS
    while hops and name in aliases:
        name, hops = aliases[name], hops - 1
    return name


def find(groups: Groups, name: str) -> tuple[Deployment, ...]:
    """A group by its name; else one deployment by its id; else the longest wildcard that fits
    ("anthropic/*", "*"); else all that are `called` so. LiteLLM looks in this order."""
    if exact := groups.deployments.get(name) or groups.by_id.get(name):
        return exact
    fitting = [
        pattern for pattern in groups.deployments if "*" in pattern and fnmatchcase(name, pattern)
    ]
    if fitting:
        return groups.deployments[max(fitting, key=len)]
    return groups.by_call.get(name, ())


def fallbacks(
    groups: Groups, name: str, wishes: Wishes = NO_WISHES, *, first: bool = True
) -> Chain:
    """The groups to try after this one: those the request names, which are then all; else its own
    list, else the general one. Never itself."""
    if wishes.fallbacks is not None:
        listed = wishes.fallbacks if first else ()
    else:
        chains, usual = groups.fallbacks, groups.default_fallbacks
        if wishes.group_fallbacks is not None:
            chains, usual = wishes.group_fallbacks, ()
        bare = name.partition("/")[2] or name  # LiteLLM also looks without the provider's prefix
        found = next(
            (chains[n] for n in (name, unaliased(groups, name), bare) if n in chains), None
        )
        listed = chains.get("*", usual) if found is None else found
    return tuple(other for other in listed if other != name)


def look(case: Case, signals: Signals) -> Verdict:
    asked, groups = signals.asked, case.generation.groups
    name = unaliased(groups, asked)
    if groups.ccr_prefix and name.startswith(groups.ccr_prefix) and name not in groups.deployments:
        return Verdict(name, hands_on=True, note="handed on to the CCR rules")
    deployments = find(groups, name)
    value = asked if name == asked else f"{asked} → {name}"
    if not deployments:
        return Verdict(value or "no model named", error=_unknown(asked))
    many = f", {len(deployments)} deployments" if len(deployments) > 1 else ""
    if many and groups.strategy != "simple-shuffle":
        many += f" by {groups.strategy}"
    found = _group(case, name, deployments, f"group {name}", (), "")
    found = _with_fallbacks(case, asked, found)
    if not found.candidates and found.problem.startswith(tags.REFUSED):
        error = CallerError(found.problem, status=401, kind="credential")
        return Verdict(value, error=error)
    if not found.candidates:
        return Verdict(
            value,
            error=CallerError(
                f"model group {name!r} cannot be served: {found.problem}",
                status=503,
                kind="missing",
            ),
        )
    return Verdict(value + many, candidates=found.candidates)


def stands(groups: Groups, asked: str, candidates: Sequence[Candidate]) -> bool:
    """Whether the choice is the same for every request without wishes: one deployment under one
    key, and nothing that depends on who asks, or how. Names that clients make up are not kept."""
    if len(candidates) != 1 or groups.tag_filtering:
        return False
    deployments = groups.deployments.get(unaliased(groups, asked), ())
    only = candidates[0].deployment
    return only is not None and deployments == (only,) and only.stream_timeout is None


def _unknown(model: str) -> CallerError:
    """In LiteLLM's own words: clients match on them."""
    return CallerError(
        f"Invalid model name passed in model={model or None}. "
        "Call `/v1/models` to view available models for your key.",
        status=400,
        kind="missing",
        param="model",
    )


RULE = Rule("group", look)
