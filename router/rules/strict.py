"""CCR 1.x/2.x to the letter: one table, first hit wins, oddities included.

    image        the last message is the user's and has an image; beats even an explicit model
    no model     CCR's rules throw, and what throws goes to Router.default
    model        a comma in it; made canonical only where it was written in lower case
    longContext  before the subagent tag, background, webSearch and think
    subagent     only a tag that the second system block begins with
    background   "claude" and "haiku" in the model's name
    webSearch    a tool's type begins with web_search
    think        any `thinking` at all: {"type": "disabled"} thinks too
    default

Only think, longContext, background, webSearch and default have fallbacks of their own; the rest
falls back as default does. Names of providers are compared to the letter, and one that is not
found is a 404, wherever it was named. Operators' overrides and x-pointsman-model go before the
table: neither can be met by accident. A `/model` in the prompt is plain text, as in CCR.
"""

from __future__ import annotations

from msgspec.structs import replace

from router.errors import CallerError
from router.facts import SUBAGENT_TAG
from router.messages import Image, Part, Text, ToolResult
from router.rules import explicit, long_context, pins, web_search
from router.rules.plan import Case
from router.rules.rule import Rule, Verdict
from router.rules.signals import Signals
from router.rules.targets import scenario_target
from router.settings import Scenario, Target


def _to(case: Case, value: str, provider: str, model: str, scenario: Scenario) -> Verdict:
    if provider in case.generation.providers:
        return Verdict(value, target=Target(provider, model), scenario=scenario)
    return Verdict(
        value,
        error=CallerError(
            f"Provider '{provider}' not found",
            status=404,
            kind="missing",
            code="provider_not_found",
        ),
    )


def _route(case: Case, value: str, scenario: Scenario, falls_back_as: Scenario) -> Verdict:
    """A scenario's target, the operator's override of it included; a miss where there is none."""
    target, override, problem = scenario_target(case, scenario)
    if target is None:
        return Verdict(value, note="no target is configured", problem=problem)
    verdict = _to(case, value, target.provider, target.model, falls_back_as)
    return replace(verdict, override=override, problem=problem)


def _has_image(parts: list[Part]) -> bool:
    return any(
        isinstance(part, Image) or (isinstance(part, ToolResult) and _has_image(part.parts))
        for part in parts
    )


def look_image(case: Case, signals: Signals) -> Verdict:
    last = case.request.messages[-1] if case.request.messages else None
    if last is None or last.role != "user" or not _has_image(last.parts):
        return Verdict("no image in the last message")
    return _route(case, "image in the last message", "image", "default")


def look_no_model(case: Case, signals: Signals) -> Verdict:
    if case.request.model is None:
        return _route(case, "no model named", "default", "default")
    return Verdict(signals.asked)


def look_model(case: Case, signals: Signals) -> Verdict:
    asked = signals.asked
    if "," not in asked:
        return Verdict(asked)
    written = asked.split(",")
    provider = next(
        (p for p in case.generation.providers.values() if p.name.lower() == written[0]), None
    )
    known = provider.models if provider is not None else ()
    model = next((name for name in known if name.lower() == written[1]), None)
    if provider is not None and model is not None:
        return _to(case, asked, provider.name, model, "default")
    name, _, rest = asked.partition(",")
    return _to(case, asked, name, rest, "default")


def look_subagent(case: Case, signals: Signals) -> Verdict:
    system = case.request.system
    second = system[1] if len(system) > 1 else None
    found = SUBAGENT_TAG.match(second.text) if isinstance(second, Text) else None
    if found is None:
        return Verdict("no tag at the start of system[1]")
    provider, _, model = found[1].partition(",")
    return _to(case, found[1], provider, model, "default")


def look_long(case: Case, signals: Signals) -> Verdict:
    seen = long_context.look(case, signals)
    return _route(case, seen.value, "longContext", "longContext") if seen.scenario else seen


def look_web_search(case: Case, signals: Signals) -> Verdict:
    seen = web_search.look(case, signals)
    return _route(case, seen.value, "webSearch", "webSearch") if seen.scenario else seen


def look_default(case: Case, signals: Signals) -> Verdict:
    return _route(case, signals.asked, "default", "default")


def look_background(case: Case, signals: Signals) -> Verdict:
    if "claude" in signals.asked and "haiku" in signals.asked:
        return _route(case, signals.asked, "background", "background")
    return Verdict(signals.asked)


def look_think(case: Case, signals: Signals) -> Verdict:
    # {} counts: to CCR's JavaScript any object is true
    if case.request.body.get("thinking") is None and not case.request.reasoning.mode:
        return Verdict("not sent")
    return _route(case, case.facts.thinking or "sent", "think", "think")


TABLE = (
    Rule("image", look_image),
    Rule("no model", look_no_model),
    Rule("model", look_model),
    Rule("longContext", look_long),
    Rule("subagent", look_subagent),
    Rule("background", look_background),
    Rule("webSearch", look_web_search),
    Rule("think", look_think),
    Rule("default", look_default),
)
PINS = (pins.FORCED, explicit.HEADER, pins.OVERRIDE)
ORDER = (*PINS, *TABLE)
