"""The manual pages, made from the parsers themselves: `python packaging/man.py FOLDER`.

pointsman(1), ccr(1) with every command and option, and pointsman.toml(5) from the example in docs.
One rule: nothing is said here that the parsers or the example do not say.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from inspect import cleandoc
from pathlib import Path

import click

from console.main import ccr_group, pointsman_group
from router.contract import VERSION

EXAMPLE = Path(__file__).parent.parent / "docs" / "pointsman.toml"
SEE = {
    "pointsman": "ccr(1), pointsman.toml(5)",
    "ccr": "pointsman(1)",
    "pointsman.toml": "pointsman(1)",
}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    return {
        "pointsman.1": _page("pointsman", pointsman_group),
        "ccr.1": _page("ccr", ccr_group),
        "pointsman.toml.5": _settings(),
    }


def _page(name: str, group: click.Group) -> str:
    # with its own settings: Click keeps the names of its help option once they were asked for
    ctx = click.Context(group, info_name=name, **group.context_settings)
    what = group.get_short_help_str(200).rstrip(".")
    lines = [*_head(name, 1, what), ".SH SYNOPSIS", f".B {name}", "[options] [command]"]
    lines += [".SH DESCRIPTION", *_prose(group.help or "")]
    lines += [".SH OPTIONS", *_options(group, ctx), ".SH COMMANDS"]
    for command in group.list_commands(ctx):
        found = group.get_command(ctx, command)
        if found is not None:
            lines += _command(found, ctx, f"{name} {command}")
    if group.epilog:
        lines += [".SH NOTES", *_prose(group.epilog)]
    return _end(lines, name)


def _command(command: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    ctx = click.Context(command, parent, info_name=name.rpartition(" ")[2])
    usage = " ".join(command.collect_usage_pieces(ctx))
    yield f".SS {_safe(name)} {_safe(usage)}"
    yield from _prose(command.help or "")
    yield from _options(command, ctx)
    if isinstance(command, click.Group):
        for inner in command.list_commands(ctx):
            found = command.get_command(ctx, inner)
            if found is not None:
                yield from _command(found, ctx, f"{name} {inner}")


def _options(command: click.Command, ctx: click.Context) -> Iterator[str]:
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is not None:
            yield from (".TP", f"\\fB{_safe(record[0])}\\fR", _safe(record[1]) or "\\&")


def _settings() -> str:
    lines = [*_head("pointsman.toml", 5, "settings of the Pointsman router"), ".SH DESCRIPTION"]
    lines += ["Every key, commented out, with its usual value.", ".PP", ".nf"]
    lines += [_safe(line) or "\\&" for line in EXAMPLE.read_text("utf-8").splitlines()]
    return _end([*lines, ".fi"], "pointsman.toml")


def _head(name: str, section: int, what: str) -> list[str]:
    built = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    date = datetime.fromtimestamp(built, UTC).date().isoformat()
    title = f'.TH {name.upper()} {section} "{date}" "pointsman {VERSION}"'
    return [title, ".SH NAME", f"{name} \\- {_safe(what)}"]


def _end(lines: list[str], name: str) -> str:
    return "\n".join([*lines, ".SH SEE ALSO", SEE[name], ""])


def _prose(text: str) -> Iterator[str]:
    r"""Paragraphs; those that click is told to leave alone (\b) stay as they are."""
    paragraphs = 0
    for paragraph in cleandoc(text).split("\n\n"):
        kept = paragraph.startswith("\b")
        body = paragraph.removeprefix("\b").strip("\n")
        if not body.strip():
            continue
        if paragraphs:
            yield ".PP"
        paragraphs += 1
        if kept:
            yield ".nf"
        yield from (_safe(line) for line in body.split("\n"))
        if kept:
            yield ".fi"


def _safe(text: str) -> str:
    """No line of the text is taken for a command of roff's."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("\b", "")
    return f"\\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    main(Path(sys.argv[1]))
