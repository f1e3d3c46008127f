"""A real LiteLLM behind the front door is a stranger too: what it says is passed on, not obeyed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.harness import running


async def test_what_an_external_role_answers_is_bounded(
    tmp_path: Path, upstream: FakeUpstream
) -> None:
    (tmp_path / "pointsman.toml").write_text(
        f"[litellm]\nmode = 'external'\nurl = '{upstream.url('')}'\n"
    )
    anyone = {"access-control-allow-origin": "*", "x-theirs": "1", "content-type": "a/b\x9b"}
    pages = {
        "/some/page?a=b": Behaviour(body=b"[]", headers=anyone),
        "/odd": Behaviour(raw=b"HTTP/1.1 799 odd\r\ncontent-length: 0\r\n\r\n"),
        "/cut": Behaviour(body=b"half of it", cut="middle"),
    }
    upstream.script = lambda seen: pages.get(seen.path)
    with running(tmp_path) as router:
        async with httpx.AsyncClient(timeout=30, base_url=router.front) as client:
            answer = await client.get("/litellm/some/page?a=b")
            assert (answer.status_code, answer.content) == (200, b"[]")
            assert "/some/page?a=b" in [seen.path for seen in upstream.requests]
            assert answer.headers["x-theirs"] == "1"
            assert answer.headers["content-type"] == "a/b"
            assert "access-control-allow-origin" not in answer.headers

            answer = await client.get("/litellm/odd")
            assert answer.status_code == 502
            assert answer.json()["error"]["code"] == "502"

            with pytest.raises(httpx.RemoteProtocolError):
                await client.get("/litellm/cut")
            for path in (
                "/%0d%0ax-evil:%201",
                "/..%2f..%2fadmin",
                "/@evil.example/",
                "//evil.example/",
            ):
                await client.get("/litellm" + path)
            assert {seen.headers["host"] for seen in upstream.requests} == {
                upstream.url("").removeprefix("http://")
            }
            assert not [seen for seen in upstream.requests if "x-evil" in seen.headers]
            assert (await client.get("/health")).status_code == 200
        assert await asyncio.to_thread(router.stop) == 0
        assert router.process.stderr is not None
        assert "Traceback" not in router.process.stderr.read()
