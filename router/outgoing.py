"""What goes to a provider: address, headers and body for one candidate.

The client's headers never pass but for a short list, and those only between speakers of one format.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from router.call import Call
from router.errors import CallerError
from router.formats import Format
from router.formats.anthropic_messages.billing import meant_for, without_billing
from router.formats.left_out import left_out, unsupported
from router.formats.openai_chat.fit import fitted, lost, unfit
from router.messages import Request
from router.providers import also
from router.providers.adjustments import adjust, answer_changes, maxtoken
from router.rules.plan import Candidate, Plan
from router.settings import Auth, Provider, Secret
from router.wishes import NO_WISHES, Wishes

Headers = tuple[tuple[str, str], ...]

#: headers of a client that a provider of the same format may see
FORWARDED = ("openai-beta", "idempotency-key")
_FORWARDED = frozenset(FORWARDED)
#: beginnings of those that pass between speakers of Anthropic's format: what Claude Code's own
#: gateway contract wants forwarded, and whatever a newer client adds to it
FORWARDED_ANTHROPIC = (
    *("anthropic-", "x-stainless-", "x-claude-", "x-app", "user-agent", "idempotency-key"),
)


def _said(accept: str) -> Headers:
    return (
        ("content-type", "application/json"),
        ("accept", accept),
        ("accept-encoding", "identity"),
        ("user-agent", "pointsman"),
    )


_FOR_WHOLE, _FOR_STREAM = _said("application/json"), _said("text/event-stream, application/json")


class Outgoing(Struct, frozen=True):
    """`through`: the client's own bytes go up, so the provider's own bytes may come down."""

    url: str
    headers: Headers
    body: bytes
    through: bool
    format: Format  # the provider's
    provider: Provider
    model: str
    #: fields of the client's body that this provider has no place for
    dropped: tuple[str, ...] = ()
    #: what is to be done to the answer: names of router.formats.changed
    changes: tuple[str, ...] = ()


def outgoing(
    formats: Mapping[str, Format],
    request: Request,
    original: Request,
    candidate: Candidate,
    call: Call,
    wishes: Wishes = NO_WISHES,
) -> Outgoing:
    """`request` is the plan's; it is `original` itself where the rules took nothing out of it."""
    provider, model = candidate.provider, candidate.model
    format = formats[provider.format]
    same = format.name == request.dialect
    url = address(provider, model, stream=request.stream)
    plain = unchanged(candidate, request)
    dropped: tuple[str, ...] = ()
    if not same:
        path = also(provider.kind).get(request.dialect) if plain else None
        if path is not None:
            format, same = formats[request.dialect], True
            url = beside(provider, path, model)
        elif request.bound is not None:
            bound = request.bound
            raise CallerError(bound.words, param=bound.param, code=bound.code)
    if same and format.name == "anthropic_messages" and not meant_for(provider, model):
        clean = without_billing(request)
        request, original = clean, clean if request is original else original
    whole = same and request is original and format.complete(request)
    through = whole and plain
    if through:
        body = format.pass_through(request, model)
    else:
        body, dropped = _rendered(format, request, candidate, same=same, whole=whole)
    if same and call.scope["query_string"]:
        url += ("&" if "?" in url else "?") + call.scope["query_string"].decode("latin-1")
    changes = answer_changes(provider, model) if not plain else ()
    headers = _headers(provider, format, call if same else None, stream=request.stream)
    if wishes.headers or wishes.dropped:
        headers, kept_back = with_clients(headers, wishes, provider)
        dropped = (*dropped, *kept_back)
    return Outgoing(
        url=url,
        headers=headers,
        body=body,
        through=same and not changes,
        format=format,
        provider=provider,
        model=model,
        dropped=dropped,
        changes=changes,
    )


def _rendered(
    format: Format, request: Request, candidate: Candidate, *, same: bool, whole: bool
) -> tuple[bytes, tuple[str, ...]]:
    """The body, and what of the request has no place in it. `same`: the formats of both sides are;
    `whole`: the client's own body is all that is to be said."""
    provider, model, deployment = candidate.provider, candidate.model, candidate.deployment
    lax = deployment is not None and deployment.lax
    dropped: tuple[str, ...] = ()
    if whole:
        rendered = msgspec.json.decode(format.pass_through(request, model))
    else:
        rendered = format.render_request(request, provider, model)
        dropped = () if same else left_out(request, rendered, format.name)
    for name, value in candidate.params.items():
        if name != "stream_options" or request.stream:  # else it is refused
            rendered.setdefault(name, value)
    if same and format.name == "openai_chat":
        dropped = lost(rendered, provider, model, lax=lax)
        rendered = fitted(rendered, provider, model, lax=lax)
    if whole and provider.max_output:  # what is rendered has it already
        rendered = maxtoken(rendered, {"max_tokens": provider.max_output})
    rendered = adjust(rendered, provider, model)
    for path in deployment.drops if deployment is not None else ():
        leave_out(rendered, path)
    return msgspec.json.encode(rendered), dropped


