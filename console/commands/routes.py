"""`pointsman routes`: the rules as they stand; a what-if over history; edits, and their undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from console.output import block, fail, out, print_json, who, with_link
from console.suggesting import Suggesting
from console.tables import table
from console.text import clean, money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.contract import Edited, Replayed, Routes

section = "Change"


@click.group(cls=Suggesting, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Show where the rules lead; try, apply and undo edits.

    \b
    Examples:
      pointsman routes what-if default=deepseek,deepseek-chat --last 1000
      pointsman routes set think=openrouter,z-ai/glm-4.6 --dry-run
    """
    if ctx.invoked_subcommand is None:
        from router.contract import ShowRoutes

        routes = ask(ShowRoutes())
        if as_json:
            print_json(routes)
        else:
            show(routes)


@command.command("what-if")
@click.argument("edits", nargs=-1, required=True, metavar="SCENARIO=PROVIDER,MODEL…")
@click.option("--last", default=200, type=click.IntRange(1, 2_000), help="How many  [200]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; money in nano-dollars")
def what_if(edits: tuple[str, ...], last: int, as_json: bool) -> None:
    """Tell what the newest requests would have got under edited routes. Nothing changes."""
    from router.contract import ReplayRoutes

    found = ask(ReplayRoutes(targets(edits), last))
    if as_json:
        print_json(found)
    else:
        show_moves(found)


@command.command("set")
@click.argument("edits", nargs=-1, required=True, metavar="SCENARIO=PROVIDER,MODEL…")
@click.option("--dry-run", is_flag=True, help="Only show what would be written")
@click.option("--json", "as_json", is_flag=True, help="Print JSON")
def set_some(edits: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Write targets into pointsman.toml, and use them at once.

    Nothing after = takes one away.

    \b
    Also what the rules go by, named as `pointsman routes` shows it:
      pointsman routes set longContextThreshold=80000 thinkBudget=20000
      pointsman routes set 'fallback.default=openrouter,z-ai/glm-4.6 groq,llama-3.3-70b'
    """
    from router.contract import EditRoutes

    _edited(ask(EditRoutes(targets(edits), dry=dry_run, by=who())), as_json)


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON")
def undo(as_json: bool) -> None:
    """Take the newest edit back."""
    from router.contract import UndoRoutes

    _edited(ask(UndoRoutes(by=who())), as_json)


def targets(edits: Sequence[str]) -> dict[str, str]:
    found = {}
    for edit in edits:
        scenario, equals, target = edit.partition("=")
        if not equals or not scenario:
            raise click.UsageError(f"{edit!r}: write SCENARIO=PROVIDER,MODEL")
        found[scenario.strip()] = target.strip()
    return found


def ask(action: Any) -> Any:
    """The router's answer; ends the command where it refuses."""
    from router.contract import Refused

    answer = with_link(lambda link: link.act(action))
    if isinstance(answer, Refused):
        fail(answer.message)
    return answer


def show(routes: Routes) -> None:
    out(f"from {clean(routes.source)}{', strict' if routes.strict else ''}")
    cells = [
        (
            str(number),
            rule.scenario or rule.name,
            rule.when,
            rule.target if rule.scenario else rule.target or "what it names",
            f"now {rule.override}" if rule.override else "",
        )
        for number, rule in enumerate(routes.rules, 1)
    ]
    for line in table(("", "RULE", "WHEN", "TARGET", "OVERRIDE"), cells, right=(0,)):
        out(line)
    block("Values", table(("NAME", "VALUE"), [(v.name, v.value) for v in routes.values if v.value]))
    if routes.undo:
        out(f"`pointsman routes undo` takes back: {clean(routes.undo)}")


def show_moves(found: Replayed) -> None:
    sign = "−" if found.difference < 0 else "+"
    out(f"{found.moved:,} of {found.requests:,} would move, ≈ {sign}{money(abs(found.difference))}")
    for count, words in (
        (found.unpriced, "of them without a known price"),
        (found.pinned, "were chosen by hand and stay"),
        (found.unclear, "depend on a prompt that is not kept"),
        (found.refused, "would find no model"),
    ):
        if count:
            out(f"{count:,} {words}")
    cells = [
        (f"{m.requests:,}", m.before, m.after, money(m.cost_before), money(m.cost_after), m.rule)
        for m in found.moves
    ]
    heads = ("REQUESTS", "FROM", "TO", "COST", "THEN ≈", "RULE")
    block("Moves", table(heads, cells, right=(0, 3, 4)))


def _edited(edited: Edited, as_json: bool) -> None:
    if as_json:
        print_json(edited)
        return
    for line in edited.diff:
        out(clean(line))
    out(f"{'written to' if edited.applied else 'would be written to'} {clean(edited.file)}")
