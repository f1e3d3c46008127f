"""Reasoning items ⇄ thinking.

Its one rule: `encrypted_content` says who wrote it. What came from a Responses provider is bare;
what another provider signed bears that provider's tag ("anthropic:…"), so that it finds its way
back to it and never reaches one that would refuse it. Inside, it is the other way round: a bare
signature is Anthropic's, a provider of this format has the tag "responses:".
"""

from __future__ import annotations

from typing import Any

from router.formats.fields import wrong
from router.messages import JSON, RedactedThinking, Thinking

#: of thoughts that a Responses provider encrypted
TAG = "responses"
_ANTHROPIC = "anthropic"
_REDACTED = "anthropic-redacted"
_PARAGRAPH = "\n\n"


def read_thought(item: JSON, at: str) -> Thinking | RedactedThinking:
    """An item of a client's history. Raises CallerError."""
    sealed = item.get("encrypted_content")
    if sealed is not None and type(sealed) is not str:
        raise wrong(f"{at}.encrypted_content", str)
    tag, colon, rest = (sealed or "").partition(":")
    if tag == _REDACTED:
        return RedactedThinking(rest)
    signature = rest if tag == _ANTHROPIC else sealed
    if sealed and not colon:
        signature = f"{TAG}:{sealed}"
    return Thinking(said(item), signature or None)


def said(item: JSON) -> str:
    """The words of a reasoning item: its summary, else its content."""
    for field in ("summary", "content"):
        parts = item.get(field)
        texts = [_words(part) for part in parts] if type(parts) is list else []
        if any(texts):
            return _PARAGRAPH.join(texts)
    return ""


def _words(part: Any) -> str:
    text = part.get("text") if type(part) is dict else None
    return text if type(text) is str else ""


def write_thought(part: Thinking) -> JSON | None:
    """As input of a provider of this format: only its own thoughts mean anything to it."""
    tag, _, sealed = (part.signature or "").partition(":")
    if tag != TAG or not sealed:
        return None
    summary = [{"type": "summary_text", "text": part.text}] if part.text else []
    return {"type": "reasoning", "summary": summary, "encrypted_content": sealed}


def seal(signature: str | None) -> str | None:
    """A signature as the `encrypted_content` that a client gets."""
    if not signature:
        return None
    tag, colon, rest = signature.partition(":")
    if not colon:
        return f"{_ANTHROPIC}:{signature}"
    return rest if tag == TAG else signature


def seal_redacted(part: RedactedThinking) -> str:
    return f"{_REDACTED}:{part.data}"
