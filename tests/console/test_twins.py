"""No key of the console without its command, no command that the shell does not take."""

from __future__ import annotations

import importlib
import shlex
from pathlib import Path

import click
import pytest
from textual.binding import Binding

from console import commanding, twins
from console.app import ConsoleApp
from console.main import pointsman_group
from console.screens import SCREENS
from console.screens.view import View

DOC = Path(__file__).parents[2] / "docs" / "cli.md"
VIEWS = {**{id: name for id, name in SCREENS.values()}, "detail": "Detail"}


def bound(owner: type) -> set[str]:
    """Each key that a screen has words for: its bindings, and Enter where its list takes that."""
    found = {
        binding.key
        for binding in owner.__dict__.get("BINDINGS", ())
        if isinstance(binding, Binding) and not binding.system
    }
    if issubclass(owner, View):
        found |= {"enter"} & dict(owner.KEYS).keys()
    return found


@pytest.mark.parametrize("screen", [*VIEWS, twins.EVERYWHERE])
def test_every_key_has_its_command_or_is_named_as_none(screen: str) -> None:
    if screen == twins.EVERYWHERE:
        owner: type = ConsoleApp
    else:
        owner = getattr(importlib.import_module(f"console.screens.{screen}"), VIEWS[screen])
    known = set(twins.OWN.get(screen, "").split(","))
    for twin in twins.TWINS:
        if twin.screen == screen:
            known |= set(twin.keys.split(","))
    asked = {key for keys in bound(owner) for key in keys.split(",")}
    assert asked - known == set(), "say in console/twins.py what these are from a shell"
    lines = {key for key in known if key.startswith(":")}
    assert {line[1:] for line in lines} <= commanding.COMMANDS.keys()
    assert known - asked - lines <= {"", "slash", "ctrl+c"}, "no such key"


@pytest.mark.parametrize("line", sorted({twin.command for twin in twins.TWINS}))
def test_every_command_is_one_with_json(line: str) -> None:
    program, *words = shlex.split(line)
    assert program == "pointsman"
    command: click.Command = pointsman_group
    while isinstance(command, click.Group) and words:
        found = command.get_command(click.Context(command), words[0])
        if found is None:
            break
        command, words = found, words[1:]
    values = {"ID": "req_1", "1000": "1000"}
    words = [values.get(word, word) for word in words]
    command.make_context(line, [*words], resilient_parsing=False)
    options = {option for parameter in command.params for option in parameter.opts}
    assert "--json" in options, line


def test_the_docs_have_the_table() -> None:
    rows = [
        f"| {twin.screen} | `{twins.shown(twin.keys)}` | {twin.does} | `{twin.command}` |"
        for twin in twins.TWINS
    ]
    table = "\n".join(("| screen | key | does | from a shell |", "|---|---|---|---|", *rows))
    assert table in DOC.read_text()
