"""Operating a router that runs: what a restart keeps and refuses, what its watchers are told."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from console.link import Link
from router.contract import ClearOverride, OverridesChanged, SetOverride, Snapshot
from storage.home import home
from tests.harness import KEPT, Running, free_ports, running

HELLO = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 5}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    return {**kept, "POINTSMAN_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}


def pointsman(folder: Path, env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "console", *words],
        cwd=folder,
        env=env | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_restart_keeps_the_folder_and_refuses_a_broken_configuration(
    tmp_path: Path, env: dict[str, str]
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "litellm-config.yaml").write_text(
        "model_list:\n  - model_name: mine\n"
        "    litellm_params: {model: openai/x, mock_response: y}\n"
    )
    names = ("--port", "--litellm-port", "--ccr-port")
    flags = [f"{name}={port}" for name, port in zip(names, free_ports(3), strict=True)]

    def pid_and_findings() -> tuple[int, str]:
        seen = json.loads(pointsman(tmp_path, env, "status", "--json").stdout)
        return seen["pid"], pointsman(tmp_path, env, "doctor").stdout

    assert pointsman(work, env, "start", *flags, "--ssh-port=0").returncode == 0
    try:
        first, findings = pid_and_findings()
        assert f"✓ LiteLLM config  {work}" in findings

        broken = tmp_path / "home" / ".claude-code-router" / "config.json"
        broken.write_text('{\n"Router": {"think" "x"}}')
        refused = pointsman(tmp_path, env, "restart")
        assert refused.returncode == 1
        assert f"{broken}:2: is not JSON" in refused.stderr
        assert "still runs" in refused.stderr
        assert pid_and_findings()[0] == first

        broken.unlink()
        assert pointsman(tmp_path / "elsewhere", env, "restart").returncode == 0
        second, findings = pid_and_findings()
        assert second != first
        assert f"✓ LiteLLM config  {work}" in findings
    finally:
        pointsman(tmp_path, env, "stop")


def snapshot_of(router: Running, monkeypatch: pytest.MonkeyPatch) -> Snapshot:
    async def ask() -> Snapshot:
        link = link_of(router, monkeypatch)
        try:
            return await link.snapshot()
        finally:
            await link.close()

    return asyncio.run(ask())


def link_of(router: Running, monkeypatch: pytest.MonkeyPatch) -> Link:
    monkeypatch.setenv("POINTSMAN_HOME", str(router.home))
    return Link(home())


def test_the_requests_of_before_a_restart_are_still_recent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path) as router:
        id = router.post("/ccr/v1/messages", HELLO).headers["x-request-id"]
        roles = {s.name: s.requests for s in snapshot_of(router, monkeypatch).services}
        assert (roles["CCR"], roles["LiteLLM"]) == (1, 0)
    with running(tmp_path) as router:
        recent = snapshot_of(router, monkeypatch).recent
        assert [(r.id, r.state) for r in recent] == [(id, "done")]


async def test_watchers_are_told_what_an_override_served(
    router: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = link_of(router, monkeypatch)
    told = asyncio.Event()

    async def watch() -> None:
        async for change in link.watch():
            if isinstance(change, OverridesChanged) and any(o.served for o in change.overrides):
                told.set()

    watching = asyncio.create_task(watch())
    try:
        await link.act(SetOverride(scope="everywhere", target="deepseek,deepseek-chat"))
        answer = await asyncio.to_thread(router.post, "/ccr/v1/messages", HELLO)
        assert answer.headers["x-pointsman-rule"] == "override"
        async with asyncio.timeout(20):
            await told.wait()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await link.act(ClearOverride("all"))
        await link.close()
