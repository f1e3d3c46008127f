"""LiteLLM's litellm_params: which provider a deployment means.

Deployments that share address, key and headers share one Provider, so that its health and its
cooldown are one thing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from router.config import cloud
from router.config.document import Document
from router.config.endpoints import (
    OPENAI,
    RESPONSES,
    Endpoint,
    from_base,
    keyless,
    problem_of,
    shown_by,
)
from router.config.interpolate import unresolved
from router.config.litellm_bases import moved
from router.config.litellm_params import CLOUD, CredentialValues, LiteLLMParams
from router.config.part import Part, problem
from router.prices.map import read as read_price
from router.providers import KINDS, Kind, kind_of, litellm_kind
from router.settings import Listen, Price, Provider, Secret, Target, Timeouts

WHAT = "LiteLLM config"
_RESPONSES = "responses/"

#: the provider that stands in for canned answers; made by `load`
SIMULATOR = "simulator"

#: which of Bedrock's APIs LiteLLM should ask: here it is the one of the model's family
_BEDROCK_API = re.compile(r"^(converse|converse_like|invoke)/")
#: LiteLLM's, where neither the file nor AZURE_API_VERSION names one
_AZURE_VERSION = "2025-02-01-preview"


class Upstreams:
    """Makes the providers that a model_list needs, each once, into `part.providers`."""

    def __init__(
        self,
        document: Document,
        part: Part,
        env: Mapping[str, str],
        taken: frozenset[str],
        credentials: Mapping[str, CredentialValues],
        listen: Listen,
    ) -> None:
        #: whose entries are being read
        self.document = document
        #: the environment, with what the file puts into it
        self.env = env
        self.listen = listen
        self._part = part
        self._doubted: set[str] = set()  # variables of which it was told
        self._taken = taken
        self._credentials = credentials
        self._made: dict[tuple[Any, ...], str] = {}
        #: by LiteLLM's provider, whatever the address: the names of what it became
        self.named: dict[str, list[str]] = {}

    def filled(self, params: LiteLLMParams, at: tuple[str | int, ...]) -> LiteLLMParams:
        """With what the credential that it names says, and it does not say itself."""
        name = params.litellm_credential_name
        if name is None:
            return params
        if name not in self._credentials:
            text = f"no credential is called {name[:100]}"
            self.say(text, *at, "litellm_params", "litellm_credential_name")
            return params
        both = self._credentials[name].model_dump(exclude_unset=True)
        return LiteLLMParams.model_validate(both | params.model_dump(exclude_unset=True))

    def target(
        self, params: LiteLLMParams, info: Mapping[str, Any], at: tuple[str | int, ...]
    ) -> Target | None:
        """The provider and model of one deployment; None, with a finding, if we cannot call it."""
        at = (*at, "litellm_params")
        kind, model = self._kind(params)
        # LiteLLM's own way to say it: openai/responses/gpt-6
        responses = model.startswith(_RESPONSES) or info.get("mode") == "responses"
        model = model.removeprefix(_RESPONSES)
        for place, pattern in enumerate(params.tag_regex):
            try:
                re.compile(pattern)
            except re.error as error:
                text = f"is no regular expression: {error}"
                raise self.document.error(text, *at, "tag_regex", place) from None
        if params.drop_params not in (None, True, False):
            counts = "true" if params.drop_params else "false"
            text = f"should be true or false: it counts as {counts}. Fields by name: "
            text += "additional_drop_params"
            self.say(text, *at, "drop_params")
        if params.mock_response is not None:
            if not isinstance(params.mock_response, str):
                text = "is no text: the simulator answers, in its own words"
                self.say(text, *at, "mock_response")
            return Target(SIMULATOR, model)
        if kind is None:
            self.say(f"{_unspoken(params.model)}: left out", *at, "model")
            return None
        if kind.sign_in:
            return self._clouded(params, kind, model, info, at)
        base = self._base(params, kind, at) or kind.base
        where = "api_base" if params.api_base else "base_url" if params.base_url else "model"
        if not base:
            self.say("needs an api_base: left out", *at, "model")
            return None
        if wrong := _misplaced(base):
            self.say(f"{wrong}: left out", *at, where)
            return None
        provider = self._provider(params, kind, base, at, responses=responses)
        self._learn(provider, model, params, info)
        self._name_of(kind, provider)
        return Target(provider, model)

    def _clouded(
        self,
        params: LiteLLMParams,
        kind: Kind,
        model: str,
        info: Mapping[str, Any],
        at: tuple[str | int, ...],
    ) -> Target | None:
        """In a cloud, as LiteLLM's parameters say which part of it."""
        if kind.name == "vertex" and "claude" in model:
            kind = KINDS["vertex-claude"]
        elif kind.name == "bedrock":
            kind = kind if "claude" in model else KINDS["bedrock-openai"]
            model = _BEDROCK_API.sub("", model)
        extra = params.model_extra or {}
        said = {ours: str(extra[theirs]) for theirs, ours in CLOUD.items() if extra.get(theirs)}
        said = {name: value for name, value in said.items() if not unresolved(value)}
        told = cloud.places(kind, said, self.env)
        base = self._base(params, kind, at)
        if base and (wrong := _misplaced(base)):
            self.say(f"{wrong}: left out", *at, "api_base" if params.api_base else "base_url")
            return None
        key = params.api_key or next((self.env[k] for k in kind.keys if self.env.get(k)), "")
        key = "" if unresolved(key) else key
        try:
            auth = cloud.auth(kind, key)
            if kind.name == "azure" and base:
                usual = self.env.get("AZURE_API_VERSION") or _AZURE_VERSION
                endpoint = _azure(base, str(extra.get("api_version") or ""), usual)
            else:
                endpoint = cloud.endpoint(kind, base, told)
        except cloud.UnplacedError as error:
            self.say(f"{error}: left out", *at, "model")
            return None
        identity = (kind.name, endpoint.url, key, tuple(sorted(told.items())))
        name = self._made.get(identity)
        if name is None:
            name = self._made[identity] = self._name(kind, endpoint.base)
            made = Provider(
                name=name,
                format=endpoint.format,
                url=endpoint.url,
                base=endpoint.base,
                key=Secret(key),
                auth=auth,
                kind=kind.name,
                source=self.document.file,
                stream_url=endpoint.stream_url,
            )
            self._part.providers[name] = cloud.settled(made, told)
        self._learn(name, model, params, info)
        self._name_of(kind, name)
        return Target(name, model)

    def _base(self, params: LiteLLMParams, kind: Kind, at: tuple[str | int, ...]) -> str:
        """The entry's address, else the environment's; "" for the usual one."""
        if said := params.api_base or params.base_url:
            return said
        place = moved(kind, self.env, self.listen)
        if place.problem and place.variable not in self._doubted:
            self._doubted.add(place.variable)
            self.say(f"{place.problem}: the usual address is used", *at, "model")
        return place.base

    def _name_of(self, kind: Kind, provider: str) -> None:
        names = self.named.setdefault(kind.name, [])
        if provider not in names:
            names.append(provider)

    def say(self, text: str, *path: str | int) -> None:
        self._part.findings.append(problem(WHAT, self.document, text, *path))

    def _kind(self, params: LiteLLMParams) -> tuple[Kind | None, str]:
        """By custom_llm_provider, by the prefix before the slash, by the family of the name."""
        if params.custom_llm_provider:
            name = params.custom_llm_provider
            return litellm_kind(name), params.model.removeprefix(name + "/")
        prefix, slash, model = params.model.partition("/")
        if slash and (kind := litellm_kind(prefix)):
            return kind, model
        if not slash:
            families = ((k, f) for k in KINDS.values() for f in k.families)
            kind = next((k for k, f in families if params.model.startswith(f)), None)
            if kind is None and params.api_base:
                kind = KINDS["compatible"]
            return kind, params.model
        return None, params.model

    def _provider(
        self,
        params: LiteLLMParams,
        kind: Kind,
        base: str,
        at: tuple[str | int, ...],
        *,
        responses: bool,
    ) -> str:
        key = params.api_key or next((self.env[k] for k in kind.keys if self.env.get(k)), "")
        if unresolved(key):
            key = ""  # the name that is not set was reported
        elif not key and kind.auth != "none" and not keyless(base):
            self.say("has no api_key: it will most likely refuse every request", *at, "model")
        format = RESPONSES if responses and kind.format == OPENAI else kind.format
        endpoint = from_base(base, format)
        said = {}
        if params.organization and kind.format == OPENAI:
            said["OpenAI-Organization"] = params.organization
        headers = tuple(sorted({**said, **params.extra_headers}.items()))
        identity = (kind.name, endpoint.url, key, headers, params.timeout)
        if identity in self._made:
            return self._made[identity]
        name = self._name(kind, base)
        # "openai/x" at another address is some compatible server, not OpenAI
        apart = kind.name == "openai" and base.rstrip("/") != kind.base
        told = kind_of(endpoint.url) if apart else kind
        usual = Timeouts()
        self._part.providers[name] = Provider(
            name=name,
            format=endpoint.format,
            url=endpoint.url,
            base=endpoint.base,
            key=Secret(key),
            auth=shown_by(kind, endpoint) if key else "none",
            kind=told.name,
            local=told.local and keyless(base),
            headers=headers,
            timeouts=replace(usual, first_byte=params.timeout, idle=params.timeout)
            if params.timeout
            else usual,
            source=self.document.file,
            stream_url=endpoint.stream_url,
        )
        self._made[identity] = name
        return name

    def _name(self, kind: Kind, base: str) -> str:
        """The kind's name at its usual address, else the host; numbered where that is taken."""
        parts = urlsplit(base)
        name = kind.name if base.rstrip("/") == kind.base else parts.netloc
        number, unique = 1, name
        while unique in self._part.providers or unique.casefold() in self._taken:
            number += 1
            unique = f"{name}-{number}"
        return unique

    def _learn(self, name: str, model: str, params: LiteLLMParams, info: Mapping[str, Any]) -> None:
        """Adds the model, its price and what it can hold to its provider."""
        provider = self._part.providers[name]
        models = provider.models
        if model not in models and "*" not in model:
            models = (*models, model)
        prices = dict(provider.prices)
        if (told := _price(params, info)) is not None:
            prices[model] = told
        context = dict(provider.context)
        if isinstance(most := info.get("max_input_tokens"), int):
            context[model] = most
        self._part.providers[name] = replace(
            provider, models=models, prices=prices, context=context
        )


def _unspoken(model: str) -> str:
    """Why nobody can be asked for it."""
    if unresolved(model):
        return "its variable is not set"
    return f"{model.partition('/')[0]}: this provider is not spoken"


def _misplaced(base: str) -> str:
    return "its variable is not set" if unresolved(base) else problem_of(base)


def _azure(base: str, version: str, usual: str) -> Endpoint:
    """Azure by the resource's address: the v1 API where its path or version says so, else the older
    one, a path for each deployment, as LiteLLM asks it: a gateway before it may know no other."""
    bare = base.rstrip("/")
    root = bare.removesuffix("/openai/v1").removesuffix("/openai")
    version = version or ("v1" if bare.endswith("/openai/v1") else usual)
    if version in ("v1", "preview", "latest"):
        return from_base(f"{root}/openai/v1", OPENAI)
    path = f"{root}/openai/deployments/{{model}}"
    return Endpoint(OPENAI, f"{path}/chat/completions?api-version={version}", path)


def _price(params: LiteLLMParams, info: Mapping[str, Any]) -> Price | None:
    """LiteLLM's dollars per token, of whichever of the two has them; None where neither does."""
    told = {**info, **params.model_dump(exclude_none=True)}
    return read_price(told, "LiteLLM config")
