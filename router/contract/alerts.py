"""What people should look at."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

AlertKind = Literal["budget", "provider", "unpriced"]


class AlertView(Struct, frozen=True, gc=False):
    """Something that people should look at."""

    at: float
    kind: AlertKind
    subject: str  # whose it is: "key key-1a2b3c4d", "openai", "openai,gpt-9"
    words: str  # what is the matter
