"""One request: why it went where it went, what was tried, what it used, and how to send it again.

Its rule: everything here is of the ledger's row for that request; what is not known is "—", and the
prompt is never here, because it is not kept.
"""

from __future__ import annotations

import shlex
from typing import ClassVar

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from console.copying import of_requests
from console.curl import curl, folded
from console.lines.request import about, attempts, facts, heading, lasted, trace, unread, usage
from console.lines.requests import SIMULATED, status, target, took
from console.query import written
from console.screens.view import View
from console.text import UNKNOWN, clean, money, ms, tokens
from console.widgets.bar import Bar
from console.widgets.paint import Span, lines, say
from router.contract import RequestDetail, RequestFilter, RequestView

#: cells from which the figures stand beside the trace instead of below it
SIDE_BY_SIDE = 110


class Detail(View):
    NAME = "Request"
    KEYS = (
        ("esc", "back"),
        ("[ ]", "neighbours"),
        ("o", "override"),
        ("x", "cancel"),
        ("l", "log"),
        ("s", "session"),
        ("y", "copy"),
    )
    CHANGES = frozenset(("x", "o", "X"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "leave", "Back"),
        Binding("left_square_bracket", "neighbour(-1)", "The row above", key_display="["),
        Binding("right_square_bracket", "neighbour(1)", "The row below", key_display="]"),
        Binding("x", "cancel", "Cancel the running request"),
        Binding("X", "pause_session", "Pause or resume its session"),
        Binding("o", "override", "Override from here on"),
        Binding("l", "log", "Its lines of the log"),
        Binding("s", "session", "The requests of its session"),
        Binding("y", "copy", "Copy its id, session, error, row, JSON or curl"),
        Binding("j", "scroll(1)", "Down", show=False),
        Binding("k", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="detail")
        self._request = ""
        self._neighbours: list[str] = []
        self._kept: RequestDetail | None = None
        #: the ledger has none of this id
        self._unknown = False

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
        """Shows one request, by its id, the beginning of one, or "last"; `neighbours` are the ids
        around it, in the order they were shown."""
        self._request, self._neighbours, self._kept = id, neighbours, None
        self._unknown = False
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
        asked = self._request
        if asked == "last":
            newest = await self.ask(archive.requests(RequestFilter(), 1), [])
            asked = newest[0].id if newest else asked
        found = await self.ask(archive.request(asked), None)
        self._unknown = found is None
        if found is not None:
            self._request, self._kept = found.request.id, found
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
            words = f"No request has the id {self._request}, or more than one begins so."
            words = words if self._unknown else ""
            self._put("#trace", lines(say(Span(words, "muted"))))
            self._put("#usage", lines())
            return
        request, now = detail.request, self.console_app.now()
        door = self.console_app.front_door()
        wide = self.size.width >= SIDE_BY_SIDE
        self.query_one("#columns").set_class(wide, "wide")
        story = [
            *self._summary(request, now, wide),
            *trace(detail),
            *([*attempts(detail, now), *facts(detail)] if self._kept else unread()),
        ]
        again = [
            heading("The same from a shell", "the prompt is not kept"),
            *(say(Span(part, "muted")) for part in folded(curl(request, door))),
        ]
        side = [*usage(request, now, detail.attempts), *about(request)]
        self._put("#trace", lines(*story, *(again if wide else [])))
        self._put("#usage", lines(*side, *([] if wide else again)))
        place = (
            self._neighbours.index(self._request) + 1 if self._request in self._neighbours else 0
        )
        of = f"   {place} of {len(self._neighbours)}" if place else ""
        said = status(request)
        self.title(Span(f"  {request.id}", "muted"), Span(of, "muted"), right=[said])

    def _put(self, where: str, content: Content) -> None:
        static = self.query_one(where, Static)
        if static.content != content:
            static.update(content)

    def _summary(self, request: RequestView, now: float, wide: bool) -> list[Content]:
        """Where it went, the rule that decided and what came of it, before one scrolls."""
        rows = [
            say(
                Span(request.asked or "no model named", "muted"),
                Span("  →  ", "muted"),
                *([SIMULATED] if request.simulated else []),
                Span(target(request), "strong"),
            ),
        ]
        if not wide:  # there the whole trace and the figures are in sight
            tried = f"   {request.attempts} attempts" if request.attempts > 1 else ""
            used = request.tokens
            counts = (
                tokens(count, estimated=used.estimated) for count in (used.prompt, used.output)
            )
            words = "{} in   {} out   {}   {} to the first token   {} {}".format(
                *counts,
                money(request.cost),
                ms(request.ttft_ms),
                took(request, now),
                lasted(request),
            )
            decided = say(
                Span("● ", "accent"),
                Span(request.rule or UNKNOWN, "strong"),
                Span(f"  {request.value}", "muted"),
                Span(tried, "warn"),
            )
            rows += [decided, say(Span(words, "muted"))]
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

    def action_log(self) -> None:
        self.console_app.show_lines(f"request:{clean(self._request)}")

    def action_session(self) -> None:
        detail = self.detail()
        if detail is not None and detail.request.session:
            self.console_app.show_requests(written(session=detail.request.session))
        else:
            self.console_app.say("this request names no session")

    def action_copy(self) -> None:
        if detail := self.detail():
            app = self.console_app
            app.ask_copy(*of_requests([detail.request], app.now(), app.front_door()))
