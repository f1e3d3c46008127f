"""What becomes of a setting that is read and not followed, in words for its owner. Data.

One rule: what changes who may ask, what is sent, or what is refused is a difference; only what
nothing here needs is ignored. A key that is not here is one that nobody knows.
"""

from __future__ import annotations

import re
from typing import Any

_FILE = "the ledger is a file: there is no database"
_ONE = "one router holds all of it in its memory and its ledger: there is nothing to share"
_LOG = "`[log]` of pointsman.toml decides; no prompt is in the log"
_TRAFFIC = "health is what the traffic shows: no call is made for it"
_UI = "the console takes the place of these pages"
_KEYS = "is not done: clients are known by master_key and by keys made over /key/generate"
_SPEND = "spending is in the ledger as it happens, for `[retention] days`"

#: LiteLLM's keys, as their paths match: what nothing here needs
_NEEDLESS: tuple[tuple[str, str], ...] = (
    (r"general_settings\.(database_\w+|store_model_in_db|disable_prisma\w*|use_redis\w*)", _FILE),
    (r"general_settings\.(proxy_batch_write_at|proxy_budget_rescheduler\w+)", _SPEND),
    (r"general_settings\.(disable_spend_logs|maximum_spend_logs\w*|disable_error_logs)", _SPEND),
    (r"general_settings\.(background_health_checks|(use_shared_)?health_check\w*)", _TRAFFIC),
    (r"general_settings\.(ui_\w+|enable_admin_ui|disable_master_key_return)", _UI),
    (r"general_settings\.(port|host|completion_model|infer_model_from_keys)", "is not needed"),
    (r"(general|litellm)_settings\.(otel|always_include_stream_usage)", "is always there"),
    (r"router_settings\.(redis_\w+|cache_\w+|client_ttl)|coordination_redis", _ONE),
    (r"(router|litellm)_settings\.(set_verbose|debug_level|json_logs|verbose)", _LOG),
    (r"litellm_settings\.(turn_off_message_logging|redact_\w+)", "no prompt is kept"),
    (r"litellm_settings\.(telemetry|suppress_debug_info)", "nothing is told to anyone"),
    (r"litellm_settings\.(return_response_headers|prometheus_\w+)", "is always there"),
    (
        r"general_settings\.(max_budget|budget_duration)",
        "LiteLLM reads it in litellm_settings alone",
    ),
    (r"litellm_params\.keepalive_seconds", "pings are always sent while an answer is awaited"),
)
#: …and what is another here
_DIFFERENT: tuple[tuple[str, str], ...] = (
    (r"general_settings\.custom_auth\w*", f"is Python, which is not run: signing in by it {_KEYS}"),
    (r"general_settings\.(enable_jwt_auth|litellm_jwtauth|custom_sso|role_\w+)", _KEYS),
    (
        r"general_settings\.(allowed_ips|allowed_routes|public_routes|admin_only_routes|use_x_\w+)",
        "is not done: a proxy in front, or a key's allowed_routes, decides",
    ),
    (
        r"general_settings\.litellm_key_header_name",
        "is not read: a key is taken from Authorization, x-api-key, api-key or x-litellm-api-key",
    ),
    (
        r"general_settings\.(user_header_\w+|custom_headers)|litellm_settings\.extra_spend_tag\w*",
        "is not read: the `user` of a request names its user, x-litellm-tags its tags",
    ),
    (r"general_settings\.enforce_user_param", "is not done: a request may name no `user`"),
    (r"general_settings\.max_re(quest|sponse)_size_mb", "`[limits] body_mb` decides"),
    (
        r"general_settings\.(global_)?max_parallel_requests",
        "is not done: a key, a team or a deployment may have max_parallel_requests",
    ),
    (
        r"general_settings\.pass_through_endpoints",
        "are not served: a [neighbours] entry of pointsman.toml forwards a path",
    ),
    (
        r"general_settings\.(forward_\w+)",
        "is not done: of a client's headers few go on, of a body `extra_headers` do",
    ),
    (r"general_settings\.(alert\w*|spend_report\w*)", "`[alerts]` of pointsman.toml tells"),
    (r"general_settings\.(key_management\w*|use_google_kms|use_azure_key_vault)", "is not read"),
    (r"(litellm_settings\.)?guardrails?", "is not done: prompts and answers pass unread"),
    (
        r"litellm_settings\.(\w*callbacks?)",
        "is not called: /metrics and OpenTelemetry are there, and the ledger",
    ),
    (
        r"litellm_settings\.(default_\w*(params|settings)|upperbound_\w+|max_internal_\w+)",
        "is not done: what is made over HTTP has what it is made with",
    ),
    (r"(mcp_\w+|vector_store\w*|search_tools|files_settings|finetune_settings)", "is not served"),
    (
        r"litellm_params\.(max_budget|budget_duration)",
        "is not kept: a budget of pointsman.toml may be of a model",
    ),
    (r"litellm_params\.(itpm|otpm|rpd|tpd)", "is not kept: rpm and tpm are"),
    (
        r"litellm_params\.aws_\w+",
        "is not read: AWS is signed in to as its own tools do (AWS_ACCESS_KEY_ID, AWS_PROFILE)",
    ),
    (
        r"litellm_params\.configurable_clientside_auth_params",
        "is not done: a client's own key or address is never used",
    ),
    (r"litellm_params\.merge_reasoning_content_in_choices", "thinking stays apart from the text"),
    (r"Router\.\w+", "no route is called so"),
    (r"Providers\[\d+\]\.tokenizer", "is not read: tokens are counted as CCR does without it"),
)
_UNKNOWN = "is not known"
#: LiteLLM's callbacks that have their counterpart here
_THERE = ("prometheus", "otel")


def became(name: str, value: Any = None) -> tuple[str, bool]:
    """What becomes of it, and whether that is a difference."""
    if re.fullmatch(r"litellm_settings\.\w*callbacks?", name):
        named = value if isinstance(value, list) else [value]
        if all(str(one).startswith(_THERE) for one in named):
            return "figures and traces are there without it", False
    for rows, differs in ((_DIFFERENT, True), (_NEEDLESS, False)):
        for pattern, words in rows:
            if re.fullmatch(pattern, name):
                return words, differs
    return _UNKNOWN, False
