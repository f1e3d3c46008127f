"""Whether answers are kept: [cache] of pointsman.toml, else litellm_settings.cache."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from router.config.own import CacheTable
from router.settings import ResponseCaching


class CacheParams(BaseModel):
    """What we follow of LiteLLM's cache_params. Where it would ask a Redis, we keep in memory."""

    model_config = ConfigDict(extra="allow")

    type: str = "local"
    ttl: float | None = Field(default=None, ge=0)
    namespace: str = ""
    mode: str = "default_on"


def caching(own: CacheTable | None, litellm: ResponseCaching | None) -> ResponseCaching | None:
    if own is None:
        return litellm
    if not own.enabled:
        return None
    return ResponseCaching(
        own.ttl or None, round(own.size_mb * 1e6), own.namespace, own.mode == "default_on"
    )


def of_litellm(params: CacheParams) -> ResponseCaching:
    usual = ResponseCaching()
    ttl = usual.ttl if params.ttl is None else params.ttl or None
    return ResponseCaching(
        ttl, usual.size, params.namespace, default_on=params.mode != "default_off"
    )
