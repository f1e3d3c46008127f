"""`pointsman completion`: completion for bash, zsh and fish."""

from __future__ import annotations

from console.completion import command

section = "Run"

__all__ = ["command", "section"]
