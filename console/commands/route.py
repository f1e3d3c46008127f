"""`pointsman route`: a dry run: which model a request body would get, and why. Nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Literal

import click

from console.output import FAILED, block, bold, fail, out, print_json, red
from console.text import clean

if TYPE_CHECKING:
    from router.contract import Explain, Explained, Result

section = "Look"

Door = Literal["litellm", "ccr", "claude-code"]


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--door",
    default="ccr",
    type=click.Choice(("litellm", "ccr", "claude-code")),
    help="The API it would come in by  [ccr]",
)
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="A request header")
@click.option("--json", "as_json", is_flag=True, help="Print JSON")
@click.pass_context
def command(
    ctx: click.Context, file: BinaryIO, door: Door, headers: tuple[str, ...], as_json: bool
) -> None:
    """Tell which model the request in FILE (or -) would get, and why.

    Asks the running router, with its overrides; without one, the configuration alone decides.
    """
    from router.contract import Explain

    given = dict(_header(header) for header in headers)
    body = file.read().decode("utf-8", "replace")
    explained = ask(Explain(body=body, door=door, headers=given))
    if as_json:
        print_json(explained)
    else:
        show(explained)
    if explained.error:
        ctx.exit(FAILED)


def ask(action: Explain) -> Explained:
    import asyncio

    from console.link import Link, RouterDownError
    from router.contract import Explained
    from storage.home import home

    async def of_router() -> Result:
        link = Link(home())
        try:
            return await link.act(action)
        finally:
            await link.close()

    try:
        result = asyncio.run(of_router())
    except RouterDownError:
        result = without_router(action)
    if isinstance(result, Explained):
        return result
    fail(getattr(result, "message", "the router answered something else"))


def without_router(action: Explain) -> Result:
    import msgspec

    from console.process.program import ask_without_router
    from router.contract import Explained, Refused

    words = ["explain", "--door", action.door]
    for name, value in action.headers.items():
        words += ["--header", f"{name}:{value}"]
    answer, said = ask_without_router([*words, "-"], action.body.encode())
    try:
        return msgspec.json.decode(answer, type=Explained | Refused)
    except msgspec.DecodeError:
        fail(said)


def show(explained: Explained) -> None:
    from console.commands.why import decision, seen

    if explained.error:
        out(red(f"would be refused: {clean(explained.error)}"))
    for number, candidate in enumerate(explained.candidates):
        out(bold(clean(candidate)) if not number else f"then {clean(candidate)}")
    block(f"Decided by {clean(explained.rule)}", decision(explained.looks))
    block("What the rules saw", [seen(explained.facts)])


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise click.UsageError(f"--header {text!r}: write NAME:VALUE")
    return name.strip().lower(), value.strip()
