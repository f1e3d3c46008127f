"""LiteLLM's config.yaml: model_list and the settings that route, retry and lock.

A deployment that we cannot call is left out with a finding, never sent to another provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from router.config.deployments import LiteLLMParams, Upstreams
from router.config.document import Document, read_yaml
from router.config.interpolate import os_environ, unresolved
from router.config.part import Part, exposed, problem
from router.contract import Finding
from router.settings import Deployment, Groups, Secret, Target

WHAT = "LiteLLM config"
NAME = "litellm-config.yaml"


class _Loose(BaseModel):
    model_config = ConfigDict(extra="allow", protected_namespaces=())


class _Entry(_Loose):
    model_name: str
    litellm_params: LiteLLMParams
    model_info: dict[str, Any] = {}


class _Settings(_Loose):
    """What we follow of router_settings and litellm_settings; either may hold these keys."""

    num_retries: int | None = Field(default=None, ge=0)
    allowed_fails: int | None = Field(default=None, ge=0)
    cooldown_time: float | None = Field(default=None, ge=0)
    disable_cooldowns: bool = False
    retry_after: float | None = Field(default=None, ge=0)
    fallbacks: list[dict[str, list[str]]] = []
    default_fallbacks: list[str] = []
    model_group_alias: dict[str, Any] = {}
    routing_strategy: str = "simple-shuffle"


class _General(_Loose):
    master_key: str | None = None


class _File(_Loose):
    model_list: list[_Entry] = []
    router_settings: _Settings = _Settings()
    litellm_settings: _Settings = _Settings()
    general_settings: _General = _General()
    environment_variables: dict[str, Any] = {}


def find(flag: Path | None, directory: Path | None, config: Path) -> Path | None:
    """The file that counts: the one named, else in the working directory, else in the config
    folder. One that was named is returned even where it does not exist."""
    if flag is not None:
        return flag
    places = [folder / NAME for folder in (directory, config.parent) if folder is not None]
    return next((place for place in places if place.is_file()), None)


def read(path: Path, env: Mapping[str, str], taken: frozenset[str]) -> Part:
    """The file's part. `taken` are provider names that others have. Raises ConfigError."""
    document = read_yaml(path)
    part = Part(document=document)
    own = document.data.get("environment_variables")
    if isinstance(own, dict):
        env = {**env, **{str(name): str(value) for name, value in own.items()}}

    def missing(place: tuple[str | int, ...], name: str) -> None:
        text = f"{name} is not set in the environment"
        part.findings.append(problem(WHAT, document, text, *place))

    document = replace(document, data=_nulls_out(os_environ(document.data, env, missing)))
    file = document.fit(_File)
    upstreams = Upstreams(document, part, env, taken)
    deployments: dict[str, tuple[Deployment, ...]] = {}
    for index, entry in enumerate(file.model_list):
        target = upstreams.target(entry.litellm_params, entry.model_info, ("model_list", index))
        if target is not None:
            made = _deployment(entry, target)
            deployments[entry.model_name] = (*deployments.get(entry.model_name, ()), made)
    part.groups = _groups(part, document, file, deployments)
    part.retry = _retry(file)
    key = file.general_settings.master_key or env.get("LITELLM_MASTER_KEY", "")
    part.key = Secret("" if unresolved(key) else key)
    part.findings += exposed(WHAT, part.document or document)
    part.findings += _unused(document, file)
    locked = "clients must show master_key" if part.key else "no client key"
    groups, served = len(deployments), sum(map(len, deployments.values()))
    text = f"{groups} model names on {served} deployments; {locked}"
    part.findings.insert(0, Finding(WHAT, str(path), "found", text))
    return part


def _nulls_out(value: Any) -> Any:
    """YAML's empty values away: a key with nothing after it says nothing."""
    if isinstance(value, dict):
        return {k: _nulls_out(v) for k, v in value.items() if v is not None}
    return value


def _deployment(entry: _Entry, target: Target) -> Deployment:
    params = entry.litellm_params
    # as LiteLLM's simple-shuffle: weight, else rpm, else tpm
    weight = next((w for w in (params.weight, params.rpm, params.tpm) if w), 1.0)
    return Deployment(entry.model_name, target, float(weight), params.defaults())


def _groups(
    part: Part,
    document: Document,
    file: _File,
    deployments: Mapping[str, tuple[Deployment, ...]],
) -> Groups:
    fallbacks: dict[str, tuple[str, ...]] = {}
    for settings in (file.litellm_settings, file.router_settings):
        for entry in settings.fallbacks:
            fallbacks.update({group: tuple(chain) for group, chain in entry.items()})
    aliases: dict[str, str] = {}
    for alias, value in file.router_settings.model_group_alias.items():
        model = value.get("model") if isinstance(value, dict) else value
        if not isinstance(model, str):
            place = ("router_settings", "model_group_alias", alias)
            raise document.error("should be a model's name, or { model: name }", *place)
        aliases[alias] = model
    known = {*deployments, *aliases}
    loose = [name for chain in fallbacks.values() for name in chain if name not in known]
    if loose:
        text = f"fallbacks name models that are not in model_list: {', '.join(sorted(set(loose)))}"
        part.findings.append(Finding(WHAT, document.file, "problem", text))
    default = file.router_settings.default_fallbacks or file.litellm_settings.default_fallbacks
    return Groups(deployments, aliases, fallbacks, tuple(default), source=document.file)


def _retry(file: _File) -> dict[str, Any]:
    """Fields of RetryPolicy that the file sets; router_settings wins."""
    first, second = file.router_settings, file.litellm_settings
    fields: dict[str, Any] = {
        "retries": second.num_retries if first.num_retries is None else first.num_retries,
        "allowed_fails": second.allowed_fails
        if first.allowed_fails is None
        else first.allowed_fails,
        "cooldown": 0.0 if first.disable_cooldowns else first.cooldown_time,
        "backoff": first.retry_after or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _unused(document: Document, file: _File) -> list[Finding]:
    """What the file says and we do not follow."""
    findings = []
    strategy = file.router_settings.routing_strategy
    if strategy != "simple-shuffle":
        text = f"{strategy} is not done: deployments are picked by weight (simple-shuffle)"
        findings.append(problem(WHAT, document, text, "router_settings", "routing_strategy"))
    if "include" in (file.model_extra or {}):
        text = "is not followed: put the models of those files into this one"
        findings.append(problem(WHAT, document, text, "include"))
    odd = [key for key in file.model_extra or {} if key != "include"]
    for section in ("router_settings", "litellm_settings", "general_settings"):
        odd += [f"{section}.{key}" for key in getattr(file, section).model_extra or {}]
    params = {key for entry in file.model_list for key in entry.litellm_params.ignored()}
    odd += [f"litellm_params.{key}" for key in sorted(params)]
    if odd:
        findings.append(Finding(WHAT, document.file, "found", f"not used: {', '.join(odd)}"))
    return findings
