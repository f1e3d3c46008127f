"""`pointsman why`: one request: which rule sent it where, what was tried, what it used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console.output import block, bold, dim, fail, out, print_json, red
from console.tables import room, table, wrapped
from console.text import clean, money, ms, rate, tokens, when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.link import Link
    from router.contract import AttemptView, Facts, Look, RequestDetail, RequestView

section = "Look"

#: cells of a fact's name
LABEL = 9


@click.command()
@click.argument("id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON")
def command(id: str, as_json: bool) -> None:
    """Explain one request: its decision, attempts, tokens and cost.

    ID is a request's id (the x-request-id of its answer), the beginning of one, the x-request-id
    that the client sent, or "last".
    """
    from console.output import with_link

    detail = with_link(lambda link: read(link, id))
    if as_json:
        print_json(detail)
    else:
        show(detail)


async def read(link: Link, id: str) -> RequestDetail:
    found = await find(link, id)
    detail = await link.archive.request(found.id)
    return detail if detail is not None else fail(f"request {found.id} was pruned just now")


async def find(link: Link, id: str) -> RequestView:
    """The one request that `id` ("last", an id or its beginning) means; ends the command else."""
    from router.contract import RequestFilter

    if id == "last":
        views = await link.archive.requests(RequestFilter(), 1)
    else:
        views = await link.archive.named(id)
        if not views and (at := id.find("req_")) > 0:  # an answer's own: resp_req_…, msg_req_…
            views = await link.archive.named(id[at:])
    if not views:
        fail("there are no requests yet" if id == "last" else f"no request has an id like {id}")
    exact = [view for view in views if id in (view.id, view.sent_id)]
    if len(views) > 1 and id != "last" and not exact:
        some = ", ".join(view.id for view in views[:5])
        fail(f"{len(views)} requests begin with {id}: {some}")
    return (exact or views)[0]


def show(detail: RequestDetail) -> None:
    view = detail.request
    cells = room()
    for label, text in facts_of(view):
        lines = wrapped(text, cells and cells - LABEL - 1)
        out(f"{dim(f'{label:<{LABEL}}')} {lines[0]}")
        for line in lines[1:]:
            out(" " * (LABEL + 1) + line)
    block("Decision", decision(detail.looks))
    block("Attempts", attempts(detail.attempts))
    if lost := left_out(detail.attempts):
        block("Left out", lost)
    block("What the rules saw", [seen(detail.facts)])


def facts_of(view: RequestView) -> list[tuple[str, str]]:
    state = view.state if view.status is None else f"{view.state} {view.status}"
    by = " · ".join(
        f"{name} {clean(value)}"
        for name, value in (
            ("client", view.client),
            ("session", view.session),
            ("agent", view.agent),
            ("key", view.key),
            ("x-request-id", view.sent_id),
        )
        if value
    )
    target = f"{view.provider},{view.model}" if view.provider else "nowhere"
    mark = "  (simulated)" if view.simulated else ""
    lines = [
        ("request", f"{bold(clean(view.id))}  {when(view.started_at)}  {clean(state)}"),
        ("door", f"{clean(view.door)}, {clean(view.dialect)}, {clean(view.endpoint)}"),
        ("from", by),
        ("asked for", clean(view.asked) or "no model"),
        ("went to", bold(clean(target)) + mark),
        ("not to", f"{clean(view.passed)}: it rested, or was full" if view.passed else ""),
        ("because", f"{clean(view.rule)}: {clean(view.value)}" if view.rule else ""),
        ("tokens", used(view)),
        ("cost", money(view.cost) + mark),
        ("time", times(view)),
        ("error", red(clean(view.error)) if view.error else ""),
    ]
    return [(label, text) for label, text in lines if text]


def used(view: RequestView) -> str:
    counts = view.tokens
    parts = [f"{tokens(counts.prompt, estimated=counts.estimated)} in"]
    cached = (
        (counts.cache_read, "read from the cache"),
        (counts.cache_write, "written to it"),
        (counts.cache_write_1h, "written for an hour"),
    )
    inside = [f"{tokens(count)} {what}" for count, what in cached if count]
    if inside:
        parts[0] += f" ({', '.join(inside)})"
    parts.append(f"{tokens(counts.output, estimated=counts.estimated)} out")
    if counts.reasoning:
        parts[1] += f" ({tokens(counts.reasoning)} thinking)"
    return ", ".join(parts)


def times(view: RequestView) -> str:
    if view.duration_ms is None:
        return "running"
    parts = [ms(view.duration_ms)]
    if view.ttft_ms is not None:
        parts.append(f"first token after {ms(view.ttft_ms)}")
    if view.tokens_per_second is not None:
        parts.append(f"{rate(view.tokens_per_second)} tokens/s")
    return ", ".join(parts)


def decision(looks: Sequence[Look]) -> list[str]:
    """Every rule that was looked at, in order; ▸ marks the ones that hit."""
    rows = [
        ("▸" if look.hit else "·", look.rule, look.value, look.target, look.note) for look in looks
    ]
    return table(("", "RULE", "SAW", "TARGET", "NOTE"), rows)


def attempts(views: Sequence[AttemptView]) -> list[str]:
    rows = [
        (
            str(view.number),
            f"{view.provider},{view.model}",
            view.outcome or "running",
            "" if view.status is None else str(view.status),
            ms(view.first_byte_ms),
            ms(view.duration_ms),
            tokens(view.tokens.prompt),
            tokens(view.tokens.output),
            money(view.cost),
            view.price,
            view.reason,
            view.error,
        )
        for view in views
    ]
    heads = (
        "",
        "TARGET",
        "OUTCOME",
        "STATUS",
        "FIRST BYTE",
        "TIME",
        "IN",
        "OUT",
        "COST",
        "PRICE FROM",
        "WHY",
        "ERROR",
    )
    return table(heads, rows, right=(0, 3, 4, 5, 6, 7, 8), lesser=(9, 4, 3))


def left_out(views: Sequence[AttemptView]) -> list[str]:
    """What an attempt could not say to its provider, or its answer not to the client."""
    return [
        f"{view.number} {clean(f'{view.provider},{view.model}')}: {clean(', '.join(view.dropped))}"
        for view in views
        if view.dropped
    ]


def seen(facts: Facts) -> str:
    sign = "" if facts.tokens_exact else "≈"
    counts = ((facts.messages, "message"), (facts.tools, "tool"), (facts.images, "image"))
    parts = [f"{sign}{facts.tokens:,} token{'s' * (facts.tokens != 1)}"]
    parts += [f"{count} {noun}{'s' * (count != 1)}" for count, noun in counts if count]
    if facts.web_search:
        parts.append("web search")
    named = (
        ("thinking", facts.thinking),
        ("effort", facts.effort),
        ("context", facts.context),
        ("subagent", facts.subagent),
        ("side call", facts.side_call),
    )
    return ", ".join([*parts, *(f"{name} {clean(value)}" for name, value in named if value)])
