"""The entry point of `ccr`.

Its status line is drawn after every answer of Claude Code, and must not wait for what the other
commands import.

One rule: whatever is not exactly `ccr statusline [STYLE|PRESET]` is console.main's.
"""

from __future__ import annotations

import sys


def ccr() -> None:
    words = sys.argv[1:]
    if words[:1] == ["statusline"] and len(words) <= 2 and not any(w[:1] == "-" for w in words):
        from console.statusline import configuration, line

        preset = words[1] if len(words) == 2 else ""
        stdin = sys.stdin.buffer.read().decode("utf-8", "replace")
        sys.stdout.buffer.write((line(stdin, *configuration(preset)) + "\n").encode())
        return
    from console.main import ccr as every

    every()
