"""LiteLLM's per-request fields as Wishes: of a body, and of a fallback that asks otherwise. Pure.

A field of the wrong type is an error that names it; what a client must not decide (where its
request is sent) is refused; what is not done is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from router.errors import CallerError, Kind
from router.formats.splice import splice
from router.messages import Request
from router.wishes import Chain, Chains, Controls, Other, Wishes
from router.wishes.headers import HOLDING, headers_of

#: where a client asks that a failure be feigned, to see that the fallbacks work
_FEIGNED: dict[str, Kind] = {
    "mock_testing_fallbacks": "upstream",
    "mock_testing_context_fallbacks": "too_long",
    "mock_testing_context_window_fallbacks": "too_long",
    "mock_testing_content_policy_fallbacks": "refused",
    "mock_testing_rate_limit_error": "quota",
}
#: fields that are followed
_FOLLOWED = frozenset(
    {
        *_FEIGNED,
        *HOLDING,
        "fallbacks",
        "context_window_fallbacks",
        "content_policy_fallbacks",
        "disable_fallbacks",
        "num_retries",
        "timeout",
        "stream_timeout",
        "mock_response",
        "tags",
        "litellm_metadata",
        "cache",
        "drop_params",
        "extra_body",
    }
)
#: fields that are LiteLLM's alone and change nothing here: told, where it would do something
_UNDONE = frozenset(
    {
        "additional_drop_params",
        "allowed_openai_params",
        "api_key",
        "caching",
        "enable_tag_filtering",
        "guardrails",
        "max_fallbacks",
        "max_retries",
        "mock_delay",
        "mock_timeout",
        "priority",
    }
)
_BESIDE = frozenset(
    {"litellm_call_id", "litellm_session_id", "litellm_trace_id", "modify_params", "no-log"}
)
FIELDS = _FOLLOWED | _UNDONE | _BESIDE
#: a client never says where its request goes: it would be sent the provider's key
FORBIDDEN = ("api_base", "base_url", "user_config")
#: all of a body that is not, or not always, meant for its model
OURS = FIELDS | {*FORBIDDEN, "metadata"}
#: of a fallback: an answer is streamed or not as it was asked for
_NOT_OTHERWISE = frozenset({"stream", "stream_options"})
#: seconds; retries; fallbacks of fallbacks
_LONGEST, _MOST, _DEEPEST = 86_400.0, 20, 5


def read(body: Mapping[str, Any], headers: Mapping[str, str]) -> Wishes:
    """Raises CallerError."""
    return _read(body, headers, "", 0)


def refuse_forbidden(body: Mapping[str, Any]) -> None:
    for name in FORBIDDEN:
        if name in body:
            raise CallerError(
                f"Rejected Request: {name} is not allowed in request body. "
                "Set it in model_list, litellm_params.",
                param=name,
            )


def extra_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """What `extra_body` adds to the body. It replaces nothing, and asks nothing of us."""
    extra = body.get("extra_body")
    if extra is None:
        return {}
    if not isinstance(extra, dict):
        raise CallerError("extra_body: should be an object", param="extra_body")
    return {name: one for name, one in extra.items() if name not in body and name not in OURS}


# ── a fallback that asks otherwise ────────────────────────────────────────────────────────────────


def fallback(one: str | Mapping[str, Any], name: str, depth: int = 0) -> str | Other:
    """A model by its name, or as `other`. Raises CallerError."""
    if isinstance(one, str):
        return one
    made = other(one, name, depth)
    return made.model if one.keys() == {"model"} else made


def other(entry: Mapping[str, Any], name: str = "fallbacks", depth: int = 0) -> Other:
    """`{"model": "m2", "messages": […], "num_retries": 0}`. Raises CallerError."""
    model = entry.get("model")
    if not isinstance(model, str):
        raise CallerError(f"{name}: should name its model", param=name)
    if depth > _DEEPEST:
        raise CallerError(f"{name}: nested too deeply", param=name)
    refuse_forbidden(entry)
    ours = OURS | _NOT_OTHERWISE | {"model"}
    fields = {key: one for key, one in entry.items() if key not in ours}
    return Other(model, {**extra_body(entry), **fields}, _read(entry, {}, f"{name}.", depth + 1))


def otherwise(request: Request, other: Other, parse: Callable[[bytes], Request]) -> Request:
    """The request as a fallback sends it: the client's bytes, but for the fields that it has of its
    own. Raises CallerError."""
    changes = {
        name: None if value is None else msgspec.json.encode(value)
        for name, value in other.fields.items()
    }
    return parse(splice(request.raw, changes)) if changes else request


def carried(request: Request, planned: Request, asked: Request) -> Request:
    """`asked` with what the rules changed in the request, but where it has words of its own."""
    changes = {}
    for name in Request.__struct_fields__:
        was, now = getattr(request, name), getattr(planned, name)
        if now is not was and name != "raw" and getattr(asked, name) == was:
            changes[name] = now
    return msgspec.structs.replace(asked, raw=b"", **changes) if changes else asked


# ── the fields one by one ─────────────────────────────────────────────────────────────────────────


def _read(body: Mapping[str, Any], headers: Mapping[str, str], at: str, depth: int) -> Wishes:
    """`at` stands before the names of what is not done; `depth` counts fallbacks of fallbacks."""
    tags: list[str] = [tag.strip() for tag in headers.get("x-litellm-tags", "").split(",")]
    for holder in (body, body.get("metadata"), body.get("litellm_metadata")):
        if isinstance(holder, dict) and "tags" in holder:
            tags += _names(holder["tags"], "tags")
    names, chains = _fallbacks(body.get("fallbacks"), "fallbacks", depth)
    passed, kept_back = headers_of(body, at)
    undone = _UNDONE | _NOT_OTHERWISE if at else _UNDONE
    return Wishes(
        retries=_count(headers.get("x-litellm-num-retries", body.get("num_retries"))),
        fallbacks=names,
        group_fallbacks=chains,
        context_fallbacks=_chains(body, "context_window_fallbacks", depth),
        content_fallbacks=_chains(body, "content_policy_fallbacks", depth),
        no_fallbacks=body.get("disable_fallbacks") is True,
        tags=tuple(dict.fromkeys(tag for tag in tags if tag)),
        timeout=_seconds(headers.get("x-litellm-timeout", body.get("timeout")), "timeout"),
        stream_timeout=_seconds(
            headers.get("x-litellm-stream-timeout", body.get("stream_timeout")), "stream_timeout"
        ),
        mock=_mock(body.get("mock_response")),
        cache=_cache(body.get("cache")),
        drop_params=dropping if isinstance(dropping := body.get("drop_params"), bool) else None,
        fails_with=next((kind for name, kind in _FEIGNED.items() if body.get(name) is True), None),
        headers=passed,
        dropped=(*(at + name for name in sorted(undone & body.keys())), *kept_back),
    )


def _count(value: object) -> int | None:
    if value is None:
        return None
    number = _number(value, "num_retries")
    if number != int(number) or not 0 <= number <= _MOST:
        raise CallerError(
            f"num_retries: should be a whole number, 0 to {_MOST}", param="num_retries"
        )
    return int(number)


def _seconds(value: object, name: str) -> float | None:
    if value is None:
        return None
    seconds = _number(value, name)
    if not 0 < seconds <= _LONGEST:
        raise CallerError(f"{name}: should be seconds, above 0 up to {_LONGEST:.0f}", param=name)
    return seconds


def _number(value: object, name: str) -> float:
    try:
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return float(value)
    except ValueError:
        pass
    raise CallerError(f"{name}: should be a number", param=name)


def _cache(value: object) -> Controls | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise CallerError('cache: should be an object, as {"no-cache": true}', param="cache")
    ttl, newest = value.get("ttl"), value.get("s-maxage", value.get("s-max-age"))
    return Controls(
        no_cache=value.get("no-cache") is True,
        no_store=value.get("no-store") is True,
        use=value.get("use-cache") is True,
        ttl=None if ttl is None else _number(ttl, "cache.ttl"),
        newest=None if newest is None else _number(newest, "cache.s-maxage"),
        namespace=str(value.get("namespace") or "")[:200],
    )


def _names(value: object, name: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise CallerError(f"{name}: should be a list of strings", param=name)
    return value


def _chains(body: Mapping[str, Any], name: str, depth: int) -> Chains | None:
    names, chains = _fallbacks(body.get(name), name, depth)
    if names is not None:
        raise CallerError(f'{name}: should be a list of {{"model": ["other"]}}', param=name)
    return chains


def _fallbacks(value: object, name: str, depth: int) -> tuple[Chain | None, Chains | None]:
    """Either a plain list of models, each maybe with fields of its own, or LiteLLM's list of
    {group: [models]}."""
    if value is None:
        return None, None
    wrong = CallerError(
        f'{name}: should be a list of model names, or of {{"model": ["other"]}}', param=name
    )
    if not isinstance(value, list):
        raise wrong
    chain: list[str | Other] = []
    chains: dict[str, Chain] = {}
    for one in value:
        if isinstance(one, dict) and not isinstance(one.get("model"), str):
            for group, listed in one.items():
                if not isinstance(listed, list):
                    raise wrong
                chains[group] = tuple(_fallback(each, name, depth, wrong) for each in listed)
        else:
            chain.append(_fallback(one, name, depth, wrong))
    return (None, chains) if chains and not chain else (tuple(chain), None)


def _fallback(one: object, name: str, depth: int, wrong: CallerError) -> str | Other:
    if not isinstance(one, str | dict):
        raise wrong
    return fallback(one, name, depth)


def _mock(value: object) -> str | None:
    if value is None or value is False:
        return None
    if value is True:
        return "This is a mock request"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
