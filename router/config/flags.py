"""What the command line says about configuration. It wins over every file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Flags:
    """None: not said on the command line. A port of 0 switches that listener off."""

    host: str | None = None
    port: int | None = None
    litellm_port: int | None = None
    ccr_port: int | None = None
    ssh_port: int | None = None
    #: --litellm-config; a file that must exist
    litellm_config: Path | None = None
    #: where litellm-config.yaml is looked for before the config folder; None: nowhere
    directory: Path | None = None
    #: base address of the running simulator, "http://127.0.0.1:40123"; "" where none runs
    simulator_url: str = ""
    #: base address of the real small model that plays ollama-local; "" where none runs
    local_model_url: str = ""
