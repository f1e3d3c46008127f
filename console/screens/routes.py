"""Routes: the rules in the order they are asked, what each decided today, and what an edit of them
would have done to the requests of late.

Its rule: nothing is written before its difference was shown and agreed to, and the newest edit can
be taken back with one key.
"""

from __future__ import annotations

import shlex
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from console.feed import midnight
from console.lines.rules import AS_ASKED, COLUMNS, Line, decided, diff_lines, draw, gone_by, what_if
from console.screens.dialogs import Answer, Ask, Choose
from console.screens.filtered import FilteredView, FilterLine
from console.screens.picker import Picker
from console.screens.view import hidden
from console.widgets.bar import Bar
from console.widgets.paint import Piece, Span, lines, say
from console.widgets.table import ListRows, Row, Table
from router.contract import (
    Edited,
    EditRoutes,
    ListModels,
    Models,
    ModelView,
    Refused,
    Replayed,
    ReplayRoutes,
    RouteValue,
    RuleView,
    ShowRoutes,
    UndoRoutes,
)
from router.contract import (
    Routes as Rules,
)

#: how many requests a what-if looks back at
DEPTHS = (200, 1_000, 2_000)
LOOK = 4


class Routes(FilteredView):
    NAME = "Routes"
    KEYS = (
        ("enter", "target"),
        ("v", "values"),
        ("a", "apply"),
        ("u", "undo"),
        ("w", "what-if"),
        ("t", "strict"),
        ("esc", "drop"),
    )
    CHANGES = frozenset(("enter", "v", "a", "u", "t"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "values", "Change what it goes by: a threshold, or its fallbacks"),
        Binding("a", "apply", "Apply the edits, after their difference was shown"),
        Binding("u", "undo", "Take the newest applied edit back"),
        Binding("t", "strict", "Strict: the rules as CCR has them, to the letter; or not"),
        Binding("w", "deeper", "What-if over more requests of late"),
        Binding("escape", "drop", "The filter away, then the edits", key_display="esc"),
        Binding("y", "copy", "Copy the equivalent command"),
    ]

    def __init__(self) -> None:
        super().__init__(id="routes")
        self._rules: Rules | None = None
        self._models: dict[str, ModelView] = {}
        self._hits: dict[str, int] = {}
        self._edits: dict[str, str] = {}
        self._found: Replayed | str = ""
        self._depth = 0
        self._ticks = 0

    def compose(self) -> ComposeResult:
        yield Bar(classes="title")
        yield Table(COLUMNS, edge="top", order=AS_ASKED, id="rules", name="routes")
        yield Static(id="what-if", markup=False)
        yield FilterLine("words, !words, rule: when: goes:")

    def shown(self) -> None:
        super().shown()
        self._load()

    def tick(self) -> None:
        self._ticks += 1
        if self._ticks % LOOK == 0:
            self._load()

    @work(exclusive=True, group="routes")
    async def _load(self) -> None:
        app = self.console_app
        answer = await app.question(ShowRoutes())
        if isinstance(answer, Rules):
            self._rules = answer
        if not self._models:
            listed = await app.question(ListModels())
            if isinstance(listed, Models):
                self._models = {model.target: model for model in listed.models}
        if app.archive is not None:
            hits = await self.ask(app.archive.hits(midnight(app.now())), [])
            self._hits = {}
            for rule, target, count in hits:
                for key in (rule, f"{rule} {target}"):
                    self._hits[key] = self._hits.get(key, 0) + count
        self.update()

    @work(exclusive=True, group="what-if")
    async def _replay(self) -> None:
        if not self._edits:
            self._found = ""
            self.update()
            return
        self._found = "replaying…"
        self.update()
        answer = await self.console_app.question(
            ReplayRoutes(dict(self._edits), DEPTHS[self._depth])
        )
        if isinstance(answer, Replayed):
            self._found = answer
        else:
            self._found = answer.message if isinstance(answer, Refused) else "no router answers"
        self.update()

    # ── drawing ───────────────────────────────────────────────────────────────────────────────────

    def draw(self) -> None:
        rules = self._rules.rules if self._rules else ()
        everything = sum(count for key, count in self._hits.items() if " " not in key)
        table = self.query_one(Table)

        def row(line: Line) -> Row:
            share = line.hits / everything if everything else None
            edited = self._edits.get(line.rule.scenario)
            return draw(line.rule, line.number, edited, line.hits, share)

        listed = [
            Line(place, rule, decided(rule, self._hits)) for place, rule in enumerate(rules, 1)
        ]
        kept = self.kept(COLUMNS, listed)
        table.show(ListRows(table.settle(kept, lambda each: each.key), lambda each: each.key, row))
        self.query_one("#what-if", Static).update(lines(*self._below()))
        self._say_title(table, len(kept))

    def _say_title(self, table: Table, shown: int) -> None:
        said: list[Piece] = []
        if self.filter and self._rules:
            said += self.count(shown, len(self._rules.rules), "rules")
        said += self.standing(table)
        if self._rules:
            strict = "   strict: as CCR does it" if self._rules.strict else ""
            said.append(Span(f"  from {self._rules.source}{strict}", "muted"))
        elif self.console_app.board.link == "down":
            said.append(Span("   no router runs: R starts it", "warn", "R"))
        if self._edits:
            said.append(Span(f"   {len(self._edits)} not applied: a applies", "warn", "a"))
        self.title(*said, hint=hidden(table))

    def _below(self) -> list[Content]:
        rules = self._rules.values if self._rules else ()
        rows = gone_by(rules, self.values(), self._edits)
        if isinstance(self._found, Replayed):
            return rows + what_if(self._found)
        if self._found:
            return [*rows, say(Span(self._found, "warn"))]
        rows += [
            say(
                Span("enter", "accent"),
                Span(" on a rule chooses where it goes; what would have changed for the", "muted"),
                Span(f" last {DEPTHS[self._depth]:,} requests is shown at once.", "muted"),
            )
        ]
        if self._rules and self._rules.undo:
            rows.append(say(Span("u", "accent"), Span(f" takes back: {self._rules.undo}", "muted")))
        return rows

    def on_table_moved(self) -> None:
        self.query_one("#what-if", Static).update(lines(*self._below()))

    # ── doing ─────────────────────────────────────────────────────────────────────────────────────

    def chosen(self) -> RuleView | None:
        key = self.query_one(Table).selected
        rules = self._rules.rules if self._rules else ()
        return next((rule for rule in rules if f"{rule.name} {rule.scenario}" == key), None)

    def on_table_opened(self) -> None:
        rule = self.chosen()
        if rule is None or self.console_app.refuses_change():
            return
        if not rule.scenario:
            self.console_app.say(f"{rule.name} has no target of its own: {rule.when}")
            return
        none = "" if rule.scenario == "default" else "nowhere: the next rule is asked"
        current = self._edits.get(rule.scenario, rule.target)

        def take(target: str | None) -> None:
            if target is None:
                return
            self._edits[rule.scenario] = target
            if target == rule.target:
                del self._edits[rule.scenario]
            self._replay()

        targets = self.console_app.board.snapshot.targets if self.console_app.board.snapshot else ()
        self.app.push_screen(
            Picker(f"{rule.scenario} goes to", targets, self._models, none=none, chosen=current),
            take,
        )

    def values(self) -> list[RouteValue]:
        """What the chosen rule goes by besides its target."""
        rule = self.chosen()
        values = self._rules.values if self._rules else ()
        return [
            one for one in values if rule is not None and one.rule and one.rule == rule.scenario
        ]

    @work(exclusive=True, group="value")
    async def action_values(self) -> None:
        app, values = self.console_app, self.values()
        if app.refuses_change():
            return
        if not values:
            app.say("nothing to set here: it has no scenario of its own")
            return
        name: str | None = values[0].name
        if len(values) > 1:
            answers = [
                Answer(one.name, str(number), one.name, f"{self._now(one) or 'none'}  {one.what}")
                for number, one in enumerate(values, 1)
            ]
            name = await self.app.push_screen_wait(Choose("Change what?", [], answers))
        value = next((one for one in values if one.name == name), None)
        if value is None:
            return
        targets = app.board.snapshot.targets if app.board.snapshot else ()
        offered = targets if value.name.startswith("fallback.") else ()
        words = f"{value.what}; now {value.value or 'none'}"
        if offered:
            words += ". provider,model as often as you like, apart by blanks; empty for none"
        text = await self.app.push_screen_wait(
            Ask(value.name, [say(Span(words, "muted"))], self._now(value), offered)
        )
        if text is None:
            return
        self._edits[value.name] = text
        if text == value.value:
            del self._edits[value.name]
        self._replay()

    def _now(self, value: RouteValue) -> str:
        return self._edits.get(value.name, value.value)

    def action_strict(self) -> None:
        """An edit like any other: its what-if shows at once, and it is applied with the rest."""
        if self._rules is None or self.console_app.refuses_change():
            return
        if self._edits.pop("strict", None) is None:
            self._edits["strict"] = "no" if self._rules.strict else "yes"
        self._replay()

    def action_deeper(self) -> None:
        self._depth = (self._depth + 1) % len(DEPTHS)
        self._replay()

    def action_drop(self) -> None:
        if self.filter:
            self.action_back()
            return
        self._edits.clear()
        self._replay()

    def action_apply(self) -> None:
        if not self._busy:
            self._apply()

    def action_undo(self) -> None:
        if not self._busy:
            self._undo()

    @property
    def _busy(self) -> bool:
        """Whether an edit is on its way: a second one must not cut off what the first one says."""
        return any(w.group == "apply" and not w.is_finished for w in self.workers)

    @work(group="apply")
    async def _apply(self) -> None:
        app = self.console_app
        if app.refuses_change():
            return
        if not self._edits:
            app.say("nothing was edited")
            return
        dry = await app.keys_after(app.question(EditRoutes(dict(self._edits))))
        if not isinstance(dry, Edited) or not dry.diff:
            words = dry.message if isinstance(dry, Refused | Edited) else "no router answers"
            app.say(words, bad=True)
            if isinstance(dry, Edited):  # it stands in the file as it is
                self._edits.clear()
                self._replay()
            return
        answers = [Answer("", "esc", "no, not yet"), Answer("yes", "a", "write it, and use it")]
        if await self.app.push_screen_wait(Choose("Apply?", diff_lines(dry), answers)):
            action = EditRoutes(dict(self._edits), dry=False, by=app.operator)
            if self._said(await app.question(action)):
                self._edits.clear()
                self._found = ""
            self._load()

    @work(group="apply")
    async def _undo(self) -> None:
        app = self.console_app
        if app.refuses_change():
            return
        undo = self._rules.undo if self._rules else ""
        if not undo:
            app.say("there is no edit to take back")
            return
        answers = [Answer("", "esc", "no, keep it"), Answer("yes", "u", "take it back")]
        question = Choose("Take the newest edit back?", [say(Span(undo, "muted"))], answers)
        if await self.app.push_screen_wait(question):
            self._said(await app.question(UndoRoutes(by=app.operator)))
            self._load()

    def _said(self, answer: object) -> bool:
        if isinstance(answer, Edited) and answer.applied:
            self.console_app.say(answer.message)
            return True
        words = answer.message if isinstance(answer, Refused | Edited) else "no router answers"
        self.console_app.say(words, bad=True)
        return False

    def command(self) -> str:
        """The same from a shell."""
        words = shlex.join(f"{what}={text}" for what, text in self._edits.items())
        return f"pointsman routes set {words}" if words else "pointsman routes"

    def action_copy(self) -> None:
        self.console_app.copy("the command", self.command())
