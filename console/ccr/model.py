"""`ccr model`: shows where each scenario goes, and switches one while requests fly."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from console.output import block, fail, out, print_json, table, who, with_link
from console.text import clean, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from console.link import Link
    from router.contract import ModelView, Snapshot

section = "Routes and costs"

EVERYTHING = "everything"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON; prices in nano-dollars a token")
def command(as_json: bool) -> None:
    """Show the model of each scenario; at a terminal, choose another.

    The choice is an override: it acts at once, config.json stays as it is, and
    `pointsman override clear` takes it back.
    """
    snapshot, models = with_link(look)
    if as_json:
        print_json({"scenarios": snapshot.scenarios, "models": models})
        return
    show(snapshot, models)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    scenario = choose("Which one? ", [(EVERYTHING,), *((name,) for name in snapshot.scenarios)])
    provider = scenario and choose("Which provider? ", offers(models))
    target = provider and choose("Which model? ", priced(models, provider))
    if target:
        switch(scenario, f"{provider},{target}")


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


def choose(question: str, rows: Sequence[Sequence[str]]) -> str:
    """The first cell of one of `rows`, by its number or a part of it; "" when none was chosen."""
    names = [row[0] for row in rows]
    width = max((len(row) for row in rows), default=1)
    cells = [
        (str(number), *row, *("" for _ in range(width - len(row))))
        for number, row in enumerate(rows, 1)
    ]
    out()
    for line in table(("", *("" for _ in range(width))), cells, right=(0,))[1:]:
        out(line)
    while True:
        try:
            answer = input(question).strip()
        except EOFError:
            out()
            return ""
        if not answer:
            return ""
        if answer.isdecimal() and 1 <= int(answer) <= len(names):
            return names[int(answer) - 1]
        matching = [name for name in names if answer.lower() in name.lower()]
        if answer in names or len(matching) == 1:
            return answer if answer in names else matching[0]
        out("a number, or a part of one name; Enter leaves all as it is")


def switch(scenario: str, target: str) -> None:
    from router.contract import Done, Refused, SetOverride

    scope = "everywhere" if scenario == EVERYTHING else f"scenario:{scenario}"
    result = with_link(lambda link: link.act(SetOverride(scope=scope, target=target, by=who())))
    if isinstance(result, Refused):
        fail(result.message)
    out(f"{clean(scenario)} now goes to {clean(target)}")
    if isinstance(result, Done) and result.override is not None:
        out(f"back again: pointsman override clear {clean(result.override.id)}")
