"""LiteLLM's litellm_params as data: what an entry of model_list says of a deployment.

One rule: a field without a place here is put into a body that does not say it itself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from router.settings import Deployment, Target

#: params that are not body defaults, and that we do not follow either
_IGNORED = frozenset(
    {
        "keepalive_seconds",
        "max_budget", "budget_duration", "itpm", "otpm", "rpd", "tpd", "use_in_pass_through",
        "merge_reasoning_content_in_choices", "configurable_clientside_auth_params",
        "input_cost_per_second", "mock_timeout", "aws_access_key_id", "aws_secret_access_key",
    }
)  # fmt: skip
#: prices, which are no business of a provider's
_COST = re.compile(r"_cost(_per_|$|_above_)")
#: LiteLLM's names for where a cloud is
CLOUD = {
    "aws_region_name": "region",
    "aws_profile_name": "profile",
    "vertex_project": "project",
    "vertex_location": "location",
    "vertex_credentials": "credentials",
}
_PLACED = frozenset({*CLOUD, "api_version", "region_name"})


class LiteLLMParams(BaseModel):
    """Fields without a place here are body defaults (temperature, max_tokens, …)."""

    model_config = ConfigDict(extra="allow")

    model: str
    api_key: str | None = None
    api_base: str | None = None
    base_url: str | None = None
    custom_llm_provider: str | None = None
    litellm_credential_name: str | None = None
    organization: str | None = None
    weight: float | None = Field(default=None, ge=0)
    rpm: float | None = Field(default=None, ge=0)
    tpm: float | None = Field(default=None, ge=0)
    timeout: float | None = Field(default=None, gt=0)
    stream_timeout: float | None = Field(default=None, gt=0)
    max_parallel_requests: int | None = Field(default=None, ge=1)
    order: int | None = None
    num_retries: int | None = Field(default=None, ge=0)
    max_retries: int | None = Field(default=None, ge=0)
    cooldown_time: float | None = Field(default=None, ge=0)
    tags: list[str] = []
    tag_regex: list[str] = []
    drop_params: Any = None
    additional_drop_params: list[str] = []
    extra_headers: dict[str, str] = {}
    extra_body: dict[str, Any] = {}
    mock_response: Any = None
    input_cost_per_token: float | None = Field(default=None, ge=0)
    output_cost_per_token: float | None = Field(default=None, ge=0)
    cache_read_input_token_cost: float | None = Field(default=None, ge=0)
    cache_creation_input_token_cost: float | None = Field(default=None, ge=0)

    def defaults(self) -> dict[str, Any]:
        """What is put into a body that does not say it itself."""
        extra = {
            k: v
            for k, v in (self.model_extra or {}).items()
            if not (k in _IGNORED | _PLACED or _COST.search(k))
        }
        return {**extra, **self.extra_body}

    def deployment(
        self,
        group: str,
        target: Target,
        info: Mapping[str, Any],
        *,
        weight: float,
        last: int,
        keeps_limits: bool,
        counted: bool,
        parallel: int | None,
        stream_timeout: float | None,
        drop_params: bool | None,
    ) -> Deployment:
        """This entry of a group; `last` is the order of those that name none."""
        parallel = self.max_parallel_requests or parallel
        limits = (self.rpm, self.tpm) if keeps_limits else (None, None)
        said = f"{group}|{target}|{self.api_base}|{self.order}|{sorted(self.tags)}|{weight}"
        cooldown = info.get("cooldown_time", self.cooldown_time)
        drops = drop_params if self.drop_params is None else bool(self.drop_params)
        return Deployment(
            group,
            target,
            weight=float(weight),
            params=self.defaults(),
            id=str(info.get("id") or hashlib.sha256(said.encode()).hexdigest()),
            called=self.model,
            order=last if self.order is None else self.order,
            tags=tuple(self.tags),
            tag_patterns=tuple(self.tag_regex),
            access_groups=_names(info.get("access_groups")),
            info=dict(info),
            rpm=limits[0],
            tpm=limits[1],
            parallel=parallel,
            counted=counted or parallel is not None or limits != (None, None),
            retries=self.num_retries if self.num_retries is not None else self.max_retries,
            cooldown=float(cooldown) if isinstance(cooldown, int | float) else None,
            stream_timeout=self.stream_timeout or stream_timeout,
            drops=tuple(self.additional_drop_params),
            mock=self.mock_response if isinstance(self.mock_response, str) else "",
            strict=drops is False,
            lax=drops is True,
        )

    def ignored(self) -> list[str]:
        return [key for key in self.model_extra or {} if key in _IGNORED]


class CredentialValues(LiteLLMParams):
    """What an entry of credential_list gives to the deployments that name it."""

    model: str = ""


def _names(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
