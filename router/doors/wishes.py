"""LiteLLM's per-request fields and headers: taken out of a body, since no provider knows them.

A field of the wrong type is an error that names it; what a client must not decide (where its
request is sent) is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from router.doors.call import Call
from router.errors import CallerError, Kind
from router.formats.splice import splice
from router.messages import Request
from router.wishes import NO_WISHES, Chains, Controls, Wishes

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
    }
)
#: fields that are LiteLLM's alone and change nothing here
_DROPPED = frozenset(
    {
        "additional_drop_params",
        "allowed_openai_params",
        "api_key",
        "caching",
        "enable_tag_filtering",
        "extra_body",
        "extra_headers",
        "guardrails",
        "litellm_call_id",
        "litellm_session_id",
        "litellm_trace_id",
        "max_fallbacks",
        "max_retries",
        "mock_delay",
        "mock_timeout",
        "modify_params",
        "no-log",
        "priority",
    }
)
_FIELDS = _FOLLOWED | _DROPPED
#: a client never says where its request goes: it would be sent the provider's key
_FORBIDDEN = ("api_base", "base_url", "user_config")
_LOOKED_FOR = frozenset({*_FIELDS, *_FORBIDDEN, "metadata"})
_HEADERS = frozenset(
    {
        "x-litellm-timeout",
        "x-litellm-stream-timeout",
        "x-litellm-num-retries",
        "x-litellm-tags",
    }
)
#: seconds; retries
_LONGEST, _MOST = 86_400.0, 20


def wishes_of(
    request: Request, call: Call, parse: Callable[[bytes], Request]
) -> tuple[Request, Wishes]:
    """The request without what is meant for us, and that. Raises CallerError."""
    body, headers = request.body, call.headers
    if _LOOKED_FOR.isdisjoint(body) and _HEADERS.isdisjoint(headers):
        return request, NO_WISHES
    for name in _FORBIDDEN:
        if name in body:
            raise CallerError(
                f"Rejected Request: {name} is not allowed in request body. "
                "Set it in model_list, litellm_params.",
                param=name,
            )
    # OpenAI's own field is LiteLLM's bag of tags; Anthropic's names the user and goes on
    own = request.dialect == "openai_chat"
    found = [name for name in body if name in _FIELDS or (own and name == "metadata")]
    asked = [name for name in _HEADERS if name in headers]
    tagged = not own and isinstance(body.get("metadata"), dict) and "tags" in body["metadata"]
    if not found and not asked and not tagged:
        return request, NO_WISHES
    wishes = _read(body, headers)
    if found:
        request = parse(splice(request.raw, {**dict.fromkeys(found), **_extra(body)}))
    return request, wishes


def _extra(body: Mapping[str, Any]) -> dict[str, bytes | None]:
    """What `extra_body` adds to the body. It replaces nothing, and asks nothing of us."""
    extra = body.get("extra_body")
    if extra is None:
        return {}
    if not isinstance(extra, dict):
        raise CallerError("extra_body: should be an object", param="extra_body")
    return {
        name: msgspec.json.encode(value)
        for name, value in extra.items()
        if name not in body and name not in _LOOKED_FOR
    }


def _read(body: Mapping[str, Any], headers: Mapping[str, str]) -> Wishes:
    tags: list[str] = [tag.strip() for tag in headers.get("x-litellm-tags", "").split(",")]
    for holder in (body, body.get("metadata"), body.get("litellm_metadata")):
        if isinstance(holder, dict) and "tags" in holder:
            tags += _names(holder["tags"], "tags")
    names, chains = _fallbacks(body.get("fallbacks"), "fallbacks")
    return Wishes(
        retries=_count(headers.get("x-litellm-num-retries", body.get("num_retries"))),
        fallbacks=names,
        group_fallbacks=chains,
        context_fallbacks=_chains(body, "context_window_fallbacks"),
        content_fallbacks=_chains(body, "content_policy_fallbacks"),
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


def _chains(body: Mapping[str, Any], name: str) -> Chains | None:
    names, chains = _fallbacks(body.get(name), name)
    if names is not None:
        raise CallerError(f'{name}: should be a list of {{"model": ["other"]}}', param=name)
    return chains


def _fallbacks(value: object, name: str) -> tuple[tuple[str, ...] | None, Chains | None]:
    """Either a plain list of models, or LiteLLM's list of {group: [models]}."""
    if value is None:
        return None, None
    wrong = CallerError(
        f'{name}: should be a list of model names, or of {{"model": ["other"]}}', param=name
    )
    if not isinstance(value, list):
        raise wrong
    names: list[str] = []
    chains: dict[str, tuple[str, ...]] = {}
    for one in value:
        if isinstance(one, str):
            names.append(one)
        elif isinstance(one, dict) and isinstance(one.get("model"), str):
            if len(one) > 1:
                raise CallerError(
                    f"{name}: only the model of a fallback can be chosen, not its other fields",
                    param=name,
                )
            names.append(one["model"])
        elif isinstance(one, dict):
            for group, chain in one.items():
                chains[group] = tuple(_names(chain, name))
        else:
            raise wrong
    return (None, chains) if chains and not names else (tuple(names), None)


def _mock(value: object) -> str | None:
    if value is None or value is False:
        return None
    if value is True:
        return "This is a mock request"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
