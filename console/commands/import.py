"""`pointsman import`: what a file of Claude Code Router's or LiteLLM's becomes here, before it is
used. Reads it, changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console.output import block, fail, out, print_json

if TYPE_CHECKING:
    from router.contract import ImportLine

section = "Look"

#: not everything of the file is the same here
DIFFERS = 4


@click.command()
@click.argument("kind", type=click.Choice(("ccr", "litellm")))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, resolve_path=True))
@click.option("--json", "as_json", is_flag=True, help="Print JSON")
@click.pass_context
def command(ctx: click.Context, kind: str, file: str, as_json: bool) -> None:
    """Check a CCR or LiteLLM config: what maps, differs, is ignored.

    \b
    Examples:
      pointsman import ccr ~/.claude-code-router/config.json
      pointsman import litellm litellm-config.yaml --json
    Ends with 0 where all of it maps, 4 where something differs or is ignored, 1 where it cannot be
    read.
    """
    import msgspec

    from console.process.program import ask_without_router
    from router.contract import Imported
    from storage.home import home

    answer, said = ask_without_router(["import", kind, file])
    try:
        found = msgspec.json.decode(answer, type=Imported)
    except msgspec.DecodeError:
        fail(said.removeprefix("pointsman: "))
    if as_json:
        print_json(found)
    else:
        block("Maps", lines(found.maps))
        block("Differs", lines(found.differs))
        block("Ignored", lines(found.ignored))
        here = home()
        place = str(here.ccr_json if kind == "ccr" else here.litellm_yaml)
        flag = f"`pointsman --litellm-config {file}`, or " if kind == "litellm" else ""
        out()
        if file != place:
            out(f"To use it: {flag}a copy at {place}")
        out("It is read as it is; keys and comments stay yours.")
    if found.differs or found.ignored:
        ctx.exit(DIFFERS)


def lines(found: tuple[ImportLine, ...]) -> list[str]:
    from console.text import clean

    return [
        f"{clean(one.key)}{f'  (line {one.line})' if one.line else ''}: "
        f"{clean(one.detail, limit=500)}"
        for one in found
    ]
