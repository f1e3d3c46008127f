"""What each key of the console is from a shell.

Its rule: a key that asks the router or the ledger for something has its command here, in the docs
and under `:cmd`; a key that only moves what a person looks at is named in OWN. A test holds both
against the screens.
"""

from __future__ import annotations

from typing import NamedTuple

from console.screens import SCREENS

EVERYWHERE = "everywhere"


class Twin(NamedTuple):
    """`keys` as Textual names them, or a word of the line (":reload"); capitals in `command` stand
    for what is selected."""

    screen: str
    keys: str
    does: str
    command: str


TWINS: tuple[Twin, ...] = (
    Twin("live", "enter", "the request's story", "pointsman why ID"),
    Twin("live", "slash", "filter", "pointsman requests FILTER"),
    Twin("live", "x", "cancel it", "pointsman cancel ID"),
    Twin("live", "X", "pause its session", "pointsman session pause SESSION"),
    Twin("live", "o", "override", "pointsman override set TARGET --session SESSION"),
    Twin("detail", "l", "its log", "pointsman logs --request ID"),
    Twin("detail", "s", "its session", "pointsman requests --session SESSION"),
    Twin("detail", "x", "cancel it", "pointsman cancel ID"),
    Twin("detail", "X", "pause its session", "pointsman session pause SESSION"),
    Twin("detail", "o", "override", "pointsman override set TARGET --session SESSION"),
    Twin("sessions", "enter", "its requests", "pointsman requests --session SESSION"),
    Twin("sessions", "X", "pause it; resume it", "pointsman session pause SESSION"),
    Twin("sessions", "o", "override", "pointsman override set TARGET --session SESSION"),
    Twin("costs", "enter", "its requests", "pointsman requests FILTER"),
    Twin("costs", "t,w,M,r", "of which time", "pointsman costs --since 7d"),
    Twin("costs", "b,B", "summed by", "pointsman costs --by session"),
    Twin("costs", "v", "would have cost on", "pointsman costs --on TARGET"),
    Twin("costs", "e", "export", "pointsman costs --csv"),
    Twin("health", "enter", "its requests", "pointsman requests provider=NAME"),
    Twin("health", "t", "check what works", "pointsman check TARGET"),
    Twin("health", "c", "end its rest", "pointsman wake PROVIDER"),
    Twin("health", "h", "its history", "pointsman health PROVIDER"),
    Twin("health", "v", "visitors", "pointsman ssh sessions"),
    Twin("logs", "l", "level", "pointsman logs --level warning"),
    Twin("logs", "r", "how far back", "pointsman logs --since 1h"),
    Twin("logs", "slash", "filter", "pointsman logs FILTER"),
    Twin("logs", "enter", "of its request", "pointsman logs --request ID"),
    Twin("routes", "enter", "another target", "pointsman routes set SCENARIO=TARGET --dry-run"),
    Twin("routes", "v", "another value", "pointsman routes set longContextThreshold=80000"),
    Twin("routes", "t", "strict, or not", "pointsman routes set strict=yes"),
    Twin("routes", "a", "apply", "pointsman routes set SCENARIO=TARGET"),
    Twin("routes", "u", "undo", "pointsman routes undo"),
    Twin("routes", "w", "what-if", "pointsman routes what-if SCENARIO=TARGET --last 1000"),
    Twin("overrides", "enter", "served under it", "pointsman requests FILTER"),
    Twin("overrides", "n,a", "set one", "pointsman override set TARGET --for 2h"),
    Twin("overrides", "d", "clear it", "pointsman override clear ID"),
    Twin("overrides", "u", "take the newest back", "pointsman override clear ID"),
    Twin("playground", "i,slash,enter", "ask", "pointsman ask PROMPT"),
    Twin("playground", "a", "ask this model", "pointsman ask PROMPT --model TARGET"),
    Twin("playground", "b", "and this one", "pointsman ask PROMPT --model TARGET --model TARGET"),
    Twin("playground", "o", "the request's story", "pointsman why ID"),
    Twin(EVERYWHERE, "R", "start the router", "pointsman start"),
    Twin(EVERYWHERE, ":restart", "restart it", "pointsman restart"),
    Twin(EVERYWHERE, "q", "stop the router", "pointsman stop"),
    Twin(EVERYWHERE, ":reload", "read config again", "pointsman reload"),
    Twin(EVERYWHERE, ":visitors", "who is here", "pointsman ssh sessions"),
    Twin(EVERYWHERE, ":resume", "resume a session", "pointsman session resume SESSION"),
)

#: keys that only move what is looked at, or copy it
OWN: dict[str, str] = {
    "live": "b,t,y",
    "detail": "escape,backspace,left_square_bracket,right_square_bracket,y,j,k",
    "sessions": "z,Z,y",
    "costs": "y",
    "health": "y",
    "logs": "t,w,y",
    "routes": "escape,y",
    "overrides": "y",
    "playground": "c,x,y,j,k",
    EVERYWHERE: f"{','.join(SCREENS)},question_mark,colon,p,plus,minus,exclamation_mark,m,ctrl+c",
}
_SHOWN = {"slash": "/", "enter": "enter"}


def shown(keys: str) -> str:
    """As a person reads them: "n a", "/"."""
    return " ".join(_SHOWN.get(key, key) for key in keys.split(","))


def of(screen: str) -> list[Twin]:
    """Of one screen, and then of everywhere."""
    return [twin for name in (screen, EVERYWHERE) for twin in TWINS if twin.screen == name]
