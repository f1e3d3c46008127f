"""`ccr completion`: completion for bash, zsh and fish."""

from __future__ import annotations

from console.completion import command

section = "About"

__all__ = ["command", "section"]
