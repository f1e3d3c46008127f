"""LiteLLM's config.yaml: model_list and the settings that route, retry and lock.

A deployment that we cannot call is left out with a finding, never sent to another provider.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from router.config.budgets import of_litellm_file
from router.config.document import Document
from router.config.interpolate import os_environ, unresolved
from router.config.litellm_every import each, is_every, unsaid
from router.config.litellm_include import joined, read_all
from router.config.litellm_params import CredentialValues, LiteLLMParams
from router.config.litellm_routing import WHAT, Routing, Settings
from router.config.litellm_upstreams import Upstreams
from router.config.part import Part, exposed, problem
from router.config.read_yaml import read_yaml
from router.config.response_cache import of_litellm
from router.contract import Finding
from router.settings import Deployment, Listen, Secret, Target

NAME = "litellm-config.yaml"


class _Loose(BaseModel):
    model_config = ConfigDict(extra="allow", protected_namespaces=())


class _Entry(_Loose):
    model_name: str
    litellm_params: LiteLLMParams
    model_info: dict[str, Any] = {}


class _General(_Loose):
    master_key: str | None = None
    #: LiteLLM's own: the status of a request over its budget
    budget_exceeded_status_code: int | None = Field(default=None, ge=400, le=499)


class _Credential(_Loose):
    credential_name: str
    credential_values: CredentialValues = CredentialValues()


class _File(_Loose):
    model_list: list[_Entry] = []
    router_settings: Settings = Settings()
    litellm_settings: Settings = Settings()
    general_settings: _General = _General()
    environment_variables: dict[str, Any] = {}
    credential_list: list[_Credential] = []


def find(flag: Path | None, directory: Path | None, config: Path) -> Path | None:
    """The file that counts: the one named, else in the working directory, else in the config
    folder. One that was named is returned even where it does not exist."""
    if flag is not None:
        return flag
    places = [folder / NAME for folder in (directory, config.parent) if folder is not None]
    return next((place for place in places if place.is_file()), None)


def read(
    path: Path,
    env: Mapping[str, str],
    taken: frozenset[str],
    listen: Listen,
    added: Path | None = None,
) -> Part:
    """The file's part. `taken` are provider names that others have; `listen` is where this router
    does; `added` is the file of models that were added over HTTP. Raises ConfigError."""
    written = read_all(path)
    whole = joined(written)
    part = Part(document=whole, follows=tuple(one.file for one in written[1:]))
    for one in written:
        for place, first in one.repeated.items():
            text = f"is written twice (first in line {first}): this one counts, as in LiteLLM"
            part.findings.append(problem(WHAT, one, text, *place))
    own = whole.data.get("environment_variables")
    if isinstance(own, dict):
        env = {**env, **{str(name): str(value) for name, value in own.items()}}

    documents = [_resolved(one, env, part) for one in written]
    included = [one.fit(_File) for one in documents[1:]]  # first: the whole has not their lines
    document = joined(documents)
    file = document.fit(_File)
    credentials = {one.credential_name: one.credential_values for one in file.credential_list}
    upstreams = Upstreams(document, part, env, taken, credentials, listen)
    routing = Routing(part, document, file.router_settings, file.litellm_settings)
    names = {entry.model_name for one in (file, *included) for entry in one.model_list}
    entries = [
        entry
        for one, said in zip(documents, (file, *included), strict=True)
        for entry in _entries(one, said, upstreams, routing, names)
    ]
    more = _more(added, env, upstreams, routing, part)
    if entries:
        entries += more
    else:
        part.added = _made(routing, more)
    deployments = _made(routing, entries)
    part.groups = routing.groups(deployments)
    part.retry = routing.retry()
    if file.litellm_settings.cache:
        part.cache = of_litellm(file.litellm_settings.cache_params)
        if file.litellm_settings.cache_params.type != "local":
            text = "answers are kept in the memory of this router, not there"
            where = document.where("litellm_settings", "cache_params", "type")
            part.findings.append(Finding(WHAT, where, "found", text))
    part.budgets = of_litellm_file(document, routing, upstreams.named)
    key = file.general_settings.master_key or env.get("LITELLM_MASTER_KEY", "")
    part.key = Secret("" if unresolved(key) else key)
    part.over_budget = file.general_settings.budget_exceeded_status_code
    part.findings += [finding for one in written for finding in exposed(WHAT, one)]
    part.findings += _unused(document, file, included)
    locked = "clients must show master_key" if part.key else "no client key"
    groups, served = len(deployments), sum(map(len, deployments.values()))
    text = f"{groups} model names on {served} deployments; {locked}"
    part.findings.insert(0, Finding(WHAT, str(path), "found", text))
    return part


def only_added(added: Path, env: Mapping[str, str], taken: frozenset[str], listen: Listen) -> Part:
    """The models that were added over HTTP, where there is no config.yaml. Raises ConfigError."""
    part, document = Part(), Document(str(added), {})
    routing = Routing(part, document, Settings(), Settings())
    upstreams = Upstreams(document, part, env, taken, {}, listen)
    part.added = _made(routing, _more(added, env, upstreams, routing, part))
    return part


def _entries(
    document: Document,
    file: _File,
    upstreams: Upstreams,
    routing: Routing,
    names: Collection[str],
) -> list[tuple[_Entry, Target]]:
    """Those of a model_list that can be called, each with what it calls. `names`: all there are."""
    upstreams.document = document
    found: list[tuple[_Entry, Target]] = []
    for index, entry in enumerate(file.model_list):
        at = ("model_list", index)
        params = entry.litellm_params = upstreams.filled(entry.litellm_params, at)
        params.timeout = params.timeout or routing.timeout
        every = is_every(params) and params.mock_response is None
        for one in _each(entry, upstreams, names, at) if every else (entry,):
            target = upstreams.target(one.litellm_params, one.model_info, at)
            if target is not None:
                found.append((one, target))
    return found


def _each(
    entry: _Entry, upstreams: Upstreams, names: Collection[str], at: tuple[str | int, ...]
) -> Iterator[_Entry]:
    """The entries that one with `model: "*"` stands for."""
    params, named = entry.litellm_params, False
    if wrong := unsaid(entry.model_name, params):
        upstreams.say(f"{wrong}: left out", *at, "litellm_params", "model")
        return
    info = {name: said for name, said in entry.model_info.items() if name != "id"}
    for name, model in each(entry.model_name, upstreams.env, upstreams.listen, names):
        named, one = True, params.model_copy(update={"model": model})
        yield entry.model_copy(
            update={"model_name": name, "litellm_params": one, "model_info": info}
        )
    if not named:
        text = "is every provider whose key is in the environment: none is there. Left out"
        upstreams.say(text, *at, "litellm_params", "model")


def _more(
    path: Path | None, env: Mapping[str, str], upstreams: Upstreams, routing: Routing, part: Part
) -> list[tuple[_Entry, Target]]:
    """What was added over HTTP."""
    if path is None or not path.is_file():
        return []
    document = _resolved(read_yaml(path), env, part)  # JSON is YAML, and so has lines
    file = document.fit(_File)
    text = f"{len(file.model_list)} models added over HTTP"
    part.findings.append(Finding(WHAT, str(path), "found", text))
    names = {entry.model_name for entry in file.model_list}
    return _entries(document, file, upstreams, routing, names)


def _resolved(document: Document, env: Mapping[str, str], part: Part) -> Document:
    """With the environment's values in the place of their names."""

    def missing(place: tuple[str | int, ...], name: str) -> None:
        text = f"{name} is not set in the environment"
        part.findings.append(problem(WHAT, document, text, *place))

    return replace(document, data=_nulls_out(os_environ(document.data, env, missing)))


