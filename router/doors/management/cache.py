"""/cache/*: whether answers are kept, and forgetting them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.doors.management.asked import Asked, Route, wrong
from router.errors import CallerError
from router.messages import JSON

if TYPE_CHECKING:
    from router.service import Router


def _there(router: Router) -> None:
    if not router.cache.on:
        raise CallerError(
            "Cache not initialized. litellm.cache is None", status=503, code="cache_ping_error"
        )


async def ping(router: Router, asked: Asked) -> JSON:
    _there(router)
    cache = router.cache
    return {
        "status": "healthy",
        "cache_type": "local",
        "ping_response": True,
        "set_cache_response": "success",
        "litellm_cache_params": '{"type": "local"}',
        "health_check_cache_params": {
            "entries": len(cache),
            "bytes": cache.size,
            "hits": cache.hits,
            "misses": cache.misses,
        },
    }


async def delete(router: Router, asked: Asked) -> JSON:
    _there(router)
    keys = asked.several("keys")
    if not keys:
        raise wrong("name the keys to forget, as x-litellm-cache-key told them", "keys")
    gone = sum(router.cache.drop(key) for key in keys)
    return {"status": "success", "deleted": gone}


async def flushall(router: Router, asked: Asked) -> JSON:
    _there(router)
    router.cache.flush()
    return {"status": "success"}


ROUTES: dict[str, Route] = {
    "GET /cache/ping": Route(ping),
    "POST /cache/delete": Route(delete),
    "POST /cache/flushall": Route(flushall),
}
