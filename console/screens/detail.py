"""One request: why it went where it went, what was tried, what it used, and how to send it again.

Its rule: everything here is of the ledger's row for that request; what is not known is "—", and the
prompt is never here, because it is not kept.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import quote

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from console.screens.live import SIMULATED, status, target
from console.screens.view import View
from console.text import UNKNOWN, clean, fit, money, ms, rate, tokens, when
from console.theme import Tone
from console.widgets.bar import Bar
from console.widgets.paint import Piece, Span, lines, say
from router.contract import AttemptView, RequestDetail, RequestView

#: cells from which the figures stand beside the trace instead of below it
SIDE_BY_SIDE = 110
_TIMELINE = 14
_PATHS = {
    "litellm": "/litellm/v1",
    "ollama": "/ollama/v1",
    "gemini": "/litellm/v1",
    "ccr": "/ccr/v1",
    "claude-code": "/claude-code/v1",
}


def heading(text: str, note: str = "") -> Content:
    return say(Span(text, "head"), Span(f"  {note}" if note else "", "muted"))


def pair(name: str, value: str, tone: Tone = "", cells: int = 14) -> Content:
    return say(Span(fit(name, cells), "muted"), Span(value, tone))


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
    if not detail.attempts:
        return [heading("Attempts"), say(Span("none: no provider was asked", "muted")), Content()]
    begin = detail.request.started_at
    ends = [_end(a, now) for a in detail.attempts]
    whole = max(max(ends) - begin, 0.001)
    rows = [heading("Attempts", f"{ms(whole * 1000)} in all")]
    for attempt, end in zip(detail.attempts, ends, strict=True):
        rows += _attempt(attempt, (attempt.started_at - begin) / whole, (end - begin) / whole, end)
    return [*rows, Content()]


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


def usage(request: RequestView, tried: Sequence[AttemptView] = ()) -> list[Content]:
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
        figure("in all", ms(request.duration_ms)),
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
    ):
        if value:
            rows.append(pair(name, value, cells=9))
    return [*rows, Content()]


#: endpoints that take a text as it is, and the field for it, by dialect
_ASKED = {
    "openai_responses": ("responses", "input"),
    "openai_completions": ("completions", "prompt"),
}


def curl(request: RequestView, door: str) -> str:
    """A command that takes the same way; the prompt is not kept, so it says hello. Names come from
    strangers: each is cleaned and quoted for the shell."""
    path = _PATHS.get(request.door, "/ccr/v1")
    said = {"role": "user", "content": "hello"}
    body: dict[str, object]
    if request.door == "gemini" and request.endpoint != "embeddings":
        method = "streamGenerateContent?alt=sse" if request.stream else "generateContent"
        model = quote(clean(request.asked), safe="")
        return _command(
            f"{door}/gemini/v1beta/models/{model}:{method}",
            {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]},
        )
    if request.door == "ollama" and request.endpoint != "embeddings":
        body = {"model": clean(request.asked), "messages": [said], "stream": request.stream}
        return _command(f"{door}/ollama/api/chat", body)
    if request.endpoint == "embeddings":
        endpoint, body = "embeddings", {"input": "hello"}
    elif request.dialect in _ASKED:
        endpoint, field = _ASKED[request.dialect]
        body = {field: "hello"}
    else:
        endpoint = "chat/completions" if request.dialect == "openai_chat" else "messages"
        body = {"messages": [said], "max_tokens": 256}
    if request.stream:
        body["stream"] = True
    if request.asked:
        body = {"model": clean(request.asked), **body}
    return _command(f"{door}{path}/{endpoint}", body)


def _command(address: str, body: dict[str, object]) -> str:
    address = shlex.quote(clean(address))
    data = shlex.quote(msgspec.json.encode(body).decode())
    return f"curl {address} -H 'content-type: application/json' -d {data}"


def _folded(command: str) -> list[str]:
    """The command on one line per option, as it is shown; it is copied on one."""
    return command.replace(" -H ", " \\\n  -H ").replace(" -d ", " \\\n  -d ").split("\n")


class Detail(View):
    NAME = "Request"
    KEYS = (
        ("esc", "back"),
        ("[ ]", "neighbours"),
        ("o", "override"),
        ("x", "cancel"),
        ("y", "copy curl"),
    )
    CHANGES = frozenset(("x", "o", "X"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "leave", "Back"),
        Binding("left_square_bracket", "neighbour(-1)", "The row above", key_display="["),
        Binding("right_square_bracket", "neighbour(1)", "The row below", key_display="]"),
        Binding("x", "cancel", "Cancel the running request"),
        Binding("X", "pause_session", "Pause or resume its session"),
        Binding("o", "override", "Override from here on"),
        Binding("y", "copy", "Copy the equivalent curl"),
        Binding("j", "scroll(1)", "Down", show=False),
        Binding("k", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="detail")
        self._request = ""
        self._neighbours: list[str] = []
        self._kept: RequestDetail | None = None

    def command(self) -> str:
        return f"pointsman why {shlex.quote(clean(self._request))}"

    def compose(self) -> ComposeResult:
        yield Bar(classes="title")
        with VerticalScroll(id="pages"), Horizontal(id="columns"):
            with Vertical(id="story"):
                yield Static(id="trace", markup=False)
            with Vertical(id="figures"):
                yield Static(id="usage", markup=False)

    def open(self, id: str, neighbours: list[str]) -> None:
        """Shows one request; `neighbours` are the ids around it, in the order they were shown."""
        self._request, self._neighbours, self._kept = id, neighbours, None
        self.update()
        self.query_one("#pages").scroll_home(animate=False)
        self._load()

    def focus_body(self) -> None:
        self.query_one("#pages").focus(scroll_visible=False)

    def tick(self) -> None:
        """A running request grows; one that has just ended is written a moment later."""
        if self._kept is None or self._kept.request.state == "running":
            self._load()
        self.update()

    @work(exclusive=True, group="detail")
    async def _load(self) -> None:
        archive = self.console_app.archive
        if archive is None or not self._request:
            return
        found = await self.ask(archive.request(self._request), None)
        if found is not None and found.request.id == self._request:
            self._kept = found
            self.update()

    def detail(self) -> RequestDetail | None:
        """The ledger's, with the newer row where the router already told one."""
        live = self.console_app.board.requests.get(self._request)
        kept = self._kept
        if kept is None:
            return None if live is None else RequestDetail(request=live)
        newer = live is not None and kept.request.state == "running"
        return msgspec.structs.replace(kept, request=live) if newer else kept

    def draw(self) -> None:
        detail = self.detail()
        if detail is None:
            self.title(Span(f"  {self._request}", "muted"))
            return
        request, now = detail.request, self.console_app.now()
        door = self.console_app.front_door()
        wide = self.size.width >= SIDE_BY_SIDE
        self.query_one("#columns").set_class(wide, "wide")
        story = [*self._summary(request), *trace(detail), *attempts(detail, now), *facts(detail)]
        again = [
            heading("The same from a shell", "the prompt is not kept"),
            *(say(Span(part, "muted")) for part in _folded(curl(request, door))),
        ]
        side = [*usage(request, detail.attempts), *about(request)]
        self._put("#trace", lines(*story, *(again if wide else [])))
        self._put("#usage", lines(*side, *([] if wide else again)))
        place = (
            self._neighbours.index(self._request) + 1 if self._request in self._neighbours else 0
        )
        of = f"   {place} of {len(self._neighbours)}" if place else ""
        said = status(request, now)
        self.title(Span(f"  {request.id}", "muted"), Span(of, "muted"), right=[said])

    def _put(self, where: str, content: Content) -> None:
        static = self.query_one(where, Static)
        if static.content != content:
            static.update(content)

    def _summary(self, request: RequestView) -> list[Content]:
        rows = [
            say(
                Span(request.asked or "no model named", "muted"),
                Span("  →  ", "muted"),
                *([SIMULATED] if request.simulated else []),
                Span(target(request), "strong"),
            )
        ]
        if request.error:
            rows.append(say(Span(f"✗ {request.error}", "bad")))
        if request.state == "interrupted":
            rows.append(say(Span("! the router ended while this ran", "warn")))
        return [*rows, Content()]

    def on_resize(self) -> None:
        self.update()

    # ── doing ─────────────────────────────────────────────────────────────────────────────────────

    def action_leave(self) -> None:
        self.app.call_later(self.console_app.leave_detail)

    def action_scroll(self, step: int) -> None:
        self.query_one("#pages").scroll_relative(y=step, animate=False)

    def action_neighbour(self, step: int) -> None:
        if self._request in self._neighbours:
            place = self._neighbours.index(self._request) + step
            if 0 <= place < len(self._neighbours):
                self.open(self._neighbours[place], self._neighbours)

    def action_cancel(self) -> None:
        if detail := self.detail():
            self.console_app.ask_cancel(detail.request)

    def action_pause_session(self) -> None:
        if detail := self.detail():
            self.console_app.ask_pause(detail.request.session)

    def action_override(self) -> None:
        if detail := self.detail():
            self.console_app.ask_override(detail.request)

    def action_copy(self) -> None:
        if detail := self.detail():
            self.console_app.copy(
                curl(detail.request, self.console_app.front_door()), "the curl command"
            )
