"""The real LiteLLM is asked what tests/stories/test_litellm_plane.py says of it.

It is found by LITELLM_PATH, its program. What it does otherwise than we do is in `OTHERWISE`, with
the reason why ours is right, or safer.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.fakes.upstream import FakeUpstream
from tests.harness import free_ports
from tests.stories.test_litellm_plane import BEHAVIOURS, CASES, CONFIG, GROUPS

pytestmark = [pytest.mark.real_client, pytest.mark.timeout(400)]

#: read before the tests' clean environment takes it away
PROGRAM = os.environ.get("LITELLM_PATH", "")
KEY = "sk-master"
SETTINGS = f"""
general_settings:
  master_key: {KEY}
  dangerously_allow_mock_testing_request_params: true
"""

Did = tuple[int, list[str]]
#: a case, as below → what LiteLLM 1.106.2 did
OTHERWISE: dict[str, Did] = {
    # a provider's key is not the client's: a 401 would have it ask its user to sign in
    '{"model": "e401"}': (401, ["e401"]),
    # a third deadline is waited for
    '{"model": "e408"}': (408, ["e408"] * 3),
    # a refusal is known there by more than its code
    '{"model": "pol"}': (400, ["epol"]),
    # since 1.106 only where an administrator allows it
    '{"mock_response": "canned", "model": "ok"}': (200, ["ok"]),
    '{"mock_response": "litellm.InternalServerError", "model": "fb500"}': (
        200,
        ["e500", "e500", "ok"],
    ),
    # what a client says wrongly is not told to it, or as a failure of the server
    '{"api_base": "http://127.0.0.1:1", "model": "ok"}': (401, []),
    '{"model": "ok", "timeout": "abc"}': (500, []),
    '{"model": "ok", "num_retries": -1}': (200, ["ok"]),
    '{"fallbacks": [7], "model": "ok"}': (200, ["ok"]),
    '{"model": "ok", "tags": "free"}': (200, ["ok"]),
}
#: which of the two is drawn by chance there
DRAWN = '{"model": "pair"}'


def written(base: str) -> str:
    entry = "  - {model_name: %s, litellm_params: {model: openai/%s, <<: *up}}\n"
    entries = "".join(entry % (name, model) for name, model in GROUPS.items())
    anchor = f"up: &up {{api_base: '{base}', api_key: a-provider-key}}\n"
    return anchor + CONFIG % entries + SETTINGS


@contextmanager
def litellm(folder: Path, text: str) -> Iterator[str]:
    """The proxy without a database, until the block ends."""
    (port,) = free_ports(1)
    config = folder / "config.yaml"
    config.write_text(text)
    process = subprocess.Popen(
        [PROGRAM, "--config", str(config), "--port", str(port), "--host", "127.0.0.1"],
        cwd=folder,
        env={
            **{"HOME": str(folder), "PATH": os.environ["PATH"], "DO_NOT_TRACK": "1"},
            **{"LITELLM_LOCAL_MODEL_COST_MAP": "True", "HF_HUB_OFFLINE": "1"},
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(900):
            try:
                httpx.get(f"{base}/health/liveliness", timeout=5)
                break
            except httpx.TransportError:
                assert process.poll() is None, "LiteLLM did not start"
                time.sleep(0.1)  # another program's start: there is nothing to wait on
        yield base
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.mark.skipif(not PROGRAM, reason="LITELLM_PATH names no litellm")
async def test_litellm_does_what_the_table_says(tmp_path: Path, upstream: FakeUpstream) -> None:
    upstream.script = lambda seen: BEHAVIOURS.get(seen.model)
    wrong: dict[str, Did] = {}
    said = {"authorization": f"Bearer {KEY}"}
    with litellm(tmp_path, written(upstream.base)) as base:
        async with httpx.AsyncClient(base_url=base, timeout=60, headers=said) as http:
            for body, headers, status, asked in CASES:
                before = len(upstream.requests)
                answer = await http.post("/v1/chat/completions", json=body, headers=headers)
                did = (
                    answer.status_code,
                    [one.model for one in upstream.requests[before:] if one.model],
                )
                more = {name: value for name, value in body.items() if name != "messages"}
                name = json.dumps(more | headers, sort_keys=True)
                if name != DRAWN and did != OTHERWISE.get(name, (status, asked)):
                    wrong[name] = did
    assert wrong == {}, json.dumps(wrong, indent=1)
