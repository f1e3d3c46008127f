"""The gateways under test: how each is configured, started and spoken to.

Every one gets a folder of its own in the run's temporary folder, a free port, and the mock as its
only provider. A new peer is one more function and its name in `PEERS`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
MODELS = ("mock", "mock-c100")
KEY = "sk-bench"


@dataclass(frozen=True)
class Gateway:
    """`chat` and `messages` are the paths of the two APIs; None: it has none."""

    name: str
    port: int
    command: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    chat: str | None = "/v1/chat/completions"
    messages: str | None = "/v1/messages"
    headers: tuple[str, ...] = ()
    ready: str = "/"


def direct(port: int, mock: int, folder: Path) -> Gateway:
    """No gateway at all: what the mock and the load generator can do."""
    return Gateway("direct", mock)


def nginx(port: int, mock: int, folder: Path) -> Gateway | None:
    """A plain reverse proxy with kept-alive upstreams: what a gateway cannot beat."""
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        return None
    config = (HERE / "nginx.conf").read_text()
    for name, value in (("PORT", port), ("MOCK", mock), ("FOLDER", folder)):
        config = config.replace(f"@{name}@", str(value))
    (folder / "nginx.conf").write_text(config)
    return Gateway("nginx", port, (program, "-p", str(folder), "-c", str(folder / "nginx.conf")))


def floor(port: int, mock: int, folder: Path) -> Gateway:
    """Our edge and transport alone."""
    command = (sys.executable, str(HERE / "floor.py"), str(port), str(mock))
    return Gateway("floor", port, command)


def pointsman(port: int, mock: int, folder: Path) -> Gateway:
    """Ours, with rules, guards, keys and ledger on."""
    api = f"http://127.0.0.1:{mock}/v1"
    _ccr_config(folder, port=0, api=api)
    _litellm_config(folder / "litellm-config.yaml", api)
    off = ("--litellm-port", "0", "--ccr-port", "0", "--ssh-port", "0")
    return Gateway(
        "pointsman",
        port,
        (sys.executable, "-m", "router", "serve", "--port", str(port), *off),
        env={"POINTSMAN_HOME": str(folder)},
        headers=(f"Authorization: Bearer {KEY}",),
        chat="/litellm/v1/chat/completions",
        messages="/ccr/v1/messages",
        ready="/health",
    )


def litellm(port: int, mock: int, folder: Path) -> Gateway | None:
    """LiteLLM's proxy, one worker, if POINTSMAN_BENCH_LITELLM names its program."""
    program = os.environ.get("POINTSMAN_BENCH_LITELLM")
    if not program:
        return None
    config = folder / "config.yaml"
    _litellm_config(config, f"http://127.0.0.1:{mock}/v1")
    given = ("--config", str(config), "--host", "127.0.0.1", "--port", str(port))
    return Gateway(
        "litellm",
        port,
        (program, *given, "--num_workers", "1"),
        env={
            "LITELLM_MODE": "PRODUCTION",
            "LITELLM_LOG": "ERROR",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
        },
        headers=(f"Authorization: Bearer {KEY}",),
        ready="/health/liveliness",
    )


def ccr(port: int, mock: int, folder: Path) -> Gateway | None:
    """Claude Code Router, if POINTSMAN_BENCH_CCR names its dist/cli.js (and node is there)."""
    program, node = os.environ.get("POINTSMAN_BENCH_CCR"), shutil.which("node")
    if not program or node is None:
        return None
    _ccr_config(folder, port=port, api=f"http://127.0.0.1:{mock}/v1")
    env = {"HOME": str(folder), "NODE_ENV": "production"}
    return Gateway("ccr", port, (node, program, "start"), env=env, chat=None)


PEERS: tuple[Callable[[int, int, Path], Gateway | None], ...] = (
    direct,
    nginx,
    floor,
    pointsman,
    litellm,
    ccr,
)


def _ccr_config(folder: Path, *, port: int, api: str) -> None:
    provider = {
        "name": "mock",
        "api_base_url": f"{api}/chat/completions",
        "api_key": KEY,
        "models": list(MODELS),
    }
    config = {"Providers": [provider], "Router": {"default": "mock,mock"}, "LOG": False}
    if port:
        config["PORT"] = port
    home = folder / ".claude-code-router"
    home.mkdir(mode=0o700)
    file = home / "config.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(config))


def _litellm_config(file: Path, api: str) -> None:
    lines = ["model_list:"]
    for name in (*MODELS, *(f"mock,{model}" for model in MODELS)):
        model = name.rpartition(",")[2]
        lines += [
            f"  - model_name: '{name}'",
            "    litellm_params:",
            f"      model: openai/{model}",
            f"      api_base: {api}",
            f"      api_key: {KEY}",
            # both count the money: without a price LiteLLM leaves that work out
            "      input_cost_per_token: 0.000001",
            "      output_cost_per_token: 0.000002",
        ]
    # the mock has no Responses API, where LiteLLM would send an openai/ model's Messages
    lines += ["litellm_settings:", "  use_chat_completions_url_for_anthropic_messages: true"]
    # both are asked for their key: what a key costs is part of what a gateway costs
    lines += ["general_settings:", f"  master_key: {KEY}"]
    file.touch(mode=0o600)
    file.write_text("\n".join(lines) + "\n")
