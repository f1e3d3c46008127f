"""What of an edited configuration waits for the next start: where the router listens, and where it
sends its telemetry. Pure.

One rule: nobody looks for it in vain: it is said when the edit is taken, and found by doctor.
"""

from __future__ import annotations

from router.contract import Finding
from router.settings import Generation


def pending(begun: Generation, now: Generation) -> Finding | None:
    """`begun`: what this router was started with."""
    old, new = begun.listen, now.listen
    pairs = {
        "the address": (old.host, new.host),
        "the front door's port": (old.port, new.port),
        "SSH's port": (old.ssh_port, new.ssh_port),
        # one of 0 may be left to a real LiteLLM or CCR that was found or has gone
        "LiteLLM's port": (old.litellm_port, new.litellm_port or old.litellm_port),
        "CCR's port": (old.ccr_port, new.ccr_port or old.ccr_port),
        "[telemetry]": (begun.otlp, now.otlp),
    }
    waits = [name for name, (was, becomes) in pairs.items() if was != becomes]
    if not waits:
        return None
    text = f"{', '.join(waits)}: taken at the next start, `pointsman restart`"
    return Finding("edited", "", "problem", text)
