"""What a person can make the router do from any screen: each asks first, names the thing, and says
what came of it.

Its rule: an action is one contract message and its one answer; what was refused is said in the
router's own words.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual import work
from textual.content import Content

from console.notices import Notices
from console.screens.dialogs import Answer, Choose
from console.text import age
from console.widgets.paint import Span, say
from router.contract import (
    Action,
    Cancel,
    ClearCooldown,
    ClearOverride,
    Done,
    ListModels,
    Models,
    OverrideView,
    Pause,
    Refused,
    Reload,
    RequestView,
    Result,
    Resume,
    SetOverride,
    Stop,
    WeighOverride,
)

if TYPE_CHECKING:
    from console.link import Link
    from console.screens.override_form import OverrideForm
    from storage.home import Home

_NO = Answer("", "esc", "no, leave it")
#: of many things a question names so many
_NAMED = 6


def _nothing() -> None:
    """What else is to be done after a yes."""


def _some(names: Sequence[str]) -> list[Content]:
    """Each on a line; of many the first ones, and how many more."""
    rows = [say(Span(name, "muted")) for name in names[:_NAMED]]
    more = len(names) - _NAMED
    return [*rows, say(Span(f"and {more} more", "muted"))] if more > 0 else rows


class Actions(Notices):
    """The part of the console that acts; the app below it draws."""

    link: Link | None
    home: Home
    demo: bool

    @property
    def operator(self) -> str:
        """Who sets what is set from here."""
        try:
            return getpass.getuser()
        except (KeyError, OSError):
            return "console"

    #: those who may only look
    read_only = False
    #: their role, where they came over SSH or the browser
    role = ""

    def refuses_change(self) -> bool:
        """Whether this console may only look; then it says so."""
        if self.read_only:
            why = f"your role is {self.role}" if self.role else "--read-only"
            self.say(f"this console may only look ({why})", bad=True)
        return self.read_only

    async def act(self, action: Action) -> bool:
        """Sends one action and says what came of it; whether it was done."""
        from console.link import RouterDownError  # with httpx: not before the first paint

        if self.refuses_change():
            return False
        if self.link is None or self.board.link == "down":
            self.say("no router is running", bad=True)
            return False
        try:
            result = await self.link.act(action)
        except RouterDownError as error:
            self.say(str(error), bad=True)
            return False
        match result:
            case Refused(message=message):
                self.say(message, bad=True)
                return False
            case Done(message=message):
                self.say(message or "done")
        return True

    async def question(self, action: Action) -> Result | None:
        """What the router answers; None, with nothing said, where none answers."""
        from console.link import RouterDownError

        if self.link is None or self.board.link == "down":
            return None
        try:
            return await self.link.act(action)
        except RouterDownError:
            return None

    # ── asked from screens ────────────────────────────────────────────────────────────────────────

    def ask_cancel(self, *requests: RequestView, then: Callable[[], object] = _nothing) -> None:
        """One question for all of them; what has ended is left out."""
        if self.refuses_change() or not requests:
            return
        running = [request for request in requests if request.state == "running"]
        if not running:
            self.say("it has ended: only a running request can be cancelled")
            return
        detail = _some([f"{r.door}  {r.provider},{r.model}" for r in running])
        if ended := len(requests) - len(running):
            detail.append(say(Span(f"{ended} more have ended.", "muted")))
        whose = "Its upstream is" if len(running) == 1 else "Their upstreams are"
        words = f"{whose} closed; what was used so far is billed."
        detail.append(say(Span(words, "muted")))
        what = running[0].id if len(running) == 1 else f"{len(running)} requests"
        answers = [_NO, Answer("yes", "x", "cancel it" if len(running) == 1 else "cancel them")]
        self.push_screen(
            Choose(f"Cancel {what}?", detail, answers),
            self._if_yes([Cancel(r.id, by=self.operator) for r in running], then),
        )

    def ask_pause(self, *sessions: str, then: Callable[[], object] = _nothing) -> None:
        """Pauses sessions after one question, resumes paused ones at once."""
        if self.refuses_change():
            return
        named = [session for session in dict.fromkeys(sessions) if session]
        if not named:
            self.say("this request names no session")
            return
        running = [session for session in named if session not in self.board.paused]
        if not running:
            self.do(*(Resume(session, by=self.operator) for session in named))
            then()
            return
        detail = [
            *(_some(running) if len(running) > 1 else []),
            say(Span("Its new requests get a 503 that says so, until it is resumed.", "muted")),
            say(Span("Those that run go on.", "muted")),
        ]
        one = len(running) == 1
        what = f"session {running[0]}" if one else f"{len(running)} sessions"
        answers = [_NO, Answer("yes", "X", "pause it" if one else "pause them")]
        self.push_screen(
            Choose(f"Pause {what}?", detail, answers),
            self._if_yes([Pause(session, by=self.operator) for session in running], then),
        )

    def show_visitors(self) -> None:
        from console.screens.visitors import Visitors

        self.push_screen(Visitors())

    def ask_clear(self, *overrides: OverrideView, then: Callable[[], object] = _nothing) -> None:
        """One question for all of them."""
        if self.refuses_change() or not overrides:
            return
        one = len(overrides) == 1
        detail = _some([f"{override.scope} → {override.target}" for override in overrides])
        words = "clear it" if one else f"clear all {len(overrides)}"
        answers = [_NO, Answer("yes", "d", words, "the rules decide again")]
        self.push_screen(
            Choose(
                "Clear this override?" if one else f"Clear {len(overrides)} overrides?",
                detail,
                answers,
            ),
            self._if_yes([ClearOverride(o.id, by=self.operator) for o in overrides], then),
        )

    def wake(self, *providers: str, then: Callable[[], object] = _nothing) -> None:
        """Ends the rest of one at once, of several after a question."""
        actions = [ClearCooldown(name, by=self.operator) for name in dict.fromkeys(providers)]
        if len(actions) < 2:
            self.do(*actions)
            return
        answers = [_NO, Answer("yes", "c", "end it", "they are asked again at once")]
        question = f"End the rest of {len(actions)} providers?"
        detail = _some([action.provider for action in actions])
        self.push_screen(Choose(question, detail, answers), self._if_yes(actions, then))

    def ask_override(self, request: RequestView | None) -> None:
        from console.screens.override_form import OverrideForm

        if self.refuses_change():
            return
        if self.board.link != "live":
            self.say("an override needs a running router", bad=True)
            return

        def take(action: SetOverride | ClearOverride | None) -> None:
            if action is not None:
                self.do(action)

        form = OverrideForm(self.board, request, self.operator, self.weigh)
        self.push_screen(form, take)
        self._tell_prices(form)

    async def weigh(self, scope: str, target: str) -> str:
        """What an override would throw away, such as warm caches; "" for nothing."""
        told = await self.question(WeighOverride(scope, target))
        return told.warning if isinstance(told, Done) else ""

    @work(exclusive=True, group="prices")
    async def _tell_prices(self, form: OverrideForm) -> None:
        listed = await self.question(ListModels())
        if isinstance(listed, Models):
            form.know({model.target: model for model in listed.models})

    def revert_override(self) -> None:
        """Takes the newest override back, without asking."""
        newest = max(self.board.overrides, key=lambda o: o.set_at, default=None)
        if newest is None:
            self.say("no override is in force")
        else:
            self.do(ClearOverride(newest.id, by=self.operator))

    def ask_clear_all(self) -> None:
        if self.refuses_change():
            return
        count = len(self.board.overrides)
        answers = [_NO, Answer("yes", "d", f"clear all {count}")]
        self.push_screen(
            Choose("Clear every override?", [], answers),
            self._if_yes([ClearOverride("all", by=self.operator)], _nothing),
        )

    def _if_yes(
        self, actions: Sequence[Action], then: Callable[[], object]
    ) -> Callable[[str | None], None]:
        def take(answer: str | None) -> None:
            if answer:
                self.do(*actions)
                then()

        return take

    def reload_config(self) -> None:
        self.do(Reload())

    # ── quitting and starting ─────────────────────────────────────────────────────────────────────

    def ask_quit(self) -> None:
        """Asks whether the router stays; without a router there is nothing to ask."""
        if self.board.link not in ("live", "stale"):
            self.exit(0)
            return
        running = len(self.board.running)
        snapshot = self.board.snapshot
        since = age(self.board.heard - snapshot.started_at) if snapshot else ""
        detail = [say(Span(f"The router has been up for {since}.", "muted"))]
        if running:
            detail.append(
                say(Span(f"{running} in flight: stopping lets them finish first.", "warn"))
            )
        left = "its router goes with it" if self.demo else "leave the router running"
        answers = [
            Answer("leave", "y", f"quit, {left}"),
            Answer("stop", "s", "quit, and stop the router"),
            Answer("", "esc", "stay here"),
        ]
        if self.read_only or self.demo:
            del answers[1]
        self.push_screen(Choose("Quit?", detail, answers), self._quit)

    def under_way(self) -> bool:
        """Whether the router is being started or restarted from here; then it says so."""
        busy = any(one.group == "start" and not one.is_finished for one in self.workers)
        if busy:
            self.say("the router is being started: one moment")
        return busy

    def ask_restart(self) -> None:
        """What runs is finished first, and whoever comes meanwhile waits."""
        if self.refuses_change() or self.under_way():
            return
        running = len(self.board.running)
        detail = [say(Span("Clients that come meanwhile wait; sessions over SSH stay.", "muted"))]
        if running:
            detail.append(say(Span(f"{running} in flight: they finish first.", "warn")))
        answers = [_NO, Answer("yes", "r", "restart it")]

        def take(answer: str | None) -> None:
            if answer:
                self._restart()

        self.push_screen(Choose("Restart the router?", detail, answers), take)

    @work(group="start")
    async def _restart(self) -> None:
        from console.process.restarting import restart_router
        from console.process.starting import StartError
        from console.process.stopping import StopError

        self.say("restarting the router…")
        try:
            await restart_router(self.home, by=self.operator)
        except (StartError, StopError) as error:
            self.say(str(error), bad=True)
        else:
            self.say("the router was restarted")

    def _quit(self, answer: str | None) -> None:
        if answer == "leave":
            self.exit(0)
        elif answer == "stop":
            self._stop()

    @work
    async def _stop(self) -> None:
        if await self.act(Stop(by=self.operator)):
            self.exit(0)

    @work
    async def do(self, *actions: Action) -> None:
        """One after another; of several, what came of all of them is said once."""
        if len(actions) == 1:
            await self.act(actions[0])
            return
        if not actions or self.refuses_change():
            return
        answers = [await self.question(action) for action in actions]
        done = sum(1 for answer in answers if isinstance(answer, Done))
        why = next((a.message for a in answers if isinstance(a, Refused)), "no router answers")
        words = f"{done} of {len(answers)} done"
        self.say(words if done == len(answers) else f"{words}: {why}", bad=done < len(answers))
