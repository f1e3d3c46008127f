"""Colours: a dark and a light theme, calm greys, one accent, and a tone for each meaning.

Its rule: a colour only repeats what a glyph or a word already says. Everything drawn names a tone,
never a colour, so that themes, 16 colours and NO_COLOR need no other place.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

from textual.theme import Theme

Tone = Literal["", "muted", "strong", "accent", "good", "warn", "bad", "head", "badge", "alarm"]
TONES: Final[tuple[Tone, ...]] = tuple(tone for tone in get_args(Tone) if tone)

#: as Textual content styles; the same names are component classes in styles.tcss
STYLES: Final[dict[Tone, str]] = {
    "": "",
    "muted": "$muted",
    "strong": "bold $foreground",
    "accent": "$accent",
    "good": "$success",
    "warn": "$warning",
    "bad": "bold $error",
    "head": "bold $muted",
    "badge": "bold $background on $accent",
    "alarm": "bold $background on $warning",
}

DARK: Final = Theme(
    name="pointsman-dark",
    primary="#7fb4ca",
    secondary="#5c6773",
    accent="#7fb4ca",
    success="#87b379",
    warning="#dca561",
    error="#e46876",
    foreground="#c9d1d9",
    background="#12161c",
    surface="#12161c",
    panel="#1b2129",
    dark=True,
    variables={
        "muted": "#7f8a97",
        "line": "#2a323d",
        "cursor": "#24303d",
        "footer-background": "#1b2129",
        "scrollbar": "#2f3945",
        "scrollbar-hover": "#465362",
        "scrollbar-active": "#7fb4ca",
        "scrollbar-background": "#12161c",
        "scrollbar-background-hover": "#12161c",
        "scrollbar-background-active": "#12161c",
        "input-selection-background": "#7fb4ca 35%",
    },
)

LIGHT: Final = Theme(
    name="pointsman-light",
    primary="#1f6f8b",
    secondary="#8a94a0",
    accent="#1f6f8b",
    success="#356f30",
    warning="#8a5700",
    error="#b3263a",
    foreground="#22272e",
    background="#fbfaf7",
    surface="#fbfaf7",
    panel="#efede7",
    dark=False,
    variables={
        "muted": "#68727d",
        "line": "#d9d6cd",
        "cursor": "#dfe9ee",
        "footer-background": "#efede7",
        "scrollbar": "#cfcbc0",
        "scrollbar-hover": "#b3aea2",
        "scrollbar-active": "#1f6f8b",
        "scrollbar-background": "#fbfaf7",
        "scrollbar-background-hover": "#fbfaf7",
        "scrollbar-background-active": "#fbfaf7",
        "input-selection-background": "#1f6f8b 25%",
    },
)

#: for bright rooms and tired eyes: nothing is told by a shade
CONTRAST: Final = Theme(
    name="pointsman-contrast",
    primary="#5fd7ff",
    secondary="#ffffff",
    accent="#5fd7ff",
    success="#5fff5f",
    warning="#ffff5f",
    error="#ff8787",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    dark=True,
    variables={
        "muted": "#d0d0d0",
        "line": "#ffffff",
        "cursor": "#005f87",
        "footer-background": "#1c1c1c",
        "scrollbar": "#9e9e9e",
        "scrollbar-hover": "#ffffff",
        "scrollbar-active": "#5fd7ff",
        "scrollbar-background": "#000000",
        "scrollbar-background-hover": "#000000",
        "scrollbar-background-active": "#000000",
        "input-selection-background": "#5fd7ff 40%",
    },
)
#: in the order in which a key goes through them
OURS: Final = {theme.name: theme for theme in (DARK, LIGHT, CONTRAST)}
#: what our styles need and other themes do not have
FOR_OTHERS: Final = {"muted": "$text-muted", "line": "$border", "cursor": "$boost"}
