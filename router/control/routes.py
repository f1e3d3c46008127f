"""The routes as a person sees and edits them: the rules in words, and what an edit makes of them.

Pure. One rule: what cannot be meant is a ValueError that says what is wrong, before anything is
written or replayed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from router.config.edit import Place, Value
from router.contract import OverrideView, Routes, RouteValue, RuleView
from router.overrides import problem
from router.rules import CCR, strict
from router.settings import SCENARIOS, Generation, Scenario, Target
from router.settings import Routes as Settings

#: before a scenario's name: the targets that are tried after its own
FALLBACK = "fallback."


def shown(generation: Generation, overrides: Sequence[OverrideView], file: str) -> Routes:
    """The CCR plane's rules in the order they are asked; a rule that chooses between scenarios is
    a line for each of them."""
    routes = generation.routes
    rules = tuple(
        _line(rule.name, scenario, words.format(routes=routes), routes, overrides)
        for rule in (strict.ORDER if routes.strict else CCR)
        for scenario, words in rule.when.items()
    )
    return Routes(rules, routes.strict, routes.source, file, values=_values(routes))


def _line(
    name: str,
    scenario: Scenario | Literal[""],
    when: str,
    routes: Settings,
    overrides: Sequence[OverrideView],
) -> RuleView:
    target = routes.targets.get(scenario) if scenario else None
    if name == "no model":
        target = routes.thrown or routes.targets.get("default")
    over = next((o.target for o in overrides if o.scope == f"scenario:{scenario}"), "")
    return RuleView(name, when, scenario, str(target or ""), over)


# ── edits ─────────────────────────────────────────────────────────────────────────────────────────


class _Number(NamedTuple):
    field: str  # of settings.Routes, and the key in [routes]
    rule: Scenario
    what: str
    least: int


_NUMBERS: Mapping[str, _Number] = {
    "longContextThreshold": _Number("long_context_threshold", "longContext", "tokens", 1),
    "thinkBudget": _Number("think_budget", "think", "tokens to think", 0),
}
_EFFORTS = "thinkEfforts"
#: yes: the rules are CCR's own, to the letter
_STRICT = "strict"
_YES_OR_NO = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


def _values(routes: Settings) -> tuple[RouteValue, ...]:
    values = [
        RouteValue(name, str(getattr(routes, number.field)), number.rule, number.what)
        for name, number in _NUMBERS.items()
    ]
    values.append(RouteValue(_EFFORTS, " ".join(routes.think_efforts), "think", "efforts"))
    values.append(RouteValue(_STRICT, "yes" if routes.strict else "no", "", "as CCR does it"))
    for scenario in SCENARIOS:
        chain = " ".join(map(str, routes.fallback.get(scenario, ())))
        values.append(RouteValue(FALLBACK + scenario, chain, scenario, "tried next"))
    return tuple(values)


def edited(generation: Generation, edits: Mapping[str, str]) -> Settings:
    """The routes with the edits put over them. Raises ValueError that says what is wrong."""
    routes = generation.routes
    targets, fallback = dict(routes.targets), dict(routes.fallback)
    changes: dict[str, object] = {}
    for name, text in edits.items():
        if name in _NUMBERS:
            changes[_NUMBERS[name].field] = _number(name, text)
        elif name == _EFFORTS:
            changes["think_efforts"] = _efforts(text)
        elif name == _STRICT:
            changes["strict"] = _yes_or_no(name, text)
        elif name.startswith(FALLBACK):
            scenario = _scenario(name.removeprefix(FALLBACK))
            fallback[scenario] = tuple(_target(name, each, generation) for each in text.split())
        elif text or name != "default":
            scenario = _scenario(name)
            targets.pop(scenario, None)
            if text:
                targets[scenario] = _target(name, text, generation)
        else:
            raise ValueError("default needs a target: it takes what no rule takes")
    # the names are fields of Routes, and _NUMBERS and _efforts give what those hold
    return replace(routes, targets=targets, fallback=fallback, **changes)  # type: ignore[arg-type]


def places(edits: Mapping[str, str]) -> dict[Place, Value]:
    """Where in [routes] each edit is written, and what. The edits are such that `edited` takes."""
    return dict(_place(name, text) for name, text in edits.items())


def _place(name: str, text: str) -> tuple[Place, Value]:
    if name in _NUMBERS:
        return (_NUMBERS[name].field,), _number(name, text)
    if name == _EFFORTS:
        return ("think_efforts",), list(_efforts(text))
    if name == _STRICT:
        return ("strict",), _yes_or_no(name, text)
    if name.startswith(FALLBACK):
        return ("fallback", name.removeprefix(FALLBACK)), text.split()
    return ("targets", name), text


def _number(name: str, text: str) -> int:
    plain = text.strip().replace(",", "").replace("_", "")
    least = _NUMBERS[name].least
    if not plain.isascii() or not plain.isdigit() or int(plain) < least:
        raise ValueError(f"{name}: write a whole number of at least {least}, not {text!r}")
    return int(plain)


def _efforts(text: str) -> tuple[str, ...]:
    if not (words := tuple(text.replace(",", " ").split())):
        raise ValueError(f"{_EFFORTS}: write at least one, as: high max xhigh")
    return words


def _yes_or_no(name: str, text: str) -> bool:
    if (meant := _YES_OR_NO.get(text.strip().casefold())) is None:
        raise ValueError(f"{name}: write yes or no, not {text!r}")
    return meant


def _scenario(name: str) -> Scenario:
    for scenario in SCENARIOS:
        if scenario == name:
            return scenario
    known = ", ".join((*SCENARIOS, *_NUMBERS, _EFFORTS, _STRICT))
    raise ValueError(f"no scenario {name!r}; there are: {known}, and fallback.SCENARIO")


def _target(name: str, text: str, generation: Generation) -> Target:
    target = Target.parse(text)
    if (wrong := problem(text, generation)) or target is None:
        raise ValueError(f"{name}: {wrong}")
    return target
