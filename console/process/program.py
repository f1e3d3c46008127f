"""`python -m router`: its command line, its environment, and what it is asked without a router.

One rule: the router and its children inherit what a person gave them, and nothing of ours.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from console.link import VISITOR

#: what a shell over SSH is given (console/remote/environment.py): an address of ours, and its key
LENT = (("ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN"), ("OPENAI_BASE_URL", "OPENAI_API_KEY"))
OURS = "http://localhost:"


def command(*args: str) -> list[str]:
    """The command line of `python -m router …` with this very interpreter."""
    return [sys.executable, "-m", "router", *args]


def environment(env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What the router and its children inherit.

    PYTHONSAFEPATH: `python -m` would otherwise look for `router` in the working directory first,
    and run whatever a person's own project has under that name. What a session over SSH has so that
    its tools go through the router is not the router's own: it would take the key that it asks of
    its clients for one of OpenAI's.
    """
    given = dict(env)
    if given.pop(VISITOR, None) is not None:
        given.pop("POINTSMAN_ROLE", None)
        for address, key in LENT:
            if given.get(address, "").startswith(OURS):
                given.pop(address)
                given.pop(key, None)
    return {**given, "PYTHONSAFEPATH": "1"}


def become_router(args: Sequence[str]) -> None:
    """Turns this process into a router in the foreground: signals and exit code are its own."""
    words = command("serve", *args)
    sys.stdout.flush()
    os.execve(words[0], words, environment())  # noqa: S606 no shell is wanted


def ask_without_router(args: Sequence[str], body: bytes = b"") -> tuple[bytes, str]:
    """Runs `python -m router …` to its end, for questions that need no running router.

    Returns its stdout and, for people, what it said on stderr.
    """
    done = ask(args, body)
    said = done.stderr.decode("utf-8", "replace").strip()
    return done.stdout, said or f"`python -m router {args[0]}` ended with code {done.returncode}"


def ask(
    args: Sequence[str],
    body: bytes = b"",
    folder: str | None = None,
    env: Mapping[str, str] = os.environ,
) -> subprocess.CompletedProcess[bytes]:
    words = command(*args)
    return subprocess.run(
        words, input=body, capture_output=True, env=environment(env), cwd=folder, check=False
    )
