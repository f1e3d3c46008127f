"""The command tree: light to list, documented in full, and CCR's manners."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from console.main import Folder, ccr_group, pointsman_group
from router.contract import OverrideView
from storage.home import Home
from tests.console.commands.conftest import Invoke, Run
from tests.console.commands.fake import Fake

HEAVY = ("textual", "httpx", "pydantic", "aiosqlite", "asyncssh", "uvicorn", "psutil", "rich")
DOC = Path(__file__).parents[3] / "docs" / "cli.md"


@pytest.mark.parametrize("program", ["pointsman", "ccr"])
@pytest.mark.parametrize("words", [["--help"], ["status", "--help"], ["--version"]])
def test_help_and_version_import_nothing_heavy(program: str, words: list[str]) -> None:
    """The list of imported modules is printed by the very process that printed the help."""
    code = f"""
import sys
from console.main import {program}
try:
    {program}()
except SystemExit as ended:
    assert not ended.code, ended.code
print("modules", *sys.modules, file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
    )
    modules = set(done.stderr.split())
    assert "console.main" in modules
    routers = {name for name in modules if name.startswith("router.")}
    assert all(name.startswith("router.contract") for name in routers), routers
    assert not modules & set(HEAVY)
    assert "0.1.0" in done.stdout or "Usage" in done.stdout


def test_a_command_is_imported_only_when_it_is_used() -> None:
    code = """
import sys
from console.main import ccr
try:
    ccr()
except SystemExit:
    pass
print(*[name for name in sys.modules if name.startswith(("console.ccr.", "console.commands."))])
"""
    done = subprocess.run(
        [sys.executable, "-c", code, "version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "console.ccr.version"


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command with the words that call it."""
    with group.make_context(path, [], resilient_parsing=True) as ctx:
        for name in group.list_commands(ctx):
            command = group.get_command(ctx, name)
            assert command is not None
            yield f"{path} {name}", command
            if isinstance(command, click.Group):
                yield from commands(command, f"{path} {name}")


@pytest.mark.parametrize(("group", "name"), [(pointsman_group, "pointsman"), (ccr_group, "ccr")])
def test_every_command_has_a_help_and_is_in_the_manual(group: Folder, name: str) -> None:
    manual = DOC.read_text("utf-8")
    found = dict(commands(group, name))
    assert len(found) > 9
    for path, command in found.items():
        assert command.help, path
        assert f"`{path}" in manual, f"{path} is not in docs/cli.md"
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("--") and option != "--help":
                    assert option in manual, f"{path} {option} is not in docs/cli.md"


@pytest.mark.parametrize(("group", "name"), [(pointsman_group, "pointsman"), (ccr_group, "ccr")])
def test_every_command_is_listed_in_the_help(group: Folder, name: str) -> None:
    with group.make_context(name, [], resilient_parsing=True) as ctx:
        text = group.get_help(ctx)
        for command in group.list_commands(ctx):
            assert f"\n  {command} " in text, f"{command} has no section of the help"
    groups = [(p, c) for p, c in commands(group, name) if isinstance(c, click.Group)]
    for path, one in [(name, group), *groups]:
        with one.make_context(path, [], resilient_parsing=True, terminal_width=80) as ctx:
            lines = one.get_help(ctx).splitlines()[1:]
            cut = [line for line in lines if line.endswith("...")]
        assert not cut, f"{path}: a first sentence is too long"


async def test_a_mistyped_command_is_told_the_one_that_was_meant(pointsman: Invoke) -> None:
    for words, told in {
        "sttus": "no command 'sttus'; did you mean `pointsman status`?",
        "version": "did you mean `pointsman --version`?",
        "override sett": "did you mean `pointsman override set`?",
        "qqq": "there is no command 'qqq'\n",
    }.items():
        result = await pointsman(*words.split())
        assert (result.exit_code, told in result.stderr) == (2, True), result.stderr
    for words, usage in {"help": "pointsman [OPTIONS]", "help why": "pointsman why"}.items():
        result = await pointsman(*words.split())
        assert (result.exit_code, f"Usage: {usage}" in result.stdout) == (0, True), words


async def test_ccr_shows_help_for_what_it_does_not_know(ccr: Invoke, pointsman: Invoke) -> None:
    for words in ([], ["nonsense"]):
        result = await ccr(*words)
        assert result.exit_code == 1
        assert "ccr" in result.stdout
        assert "Examples" in result.stdout
    assert "no command 'nonsense'" in result.stderr
    for words in (["help"], ["--help"], ["-h"]):
        result = await ccr(*words)
        assert result.exit_code == 0, (words, result.output)
        assert "Examples" in result.stdout
    for words in (["-v"], ["--version"], ["version"]):
        result = await ccr(*words)
        assert (result.exit_code, result.stdout) == (
            0,
            "claude-code-router version: 0.1.0 (Pointsman)\n",
        )
    assert (await pointsman("nonsense")).exit_code == 2
    assert (await pointsman("status", "--nonsense")).exit_code == 2


async def test_a_fault_of_ours_ends_as_a_line_and_a_file(run: Run, here: Home) -> None:
    """A router whose clock is beyond any calendar: nothing foresees that."""
    async with Fake(here) as fake:
        fake.overrides["o"] = OverrideView("o", "everywhere", "a,b", set_at=1e300)
        code, out, err = await run("pointsman", "override", "list")
    assert (code, out) == (1, "")
    assert "a fault of ours: OverflowError" in err
    assert "Traceback" not in err
    kept = here.logs / "command-faults.log"
    assert str(kept) in err
    assert "Traceback" in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600


async def test_a_home_that_cannot_be_made_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "run").write_text("")
    code, out, err = await run("pointsman", "start")
    assert (code, out) == (1, "")
    assert err.splitlines()[-1] == (
        f"{tmp_path / 'home' / 'run'} cannot be made (file exists):"
        " choose another home with POINTSMAN_HOME"
    )
