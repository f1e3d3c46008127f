"""What the documents say can be typed and set is what the program takes."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import click
import pytest
from pydantic import BaseModel

from console.commanding import COMMANDS
from console.main import ccr_group, pointsman_group
from router.config.own import PointsmanToml

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md", *ROOT.glob("docs/*.md")]
GROUPS: dict[str, click.Group] = {"pointsman": pointsman_group, "ccr": ccr_group}
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
_INLINE = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
_ASSIGNED = re.compile(r"[A-Z_]+=")


def typed(page: Path) -> Iterator[tuple[str, bool]]:
    """Each command line, and whether it is whole: what stands in a sentence may be a name alone."""
    text = page.read_text()
    for language, block in _FENCE.findall(text):
        if language == "bash":
            yield from ((line, True) for line in block.replace("\\\n", " ").splitlines())
    for words in _INLINE.findall(_FENCE.sub("", text)):
        if not words.startswith("["):  # a table of pointsman.toml
            yield " ".join(words.split()), False


def commands(line: str) -> Iterator[list[str]]:
    """The runs of our programs in a line: `A=b ccr x`, `eval "$(ccr activate)"`, `ssh … ccr x`."""
    line = re.sub(r"\$\((.+?)\)", r" ; \1 ; ", line.replace('"$(', "$(").replace(')"', ")"))
    try:
        words = shlex.split(line.replace("[", "").replace("]", ""), comments=True)
    except ValueError:
        return  # prose with an apostrophe
    for part in re.split(r"(?:^|\x00)(?:;|&&|\||\|\|)(?:\x00|$)", "\0".join(words)):
        run = [word for word in part.split("\0") if word]
        while run and (_ASSIGNED.match(run[0]) or run[0].endswith(";")):
            run = run[1:]
        if run[:1] == ["ssh"]:
            run = next((run[i:] for i, word in enumerate(run) if word in GROUPS), [])
        if run and run[0] in GROUPS and run[1:2] != ["NAME"]:
            yield [word.rstrip(";").partition("|")[0] for word in run if word != "…"]


def refused(run: list[str], whole: bool) -> str:
    """Why a command line would be refused; "" where it is taken."""
    command: click.Command = GROUPS[run[0]]
    name, rest, parent = run[0], run[1:], None
    try:
        while isinstance(command, click.Group):
            with command.make_context(name, rest, parent, resilient_parsing=True) as context:
                parent, rest = context, [*context._protected_args, *context.args]
            if not rest:
                return ""
            found, chosen, rest = command.resolve_command(parent, rest)
            if chosen is None:
                return "is no command"
            name, command = found or "", chosen
        if not {"--help", "--version"} & set(rest):
            command.make_context(name, rest, parent)
    except (click.MissingParameter, click.BadOptionUsage) as error:
        return error.format_message() if whole else ""
    except click.BadParameter as error:  # a file of the reader's; a name that stands for another
        stands = re.search(r"does not exist|No such file|'[A-Z]+' is not", error.message)
        return "" if stands else error.format_message()
    except click.UsageError as error:
        return error.format_message()
    except click.exceptions.Exit as end:  # a group that says itself what it does not have
        return "is no command" if end.exit_code else ""
    return ""


def test_every_command_in_the_documents_is_one() -> None:
    wrong, seen = [], 0
    for page in PAGES:
        for line, whole in typed(page):
            for run in commands(line):
                seen += 1
                if why := refused(run, whole):
                    wrong.append(f"{page.name}: {shlex.join(run)}: {why}")
    assert not wrong, "\n".join(wrong)
    assert seen > 80


def test_every_option_beside_a_command_is_one_of_its_own() -> None:
    """A row of a table names a command and, in its sentence, options alone."""
    wrong, seen = [], 0
    for row in re.findall(r"^\| `(?:pointsman|ccr).*", (ROOT / "docs/cli.md").read_text(), re.M):
        runs = [run for words in _INLINE.findall(row) for run in commands(words)]
        taken = {"--help"}.union(*(options(run) for run in runs))
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", row):
            seen += 1
            if option not in taken:
                wrong.append(f"{shlex.join(runs[0])}: no {option}")
    assert not wrong, "\n".join(wrong)
    assert seen > 60


def options(run: list[str]) -> set[str]:
    """Of the command that a line runs, and of the groups above it."""
    command: click.Command | None = GROUPS[run[0]]
    found: set[str] = set()
    words = run[1:]
    while command is not None:
        found |= {opt for param in command.params for opt in param.opts + param.secondary_opts}
        if not (isinstance(command, click.Group) and words):
            break
        command = command.get_command(click.Context(command), words.pop(0))
    return found


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        ("pointsman nothing", False),
        ("POINTSMAN_HOME=x pointsman status --colour", False),
        ("ssh developer@localhost -p 2222 ccr stat", True),
        ('eval "$(ccr activat)"', True),
        ("pointsman why", True),
    ],
)
def test_a_command_that_is_none_would_be_noticed(line: str, whole: bool) -> None:
    assert [why for run in commands(line) if (why := refused(run, whole))]


def test_every_word_after_a_colon_is_one_of_the_consoles() -> None:
    told = {word for page in PAGES for word in re.findall(r"`:([a-z]+)", page.read_text())}
    assert not told - COMMANDS.keys()
    assert len(told) > 15


def test_every_setting_in_the_documents_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for page in PAGES:
        for language, block in _FENCE.findall(page.read_text()):
            document = tomllib.loads(block) if language == "toml" else {}
            if document.keys() & PointsmanToml.model_fields.keys():
                PointsmanToml.model_validate(document)


def test_every_setting_is_in_the_example() -> None:
    example = (ROOT / "docs" / "pointsman.toml").read_text()
    told = set(re.findall(r"\w+", example))
    assert not set(names(PointsmanToml)) - told


def names(model: type[BaseModel], inside: tuple[type[BaseModel], ...] = ()) -> Iterator[str]:
    """Of every key, those of the tables inside included."""
    for name, field in model.model_fields.items():
        yield name
        for part in (field.annotation, *get_args(field.annotation)):
            known = (*inside, model)
            if isinstance(part, type) and issubclass(part, BaseModel) and part not in known:
                yield from names(part, known)


def test_every_file_that_is_named_is_there() -> None:
    folders = "router|console|storage|tests|bench|docs|packaging|screenshots"
    ours = re.compile(rf"`((?:{folders})/[\w./-]+)`")
    pages = [*(page for page in PAGES if page.name != "CHANGELOG.md"), ROOT / "CONTRIBUTING.md"]
    named = {path for page in pages for path in ours.findall(page.read_text())}
    stands = re.compile(r"[A-Z]{4}")  # for a name that is the reader's to choose
    assert [path for path in named if not (stands.search(path) or (ROOT / path).exists())] == []
    assert len(named) > 20


def test_every_link_leads_somewhere() -> None:
    def anchors(page: Path) -> set[str]:
        heads = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
        return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}

    lost = []
    for page in PAGES:
        for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text()):
            to, _, anchor = link.partition("#")
            place = page.parent / to if to else page
            if not place.exists() or (anchor and anchor not in anchors(place)):
                lost.append(f"{page.name}: {link}")
    assert lost == []
