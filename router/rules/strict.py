"""CCR 1.x/2.x to the letter: one table, first hit wins, oddities included.

    no model     CCR's rules throw, and what throws goes to Router.default; not with an image
    custom       what CUSTOM_ROUTER_PATH's function says
    image        the last message is the user's and has an image; beats even an explicit model
    model        a comma in it; made canonical only where it was written in lower case
    longContext  before the subagent tag, background, webSearch and think
    subagent     only a tag that the second system block begins with
    background   "claude" and "haiku" in the model's name
    webSearch    a tool's type begins with web_search
    think        any `thinking` at all: {"type": "disabled"} thinks too
    default

Only think, longContext, background, webSearch and default have fallbacks of their own; the rest
falls back as default does. Names of providers are compared to the letter, and one that is not found
is a 404, wherever it was named. Operators' overrides and x-pointsman-model go before the table:
neither can be met by accident. A `/model` in the prompt is plain text, as in CCR. That a session's
last usage may mean longContext too is left out: CCR 2.0.0 has the rule, but never learns of a
usage, of a whole answer or a stream, not even where the provider says it (recorded).
"""

from __future__ import annotations

from msgspec.structs import replace

from router.errors import CallerError
from router.facts import SUBAGENT_TAG
from router.messages import Image, Part, Request, Text, ToolResult
from router.rules import (
    body_model,
    custom,
    default,
    explicit,
    long_context,
    pins,
    web_search,
)
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


def _shows_image(case: Case) -> bool:
    last = case.request.messages[-1] if case.request.messages else None
    return last is not None and last.role == "user" and _has_image(last.parts)


def look_image(case: Case, signals: Signals) -> Verdict:
    if not _shows_image(case):
        return Verdict("no image in the last message")
    return _route(case, "image in the last message", "image", "default")


def look_no_model(case: Case, signals: Signals) -> Verdict:
    targets = case.generation.routes.targets
    if case.request.model is None and not ("image" in targets and _shows_image(case)):
        if (thrown := case.generation.routes.thrown) is not None:
            return _to(case, "no model named", thrown.provider, thrown.model, "default")
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


def own_session(request: Request) -> str:
    """The session as CCR knows it: by the user_id that Claude Code sent before 2.1.78."""
    user = request.user or ""
    return "" if user.startswith("{") else user.partition("_session_")[2]


def look_web_search(case: Case, signals: Signals) -> Verdict | None:
    seen = web_search.look(case, signals)
    return _route(case, seen.value, "webSearch", "webSearch") if seen else None


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


def look_custom(case: Case, signals: Signals) -> Verdict | None:
    """Whatever the function says is taken at its word."""
    answer = case.custom
    if answer is None or answer.problem or not answer.model:
        return custom.look(case, signals)
    provider, _, model = answer.model.partition(",")
    return _to(case, answer.model, provider, model, "default")


TABLE = (
    Rule("no model", look_no_model, when={"": "no model is named at all"}),
    Rule(custom.NAME, look_custom, usual=None, when=custom.RULE.when),
    Rule("image", look_image, when={"image": "an image in the last message"}),
    Rule("model", look_model, when=body_model.RULE.when),
    Rule("longContext", look_long, when=long_context.RULE.when),
    Rule("subagent", look_subagent, when={"": "a tag that system[1] begins with"}),
    Rule("background", look_background, when={"background": "claude and haiku in the name"}),
    Rule("webSearch", look_web_search, "no web_search tool", when=web_search.RULE.when),
    Rule("think", look_think, when={"think": "thinking of any kind is sent"}),
    Rule("default", look_default, when=default.RULE.when),
)
PINS = (pins.FORCED, explicit.HEADER, pins.OVERRIDE)
ORDER = (*PINS, *TABLE)
