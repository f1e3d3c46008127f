"""The server's own key: Ed25519, made at the first start, never replaced.

Its rule: the file is 0600 from its first byte, and of two servers that start at once one key wins.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import asyncssh


class HostKeyError(Exception):
    """The host key cannot be read or made. The message says which file and what to do."""


def load(path: Path) -> asyncssh.SSHKey:
    """The key kept at `path`, made there if there is none. Raises HostKeyError."""
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        return asyncssh.read_private_key(path)
    except (OSError, asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise HostKeyError(
            f"the SSH host key {path} cannot be used ({error}); move the file away and a new "
            "key is made (clients will then say that the host key changed)"
        ) from error


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = asyncssh.generate_private_key("ssh-ed25519", comment="pointsman")
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # 0600
    try:
        with open(handle, "wb") as file:
            file.write(key.export_private_key("openssh"))
        # link() fails where the name exists: a server that started a moment earlier made its key
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        os.unlink(fresh)
