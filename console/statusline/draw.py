"""One module as text, and modules as a line: plain, or the bands of powerline. Pure.

One rule: colours are ours to write; a module's text passes console.text.clean first.
"""

from __future__ import annotations

import re

from console.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Module = Mapping[str, Any]
    Color = tuple[int, int, int]

RESET = "\x1b[0m"
ARROW = "\ue0b0"
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_HEX = re.compile(r"(?:bg_)?#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
#: the sixteen colours as powerline's bands need them, and two more that the original names
_BANDS: dict[str, Color] = {
    **dict(
        zip(
            [*_NAMES, *(f"bright_{name}" for name in _NAMES)],
            [
                *((0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0)),
                *((0, 0, 128), (128, 0, 128), (0, 128, 128), (192, 192, 192)),
                *((128, 128, 128), (255, 0, 0), (0, 255, 0), (255, 255, 0)),
                *((0, 0, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255)),
            ],
            strict=True,
        )
    ),
    "bright_orange": (255, 95, 0),
    "bright_purple": (175, 0, 255),
}
_BAND: Color = (33, 150, 243)


def text(module: Module, known: Mapping[str, str], written: str | None) -> str:
    """What one module shows; "" where a value that it shows is not known. `written` is what its
    script said."""
    template = str(module.get("text", ""))
    if module.get("type") == "script":
        shown = written or ""
    elif any(not known.get(name) for name in _SLOT.findall(template)):
        return ""
    else:
        shown = _SLOT.sub(lambda found: known[found[1]], template)
    icon = str(module.get("icon", ""))
    if not shown.strip():
        return ""
    return clean(f"{icon} {shown}" if icon else shown, limit=80)


def plain(shown: Sequence[tuple[Module, str]]) -> str:
    return "  ".join(
        f"{start}{text}{RESET}" if (start := _paint(module)) else text for module, text in shown
    )


def _paint(module: Module) -> str:
    return _named(str(module.get("color") or ""), 38) + _named(
        str(module.get("background") or ""), 48
    )


def _named(color: str, place: int) -> str:
    """The escape for a name ("bright_red", "bg_red") or "#rgb"; "" for what is neither. `place`: 38
    for the text, 48 for what is behind it."""
    name = color.removeprefix("bg_")
    base = name.removeprefix("bright_")
    if base in _NAMES:
        bright = 60 if base != name else 0
        return f"\x1b[{place - 8 + _NAMES.index(base) + bright}m"
    found = _rgb(color)
    return "\x1b[{};2;{};{};{}m".format(place, *found) if found else ""


def powerline(shown: Sequence[tuple[Module, str]]) -> str:
    """Bands, each leading into the next one's colour."""
    bands = [_rgb(str(module.get("background") or "")) or _BAND for module, _ in shown]
    line = ""
    for number, (module, text) in enumerate(shown):
        front = _rgb(str(module.get("color") or "")) or (255, 255, 255)
        band = bands[number]
        line += f"{_at(48, band)}{_at(38, front)} {text} {RESET}{_at(38, band)}"
        if number + 1 < len(bands):
            line += _at(48, bands[number + 1])
        line += f"{ARROW}{RESET}"
    return line


def _at(place: int, color: Color) -> str:
    return "\x1b[{};2;{};{};{}m".format(place, *color)


def _rgb(color: str) -> Color | None:
    if (band := _BANDS.get(color.removeprefix("bg_"))) is not None:
        return band
    found = _HEX.fullmatch(color)
    if found is None:
        return None
    digits = found[1] if len(found[1]) == 6 else "".join(c * 2 for c in found[1])
    red, green, blue = (int(digits[i : i + 2], 16) for i in (0, 2, 4))
    return red, green, blue
