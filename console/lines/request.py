"""What is told of one request, part by part: why, what was tried, what it used. Pure.

Its rule: each part is a list of lines with its heading first; what is not known is "—".
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from console.lines.requests import SIMULATED, took
from console.text import UNKNOWN, clean, fit, money, ms, rate, tokens, when
from console.theme import Tone
from console.widgets.paint import Piece, Span, say
from router.contract import AttemptView, RequestDetail, RequestView

#: cells of the time axis that attempts share
_TIMELINE = 14


def heading(text: str, note: str = "") -> Content:
    return say(Span(text, "head"), Span(f"  {note}" if note else "", "muted"))


def pair(name: str, value: str, cells: int = 14) -> Content:
    return say(Span(fit(name, cells), "muted"), Span(value))


def figure(name: str, value: str, tone: Tone = "") -> Content:
    return say(Span(fit(name, 16), "muted"), Span(f"{value:>12}", tone))


def trace(detail: RequestDetail) -> list[Content]:
    """Every rule that was looked at, with what it saw."""
    rows = [heading("Why")]
    if not detail.looks:
        rule = detail.request.rule or UNKNOWN
        return [*rows, pair(rule, detail.request.value), Content()]
    cells = max(len(clean(look.rule)) for look in detail.looks) + 2
    for look in detail.looks:
        tone: Tone = "strong" if look.hit else "muted"
        said: list[Piece] = [
            Span("● " if look.hit else "· ", "accent" if look.hit else "muted"),
            Span(fit(clean(look.rule), cells), tone),
            Span(look.value or UNKNOWN, "" if look.hit else "muted"),
        ]
        if look.target:
            said.append(Span(f"  → {look.target}", "accent" if look.hit else "muted"))
        if look.note:
            said.append(Span(f"  {look.note}", "warn"))
        rows.append(say(*said))
    return [*rows, Content()]


def attempts(detail: RequestDetail, now: float) -> list[Content]:
    """One line each on a common time axis; below it what went wrong and why the next was chosen."""
    passed = detail.request.passed
    words = f"↷ {passed} was not asked: it rested, or was full"
    first = [say(Span(words, "warn"))] if passed else []
    if not detail.attempts:
        none = say(Span("none: no provider was asked", "muted"))
        return [heading("Attempts"), *first, none, Content()]
    begin = detail.request.started_at
    ends = [_end(a, now) for a in detail.attempts]
    whole = max(max(ends) - begin, 0.001)
    rows = [heading("Attempts", f"{ms(whole * 1000)} in all"), *first]
    for attempt, end in zip(detail.attempts, ends, strict=True):
        rows += _attempt(attempt, (attempt.started_at - begin) / whole, (end - begin) / whole, end)
    return [*rows, Content()]


def unread() -> list[Content]:
    """In place of attempts and facts, which only the ledger's row knows, until it was read."""
    return [heading("Attempts"), say(Span("not read from the ledger yet", "muted")), Content()]


def _end(attempt: AttemptView, now: float) -> float:
    if attempt.duration_ms is None:
        return max(now, attempt.started_at)
    return attempt.started_at + attempt.duration_ms / 1000


def _attempt(attempt: AttemptView, start: float, end: float, end_at: float) -> list[Content]:
    outcome, tone = _outcome(attempt)
    left = min(max(round(start * _TIMELINE), 0), _TIMELINE - 1)
    right = min(max(round(end * _TIMELINE), left + 1), _TIMELINE)
    took = (end_at - attempt.started_at) * 1000
    first: list[Piece] = [
        Span(f"{attempt.number} ", "muted"),
        Span("·" * left, "muted"),
        Span("━" * (right - left), tone),
        Span("·" * (_TIMELINE - right), "muted"),
        Span(f" {ms(took):>6}  "),
        *([SIMULATED] if attempt.simulated else []),
        Span(f"{attempt.provider},{attempt.model}", "strong"),
    ]
    more = [attempt.reason, f"first byte {ms(attempt.first_byte_ms)}", money(attempt.cost)]
    second = [Span(f"  {outcome}", tone), Span(f"   {'   '.join(filter(None, more))}", "muted")]
    rows = [say(*first), say(*second)]
    if attempt.dropped:
        rows.append(say(Span(f"  left out: {', '.join(attempt.dropped)}", "warn")))
    if attempt.error:
        rows.append(say(Span(f"  {attempt.error}", "bad" if tone == "bad" else "warn")))
    return rows


