"""NO_COLOR: no colour at all is sent, not even grey; what a ground told is told by reversal.

Its rule: only bold, dim, italic, underline and reverse leave here. Glyphs and words carry the rest,
as they do everywhere. (Textual answers NO_COLOR with greys, which are colours to a terminal.)
"""

from __future__ import annotations

import os
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter, Monochrome, NoColor

from console.theme import DARK


def _brightness(colour: Color) -> float:
    return 0.3 * colour.r + 0.59 * colour.g + 0.11 * colour.b


#: grounds from the cursor's on are there to be seen; the page's and the bars' are not
_SEEN = _brightness(Color.parse(DARK.variables["cursor"])) - 1
_MUTED = Color.parse(DARK.variables["muted"]).rich_color.triplet


@lru_cache(2048)
def _plain(style: Style) -> Style:
    ground = style.bgcolor
    seen = ground is not None and ground.triplet is not None
    marked = seen and _brightness(Color.from_rich_color(ground)) >= _SEEN
    quiet = style.color is not None and style.color.triplet == _MUTED
    return Style(
        bold=style.bold,
        dim=(quiet and not marked) or None,
        italic=style.italic,
        underline=style.underline,
        strike=style.strike,
        reverse=True if marked else style.reverse,
        meta=style.meta,
    )


class Colourless(LineFilter):
    """The last filter of a console on a terminal that wants no colour."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(text, None if style is None else _plain(style), control)
            for text, style, control in segments
        ]


def honour(app: App[int], no_color: str | None) -> None:
    """`no_color` is what the environment says: nothing, where it is there and empty (no-color.org).
    In place of what Textual made of it; that took it away, too, from the shells that follow."""
    filters = [one for one in app._filters if not isinstance(one, Monochrome | NoColor)]
    app.no_color = bool(no_color)
    app._filters = [*filters, Colourless()] if no_color else filters
    if no_color is not None:
        os.environ["NO_COLOR"] = no_color
