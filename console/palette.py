"""What ctrl+p offers by name: the screens, what changes something, and how it looks.

Its rule: whatever a key does can be found here by a word; who may only look finds nothing that
changes something.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from console import theme
from console.keys import bound, offers, shown
from console.screens import SCREENS

if TYPE_CHECKING:
    from console.app import ConsoleApp


def commands(app: ConsoleApp) -> Iterable[SystemCommand]:
    for number, (id, name) in SCREENS.items():
        yield SystemCommand(
            name, f"Screen {number}", lambda id=id: app.call_later(app.action_view, id)
        )
    yield from _of_screen(app)
    if not app.read_only:
        yield from _changing(app)
    yield SystemCommand("Pause or go on", "Stop the screen, not the router", app.action_pause)
    yield SystemCommand("Visitors", "Who is here over SSH or the browser", app.show_visitors)
    for name in theme.OURS:
        words = name.removeprefix("pointsman-")
        yield SystemCommand(
            f"{words.capitalize()} colours", name, lambda name=name: app.choose_theme(name)
        )
    yield SystemCommand("Mouse on or off", "Off: the terminal selects text", app.action_mouse)
    yield SystemCommand("Messages", "What was said of late, alerts too", app.show_messages)
    yield SystemCommand("The same from a shell", "As a command line", app.show_command)
    yield SystemCommand("Keys", "The keys of this screen", app.action_help)
    yield SystemCommand("Quit", "And ask whether the router stays", app.ask_quit)


def _of_screen(app: ConsoleApp) -> Iterable[SystemCommand]:
    """What the keys of the screen do that is looked at."""
    view = app.view
    for binding in bound(type(view)):
        key = binding.key.partition(",")[0]
        if binding.show and binding.description and offers(view, key, app.read_only):
            yield SystemCommand(
                binding.description,
                f"{view.NAME}: {shown(binding, app.prefs.keys)}",
                lambda action=binding.action: app.call_later(app.run_action, action, view),
            )


def _changing(app: ConsoleApp) -> Iterable[SystemCommand]:
    yield SystemCommand(
        "Set an override", "Send requests to one model", lambda: app.ask_override(None)
    )
    if app.board.overrides:
        yield SystemCommand("Clear every override", "The rules decide again", app.ask_clear_all)
    yield SystemCommand(
        "Reload the configuration", "Read the config files again", app.reload_config
    )
    running = app.board.link != "down"
    words = ("Restart the router", "What runs is finished first")
    yield SystemCommand(
        *(words if running else ("Start the router", "None runs")), app.action_start
    )