def _outcome(attempt: AttemptView) -> tuple[str, Tone]:
    code = "" if attempt.status is None else f" {attempt.status}"
    if not attempt.outcome:
        return "▸ running", "accent"
    if attempt.outcome == "ok":
        return f"✓{code or ' ok'}", "good"
    if attempt.outcome == "cancelled":
        return "– cancelled", "warn"
    return f"✗{code} {attempt.outcome}", "bad"


def facts(detail: RequestDetail) -> list[Content]:
    """What the rules saw of the request. Numbers and names, no text."""
    seen = detail.facts
    counted = tokens(seen.tokens, estimated=not seen.tokens_exact)
    rows = [
        heading("What the rules saw"),
        pair("tokens", counted),
        pair("messages", f"{seen.messages}, {seen.tools} tools, {seen.images} images"),
    ]
    for name, value in (
        ("thinking", seen.thinking),
        ("effort", seen.effort),
        ("context", seen.context),
        ("subagent", seen.subagent),
        ("side call", seen.side_call),
        ("web search", "asked for" if seen.web_search else ""),
    ):
        if value:
            rows.append(pair(name, value))
    return [*rows, Content()]


def lasted(request: RequestView) -> str:
    """What its time is called."""
    return "so far" if request.state == "running" else "in all"


def usage(request: RequestView, now: float, tried: Sequence[AttemptView] = ()) -> list[Content]:
    """Tokens by kind, money by kind and times."""
    used = request.tokens
    rows = [heading("Tokens", "estimated" if used.estimated else "")]
    for name, count in (
        ("input", used.input),
        ("cache read", used.cache_read),
        ("cache write", used.cache_write),
        ("cache write 1h", used.cache_write_1h),
        ("output", used.output),
        ("  of it thinking", used.reasoning),
    ):
        tone: Tone = "" if count else "muted"
        rows.append(figure(name, tokens(count, 12, estimated=used.estimated), tone))
    label = "simulated" if request.simulated else "cost"
    rows += [
        Content(),
        heading("Money"),
        figure(label, money(request.cost), "strong"),
        *_spent(tried),
        Content(),
        heading("Time"),
        figure("first token", ms(request.ttft_ms)),
        figure(lasted(request), took(request, now)),
        figure("tokens/s", rate(request.tokens_per_second)),
        Content(),
    ]
    return rows


def _spent(tried: Sequence[AttemptView]) -> list[Content]:
    """What the money went for, over all attempts, and where the last price came from."""
    shown = []
    for name, spent in (
        ("  input", sum(a.spend.input for a in tried)),
        ("  cache read", sum(a.spend.cache_read for a in tried)),
        ("  cache write", sum(a.spend.cache_write for a in tried)),
        ("  output", sum(a.spend.output for a in tried)),
        ("  fees", sum(a.spend.fees for a in tried)),
        ("saved by caches", sum(a.spend.saved for a in tried)),
    ):
        if spent:
            shown.append(figure(name, money(spent), "good" if name[0] != " " else ""))
    source = next((a.price for a in reversed(tried) if a.price), "")
    return shown + ([say(Span(f"price: {source}", "muted"))] if source else [])


def about(request: RequestView) -> list[Content]:
    rows = [heading("Request")]
    for name, value in (
        ("id", request.id),
        ("started", when(request.started_at)),
        (
            "door",
            f"{request.door}, {request.endpoint}, {'streamed' if request.stream else 'whole'}",
        ),
        ("dialect", request.dialect),
        ("client", request.client),
        ("sent id", request.sent_id),
        ("session", request.session),
        ("agent", request.agent),
        ("key", request.key),
        ("user", request.user),
        ("team", request.team),
        ("project", request.project),
        ("tags", ", ".join(request.tags)),
    ):
        if value:
            rows.append(pair(name, value, cells=9))
    return [*rows, Content()]
