"""Who signed a thought: whose signatures hold where, and what is remembered of them."""

from __future__ import annotations

import pytest

from router.errors import UpstreamError
from router.messages import Message, RedactedThinking, Request, Text, Thinking
from router.providers import KINDS
from router.rules.plan import Candidate
from router.settings import Secret
from router.signers import REMEMBERED, Signers
from tests.router.formats.wire import provider


def at(kind: str, base: str = "", model: str = "m", key: str = "k") -> Candidate:
    format = "openai_responses" if kind == "openai" else "anthropic_messages"
    base = base or KINDS[kind].base
    return Candidate(provider(kind, base=base, format=format, key=Secret(key)), model, "")


REAL = at("anthropic")
#: who signed, who is asked, and whether the thought goes there
PAIRS = {
    "K02-itself": (REAL, REAL, True),
    "K02-another-key": (REAL, at("anthropic", key="other"), True),
    "K02-another-model": (REAL, at("anthropic", model="n"), True),
    "K02-bedrock": (REAL, at("bedrock"), True),
    "K02-vertex": (at("vertex-claude"), at("bedrock"), True),
    "K01-an-imitation": (REAL, at("anthropic", "https://glm.test"), False),
    "K01-from-an-imitation": (at("anthropic", "https://glm.test"), REAL, False),
    "K01-two-of-them": (
        at("anthropic", "https://a.test"),
        at("anthropic", "https://b.test"),
        False,
    ),
    "K07-itself": (at("openai"), at("openai"), True),
    "K07-another-account": (at("openai"), at("openai", key="other"), False),
    "K07-another-model": (at("openai"), at("openai", model="n"), False),
}


def said(*parts: Thinking | RedactedThinking) -> Request:
    history = [Message("user", [Text("a")]), Message("assistant", [*parts, Text("b")])]
    return Request("anthropic_messages", "m", [*history, Message("user", [Text("c")])])


@pytest.mark.parametrize(("who", "asked", "goes"), PAIRS.values(), ids=PAIRS.keys())
@pytest.mark.parametrize("thought", [Thinking("hm", "sig"), RedactedThinking("sig")])
def test_a_thought_goes_to_those_who_take_it(
    who: Candidate, asked: Candidate, goes: bool, thought: Thinking | RedactedThinking
) -> None:
    signers, request = Signers(), said(thought)
    assert signers.fit(request, asked) is request
    signers.learner(who)("sig")
    fit = signers.fit(request, asked)
    assert (fit is request) is goes
    assert [len(message.parts) for message in fit.messages] == [1, 1 + goes, 1]
    assert len(request.messages[1].parts) == 2, "the client's own is not changed"


WORDS = {
    "messages.1.content.0: Invalid `signature` in `thinking` block": True,
    "messages.3.content.1: Invalid `data` in `redacted_thinking` block": True,
    "The encrypted content gAAA= could not be verified. Reason: …": True,
    "messages.1.content.0.thinking.signature: Field required": True,
    "max_tokens: too large": False,
    "Invalid signature of the request": False,
}


@pytest.mark.parametrize(("words", "ours"), WORDS.items())
def test_a_refused_thought_is_sent_no_more(words: str, ours: bool) -> None:
    signers, request = Signers(), said(Thinking("hm", "sig"))
    refusal = UpstreamError(words, kind="caller", status=400)
    assert signers.refused(refusal, request) is ours
    assert (signers.fit(request, REAL) is request) is not ours
    assert not signers.refused(refusal, request), "nothing is left to leave out"
    busy = UpstreamError(words, kind="overload", status=529)
    assert not Signers().refused(busy, request), "that was not refused for a thought"


def test_the_memory_is_bounded() -> None:
    signers = Signers()
    learn = signers.learner(REAL)
    for number in range(REMEMBERED + 1):
        learn(str(number))
    other = at("anthropic", "https://glm.test")
    old, new = said(Thinking("hm", "0")), said(Thinking("hm", "1"))
    assert signers.fit(old, other) is old
    assert signers.fit(new, other) is not new
