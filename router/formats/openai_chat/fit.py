"""A client's own Chat Completions body, for a provider that differs where nothing is lost by it.

Its one rule: in its own format a body goes on as the client wrote it, but for what we would add
ourselves (to learn a stream's usage) and for the name of the limit, which not every model takes.
"""

from __future__ import annotations

from router.messages import JSON, Request
from router.providers import Quirks, quirks
from router.settings import Provider

_OLD, _NEW = "max_tokens", "max_completion_tokens"


def unfit(request: Request, provider: Provider, model: str) -> bool:
    """Whether the body is one that `fitted` changes."""
    known, body = quirks(provider.kind), request.body
    if request.stream and not known.stream_usage:
        return True
    if _OLD in body:
        return _newer(known, model)
    return _NEW in body and _NEW in known.drops


def fitted(body: JSON, provider: Provider, model: str) -> JSON:
    """The body under the provider's names; what it tells of usage it tells unasked."""
    fit: JSON = {}
    for name, value in body.items():
        if name in (_OLD, _NEW):
            named = _limit(provider, model, name)
            if named == name or named not in body:
                fit[named] = value
        elif name != "stream_options" or quirks(provider.kind).stream_usage:
            fit[name] = value
    return fit


def _limit(provider: Provider, model: str, name: str) -> str:
    """What this model calls what a client called `name`: OpenAI's reasoning models refuse the old
    name, Mistral and Zhipu the new one."""
    known = quirks(provider.kind)
    if name == _OLD and _newer(known, model):
        return _NEW
    return _OLD if name == _NEW and _NEW in known.drops else name


def _newer(known: Quirks, model: str) -> bool:
    return known.max_tokens_field == _NEW and known.fixes_sampling(model)
