"""A context overflow of any provider, in the words on which Claude Code acts.

Its one rule: what is already said in those words stays as it is.
"""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(?<![\w.-])\d[\d,]{2,}(?![\w-])")
_LIMIT = re.compile(
    r"(?:maximum (?:context|prompt) length|maximum number of tokens allowed|limit|context size|"
    r"context window|maximum)\D{0,16}?(\d[\d,]{2,})",
    re.IGNORECASE,
)
#: Bedrock's whole message, which Claude Code knows by the letter: it drops images, then compacts
TOO_LARGE = "Input is too long."


#: Anthropic's words for either: Claude Code compacts, or asks again for a shorter answer
_ITS_WORDS = re.compile(
    r"prompt is too long: \d+ tokens > \d+ maximum|"
    r"input length and `max_tokens` exceed context limit: \d+ \+ \d+ > \d+"
)
# Prompt and answer told apart: OpenAI, DeepSeek, older vLLM and OpenRouter; vLLM of today.
_BOTH = re.compile(
    r"maximum context length is (?P<limit>\d+) tokens.{1,20}you requested (?:about )?(?P<all>\d+)"
    r" tokens \(.{0,160}?(?P<answer>\d+) in the (?:completion|output)"
)
_ROOM = re.compile(
    r"is too large: (?P<answer>\d+)\. .{0,20}maximum context length is (?P<limit>\d+) tokens"
    r" and your request has (?P<prompt>\d+) input tokens"
)


def worded(message: str) -> str:
    """A context overflow in the words that make Claude Code compact its conversation or, where the
    prompt alone would fit, ask for a shorter answer."""
    if message == TOO_LARGE or _ITS_WORDS.search(message):
        return message
    if shorter := _too_long_together(message):
        return shorter
    numbers = {int(number.replace(",", "")) for number in _NUMBER.findall(message)}
    named = _LIMIT.search(message)
    limit = int(named[1].replace(",", "")) if named else min(numbers, default=0)
    # Where more is named than the limit, the first above it is the prompt with its answer.
    above = [number for number in numbers if number > limit]
    if not limit or not above:
        return f"prompt is too long: {message}"
    return f"prompt is too long: {max(above)} tokens > {limit} maximum"


def _too_long_together(message: str) -> str:
    """Anthropic's words for a prompt that fits, but not with the longest answer that was asked for;
    "" where it is not that."""
    if both := _BOTH.search(message):
        answer, limit = int(both["answer"]), int(both["limit"])
        prompt = int(both["all"]) - answer
    elif room := _ROOM.search(message):
        answer, limit, prompt = int(room["answer"]), int(room["limit"]), int(room["prompt"])
    else:
        return ""
    if not 0 < prompt < limit:
        return ""
    return (
        f"input length and `max_tokens` exceed context limit: {prompt} + {answer} > {limit},"
        " decrease input length or `max_tokens` and try again"
    )
