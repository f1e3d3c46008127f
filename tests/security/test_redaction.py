"""What an error says of the conversation is not written down; its own words are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from router.messages import Message, Request, Text, ToolResult, ToolUse
from router.redaction import GONE, LONGEST, PIECE, STEP, without_quotes

PROMPT = "My account number is 4711-0815, what is the capital of Liechtenstein?"
REQUEST = Request(
    dialect="anthropic_messages",
    model="m",
    messages=[
        Message("user", [Text(PROMPT)]),
        Message("assistant", [ToolUse("t", "look", {"where": ["in a drawer of hers"]})]),
        Message("user", [ToolResult("t", [Text("a photograph of him")])]),
    ],
    system=[Text("You are a very discreet butler.")],
)


def test_an_error_of_its_own_words_stays() -> None:
    for own in (
        "",
        "overloaded",
        "max_tokens: must be at most 8192, you sent 100000",
        "what is it?",
    ):
        assert without_quotes(own, REQUEST) == own


def test_what_is_quoted_goes() -> None:
    for text in (PROMPT, "in a drawer of hers", "a photograph of him", "a very discreet butler"):
        left = without_quotes(f"invalid value: '{text}' at messages.0.content", REQUEST)
        assert left.startswith("invalid va")
        assert left.endswith("ges.0.content")
        assert left.count(GONE) == 1
        assert not any(text[at : at + PIECE] in left for at in range(len(text) - PIECE + 1))


def test_it_is_short() -> None:
    assert len(without_quotes("x" * 100_000, REQUEST)) == LONGEST


@given(
    st.text(max_size=40),
    st.integers(0, 40),
    st.integers(PIECE + STEP - 1, 70),
    st.text(max_size=40),
)
def test_a_quote_is_found_wherever_it_stands(
    before: str, start: int, length: int, after: str
) -> None:
    quote = PROMPT[start : start + length]
    if len(quote) >= PIECE + STEP - 1:
        assert quote not in without_quotes(before + quote + after, REQUEST)
