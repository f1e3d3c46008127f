"""A real LiteLLM and a real CCR in their roles: forwarded, metered, and the rest relayed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from console.link import Link
from tests.fakes.upstream import Behaviour, FakeUpstream, Seen
from tests.stories.provider import anthropic_body, home_of, openai_body, served

TOML = """
[litellm]
mode = "external"
url = "{litellm}"
[ccr]
mode = "external"
url = "{ccr}"
[retry]
retries = 0
[prices."gpt-4o"]
input = 3.0
output = 15.0
"""


def calls(upstream: FakeUpstream) -> list[Seen]:
    """Without our own looks at its health."""
    return [seen for seen in upstream.requests if seen.method == "POST"]


async def test_external_roles_are_metered_and_the_rest_is_relayed(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    async with (
        FakeUpstream() as litellm,
        FakeUpstream() as ccr,
        httpx.AsyncClient(timeout=10, headers={"authorization": "Bearer sk-theirs"}) as http,
    ):
        toml = TOML.format(litellm=litellm.url(""), ccr=ccr.url(""))
        (folder / "pointsman.toml").write_text(toml)
        async with served(folder) as router:
            link = Link(home_of(router))
            body = openai_body("gpt-4o", "hello", stream=True)
            chat = await http.post(router.front + "/litellm/v1/chat/completions", content=body)
            assert chat.text.endswith("data: [DONE]\n\n")
            message = await http.post(
                router.front + "/ccr/v1/messages", content=anthropic_body("claude-x", "hello there")
            )
            assert message.json()["content"][0]["text"].startswith("one ")
            assert calls(litellm)[0].path == "/v1/chat/completions"
            assert calls(litellm)[0].headers["authorization"] == "Bearer sk-theirs"
            assert calls(ccr)[0].json["model"] == "claude-x"

            listed = await http.get(router.front + "/litellm/v1/models")
            assert listed.json()["data"] == [{"id": "fake", "object": "model"}]
            litellm.then(Behaviour(body=b"as it came", headers={"content-type": "x/y", "x-a": "b"}))
            other = await http.post(router.front + "/litellm/v1/batches?q=1", content=b"{}")
            assert (other.content, other.headers["content-type"]) == (b"as it came", "x/y")
            assert other.headers["x-a"] == "b"
            assert calls(litellm)[-1].path == "/v1/batches?q=1"

            rows = (await link.snapshot()).recent
            assert [(row.door, row.rule, row.state) for row in rows] == [
                ("ccr", "external", "done"),
                ("litellm", "external", "done"),
            ]
            inputs = calls(litellm)[0].input_tokens
            assert rows[1].cost == inputs * 3_000 + 8 * 15_000
            assert rows[0].cost is None
            assert rows[0].tokens.output == 8
            await link.close()


@pytest.mark.parametrize("end", ["client", "provider"])
async def test_a_relayed_stream_ends_with_its_client_or_its_provider(
    tmp_path: Path, end: str
) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    async with FakeUpstream() as litellm, httpx.AsyncClient(timeout=10) as http:
        toml = TOML.format(litellm=litellm.url(""), ccr="http://127.0.0.1:9")
        (folder / "pointsman.toml").write_text(toml)
        async with served(folder) as router:
            stream = {"content-type": "text/event-stream"}
            litellm.script = lambda seen: (
                Behaviour(body=b"data: half\n\n" * 2, headers=stream, stall="middle", cut="middle")
                if seen.method == "POST"
                else None
            )
            url = router.front + "/litellm/v1/threads"
            async with http.stream("POST", url, content=b"{}") as answer:
                chunks = answer.aiter_bytes()
                assert await anext(chunks) == b"data: half\n\n"
                if end == "provider":
                    litellm.release.set()
                    with pytest.raises(httpx.RemoteProtocolError):
                        await anext(chunks)
            await asyncio.wait_for(calls(litellm)[0].closed.wait(), 1)
