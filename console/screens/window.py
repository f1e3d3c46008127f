"""What stands over a screen until it is answered. Its rule: it is answered once.

Keys that were pressed at once arrive one by one; a second answer would take away what lies below,
at last the console's own screen, and end the console.
"""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType


class Window(ModalScreen[ScreenResultType]):
    """The base of every dialog."""

    @property
    def stands(self) -> bool:
        """Not once it was left: while it is taken down its parts may be gone already."""
        return self.is_attached and self in self.app.screen_stack

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Does nothing once it is no longer the uppermost."""
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()
