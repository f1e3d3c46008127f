"""The commands of the console's own line (`:`), and what completes them.

Its rule: a command is one word and what follows; every one does what a key or the palette does too,
and an unknown one says what there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console import theme
from console.moments import seconds_of
from console.options import moment
from console.pace import STEPS
from console.screens import IDS
from console.screens.filtered import FilteredView
from console.screens.live import Live
from console.widgets.table import Table
from router.contract import Cancel, ClearCooldown, ClearOverride, Pause, Resume, SetOverride

if TYPE_CHECKING:
    from console.app import ConsoleApp

Choices = Callable[["ConsoleApp"], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Command:
    """`usage` is what follows the name, `choices` what can follow it first."""

    help: str
    run: Callable[[ConsoleApp, list[str]], str | None]
    usage: str = ""
    choices: Choices | None = None
    least: int = 0


def run(app: ConsoleApp, line: str) -> str | None:
    """Does what the line says; what is wrong with it, or None."""
    name, *words = line.split()
    found = COMMANDS.get(name) or COMMANDS.get(_only(name))
    if found is None:
        near = ", ".join(sorted(n for n in COMMANDS if n.startswith(name[:2]))) or "? lists them"
        return f"no command {name!r}; {near}"
    if len(words) < found.least:
        return f"write {name} {found.usage}"
    return found.run(app, words)


def completions(app: ConsoleApp, line: str) -> list[str]:
    """Whole lines that `line` may become, best first."""
    name, space, rest = line.partition(" ")
    if not space:
        return sorted(n for n in COMMANDS if n.startswith(name))
    found = COMMANDS.get(name)
    if found is None or found.choices is None or " " in rest:
        return []
    part = rest.casefold()
    listed = list(dict.fromkeys(found.choices(app)))
    starts = [c for c in listed if c.casefold().startswith(part)]
    return [f"{name} {choice}" for choice in starts]


def usage(line: str) -> str:
    """What a command takes and does, once its name is there."""
    command = COMMANDS.get(line.partition(" ")[0])
    return f"{command.usage}  {command.help}".strip() if command else ""


def _only(name: str) -> str:
    """The one command that begins so, if it is one."""
    found = [n for n in COMMANDS if n.startswith(name)]
    return found[0] if len(found) == 1 else ""


# ── what can follow ───────────────────────────────────────────────────────────────────────────────


def _targets(app: ConsoleApp) -> Iterable[str]:
    return app.board.snapshot.targets if app.board.snapshot else ()


def _sessions(app: ConsoleApp) -> Iterable[str]:
    return (r.session for r in (*app.board.running, *app.board.finished) if r.session)


def _requests(app: ConsoleApp) -> Iterable[str]:
    return (r.id for r in (*app.board.running, *app.board.finished))


def _running(app: ConsoleApp) -> Iterable[str]:
    return (r.id for r in app.board.running)


def _paused(app: ConsoleApp) -> Iterable[str]:
    return ("all", *app.board.paused)


def _providers(app: ConsoleApp) -> Iterable[str]:
    return (s.name for s in app.board.services if s.kind in ("provider", "local"))


def _overrides(app: ConsoleApp) -> Iterable[str]:
    return ("all", *(o.id for o in app.board.overrides))


def _themes(app: ConsoleApp) -> Iterable[str]:
    return (*theme.OURS, *sorted(set(app.available_themes) - set(theme.OURS)))


def _filters(app: ConsoleApp) -> Iterable[str]:
    return app.prefs.filters


def _intervals(app: ConsoleApp) -> Iterable[str]:
    return (f"{step:g}" for step in STEPS)


def _groups(app: ConsoleApp) -> Iterable[str]:
    return ("session", "model", "key", "door", "none")


# ── what they do ──────────────────────────────────────────────────────────────────────────────────


def _view(id: str) -> Callable[[ConsoleApp, list[str]], str | None]:
    def show(app: ConsoleApp, words: list[str]) -> None:
        app.call_later(app.action_view, id)

    return show


def _override(app: ConsoleApp, words: list[str]) -> str | None:
    """TARGET [SCOPE] [30m]"""
    target, *rest = words
    seconds: float | None = None
    scope = "everywhere"
    for word in rest:
        if length := seconds_of(word):
            seconds = float(length)
        else:
            scope = word
    app.do(SetOverride(scope, target, seconds, by=app.operator))
    return None


def _clear(app: ConsoleApp, words: list[str]) -> str | None:
    app.do(ClearOverride(words[0], by=app.operator))
    return None


def _cancel(app: ConsoleApp, words: list[str]) -> str | None:
    app.do(Cancel(words[0], by=app.operator))
    return None


def _pause(app: ConsoleApp, words: list[str]) -> str | None:
    if words:
        app.do(Pause(" ".join(words), by=app.operator))
    else:
        app.action_pause()
    return None


def _resume(app: ConsoleApp, words: list[str]) -> str | None:
    app.do(Resume(" ".join(words), by=app.operator))
    return None


def _wake(app: ConsoleApp, words: list[str]) -> str | None:
    app.do(ClearCooldown(words[0], by=app.operator))
    return None


def _why(app: ConsoleApp, words: list[str]) -> str | None:
    app.open_request(words[0], [])
    return None


def _filter(app: ConsoleApp, words: list[str]) -> str | None:
    text = " ".join(words)
    text, view = app.prefs.filters.get(text, text), app.view
    if isinstance(view, FilteredView):
        view.narrow(text)
    else:
        app.show_requests(text)
    return None


def _save(app: ConsoleApp, words: list[str]) -> str | None:
    view = app.view
    if not isinstance(view, FilteredView) or not view.filter:
        return "there is no filter here to save: / writes one"
    app.remember(filters={**app.prefs.filters, words[0]: view.filter})
    app.say(f"`:filter {words[0]}` brings it back")
    return None


def _group(app: ConsoleApp, words: list[str]) -> str | None:
    name = words[0] if words[0] != "none" else ""
    if name and name not in _groups(app):
        return "group by session, model, key, door or none"
    app.query_one(Live).group_by(name)
    app.call_later(app.action_view, "live")
    return None


def _sorts(app: ConsoleApp) -> Iterable[str]:
    names = [c.name for table in app.view.query(Table) for c in table.sortable]
    return (*names, *(f"-{name}" for name in names), "none")


def _sort(app: ConsoleApp, words: list[str]) -> str | None:
    return app.view.sort_by(" ".join(words))


def _interval(app: ConsoleApp, words: list[str]) -> str | None:
    try:
        app.choose_interval(float(words[0].removesuffix("s")))
    except ValueError:
        return "write interval SECONDS: 0.5, 1, 2, 5 or 10"
    return None


def _range(app: ConsoleApp, words: list[str]) -> str | None:
    import click

    try:
        since, *until = (moment(word) for word in words[:2])
    except click.BadParameter as error:
        return error.message
    if (until[0] if until else app.now()) <= since:
        return "a range ends after it begins"
    app.call_later(app.show_costs, since, until[0] if until else None)
    return None


def _days(app: ConsoleApp) -> Iterable[str]:
    return ("today", "yesterday today", "week", "monday", "month", "24h", "90d", "all")


def _theme(app: ConsoleApp, words: list[str]) -> str | None:
    if words[0] not in app.available_themes:
        return f"no theme {words[0]!r}; there are {', '.join(_themes(app))}"
    app.choose_theme(words[0])
    return None


def _budget(app: ConsoleApp, words: list[str]) -> str | None:
    try:
        dollars = None if words[0] == "none" else float(words[0].lstrip("$"))
    except ValueError:
        return "write budget DOLLARS, or budget none"
    return app.prefs.remember(budget=dollars) or None


def _bell(app: ConsoleApp, words: list[str]) -> str | None:
    if words[0] not in ("on", "off"):
        return "write bell on, or bell off"
    return app.prefs.remember(bell=words[0] == "on") or None


def _plain(action: Callable[[ConsoleApp], object]) -> Callable[[ConsoleApp, list[str]], str | None]:
    def act(app: ConsoleApp, words: list[str]) -> None:
        app.call_later(action, app)

    return act


COMMANDS: dict[str, Command] = {
    **{id: Command(f"the screen {id.capitalize()}", _view(id)) for id in IDS},
    "why": Command("one request", _why, "ID", _requests, 1),
    "filter": Command("what the list shows; a saved name, or text", _filter, "TEXT", _filters),
    "save": Command("keep this filter under a name", _save, "NAME", None, 1),
    "group": Command("group the requests", _group, "BY", _groups, 1),
    "sort": Command("this list; - before a column: the most first", _sort, "[COLUMN]", _sorts),
    "interval": Command("seconds between two paints", _interval, "SECONDS", _intervals, 1),
    "range": Command("costs from a day to another", _range, "FROM [TO]", _days, 1),
    "override": Command("send traffic there", _override, "TARGET [SCOPE] [30m]", _targets, 1),
    "clear": Command("take an override back", _clear, "ID", _overrides, 1),
    "cancel": Command("stop a running request", _cancel, "ID", _running, 1),
    "pause": Command("pause a session; alone: this screen", _pause, "[SESSION]", _sessions),
    "resume": Command("let a session go on", _resume, "SESSION", _paused, 1),
    "wake": Command("ask a resting provider again", _wake, "PROVIDER", _providers, 1),
    "theme": Command("colours", _theme, "NAME", _themes, 1),
    "budget": Command("dollars a day, for the header", _budget, "DOLLARS", None, 1),
    "bell": Command("ring at an alert: on or off", _bell, "on|off", None, 1),
    "mouse": Command("on or off", _plain(lambda app: app.action_mouse())),
    "visitors": Command("who is here over SSH", _plain(lambda app: app.show_visitors())),
    "reload": Command("read the config files again", _plain(lambda app: app.reload_config())),
    "start": Command("start the router", _plain(lambda app: app.run_action("start"))),
    "restart": Command("restart the router", _plain(lambda app: app.run_action("start"))),
    "messages": Command("what was said of late", _plain(lambda app: app.show_messages())),
    "cmd": Command("the same from a shell", _plain(lambda app: app.show_command())),
    "help": Command("the keys of this screen", _plain(lambda app: app.action_help())),
    "keys": Command("their names, for keys of your own", _plain(lambda app: app.show_key_names())),
    "quit": Command("leave", _plain(lambda app: app.ask_quit())),
}
