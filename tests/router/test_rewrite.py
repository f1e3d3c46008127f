"""REWRITE_SYSTEM_PROMPT: where CCR puts a person's text, and where today's client has its own."""

from __future__ import annotations

import pytest

from router.rewrite import rewritten
from tests.router.rules.cases import Body, request

BILLING = "x-anthropic-billing-header: cc_version=2.1.330; cc_entrypoint=cli;"
AGENT = BILLING + " cc_is_subagent=true;"


def system(*texts: str) -> Body:
    blocks = [
        {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}} for text in texts
    ]
    return {"messages": [{"role": "user", "content": "hi"}], "system": blocks}


@pytest.mark.parametrize(
    ("blocks", "strictly", "otherwise"),
    [
        (["I", "a <env>b <env>c"], ["I", "NEW<env>c"], ["I", "NEW<env>c"]),
        (["I", "none"], None, None),
        (["<env>x"], None, None),
        (["I", "x", "a <env>c"], None, ["I", "x", "NEW<env>c"]),
        ([BILLING, "I", "prompt"], None, [BILLING, "I", "NEW"]),
        ([BILLING, "I", "prompt", "more"], None, [BILLING, "I", "NEW", "more"]),
        ([AGENT, "I", "prompt"], None, None),
        (["I", "you", "prompt"], None, None),
    ],
)
def test_where(blocks: list[str], strictly: list[str] | None, otherwise: list[str] | None) -> None:
    asked = request(system(*blocks))
    for strict, wanted in ((True, strictly), (False, otherwise)):
        made = rewritten(asked, "NEW", strict=strict)
        if wanted is None:
            assert made is asked, "its own bytes may pass through"
        else:
            assert [part.text for part in made.system if hasattr(part, "text")] == wanted
            assert made.raw == b""
            assert all(getattr(part, "cache", None) for part in made.system)
    assert [part.text for part in asked.system if hasattr(part, "text")] == blocks
