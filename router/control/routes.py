"""The routes as a person sees and edits them: the rules in words, and what an edit makes of them.

Pure. One rule: what cannot be meant is a ValueError that says what is wrong, before anything is
written or replayed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from router.config.edit import Place, Value
from router.contract import OverrideView, Routes, RouteValue, RuleView
from router.overrides import problem
from router.rules import CCR, strict
from router.settings import SCENARIOS, Generation, Scenario, Target
from router.settings import Routes as Settings

#: before a scenario's name: the targets that are tried after its own
FALLBACK = "fallback."


def shown(generation: Generation, overrides: Sequence[OverrideView], file: str) -> Routes:
    """The CCR plane's rules in the order they are asked; complexity is two lines, one for each of
    its scenarios."""
    routes = generation.routes
    rules: list[RuleView] = []
    for rule in strict.ORDER if routes.strict else CCR:
        asked = ("simple", "complex") if rule.name == "complexity" else (rule.name,)
        rules += [_line(rule.name, one, generation, overrides) for one in asked]
    return Routes(tuple(rules), routes.strict, routes.source, file, values=_values(routes))


def _line(
    name: str, asked: str, generation: Generation, overrides: Sequence[OverrideView]
) -> RuleView:
    """`asked`: the rule's own name, or which of its two scenarios complexity chooses."""
    routes, scenario = generation.routes, _named(asked)
    target = routes.targets.get(scenario) if scenario else None
    if asked == "no model":
        target = routes.thrown or routes.targets.get("default")
    over = next((o.target for o in overrides if o.scope == f"scenario:{scenario or ''}"), "")
    return RuleView(name, _when(asked, routes), scenario or "", str(target or ""), over)


def _when(name: str, routes: Settings) -> str:
    words = {
        "forced": "an operator's forced override",
        "header": "the header x-pointsman-model",
        "/model": "/model provider,model in the prompt",
        "override": "an operator's override",
        "custom": "your own router (CUSTOM_ROUTER_PATH)",
        "model": "the body names provider,model",
        "image": "an image not seen before",
        "longContext": f"more than {routes.long_context_threshold:,} tokens",
        "subagent": "a subagent's tag",
        "context": "the client names the scenario",
        "background": "a haiku, or a side call",
        "webSearch": "a web search tool",
        "think": f"high effort, or ≥ {routes.think_budget:,} tokens to think",
        "tool": "tools that the client runs",
        "coder": "code in the prompt",
        "simple": "a simple prompt",
        "complex": "a complex prompt",
        "named": "a provider serves that family by name",
        "default": "everything else",
    }
    if routes.strict and name in _STRICTLY:
        return _STRICTLY[name]
    return words.get(name, "")


#: where CCR's own rule is another than ours of that name
_STRICTLY = {
    "no model": "no model is named at all",
    "image": "an image in the last message",
    "subagent": "a tag that system[1] begins with",
    "background": "claude and haiku in the name",
    "think": "thinking of any kind is sent",
}

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
    if (scenario := _named(name)) is not None:
        return scenario
    known = ", ".join((*SCENARIOS, *_NUMBERS, _EFFORTS, _STRICT))
    raise ValueError(f"no scenario {name!r}; there are: {known}, and fallback.SCENARIO")


def _named(name: str) -> Scenario | None:
    return next((scenario for scenario in SCENARIOS if scenario == name), None)


def _target(name: str, text: str, generation: Generation) -> Target:
    target = Target.parse(text)
    if (wrong := problem(text, generation)) or target is None:
        raise ValueError(f"{name}: {wrong}")
    return target
