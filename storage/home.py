"""Where everything lives. The only file that knows a path, but for
storage.ccr_folder."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

from storage.ccr_folder import ccr_folder

#: a Unix socket's path must fit sockaddr_un: 104 bytes on macOS, 108 on Linux
LONGEST_SOCKET = 100


#: bytes that SQLite needs beside the ledger, at the least
ROOM = 256 * 1024


def free(folder: Path) -> int:
    """Bytes on the disk of a folder that is there."""
    return shutil.disk_usage(folder).free


class HomeError(OSError):
    """A home's folders cannot be had. The message says which, why, and what to do."""


def user_home() -> Path:
    """The person's own folder. An account without a name and a HOME has none (a systemd service
    with DynamicUser, a container under any number): "~", where nothing is found."""
    return Path(os.path.expanduser("~"))


class Home(NamedTuple):
    """The folders and files of one installation. Nothing is created until `make()`."""

    config: Path
    data: Path
    run: Path
    logs: Path
    ccr: Path

    @property
    def toml(self) -> Path:
        return self.config / "pointsman.toml"

    @property
    def console_toml(self) -> Path:
        """What a console remembers: its colours, keys and saved filters."""
        return self.config / "console.toml"

    @property
    def litellm_yaml(self) -> Path:
        return self.config / "litellm-config.yaml"

    @property
    def litellm_models(self) -> Path:
        """Models that were added over HTTP: a model_list of ours, beside the person's own."""
        return self.config / "litellm-models.json"

    @property
    def ccr_json(self) -> Path:
        return self.ccr / "config.json"

    @property
    def ccr_log(self) -> Path:
        return self.ccr / "logs" / "ccr.log"

    @property
    def claude_projects(self) -> Path:
        """Where Claude Code keeps its sessions, a folder for each project. Not ours: only looked
        into for whether a file is there."""
        own = os.environ.get("CLAUDE_CONFIG_DIR")
        return Path(os.path.expanduser(own) if own else user_home() / ".claude") / "projects"

    @property
    def ledger(self) -> Path:
        return self.data / "ledger.db"

    @property
    def wal(self) -> Path:
        """What SQLite has not yet folded into the ledger."""
        return self.data / "ledger.db-wal"

    @property
    def route_edits(self) -> Path:
        """What edits of the routes replaced, so that they can be taken back."""
        return self.data / "route-edits.json"

    @property
    def price_map(self) -> Path:
        """LiteLLM's price map, where one was given."""
        return self.config / "model_prices.json"

    @property
    def socket(self) -> Path:
        """The control socket. Moved to a short private folder where its path would be too long."""
        path = self.run / "control.sock"
        if len(os.fsencode(path)) <= LONGEST_SOCKET:
            return path
        import hashlib
        import tempfile

        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"pointsman-{os.getuid()}-{digest}" / "control.sock"

    @property
    def handover(self) -> Path:
        """Where who restarts the router waits for its listening sockets."""
        return self.socket.with_name("handover.sock")

    @property
    def browsers(self) -> Path:
        """Which browsers the console is open in, while one router takes the place of another."""
        return self.run / "browsers.json"

    @property
    def neighbours(self) -> Path:
        """Which of them ran, while one router takes the place of another."""
        return self.run / "neighbours.json"

    @property
    def lock(self) -> Path:
        """Held (flock) by the one router of this home; holds its pid."""
        return self.run / "router.lock"

    @property
    def host_key(self) -> Path:
        return self.config / "ssh_host_ed25519_key"

    @property
    def ssh_users(self) -> Path:
        """Who may log in over SSH, besides this Unix user's own keys."""
        return self.config / "ssh-users.toml"

    @property
    def router_output(self) -> Path:
        """stdout and stderr of a router started in the background."""
        return self.logs / "router.out"

    def make(self) -> None:
        """Creates the folders, readable by their owner alone."""
        for folder in (
            *(self.config, self.data, self.run, self.logs, self.ccr, self.ccr_log.parent),
            self.socket.parent,
        ):
            try:
                _private(folder)
            except OSError as error:
                raise HomeError(
                    f"{folder} cannot be made ({(error.strerror or 'no reason given').lower()}):"
                    " choose another home with POINTSMAN_HOME"
                ) from error
        if (owner := self.socket.parent.stat().st_uid) != os.getuid():
            raise HomeError(
                f"{self.socket.parent} belongs to another user (uid {owner}):"
                " choose another home with POINTSMAN_HOME"
            )

    def leave(self) -> None:
        """Takes away the socket's folder, where it has one of its own: else each home that was ever
        used would leave one behind. The router calls it, as long as it holds the lock."""
        apart = self.socket.parent
        if apart != self.run:
            with contextlib.suppress(OSError):  # something is in it
                apart.rmdir()


def owned_as(folder: Path, file: IO[Any]) -> None:
    """What root writes into the home of a service's user is that user's: the router must read it.
    By the open file, so that nobody can put another one in its place."""
    if os.geteuid() == 0 and (owner := folder.stat()).st_uid != 0:
        os.fchown(file.fileno(), owner.st_uid, owner.st_gid)


def _private(folder: Path) -> None:
    """Makes a folder and those above it that are missing: pathlib would leave those to the umask,
    and who may write there could put another folder in place of ours."""
    if not folder.is_dir():
        _private(folder.parent)
        folder.mkdir(exist_ok=True, mode=0o700)


def home(env: Mapping[str, str] = os.environ) -> Home:
    """POINTSMAN_HOME puts everything under one folder; else the platform's own folders, and
    ~/.claude-code-router for what CCR's users expect there."""
    ccr = Path(ccr_folder(env.get("POINTSMAN_HOME")))
    if env.get("POINTSMAN_HOME"):
        base = ccr.parent
        return Home(
            config=base,
            data=base / "data",
            run=base / "run",
            logs=base / "logs",
            ccr=ccr,
        )
    import platformdirs

    dirs = platformdirs.PlatformDirs("pointsman", appauthor=False)
    return Home(
        config=Path(dirs.user_config_dir),
        data=Path(dirs.user_data_dir),
        run=Path(
            dirs.user_runtime_dir if os.environ.get("XDG_RUNTIME_DIR") else dirs.user_state_dir
        ),
        logs=Path(dirs.user_log_dir),
        ccr=ccr,
    )
