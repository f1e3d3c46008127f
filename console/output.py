"""How commands answer: data on stdout, words on stderr, and an exit code that says what happened.

One rule: text from outside passes console.text.clean on its way to the terminal. In JSON, which is
data for a program, what is not printable is escaped instead: nothing is lost and nothing acts.
"""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from console.tables import room, wrapped
from console.text import clean
from storage import home as homes

if TYPE_CHECKING:
    from console.link import Link
    from router.contract import Action

_T = TypeVar("_T")

FAILED = 1
DOWN = 3
#: Ctrl-C, as a shell tells it
INTERRUPTED = 130

NO_ROUTER = "no router runs here: `pointsman start` starts one"


def no_router() -> str:
    """Why nothing answers: no router runs, or one does not answer."""
    from console.process.presence import silence

    return silence(homes.home()) or NO_ROUTER


def fail(message: str, code: int = FAILED) -> NoReturn:
    """Ends the command with words on stderr and an exit code."""
    for line in message.splitlines():
        say(clean(line))
    raise click.exceptions.Exit(code)


def out(text: str = "") -> None:
    click.echo(text)


def say(text: str) -> None:
    """A word to the person, never data."""
    cells = room(2)
    for line in text.split("\n"):
        for each in wrapped(line, cells):
            click.echo(each, err=True)


def print_json(value: Any, *, line: bool = False) -> None:
    """One document; `line` puts it on one line, for streams."""
    import msgspec

    encoded = msgspec.json.encode(value)
    text = (encoded if line else msgspec.json.format(encoded, indent=2)).decode()
    click.echo(_escaped(text))


#: for commands that change something
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON")


def do(action: Action, as_json: bool, words: str = "") -> None:
    """Has the router do it and tells what came of it, in `words` or its own; ends with FAILED and
    its reason where it refuses."""
    from router.contract import Done, Refused

    result = with_link(lambda link: link.act(action))
    if isinstance(result, Refused):
        fail(result.message)
    if as_json:
        print_json(result)
    else:
        said = words or (result.message if isinstance(result, Done) else "")
        out(clean(said or "done", limit=500))


def _escaped(text: str) -> str:
    """The encoder escapes C0, but not C1 and bidirectional controls; all are inside strings."""
    if text.isascii():
        return text
    return "".join(c if c.isprintable() or c == "\n" else _escape(c) for c in text)


def _escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i] << 8 | units[i + 1]:04x}" for i in range(0, len(units), 2))


def secret(label: str, *, default: Any = None, twice: bool = False) -> str:
    """What is not shown as it is typed; `twice` asks again to be sure. Of a pipe, its next line:
    nobody could be asked there. Ends the command where there is none, and no `default`."""
    import sys

    if sys.stdin.isatty():
        typed: str = click.prompt(
            label, default, hide_input=True, confirmation_prompt=twice, show_default=False
        )
        return typed
    line = sys.stdin.readline().rstrip("\r\n")
    if not line and default is None:
        fail(f"{label}: stdin has no line for it")
    return line or str(default)


def with_link(use: Callable[[Link], Awaitable[_T]]) -> _T:
    """Runs `use` with a link to this home's router; ends with DOWN where none answers."""
    from console.link import ArchiveError, Link, RouterDownError

    async def main() -> _T:
        link = Link(homes.home())
        try:
            return await use(link)
        finally:
            await link.close()

    try:
        return asyncio.run(main())
    except RouterDownError:
        fail(no_router(), DOWN)
    except ArchiveError as error:
        fail(str(error))
    except KeyboardInterrupt:
        raise click.exceptions.Exit(INTERRUPTED) from None


def who() -> str:
    """Who acts, for the audit line of an action."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = f"uid {os.getuid()}"
    remote = os.environ.get("SSH_CONNECTION", "").split(" ")[0]
    return f"{name}@{remote}" if remote else name


def bold(text: str) -> str:
    return click.style(text, bold=True)


def dim(text: str) -> str:
    return click.style(text, dim=True)


def red(text: str) -> str:
    return click.style(text, fg="red")


def block(title: str, lines: Iterable[str]) -> None:
    """A titled, indented block; nothing where there are no lines."""
    lines = list(lines)
    if lines:
        out()
        out(bold(title))
        for line in lines:
            out(f"  {line}")
