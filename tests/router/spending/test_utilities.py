"""/utils and /spend/calculate: figures that the real LiteLLM 1.106.2 gave for the same requests."""

from __future__ import annotations

from typing import Any

import pytest

from storage.home import Home
from tests.fakes.upstream import FakeUpstream
from tests.router.spending.test_keys import MASTER, at, write

WORDS = "hello there, how are you?"
ASKED: list[tuple[str, dict[str, Any], str, Any]] = [
    (
        "/utils/token_counter",
        {"messages": [{"role": "user", "content": WORDS}]},
        "total_tokens",
        14,
    ),
    ("/utils/token_counter", {"prompt": WORDS}, "total_tokens", 7),
    (
        "/spend/calculate",
        {"completion_response": {"usage": {"prompt_tokens": 1000, "completion_tokens": 500}}},
        "cost",
        1000 * 0.001 + 500 * 0.002,
    ),
]


async def test_figures_are_those_of_litellm(test_home: Home, upstream: FakeUpstream) -> None:
    write(test_home, upstream)
    async with at(test_home) as (_, http):
        for path, body, field, value in ASKED:
            asked = {"model": "gpt-4o", **body}
            answer = await http.post(f"/litellm{path}", json=asked, headers=MASTER)
            assert answer.status_code == 200, answer.text
            assert answer.json()[field] == pytest.approx(value), path
        nothing = await http.post("/litellm/spend/calculate", json={}, headers=MASTER)
        assert nothing.status_code == 400
        words = "Bad Request - Either 'model' or 'completion_response' must be provided"
        assert nothing.json()["error"]["message"] == words
    assert not upstream.requests
