"""Router files and a custom router that are written while the router runs count for what comes."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from tests.fakes.upstream import FakeUpstream
from tests.harness import running
from tests.waiting import until


async def test_hooks_are_taken_as_they_are_written(tmp_path: Path, upstream: FakeUpstream) -> None:
    folder = tmp_path / ".claude-code-router"
    folder.mkdir()
    provider = {
        "name": "p",
        "api_base_url": upstream.url("/v1/chat/completions"),
        "api_key": "sk",
        "models": [],
    }
    own = {"Providers": [provider], "Router": {"default": "p,main"}, "CUSTOM_ROUTER_PATH": "r.py"}
    (folder / "config.json").write_text(json.dumps(own))
    transcripts = tmp_path / ".claude" / "projects" / "-w-app"
    transcripts.mkdir(parents=True)
    (transcripts / "sess.jsonl").touch()
    with running(tmp_path) as router:
        async with httpx.AsyncClient(timeout=30) as client:
            answer = httpx.Response(0)

            async def ask() -> str:
                nonlocal answer
                body = {
                    "model": "x",
                    "max_tokens": 9,
                    "messages": [{"role": "user", "content": "hi"}],
                }
                headers = {"x-claude-code-session-id": "sess"}
                answer = await client.post(f"{router.ccr}/v1/messages", json=body, headers=headers)
                return answer.headers["x-pointsman-model"]

            async def comes(wanted: str) -> None:
                """An edit brings this answer."""

                async def came() -> bool:
                    return await ask() == wanted

                await until(came, shown=lambda: answer.headers)

            assert await ask() == "p,main"
            project = folder / "-w-app"
            project.mkdir()
            (project / "config.json").write_text('{"Router": {"default": "p,project"}}')
            await comes("p,project")
            (project / "sess.json").write_text('{"Router": {"default": "p,session"}}')
            await comes("p,session")
            (folder / "r.py").write_text("def router(req, config):\n    return 'p,custom'")
            await comes("p,custom")
            assert answer.headers["x-pointsman-rule"] == "custom"
            (folder / "r.py").write_text("def router(req, config):\n    return req.nothing")
            await comes("p,session")
            assert "custom router: AttributeError" in answer.headers["x-pointsman-problem"]
            (folder / "r.py").unlink()
            (project / "sess.json").unlink()
            await comes("p,project")
            assert "x-pointsman-problem" not in answer.headers
