"""What goes to a provider beside a body."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from router import formats
from router.call import Call
from router.outgoing import outgoing, with_clients
from router.rules.plan import Candidate
from router.settings import Provider
from router.wishes import Wishes

FORMATS = formats.load()
SAID = [{"role": "user", "content": "hi"}]


class _Nobody:
    async def send(self, message: Any) -> None: ...

    async def receive(self) -> Any: ...


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic_messages"])
@pytest.mark.parametrize("format", ["openai_chat", "anthropic_messages", "ollama_chat"])
@pytest.mark.parametrize(("asked", "sent"), [(90, 30), (20, 20)])
def test_a_providers_most_output_holds_whatever_a_client_speaks(
    dialect: str, format: str, asked: int, sent: int
) -> None:
    body = {"model": "x", "max_tokens": asked, "messages": SAID}
    request = FORMATS[dialect].parse_request(msgspec.json.encode(body))
    base = "http://127.0.0.1:9"
    provider = Provider("p", format, base, base, kind="compatible", max_output=30)
    nobody, scope = _Nobody(), {"method": "POST", "headers": [], "query_string": b""}
    call = Call(scope, nobody.receive, nobody.send, "/")
    made = outgoing(FORMATS, request, request, Candidate(provider, "m", ""), call)
    told: dict[str, Any] = msgspec.json.decode(made.body)
    limit = told["options"]["num_predict"] if format == "ollama_chat" else told["max_tokens"]
    assert limit == sent


def test_a_client_replaces_our_name_but_none_that_an_operator_put_there() -> None:
    base = "http://127.0.0.1:9/v1"
    wishes = Wishes(headers=(("user-agent", "theirs"),))
    plain = Provider("p", "openai_chat", base + "/chat/completions", base)
    headers = (("user-agent", "pointsman"), ("x-a", "1"))
    told = (("user-agent", "theirs"), ("x-a", "1"))
    assert with_clients(headers, wishes, plain) == (told, ())
    own = (("User-Agent", "acct-7"),)
    named = Provider(plain.name, plain.format, plain.url, base, headers=own)
    assert with_clients(own, wishes, named) == (own, ("extra_headers.user-agent",))
