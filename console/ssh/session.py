"""What one session runs: the console, a shell, a command or a file transfer.

Its rule: `choose` decides from the client's words alone, `roles` whether this visitor may have it;
every session is announced to the router while it lasts, and leaves one log line when it ends.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import shlex
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple, cast

import asyncssh
from asyncssh.channel import SSHChannel

from console.guard import CLEAN
from console.link import VISITOR
from console.process.presence import client_keys
from console.remote import environment, log
from console.remote.options import CONSOLE
from console.remote.program import Program, StartError
from console.remote.visit import Visit
from console.screens import IDS
from console.ssh import child, roles
from console.ssh.front import Front
from console.ssh.sftp import Files
from console.text import clean
from router.contract import Arrival, ClientKeys, Role

#: words that are commands of `pointsman`: `ssh host costs` is `pointsman costs`
PAGES = frozenset({"doctor", *roles.COMMANDS})
_WORD = re.compile(r"[a-z]+")
_REQUEST = re.compile(r"why ([A-Za-z0-9_]+)")
_PROGRAM = re.compile(r"[A-Za-z0-9._/-]+")
#: shells that take -l together with -c, and whose `exec` and '…' mean the same
_LOGIN_SHELLS = frozenset({"sh", "ash", "dash", "bash", "ksh", "mksh", "zsh", "fish"})


class Choice(NamedTuple):
    """`command` of a console: its options, "--screen costs"."""

    kind: Literal["console", "shell", "command"]
    command: str = ""


def choose(command: str | None, terminal: bool) -> Choice:
    """What the client asked for. `command` is None where it gave none. At a terminal, the name of a
    screen opens the console there, and `why ID` at that request."""
    words = (command or "").strip()
    if words == "console" or (not words and terminal):
        return Choice("console")
    if not words or words == "shell":
        return Choice("shell")
    if terminal and words in IDS:
        return Choice("console", f"--screen {words}")
    if terminal and (found := _REQUEST.fullmatch(words)):
        return Choice("console", f"--request {found[1]}")
    first = _WORD.match(words)
    if first and first[0] in PAGES and words[first.end() : first.end() + 1] in ("", " "):
        return Choice("command", f"pointsman {words}")
    return Choice("command", command or "")


def first_word(command: str | None) -> str:
    """The command's first word, for the log. What follows may be a prompt (`ccr code "…"`), or a
    key set for one command."""
    word = (command or "").split(maxsplit=1)[:1]
    return word[0][:40] if word and _PROGRAM.fullmatch(word[0]) else "(command)" if word else ""


class Who(NamedTuple):
    """Who logged in: `by` is "password" or the fingerprint of the key that signed."""

    user: str
    role: Role
    by: str
    ends: tuple[tuple[str, int], tuple[str, int]]


class Session(asyncssh.SSHServerProcess[bytes]):
    """One channel. `closed` is called once, when the channel is gone."""

    def __init__(self, front: Front, who: Who, closed: Callable[[], None]) -> None:
        super().__init__(
            lambda _: self._serve(),
            self._files if roles.at_least(who.role, "shell") else None,
            3,  # the SFTP version that OpenSSH speaks
            True,  # scp -O
        )
        self._front = front
        self._who = who
        self._on_closed = closed
        self._began = time.monotonic()
        self._code: int | None = None
        self._visit: Visit | None = None

    def _files(self, channel: SSHChannel[bytes]) -> Files:
        self._announce("sftp").on_dismissal(self.close)
        return Files(channel, self._note)

    def _announce(self, doing: str) -> Visit:
        who = self._who
        arrival = Arrival(
            by=f"ssh:{who.user}",
            role=who.role,
            origin=who.ends[0][0],
            doing=doing,
            since=time.time(),
            token=secrets.token_urlsafe(24),
        )
        self._visit = Visit(self._front.options.home, arrival)
        self._front.visits.add(self._visit)
        return self._visit

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._visit is not None:
            self._visit.end()
            self._front.visits.discard(self._visit)
        self._on_closed()
        terminal = self.term_type
        log.event(
            "session",
            user=self._who.user,
            by=self._who.by,
            from_=self._who.ends[0][0],
            command=first_word(self.command) or (f"({self.subsystem})" if self.subsystem else ""),
            term=terminal or "",
            size="{}x{}".format(*self.term_size[:2]) if terminal else "",
            seconds=round(time.monotonic() - self._began, 3),
            exit=self._code,  # None: the client left first
        )

    async def _serve(self) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._front.sessions.add(task)
        task.add_done_callback(self._front.sessions.discard)
        try:
            code = await self._run()
            if code is None:
                pass  # the client left
            elif code < 0:
                self._note(128 - code)
                self.exit_with_signal(signal.Signals(-code).name.removeprefix("SIG"))
            else:
                self._note(code)
                self.exit(code)
        except (asyncssh.Error, OSError) as error:
            log.event("a session broke off", "warning", cause=f"{type(error).__name__}: {error}")
            self.close()
        except Exception as error:  # noqa: BLE001 - the border of a session: a fault ends it alone
            log.event("a session failed", "error", cause=f"{type(error).__name__}: {error}")
            self.close()
        finally:
            await self.wait_closed()  # also runs the clean-up that asyncssh left for then

    def _note(self, code: int) -> None:
        self._code = code

    async def _run(self) -> int | None:
        if self.subsystem == "sftp":
            return self._refuse(f"file transfer needs the role shell; yours is {self._who.role}", 1)
        if self.subsystem:
            return self._refuse(f"there is no subsystem {self.subsystem!r} here, only sftp", 127)
        terminal = self.term_type is not None
        choice = choose(self.command, terminal)
        if choice.kind == "console" and not terminal:
            return self._refuse("the console needs a terminal: ssh -t … console", 1)
        words: list[str] = []
        if choice.kind != "console" and self._who.role != "shell":
            permitted = roles.words_of(choice.command, self._who.role)
            if isinstance(permitted, str):
                return self._refuse(permitted, 126)
            words = permitted
        visit = self._announce(first_word(self.command) or choice.kind)
        # without a router nobody could say what lesser roles may do
        if not await visit.known() and self._who.role != "shell":
            return self._refuse("no router runs here", 3)
        keys = ClientKeys()
        if choice.kind != "console" and self._who.role == "shell":
            keys = await client_keys(self._front.options.home, "")
        program = self._program(choice, terminal, words, visit.token, keys)
        try:
            if not terminal:
                code = await child.on_pipes(self, program, visit.dismissed)
            else:
                nursery = self._front.nursery if choice.kind == "console" else None
                code = await child.on_terminal(self, program, visit.dismissed, nursery)
                if code is not None and code < 0:  # killed: it could not do so itself
                    self.stdout.write(CLEAN.encode())
        except StartError as error:
            return self._refuse(str(error), 126)
        if visit.farewell and code is not None:
            return self._refuse(visit.farewell, code)
        return code

    def _refuse(self, why: str, code: int) -> int:
        self.stderr.write(f"pointsman: {clean(why)}\r\n".encode())
        return code

    def _program(
        self, choice: Choice, terminal: bool, words: list[str], token: str, keys: ClientKeys
    ) -> Program:
        """`words`: of a command for somebody without a shell; `keys`: for a shell's programs."""
        front = self._front
        env = environment.build(
            front.options,
            front.account,
            self._who.user,
            self._who.ends,
            self.env,
            self.term_type,
            keys,
        )
        env |= {VISITOR: token, "POINTSMAN_ROLE": self._who.role}
        shell = front.account.shell
        folder = front.account.home if front.account.home.is_dir() else Path("/")
        if choice.kind == "console":
            options = tuple(choice.command.split())
            argv = (*front.options.console, *options)
            return Program(argv, env, folder, umask=0o077, options=options)
        if words:
            return Program((*CONSOLE, *words), env, Path("/"), umask=0o077)
        if self._agent:
            env["SSH_AUTH_SOCK"] = self._agent
        if choice.kind == "command":
            return Program((shell, "-c", choice.command), env, folder)
        if not terminal:
            return Program((shell, "-s"), env, folder)
        if Path(shell).name in _LOGIN_SHELLS:
            return Program((shell, "-l", "-c", _enter()), env, folder)
        return Program((shell,), env, folder, name=f"-{Path(shell).name}")

    @property
    def _agent(self) -> str:
        """The socket of the client's agent, where forwarding it is allowed and was asked for."""
        return self.channel.get_agent_path() or "" if self._front.options.agent else ""


def _enter() -> str:
    """A login shell's last act: an interactive shell that finds `ccr` and `pointsman`. A login
    profile may set PATH anew (Debian's /etc/profile does), so ours is put first after it ran."""
    inner = 'PATH="$0:$PATH"; export PATH; exec "$SHELL" -i'
    return f"exec /bin/sh -c {shlex.quote(inner)} {shlex.quote(environment.programs())}"