def _nulls_out(value: Any) -> Any:
    """YAML's empty values away: a key with nothing after it says nothing."""
    if isinstance(value, dict):
        return {k: _nulls_out(v) for k, v in value.items() if v is not None}
    return value


def _made(
    routing: Routing, entries: Sequence[tuple[_Entry, Target]]
) -> dict[str, tuple[Deployment, ...]]:
    """The deployments by group. As LiteLLM's simple-shuffle a whole group is weighed by `weight`,
    else by `rpm`, else by `tpm`: by the first that any of it has."""
    groups: dict[str, list[tuple[_Entry, Target]]] = {}
    for entry, target in entries:
        groups.setdefault(entry.model_name, []).append((entry, target))
    made: dict[str, tuple[Deployment, ...]] = {}
    for name, members in groups.items():
        params = [entry.litellm_params for entry, _ in members]
        weights = next(
            (
                [getattr(one, measure) or 0.0 for one in params]
                for measure in ("weight", "rpm", "tpm")
                if any(getattr(one, measure) for one in params)
            ),
            [1.0] * len(members),
        )
        last = max((one.order for one in params if one.order is not None), default=0) + 1
        made[name] = tuple(
            entry.litellm_params.deployment(
                name,
                target,
                entry.model_info,
                weight=weight,
                last=last,
                keeps_limits=routing.keeps_limits,
                counted=routing.strategy() in ("least-busy", "latency", "usage"),
                parallel=routing.said("default_max_parallel_requests"),
                stream_timeout=routing.said("stream_timeout"),
                drop_params=routing.said("drop_params"),
            )
            for (entry, target), weight in zip(members, weights, strict=True)
        )
    return made


def _unused(document: Document, file: _File, included: Sequence[_File]) -> list[Finding]:
    """What the files say and we do not follow."""
    findings = []
    odd = [key for key in file.model_extra or {} if key != "include"]
    for section in ("router_settings", "litellm_settings", "general_settings"):
        odd += [f"{section}.{key}" for key in getattr(file, section).model_extra or {}]
    entries = [entry for one in (file, *included) for entry in one.model_list]
    params = {key for entry in entries for key in entry.litellm_params.ignored()}
    odd += [f"litellm_params.{key}" for key in sorted(params)]
    if odd:
        findings.append(Finding(WHAT, document.file, "found", f"not used: {', '.join(odd)}"))
    return findings
