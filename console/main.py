"""The entry points `pointsman` and `ccr`: two click groups whose commands are files of a folder.

One rule: a command's file is imported only when the command is used or listed, and imports nothing
heavy at its top, so that `--help` answers at once. Adding a command is adding a file with `command`
(a click command) and `section` (its heading in the help).
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import click
from click.shell_completion import CompletionItem

import console.ccr
import console.commands
from console.options import router_options
from console.suggesting import Suggesting
from console.text import clean
from router.contract import VERSION


class Folder(Suggesting):
    """A group whose commands are the modules of one package."""

    def __init__(
        self,
        *args: Any,
        package: Any,
        sections: Sequence[str],
        synonyms: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.package = package
        self.sections = sections
        self.synonyms = synonyms or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(module.name for module in pkgutil.iter_modules(self.package.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = self.synonyms.get(cmd_name, cmd_name)
        if name not in self.list_commands(ctx):
            return None
        found: click.Command = self._module(name).command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        names = self.list_commands(ctx)
        for heading in self.sections:
            rows = [
                (name, self._module(name).command.get_short_help_str(limit=64))
                for name in names
                if self._module(name).section == heading
            ]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)

    def _module(self, name: str) -> Any:
        return importlib.import_module(f"{self.package.__name__}.{name}")


class Lenient(Folder):
    """Claude Code Router's own manner: an installed preset is a command too, an unknown one shows
    the help, and wrong usage ends with 1."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _ending_with(1):
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _ending_with(1):
            return super().invoke(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        if found is None:
            from console.presets.command import command_of

            found = command_of(cmd_name)
        return found

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from console import presets
        from storage.home import home

        names = [name for name in presets.installed(home()) if name.startswith(incomplete)]
        found = [CompletionItem(name, help="Claude Code on this preset.") for name in names]
        return super().shell_complete(ctx, incomplete) + found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not ctx.resilient_parsing and self.get_command(ctx, args[0]) is None:
            click.echo(ctx.get_help())
            click.echo(f"\nccr has no command {clean(args[0])!r}", err=True)
            ctx.exit(1)
        return super().resolve_command(ctx, args)


@contextmanager
def _ending_with(code: int) -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        error.show()
        raise click.exceptions.Exit(code) from None


SETTINGS = {"help_option_names": ["-h", "--help"]}


@click.group(
    cls=Folder,
    package=console.commands,
    sections=("Run", "Look", "Change"),
    invoke_without_command=True,
    context_settings=SETTINGS,
    epilog="""\b
Examples:
  pointsman                                start the router if none runs, open the console
  pointsman serve --port 8080 --ssh-port 0 in the foreground, as a service runs it
  pointsman why last                       why the newest request went where it went
  pointsman override set deepseek,deepseek-chat --for 30m
  pointsman route request.json             which model would this body get, and why

\b
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no router runs.
`ccr --help` shows the Claude Code Router commands.""",
)
@click.version_option(VERSION, "-V", "--version", message="pointsman %(version)s")
@router_options
@click.option("--screen", metavar="NAME", help="Open the console there: costs, logs, …")
@click.option("--request", metavar="ID", help="Open the console at one request")
@click.option("--read-only", is_flag=True, help="Open a console that may only look")
@click.pass_context
def pointsman_group(ctx: click.Context, /, **options: Any) -> None:
    """An operations console for LLM traffic. Alone: starts the router if none runs, and opens the
    console. The options below move a router that is started here.
    """
    if ctx.invoked_subcommand is None:
        from console.opening import open_console

        ctx.exit(open_console(options))


@click.group(
    cls=Lenient,
    package=console.ccr,
    sections=("Work", "Service", "Routes and costs", "About"),
    synonyms={"env": "activate"},
    invoke_without_command=True,
    context_settings=SETTINGS,
    epilog="""\b
Examples:
  ccr code "Help me debug this Python function"
  ccr code "/model deepseek,deepseek-coder Optimize this algorithm"
  ccr code --context background "Generate unit tests"
  ccr my-preset "Write a Hello World"         on an installed preset
  eval "$(ccr activate)"      afterwards plain `claude` goes through the router""",
)
@click.option("-v", "--version", "version", is_flag=True, help="Show the version")
@click.pass_context
def ccr_group(ctx: click.Context, version: bool) -> None:
    """Claude Code through the router: the commands of Claude Code Router."""
    if version:
        ctx.invoke(_command(ctx, "version"))
    elif ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
        ctx.exit(1)
    else:
        return
    ctx.exit(0)


def _command(ctx: click.Context, name: str) -> click.Command:
    found = ccr_group.get_command(ctx, name)
    assert found is not None
    return found


def pointsman() -> None:
    _enter(pointsman_group, "pointsman")


def ccr() -> None:
    _enter(ccr_group, "ccr")


def _enter(group: click.Group, name: str) -> None:
    """The border of the command line: whatever was not foreseen ends as one line, never as a trace
    with somebody's data in it."""
    color = False if os.environ.get("NO_COLOR") else None
    try:
        group.main(prog_name=name, color=color)
    except Exception as error:  # noqa: BLE001 the border of the process
        from console.output import FAILED, say
        from console.text import clean

        say(f"{name}: a fault of ours: {clean(f'{type(error).__name__}: {error}')}")
        with suppress(OSError):
            say(f"{name}: the trace is in {_kept_trace()}")
        sys.exit(FAILED)


def _kept_trace() -> str:
    """The file that the trace of the current exception was added to."""
    from storage.home import home

    logs = home().logs
    logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = logs / "command-faults.log"
    with open(path, "a", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(f"pointsman {VERSION} {sys.argv[1:2]}\n{traceback.format_exc()}\n")
    return str(path)
