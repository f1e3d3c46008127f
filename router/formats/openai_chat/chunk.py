"""What OpenAI-compatible providers send: a chunk of a stream; a whole answer has the same form.

Its one rule: a field is `Any` where some provider sends another type in it than OpenAI does; who
reads it looks.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from router.formats.openai_chat.calls import CallPiece, FunctionPiece


class Delta(Struct):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    thinking_blocks: Any = None
    refusal: Any = None
    annotations: Any = None
    images: Any = None
    audio: Any = None
    tool_calls: list[CallPiece] | None = None
    function_call: FunctionPiece | None = None


class Choice(Struct):
    index: Any = 0
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: Any = None
    stop_reason: Any = None  # vLLM: the stop sequence that ended it
    matched_stop: Any = None  # SGLang: the same


class Chunk(Struct):
    id: Any = None
    model: Any = None
    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None
    object: Any = None
    message: Any = None
    service_tier: Any = None
    citations: Any = None  # xAI, Perplexity: addresses, the whole list again in each chunk


class Words(Struct, gc=False):
    """A message, or a piece of one, of text and nothing else: what is None here would be told in
    another way."""

    content: str
    refusal: None = None
    reasoning_content: None = None
    reasoning: None = None
    reasoning_details: None = None
    thinking_blocks: None = None
    tool_calls: Annotated[list[Any], Meta(max_length=0)] | None = None
    annotations: Annotated[list[Any], Meta(max_length=0)] | None = None
    images: Annotated[list[Any], Meta(max_length=0)] | None = None
    audio: None = None
    function_call: None = None


class _More(Struct, gc=False):
    delta: Words
    index: Literal[0] = 0
    message: None = None
    finish_reason: None = None
    stop_reason: None = None
    matched_stop: None = None


class Plain(Struct, gc=False):
    """A chunk that only goes on with the text, as nearly all do."""

    choices: tuple[_More]
    object: Literal["chat.completion.chunk"]
    usage: None = None
    error: None = None
    citations: Annotated[list[Any], Meta(max_length=0)] | None = None


decode = msgspec.json.Decoder(Chunk).decode
plain = msgspec.json.Decoder(Plain).decode
BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
