"""`pointsman prices`: what each model costs, in which tier, and who says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.output import fail, out, print_json, say
from console.tables import table

if TYPE_CHECKING:
    from router.contract import PriceLine

section = "Look"

#: shown in columns of their own; the rest in the last one
_COLUMNS = ("input", "cache_read", "cache_write", "cache_write_1h", "output")


@click.command()
@click.argument("model", default="")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; nano-dollars per token")
@click.option(
    "--update",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Use a price map from now on: LiteLLM's model_prices_and_context_window.json",
)
def command(model: str, as_json: bool, update: Path | None) -> None:
    """Show what models cost, in which tier, and who says so.

    Of all models, or those with MODEL in their name.

    A price comes from your configuration, else from the price map you gave, else from the catalogue
    of this install; nothing is fetched. `pointsman recost` prices history anew.
    """
    found = ask(model, update)
    if update is not None:
        say(f"{update} prices from now on; `pointsman recost` prices history by it")
    if as_json:
        print_json(found)
        return
    heads = ("MODEL", "TIER", "IN $/M", "CACHED", "WRITE 5M", "WRITE 1H", "OUT", "ALSO", "FROM")
    for line in table(
        heads, [cells(line) for line in found], right=range(2, 7), lesser=(8, 7, 5, 4)
    ):
        out(line)
    if not found:
        fail(f"nobody here knows a price of {model}" if model else "no model is configured")


def ask(model: str, update: Path | None) -> list[PriceLine]:
    import msgspec

    from console.process.program import ask_without_router
    from router.contract import PriceLine

    words = ["prices", *(["--update", str(update)] if update else []), "--", model]
    answer, said = ask_without_router(words)
    try:
        return msgspec.json.decode(answer, type=list[PriceLine])
    except msgspec.DecodeError:
        fail(said)


def cells(line: PriceLine) -> tuple[str, ...]:
    rates = line.rates
    also = [
        f"{name.replace('_', ' ')} {dollars(rate, name)}"
        for name, rate in rates.items()
        if name not in _COLUMNS
    ]
    told = (dollars(rates.get(name)) for name in _COLUMNS)
    return (line.target, line.tier, *told, ", ".join(also), line.source)


def dollars(nano: float | None, kind: str = "") -> str:
    """Per million tokens; of a request and a search, for one."""
    if nano is None:
        return "—"
    if nano == 0:
        return "free"
    each = nano / 1e9 if kind in ("request", "search") else nano / 1e3
    return f"${each:.4f}".rstrip("0").removesuffix(".") if each >= 0.0001 else f"${each:.2g}"
