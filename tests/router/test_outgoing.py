"""What goes to a provider beside a body."""

from __future__ import annotations

from router.outgoing import with_clients
from router.settings import Provider
from router.wishes import Wishes


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
