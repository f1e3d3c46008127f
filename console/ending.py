"""How a console ends: its terminal left clean, and after a failure an id instead of a trace.

Its rule: nothing here asks the router for anything; whatever goes wrong, it runs on.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path

from textual.app import App

from console import crash
from storage.home import Home


class Ending(App[int]):
    """The part of the console that ends it."""

    home: Home
    #: its home is gone when it ends
    demo: bool
    #: what is said once the terminal is itself again
    _failure = ""
    _told = False

    def end_on_signals(self) -> None:
        """A terminal that is closed or a polite kill: leave it clean.

        Where the terminal is gone, nothing is left to clean, and Textual may be stuck for ever in
        writing to it: its writer thread ended with the first failure, and nobody empties its queue.
        """
        if self.is_headless:
            return
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.exit, 0)

        def hung_up(*_: object) -> None:
            try:
                os.tcgetpgrp(0)
            except OSError:
                os._exit(128 + signal.SIGHUP)
            loop.call_soon_threadsafe(self.exit, 0)

        signal.signal(signal.SIGHUP, hung_up)

    def end_without_terminal(self) -> None:
        """A terminal may go without a signal, where it was not ours to control: Textual would read
        its end for ever, at a fifth of a core."""
        if not self.is_headless and not os.isatty(0):
            os._exit(128 + signal.SIGHUP)

    def _handle_exception(self, error: Exception) -> None:
        if self._exit:  # it is being taken down: a window that a late key opened, half made
            return
        kept = Path(tempfile.gettempdir()) if self.demo else self.home.logs
        self._failure = self._failure or crash.record(error, kept)
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        """After the terminal is restored. Not Textual's, which shows the trace with its locals."""
        self._exit_renderables.clear()
        if self._failure and not self._told and sys.__stderr__ is not None:
            self._told = True
            sys.__stderr__.write(self._failure + "\n")
