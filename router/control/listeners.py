"""Where a running router is reached, told to people. Pure."""

from __future__ import annotations

from pathlib import Path

from router.contract import Listener
from router.settings import Generation


def listeners(generation: Generation, socket: Path) -> tuple[Listener, ...]:
    """Those that are switched on, and `socket`, at which consoles ask."""
    listen = generation.listen
    host = listen.host
    found = [Listener("front door", f"http://{host}:{listen.port}")] if listen.port else []
    if listen.litellm_port and generation.litellm.mode == "embedded":
        found.append(Listener("LiteLLM", f"http://{host}:{listen.litellm_port}"))
    if listen.ccr_port and generation.ccr.mode == "embedded":
        found.append(Listener("CCR", f"http://{host}:{listen.ccr_port}"))
    if listen.ssh_port:
        found.append(Listener("SSH", f"ssh -p {listen.ssh_port} {host}"))
    return (*found, Listener("control", str(socket)))
