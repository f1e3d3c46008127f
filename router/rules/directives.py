"""Directives inside a conversation's text: `/model provider,model` and the subagent tag.

They are found only where a person or an agent wrote them on purpose, and taken out of every turn,
so that the prefix a provider has cached stays the same bytes from turn to turn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from router.facts import SUBAGENT_TAG, untagged
from router.messages import Message, Part, Request, Text
from router.settings import Generation, Target

Resolves = Callable[[Target], bool]

_DIRECTIVE_START = "/model"

#: what is skipped comes first, so that a directive inside of it is never seen: blocks that a client
#: writes into the user's message, and fenced code (open to the end where it is never closed)
_DIRECTIVE = re.compile(
    r"<(system-reminder|(?:local-)?command-[a-z]+|bash-[a-z]+)>.*?(?:</\1>|\Z)"
    r"|^ {0,3}(`{3,}|~{3,})[^\n]*$.*?(?:^ {0,3}\2[`~]*[ \t]*$|\Z)"
    r"|^/model[ \t]+(?P<target>[^\s,`]+,[^\s`]+)(?:[ \t]+|$\n?)",
    re.DOTALL | re.MULTILINE,
)


def directives(text: str) -> Iterator[Target]:
    """Every `/model provider,model` at the start of a line of prose, in order."""
    if _DIRECTIVE_START in text:
        for match in _DIRECTIVE.finditer(text):
            target = Target.parse(match["target"] or "")
            if target is not None:
                yield target


def mentioned(request: Request) -> bool:
    """Whether a text of the user's may hold a directive: hardly any does."""
    for message in request.messages:
        if message.role == "user":
            for part in message.parts:
                if type(part) is Text and _DIRECTIVE_START in part.text:
                    return True
    return False


def without_directives(request: Request, resolves: Resolves) -> Request:
    """The request without the `/model` directives that resolve, older turns included; the same
    object where there are none."""

    def clean(text: str) -> str:
        return _DIRECTIVE.sub(drop, text) if _DIRECTIVE_START in text else text

    def drop(match: re.Match[str]) -> str:
        target = Target.parse(match["target"] or "")
        return "" if target is not None and resolves(target) else match[0]

    messages = [_cleaned(m, clean) if m.role == "user" else m for m in request.messages]
    return _changed(request, request.system, messages)


def undirected(request: Request, generation: Generation) -> Request:
    """The request without any directive that is ours; the same object where there are none."""
    if mentioned(request):
        request = without_directives(
            request, lambda target: generation.provider(target.provider) is not None
        )
    return without_subagent_tag(request)


def without_subagent_tag(request: Request) -> Request:
    """The request without subagent tags in its system prompt and first user message."""

    def clean(text: str) -> str:
        return SUBAGENT_TAG.sub("", text)

    messages = list(request.messages)
    first = next((i for i, m in enumerate(messages) if m.role == "user"), None)
    if first is not None:
        messages[first] = _cleaned(messages[first], untagged)
    return _changed(request, _cleaned_parts(request.system, clean), messages)


def _changed(request: Request, system: Sequence[Part], messages: list[Message]) -> Request:
    same = system is request.system and all(
        new is old for new, old in zip(messages, request.messages, strict=True)
    )
    if same:
        return request
    return replace(request, system=list(system), messages=messages, raw=b"")


def _cleaned(message: Message, clean: Callable[[str], str]) -> Message:
    """A message that would be left empty stays as it was: providers refuse one without content."""
    parts = _cleaned_parts(message.parts, clean)
    return message if parts is message.parts or not parts else replace(message, parts=parts)


def _cleaned_parts(parts: list[Part], clean: Callable[[str], str]) -> list[Part]:
    kept: list[Part] = []
    changed = False
    for part in parts:
        if isinstance(part, Text) and (text := clean(part.text)) != part.text:
            changed = True
            if not text.strip():
                continue
            part = replace(part, text=text)
        kept.append(part)
    return kept if changed else parts
