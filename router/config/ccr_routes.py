"""CCR's `Router` object, as it stands in config.json and in the files of projects and sessions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from router.config.document import Document, Place
from router.config.part import problem
from router.contract import Finding
from router.settings import SCENARIOS, Routes, Scenario, Target

WHAT = "CCR config"
_NOT_A_TARGET = "should be written provider,model: it is not used"


class RouterKeys(BaseModel):
    """`model_extra` has the keys that mean nothing."""

    model_config = ConfigDict(extra="allow")

    longContextThreshold: int | None = None
    thinkBudget: int | None = None
    thinkEfforts: list[str] | None = None
    strict: bool = False
    default: str | None = None
    background: str | None = None
    think: str | None = None
    longContext: str | None = None
    webSearch: str | None = None
    image: str | None = None
    tool: str | None = None
    coder: str | None = None
    simple: str | None = None
    complex: str | None = None


def routes(
    document: Document, keys: RouterKeys, fallback: Mapping[str, list[str]], *, strict: bool
) -> tuple[Routes, list[Finding]]:
    """The Router as the rules use it, and what is wrong with it."""
    targets, findings = _targets(document, keys)
    if "default" not in targets:
        say = "is missing: requests that no other rule takes are refused"
        findings.append(problem(WHAT, document, say, "Router", "default"))
    chains, wrong = _fallback(document, fallback)
    usual = Routes()
    made = Routes(
        targets=targets,
        # as CCR: 0 means the usual threshold
        long_context_threshold=keys.longContextThreshold or usual.long_context_threshold,
        think_budget=usual.think_budget if keys.thinkBudget is None else keys.thinkBudget,
        think_efforts=tuple(keys.thinkEfforts or usual.think_efforts),
        strict=strict,
        fallback=chains,
        source=document.file,
        from_file=True,
    )
    return made, [*findings, *wrong]


def _targets(document: Document, keys: RouterKeys) -> tuple[dict[Scenario, Target], list[Finding]]:
    targets: dict[Scenario, Target] = {}
    findings: list[Finding] = []
    for scenario in SCENARIOS:
        text = (getattr(keys, scenario) or "").strip()
        if not text:
            continue
        target = Target.parse(text)
        if target is None:
            findings.append(problem(WHAT, document, _NOT_A_TARGET, "Router", scenario))
        else:
            targets[scenario] = target
    return targets, findings


def _fallback(
    document: Document, lists: Mapping[str, Sequence[str]]
) -> tuple[dict[Scenario, tuple[Target, ...]], list[Finding]]:
    chains: dict[Scenario, tuple[Target, ...]] = {}
    findings: list[Finding] = []
    for name, chain in lists.items():
        chosen = []
        for index, text in enumerate(chain):
            target = Target.parse(text)
            if target is None:
                place = ("fallback", name, index)
                findings.append(problem(WHAT, document, _NOT_A_TARGET, *place))
            else:
                chosen.append(target)
        if name in SCENARIOS:
            chains[name] = tuple(chosen)
        else:
            say = f"no scenario is called so (there are {', '.join(SCENARIOS)})"
            findings.append(problem(WHAT, document, say, "fallback", name))
    return chains, findings


def named(made: Routes) -> Iterator[tuple[Target, Place]]:
    """Each target with its place in the file."""
    for scenario, target in made.targets.items():
        yield target, ("Router", scenario)
    for name, chain in made.fallback.items():
        for target in chain:
            yield target, ("fallback", name)
