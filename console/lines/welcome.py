"""What stands in place of the list until the first request: what was found on this machine, and how
the first request is made. Pure.

Its rule: it names only what is there, and the address that this router listens on.
"""

from __future__ import annotations

from textual.content import Content

from console.board import Board
from console.theme import Tone
from console.widgets.paint import Span, say
from router.contract import Finding

_FOUND: dict[str, tuple[str, Tone]] = {
    "found": ("✓", "good"),
    "made": ("✓", "good"),
    "problem": ("✗", "bad"),
}


def welcome(board: Board, door: str) -> list[Content]:
    """`door`: the address clients use."""
    snapshot = board.snapshot
    if board.link == "down":
        return [
            say(Span("No router is running, and the ledger has no request yet.", "strong")),
            say(),
            say("Press ", Span("R", "accent"), " to start the router."),
            say(Span(board.reason, "muted")),
        ]
    rows = [say(Span("Waiting for the first request.", "strong")), say()]
    findings = snapshot.findings if snapshot else ()
    if snapshot and snapshot.simulated_only:
        rows += [
            say(
                "No provider is configured: a ",
                Span("◇ simulator", "strong"),
                " on this machine answers.",
            ),
            say(
                "For a real one: ",
                Span("export OPENROUTER_API_KEY=…", "accent"),
                " and ",
                Span("pointsman restart", "accent"),
            ),
            say(),
        ]
    if findings:
        rows.append(say(Span("Found on this machine", "head")))
        rows += [_found(finding) for finding in findings if finding.state != "absent"]
        rows.append(say())
    rows.append(
        say(
            Span("Make the first request: press ", "head"),
            Span("8", "accent"),
            Span(", or from another terminal", "head"),
        )
    )
    rows += [say(Span(line, "accent")) for line in _first_request(door)]
    first, *more = _first_session(door)
    rows.append(say(Span("or ", "head"), Span(first, "accent")))
    rows += [say(Span(line, "accent")) for line in more]
    return rows


def _found(finding: Finding) -> Content:
    glyph, tone = _FOUND[finding.state]
    detail = f"  {finding.detail}" if finding.detail else ""
    return say(
        Span(f"{glyph} ", tone),
        finding.what,
        Span(f"  {finding.where}", "muted"),
        Span(detail, "muted"),
    )


def _first_request(door: str) -> tuple[str, ...]:
    return (
        f"curl {door}/ccr/v1/messages \\",
        "  -H 'content-type: application/json' \\",
        """  -d '{"messages": [{"role": "user", "content": "hello"}]}'""",
    )


def _first_session(door: str) -> tuple[str, ...]:
    """The token is for one that is not logged in: it asks for a login otherwise."""
    return (
        f"ANTHROPIC_BASE_URL={door}/claude-code \\",
        "  ANTHROPIC_AUTH_TOKEN=any claude",
    )
