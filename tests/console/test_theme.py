"""Every tone can be read on every background of our themes, by the contrast that WCAG asks for."""

from __future__ import annotations

import pytest
from textual.color import Color

from console import theme


@pytest.mark.parametrize("name", theme.OURS)
def test_every_tone_can_be_read(name: str) -> None:
    ours = theme.OURS[name]
    assert ours.surface
    colours = {
        "foreground": ours.foreground,
        "accent": ours.accent,
        "success": ours.success,
        "warning": ours.warning,
        "error": ours.error,
        "muted": ours.variables["muted"],
    }
    least = 7.0 if name == theme.CONTRAST.name else 4.5
    for ground in (ours.background, ours.panel, ours.variables["cursor"]):
        for tone, colour in colours.items():
            # what is muted is read seldom, and on the cursor's line for a moment
            enough = 3.0 if tone == "muted" or ground == ours.variables["cursor"] else least
            ratio = contrast(Color.parse(colour or ""), Color.parse(ground or ""))
            assert ratio >= enough, f"{tone} on {ground}: {ratio:.1f}"


def contrast(one: Color, other: Color) -> float:
    """1 (none) to 21 (black on white)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: Color) -> float:
    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(colour.r) + 0.7152 * linear(colour.g) + 0.0722 * linear(colour.b)
