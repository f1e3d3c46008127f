"""`ccr usage`: the same as `pointsman costs`."""

from __future__ import annotations

from console.commands.costs import command

section = "Routes and costs"

__all__ = ["command", "section"]
