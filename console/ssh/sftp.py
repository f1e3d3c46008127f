"""File transfer, sftp and both modes of scp: the Unix user's own files, with that user's rights.

Its rule: it ends with an exit status. asyncssh closes the channel without one, and OpenSSH's scp
then fails with 1 although the file arrived whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import asyncssh
from asyncssh.channel import SSHChannel


class Files(asyncssh.SFTPServer):
    """No chroot: who gets here may also open a shell."""

    def __init__(self, channel: SSHChannel[bytes], ended: Callable[[int], None]) -> None:
        super().__init__(cast("asyncssh.SSHServerChannel[bytes]", channel))
        self._ended = ended

    def exit(self) -> None:
        if not self.channel.is_closing():
            self._ended(0)
            self.channel.exit(0)
