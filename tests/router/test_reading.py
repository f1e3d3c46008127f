"""A body that has to be mended before it can be read, at each endpoint that reads one."""

from __future__ import annotations

import httpx
import msgspec
import pytest

from storage.home import Home
from tests.fakes.upstream import FakeUpstream
from tests.router import inside
from tests.stories.provider import configure

MARK = b"\xef\xbb\xbf"
HALF = rb"\ud83c"


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("openai/deployments/openai/embeddings", MARK + b'{"input": "x"}', 200, "embedding"),
        ("v1/responses/compact", b'{"model": "openai", "input": "%b"}' % HALF, 400, "compaction"),
        # it is mended once, and not for each mark: every copy is as long as the body
        ("v1/chat/completions", MARK * 2_000, 400, "is not JSON"),
    ],
    ids=["embeddings", "compact", "chat"],
)
async def test_a_body_is_mended_and_read(
    test_home: Home, upstream: FakeUpstream, path: str, body: bytes, status: int, words: str
) -> None:
    configure(test_home.config, upstream)
    async with inside.served(test_home) as (_, front), httpx.AsyncClient() as http:
        answer = await http.post(f"{front}/litellm/{path}", content=body)
    assert answer.status_code == status, answer.text
    assert words in answer.text
    if status == 200:
        assert msgspec.json.decode(upstream.requests[0].body)["model"] == "openai"
