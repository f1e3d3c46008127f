"""The command that asks again goes to the endpoint of the request's own dialect."""

from __future__ import annotations

import msgspec
import pytest

from console.curl import curl
from tests.console import scene


@pytest.mark.parametrize(
    ("dialect", "path", "field"),
    [
        ("openai_responses", "/responses ", '"input":"hello"'),
        ("openai_completions", "/completions ", '"prompt":"hello"'),
        ("openai_chat", "/chat/completions ", '"messages":'),
        ("anthropic_messages", "/messages ", '"messages":'),
    ],
)
def test_curl(dialect: str, path: str, field: str) -> None:
    request = msgspec.structs.replace(
        scene.REQUESTS[0], dialect=dialect, endpoint="chat", stream=True
    )
    command = curl(request, "http://127.0.0.1:5000")
    assert path in command
    assert field in command
    assert '"stream":true' in command
