"""`pointsman models`: every model that a route or an override may name."""

from __future__ import annotations

import click

from console.output import fail, out, print_json, with_link
from console.tables import table
from console.text import tokens

section = "Look"


@click.command()
@click.argument("text", default="")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; prices in nano-dollars a token")
def command(text: str, as_json: bool) -> None:
    """List the models that can be named, with prices and sizes."""
    from router.contract import ListModels, Models

    answer = with_link(lambda link: link.act(ListModels()))
    if not isinstance(answer, Models):
        fail("the router does not know this question: `pointsman restart` replaces it")
    words = text.casefold().split()
    found = [m for m in answer.models if all(word in m.target.casefold() for word in words)]
    if as_json:
        print_json(found)
        return
    cells = [
        (
            model.target,
            _dollars(model.input),
            _dollars(model.cache_read),
            _dollars(model.output),
            tokens(model.context),
            "simulated" if model.simulated else "",
            model.source,
        )
        for model in found
    ]
    heads = ("MODEL", "IN $/M", "CACHED $/M", "OUT $/M", "HOLDS", "", "PRICE FROM")
    for line in table(heads, cells, right=(1, 2, 3, 4), lesser=(6, 2)):
        out(line)
    if not found:
        fail("no model is named so")


def _dollars(nano: float | None) -> str:
    return "—" if nano is None else "free" if nano == 0 else f"{nano / 1000:.2f}"
