"""A client's own Chat Completions body, for a provider that differs where nothing is lost by it.

Its one rule: in its own format a body goes on as the client wrote it, but for what we would add
ourselves (to learn a stream's usage), for names that its model does not take, and for fields that
would surely be refused: by a provider that checks them all, or where LiteLLM's drop_params is on
(`lax`). Those are told.
"""

from __future__ import annotations

import re

from router.messages import JSON, Request
from router.providers import Quirks, quirks
from router.settings import Provider

_OLD, _NEW = "max_tokens", "max_completion_tokens"
#: told unasked, or under another name
_MOVED = ("stream_options", _NEW)
#: what a model with fixed sampling refuses; of some the usual value may be said
_SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "stop")
#: GPT-5.1 and later, but for those that always reason or never take it
_ON_REQUEST = re.compile(r"gpt-(?:5\.[1-9]|[6-9])(?!.*(?:chat|codex|pro))")
_USUAL = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}


def unfit(request: Request, provider: Provider, model: str, *, lax: bool = False) -> bool:
    """Whether the body is one that `fitted` changes."""
    known, body = quirks(provider.kind), request.body
    if request.stream and not known.stream_usage:
        return True
    if known.renames and not body.keys().isdisjoint(known.renames):
        return True
    if (lax or known.checks_fields) and lost(body, provider, model, lax=lax):
        return True
    if _OLD in body:
        return _newer(known, model)
    return _NEW in body and _NEW in known.drops


def fitted(body: JSON, provider: Provider, model: str, *, lax: bool = False) -> JSON:
    """The body under the provider's names; what it tells of usage it tells unasked."""
    known, fit = quirks(provider.kind), JSON()
    left_out = lost(body, provider, model, lax=lax)
    for name, value in body.items():
        if name in (_OLD, _NEW):
            named = _limit(provider, model, name)
        elif name in left_out or (name == "stream_options" and not known.stream_usage):
            continue
        else:
            named = known.renames.get(name, name)
        if named == name or named not in body:
            fit[named] = value
    return fit


def lost(body: JSON, provider: Provider, model: str, *, lax: bool = False) -> tuple[str, ...]:
    """Of the fields of a client's body in its own format those that `fitted` leaves out."""
    known = quirks(provider.kind)
    if not (lax or known.checks_fields):
        return ()
    refused = [name for name in known.drops if name in body and name not in _MOVED]
    if known.fixes_sampling(model) and not _calm(body, model):
        refused += [name for name in _SAMPLING if body.get(name) not in (None, _USUAL.get(name))]
    return tuple(refused)


def _calm(body: JSON, model: str) -> bool:
    """Whether OpenAI's model will not reason, and so takes a temperature."""
    return (
        body.get("reasoning_effort") in (None, "none")
        and _ON_REQUEST.match(model.rpartition("/")[2].lower()) is not None
    )


def _limit(provider: Provider, model: str, name: str) -> str:
    """What this model calls what a client called `name`: OpenAI's reasoning models refuse the old
    name, Mistral and Zhipu the new one."""
    known = quirks(provider.kind)
    if name == _OLD and _newer(known, model):
        return _NEW
    return _OLD if name == _NEW and _NEW in known.drops else name


def _newer(known: Quirks, model: str) -> bool:
    reasons = known.max_tokens_field == _NEW and known.fixes_sampling(model)
    return reasons or (bool(known.newer_limit) and known.limit_name(model) == _NEW)
