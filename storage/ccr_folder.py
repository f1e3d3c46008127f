"""Where Claude Code Router's users have their files.

One rule: imports os alone; a status line, which is drawn after every answer, needs no more."""

from __future__ import annotations

import os


def ccr_folder(root: str | None) -> str:
    """`root`: POINTSMAN_HOME, where it is set."""
    base = os.path.join(os.getcwd(), os.path.expanduser(root)) if root else os.path.expanduser("~")
    return os.path.join(base, ".claude-code-router")