def with_clients(
    headers: Headers, wishes: Wishes, provider: Provider
) -> tuple[Headers, tuple[str, ...]]:
    """`headers` with a request's own `extra_headers`, and the names of what it asks that is not
    done. None replaces another, but our name: an operator may have put an account's there."""
    taken = {name.lower() for name, _ in headers} - {"user-agent"}
    taken |= {name.lower() for name, _ in provider.headers}
    more = {name: text for name, text in wishes.headers if name not in taken}
    lost = tuple(f"extra_headers.{name}" for name, _ in wishes.headers if name in taken)
    return tuple({**dict(headers), **more}.items()), (*wishes.dropped, *lost)


def insist(candidate: Candidate, dropped: tuple[str, ...], wishes: Wishes) -> None:
    """LiteLLM's `drop_params: false`. Raises UpstreamError: others may have a place for it."""
    if not dropped or candidate.deployment is None:
        return
    lax = wishes.drop_params
    if lax is None:
        lax = not candidate.deployment.strict
    if lax:
        return
    if error := unsupported(dropped, candidate.provider.kind, candidate.model):
        raise error


def unchanged(candidate: Candidate, request: Request) -> bool:
    """Whether nothing is to be done to a body for this candidate beside naming its model."""
    provider, model, deployment = candidate.provider, candidate.model, candidate.deployment
    lax = deployment is not None and deployment.lax
    return not (
        candidate.params
        or (deployment is not None and deployment.drops)
        or provider.adjustments
        or model in provider.model_adjustments
        or (provider.max_output and (request.max_tokens or 0) > provider.max_output)
        or (
            request.dialect == provider.format == "openai_chat"
            and unfit(request, provider, model, lax=lax)
        )
    )


def able(plan: Plan) -> Plan:
    """Only the candidates that speak the dialect to which the plan's request is bound. Where none
    does, all of them: what the first says is then the answer."""
    request = plan.request
    found = tuple(
        one
        for one in plan.candidates
        if one.provider.format == request.dialect
        or (request.dialect in also(one.provider.kind) and unchanged(one, request))
    )
    return msgspec.structs.replace(plan, candidates=found) if found else plan


def leave_out(body: Any, path: str) -> None:
    """Takes a field out of a body: "seed", "response_format.schema", "tools[*].strict"."""
    first, _, rest = path.partition(".")
    name, every, _ = first.partition("[*]")
    if not isinstance(body, dict) or name not in body:
        return
    if not rest:
        del body[name]
    elif every:
        for one in body[name] if isinstance(body[name], list) else ():
            leave_out(one, rest)
    else:
        leave_out(body[name], rest)


def address(provider: Provider, model: str, *, stream: bool) -> str:
    """Where a completion is asked for: some have an address for each model, and for streams."""
    url = provider.stream_url if stream and provider.stream_url else provider.url
    return url.replace("{model}", quote(model, safe="")) if "{model}" in url else url


def beside(provider: Provider, path: str, model: str) -> str:
    """The address of another endpoint of a provider: `path` begins with a slash."""
    base = provider.base.replace("{model}", quote(model, safe=""))
    _, mark, query = provider.url.partition("?")
    return base + path + mark + query


def credentials(provider: Provider, *, compatible: bool = False) -> Headers:
    """`compatible`: for the OpenAI-compatible face of a provider that has an API of its own."""
    return _shown(provider.key, provider.auth, compatible)


@lru_cache(maxsize=256)
def _shown(key: Secret, auth: Auth, compatible: bool) -> Headers:
    """The very same texts for each request: their hashes need not be worked out again."""
    if not key or auth == "none":
        return ()
    bearer = ("authorization", "Bearer " + key.reveal())
    if auth == "bearer" or (compatible and auth == "x-goog-api-key"):
        return (bearer,)
    if auth in ("x-api-key", "x-goog-api-key", "api-key"):
        return ((auth, key.reveal()),)
    return (("x-api-key", key.reveal()), bearer) if auth == "both" else (bearer,)


def forget() -> None:
    """Keeps no key that was shown so far: those of another generation may have been revoked."""
    _shown.cache_clear()


def _headers(provider: Provider, format: Format, call: Call | None, *, stream: bool) -> Headers:
    said, shown = _FOR_STREAM if stream else _FOR_WHOLE, credentials(provider)
    forwarded = _forwarded(format, call)
    if not (forwarded or provider.headers):
        return said + shown
    return tuple(dict((*said, *forwarded, *shown, *provider.headers)).items())


def _forwarded(format: Format, call: Call | None) -> Headers:
    """What the format asks for, and what of the client's own may pass."""
    if format.name == "anthropic_messages":
        clients = call.headers.items() if call is not None else ()
        passed = [one for one in clients if one[1] and one[0].startswith(FORWARDED_ANTHROPIC)]
        return (("anthropic-version", "2023-06-01"), *passed)
    if call is None or _FORWARDED.isdisjoint(call.headers):
        return ()
    return tuple((name, call.headers[name]) for name in FORWARDED if name in call.headers)
