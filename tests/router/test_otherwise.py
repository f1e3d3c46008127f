"""What a fallback with fields of its own is sent, where the rules changed the request."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from router.formats.openai_chat import OpenAIChat
from router.messages import Text
from router.wishes import NO_WISHES, Other
from router.wishes.fields import carried, otherwise

SAID = {
    "model": "m",
    "messages": [{"role": "system", "content": "theirs"}, {"role": "user", "content": "hi"}],
}
OWN = [{"role": "system", "content": "its own"}, {"role": "user", "content": "ho"}]


@pytest.mark.parametrize(
    ("fields", "system", "words"),
    [
        ({"temperature": 0.5}, "ours", "hi"),
        ({"messages": OWN}, "its own", "ho"),
        ({"messages": [SAID["messages"][0], OWN[1]]}, "ours", "ho"),
        ({}, "ours", "hi"),
    ],
)
def test_it_keeps_what_the_rules_did(fields: dict[str, Any], system: str, words: str) -> None:
    parse = OpenAIChat().parse_request
    request = parse(msgspec.json.encode(SAID))
    planned = replace(request, system=[Text("ours")], raw=b"")
    asked = otherwise(request, Other("other", fields, NO_WISHES), parse)
    sent = carried(request, planned, asked)
    assert sent.system == [Text(system)]
    assert sent.messages[-1].parts == [Text(words)]
    assert sent.temperature == fields.get("temperature")
    if system == "ours":
        assert not sent.raw, "its bytes do not say it"
