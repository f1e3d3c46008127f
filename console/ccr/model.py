"""`ccr model`: shows where each scenario goes, and switches one while requests fly."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from console.output import block, fail, out, print_json, who, with_link
from console.tables import table
from console.text import clean, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from console.choosing import Question
    from console.link import Link
    from router.contract import ModelView, Snapshot

section = "Routes and costs"

EVERYTHING, ADD = "everything", "add"
#: Claude Code Router's, and then ours; those that have no route yet can be given one
SCENARIOS = (
    *("default", "background", "think", "longContext", "webSearch", "image"),
    *("coder", "tool", "simple", "complex"),
)
KEEP, NOW = "keep it", "for now"
NEW = "a new one"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON; prices in nano-dollars a token")
def command(as_json: bool) -> None:
    """Show the model of each scenario; at a terminal, choose another.

    What is chosen acts at once. It is kept, in config.json, whose comments stay (without one, in
    pointsman.toml), or is an override for now, which `pointsman override clear` takes back.
    Models, and providers with their key and transformers, are added to config.json here too.
    """
    interactive = sys.stdin.isatty() and sys.stdout.isatty() and not as_json
    if interactive:
        _with_a_router()
    snapshot, models = with_link(look)
    if as_json:
        print_json({"scenarios": snapshot.scenarios, "models": models})
        return
    if not interactive:
        show(snapshot, models)
        return
    from console.choosing import answers

    chosen = answers(lambda given: question(given, snapshot, models))
    if chosen is None:
        show(snapshot, models)
        out("all stays as it is")
        return
    if chosen[0] == ADD:
        from console.adding import add

        add("" if chosen[1] == NEW else chosen[1])
        return
    scenario, provider, model, *rest = chosen
    switch(scenario, f"{provider},{model}", keep=rest == [KEEP])


def _with_a_router() -> None:
    import asyncio

    from console.ccr.code import router_of
    from storage.home import home

    asyncio.run(router_of(home()))


async def look(link: Link) -> tuple[Snapshot, tuple[ModelView, ...]]:
    from router.contract import ListModels, Models

    found = await link.act(ListModels())
    return await link.snapshot(), found.models if isinstance(found, Models) else ()


def show(snapshot: Snapshot, models: Iterable[ModelView]) -> None:
    from console.commands.status import overrides

    pinned = {view.scope.partition(":")[2]: view.target for view in snapshot.overrides}
    prices = {model.target: price(model) for model in models}
    rows = [
        (name, target, prices.get(target, ""), f"now {pinned[name]}" if name in pinned else "")
        for name, target in snapshot.scenarios.items()
    ]
    for line in table(("SCENARIO", "CONFIGURED", "IN / OUT PER M", "OVERRIDE"), rows):
        out(line)
    block("Overrides", overrides(snapshot.overrides, time.time()))


def price(model: ModelView) -> str:
    """ "$0.14 / $0.28" per million tokens; "free"; "—" where it is not known."""
    if model.input is None or model.output is None:
        return "—"
    if not model.input and not model.output:
        return "free"
    return f"${model.input / 1000:.2f} / ${model.output / 1000:.2f}"


def offers(models: Iterable[ModelView]) -> list[tuple[str, ...]]:
    counts: dict[str, int] = {}
    for model in models:
        provider = model.target.partition(",")[0]
        counts[provider] = counts.get(provider, 0) + 1
    return [(name, f"{n} model{'s' * (n != 1)}") for name, n in counts.items()]


def priced(models: Iterable[ModelView], provider: str) -> list[tuple[str, ...]]:
    return [
        (
            name,
            price(model),
            f"{tokens(model.context)} tokens" if model.context else "",
            "simulated" if model.simulated else "",
        )
        for model in models
        for of, _, name in [model.target.partition(",")]
        if of == provider
    ]


def question(
    given: Sequence[str], snapshot: Snapshot, models: Sequence[ModelView]
) -> Question | None:
    """Scenario, provider, model, and for how long: what comes after the answers `given`."""
    from console.choosing import Question

    match given:
        case []:
            names = [*SCENARIOS, *(n for n in snapshot.scenarios if n not in SCENARIOS)]
            prices = {model.target: price(model) for model in models}
            rows = [(n, t or "—", prices.get(t, "")) for n, t in _routes(names, snapshot)]
            everything = (EVERYTHING, "all of them, for now", "")
            heads = ("SCENARIO", "NOW", "IN / OUT PER M")
            more = (ADD, "models, or a provider, to config.json", "")
            return Question("Which scenario?", heads, [*rows, everything, more])
        case [scenario] if scenario == ADD:
            new = (NEW, "its address and its key are asked for")
            return Question("Models of which provider?", ("PROVIDER", ""), [*offers(models), new])
        case [scenario, _] if scenario == ADD:
            return None
        case [scenario]:
            return Question(f"{scenario}: which provider?", ("PROVIDER", ""), offers(models))
        case [scenario, provider]:
            columns = ("MODEL", "IN / OUT PER M", "HOLDS", "")
            return Question(f"{scenario}: which model?", columns, priced(models, provider))
        case [scenario, _, model] if scenario != EVERYTHING:
            spans = [
                (KEEP, "written into the configuration; the file as it was stays beside it"),
                (NOW, "an override, until `pointsman override clear` takes it back"),
            ]
            return Question(f"{scenario} → {model}: for how long?", ("", ""), spans)
    return None


def _routes(names: Iterable[str], snapshot: Snapshot) -> list[tuple[str, str]]:
    return [(name, snapshot.scenarios.get(name, "")) for name in names]


def switch(scenario: str, target: str, *, keep: bool) -> None:
    from router.contract import Done, Edited, EditRoutes, Refused, SetOverride

    if keep:
        edit = EditRoutes({scenario: target}, dry=False, by=who(), ccr=True)
        edited = with_link(lambda link: link.act(edit))
        if isinstance(edited, Refused):
            fail(edited.message)
        assert isinstance(edited, Edited)
        out(f"{clean(scenario)} now goes to {clean(target)}")
        out(f"{'written into' if edited.applied else 'as it stands in'} {clean(edited.file)}")
        return
    scope = "everywhere" if scenario == EVERYTHING else f"scenario:{scenario}"
    result = with_link(lambda link: link.act(SetOverride(scope=scope, target=target, by=who())))
    if isinstance(result, Refused):
        fail(result.message)
    out(f"{clean(scenario)} now goes to {clean(target)}")
    if isinstance(result, Done) and result.override is not None:
        out(f"back again: pointsman override clear {clean(result.override.id)}")
        if result.warning:
            out(clean(result.warning, limit=500))
