"""What a group falls back on: other groups, in the order that LiteLLM takes them. Pure."""

from __future__ import annotations

import msgspec
from msgspec import structs

from router.rules.deployments import Expanded, expand, find, unaliased
from router.rules.plan import Candidate, Case
from router.settings import Groups
from router.wishes import NO_WISHES, Chain, Other, Wishes, over


def with_fallbacks(case: Case, name: str, found: Expanded) -> Expanded:
    """`found`, and after it what the group of that name falls back on."""
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
        found = expand(case, own, reason, branch=branch).candidates
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
