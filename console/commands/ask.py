"""`pointsman ask`: one prompt through the router, as the Playground sends it."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import click

from console.output import out, print_json, red, say, with_link
from console.text import clean, clean_lines, money, ms, tokens

if TYPE_CHECKING:
    from console.asking import Asked
    from console.link import Link
    from router.contract import RequestView

section = "Look"


@click.command()
@click.argument("prompt")
@click.option("--model", "models", multiple=True, metavar="PROVIDER,MODEL", help="Twice: compare")
@click.option("--json", "as_json", is_flag=True, help="Print JSON")
@click.pass_context
def command(ctx: click.Context, prompt: str, models: tuple[str, ...], as_json: bool) -> None:
    """Ask a model, or two side by side; tell time and cost.

    Without --model the rules decide. PROMPT "-" is read from stdin.
    """
    text = sys.stdin.read() if prompt == "-" else prompt
    told = with_link(lambda link: _ask(link, text, models or ("",)))
    if as_json:
        print_json([_plain(asked, view) for asked, view in told])
    else:
        for asked, view in told:
            _show(asked, view, several=len(told) > 1)
    ctx.exit(0 if all(asked.state == "done" for asked, _ in told) else 1)


async def _ask(
    link: Link, prompt: str, models: tuple[str, ...]
) -> list[tuple[Asked, RequestView | None]]:
    from console.asking import Asked, ask
    from console.reaching import reach

    door, key = await reach(link, models)
    asked = [Asked() for _ in models]
    await asyncio.gather(
        *(
            ask(door, key, prompt, model, one, lambda: None)
            for model, one in zip(models, asked, strict=True)
        )
    )
    kept = {view.id: view for view in (await link.snapshot()).recent}
    return [(one, kept.get(one.id)) for one in asked]


def _show(asked: Asked, view: RequestView | None, *, several: bool) -> None:
    if several:
        out()
    if asked.text:
        out(clean_lines(asked.text))
    if asked.error:
        say(clean(asked.error))
    elif asked.problem:
        say(red(clean(asked.problem, limit=2000)))
    facts = [ms(asked.ttft_ms), ms(asked.took_ms)]
    if view is not None:
        used = view.tokens
        facts += [f"{tokens(used.prompt)} in, {tokens(used.output)} out", money(view.cost)]
        facts.insert(0, f"{clean(view.provider)},{clean(view.model)} ({clean(view.rule)})")
        facts += ["simulated"] if view.simulated else []
    say(" · ".join(facts))


def _plain(asked: Asked, view: RequestView | None) -> dict[str, Any]:
    return {
        "state": asked.state,
        "text": asked.text,
        "error": asked.error,
        "problem": asked.problem,
        "ttft_ms": asked.ttft_ms,
        "took_ms": asked.took_ms,
        "request": view,
    }
