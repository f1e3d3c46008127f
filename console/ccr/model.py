"""`ccr model`: shows where each scenario goes, and switches one while requests fly."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from console.output import block, fail, out, table, who, with_link
from console.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.contract import Snapshot

section = "Routes and costs"

EVERYTHING = "everything"


@click.command()
def command() -> None:
    """Show the model of each scenario; at a terminal, choose another.

    The choice is an override: it acts at once, config.json stays as it is, and
    `pointsman override clear` takes it back.
    """
    snapshot = with_link(lambda link: link.snapshot())
    show(snapshot)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    scenario = choose("Which one? ", [EVERYTHING, *snapshot.scenarios])
    target = choose("Which model? ", snapshot.targets) if scenario else ""
    if scenario and target:
        switch(scenario, target)


def show(snapshot: Snapshot) -> None:
    from console.commands.status import overrides

    pinned = {view.scope.partition(":")[2]: view.target for view in snapshot.overrides}
    rows = [
        (name, target, f"now {pinned[name]}" if name in pinned else "")
        for name, target in snapshot.scenarios.items()
    ]
    for line in table(("SCENARIO", "CONFIGURED", "OVERRIDE"), rows):
        out(line)
    block("Overrides", overrides(snapshot.overrides, time.time()))


def choose(question: str, names: Sequence[str]) -> str:
    """One of `names` by its number or a part of it; "" when nothing was chosen."""
    out()
    for number, name in enumerate(names, 1):
        out(f"{number:>3}  {clean(name)}")
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
