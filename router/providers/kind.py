"""The shape of a provider's data file. Its one rule: what a provider wants is data, never code.

A file `router/providers/NAME.py` holds one `KIND`; nothing else needs to know of it. Each value
that differs from the default stands beside a sentence of evidence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from router.settings import Auth

ReasoningField = Literal["reasoning_effort", "reasoning", "enable_thinking", "thinking", "none"]


@dataclass(frozen=True, slots=True)
class Quirks:
    """How one provider's dialect differs from the format's plain reading.

    The defaults describe a modest OpenAI-compatible server. All names of models are prefixes, to be
    compared without regard to case after the last "/" (`openai/gpt-oss-120b` is a `gpt-oss`).
    """

    #: where a wish for thinking goes: `reasoning_effort: "high"`, `reasoning: {effort|max_tokens}`,
    #: `enable_thinking: bool`, `thinking: {type, budget_tokens}`, or nowhere
    reasoning_field: ReasoningField = "none"
    #: only these models take that field (a refusal is a 400); empty: all of them
    reasoning_models: tuple[str, ...] = ()
    #: the levels it takes, weakest first; another level becomes the nearest one that is not weaker
    efforts: tuple[str, ...] = ("low", "medium", "high")
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    #: models that take only the newer of the two names
    newer_limit: tuple[str, ...] = ()
    #: stream_options.include_usage is accepted
    stream_usage: bool = True
    #: cache_control marks are understood; else they are taken out, but for Claude's models
    keeps_cache_control: bool = False
    #: thinking of earlier turns is sent back (as `reasoning_content`, or `reasoning_details`)
    replays_reasoning: bool = False
    #: prompt tokens in `usage` include the cached ones
    cached_inside_prompt: bool = True
    #: top-level body fields that the provider refuses
    drops: tuple[str, ...] = ()
    #: it checks every field: those of `drops` are left out of a body in its own format, too
    checks_fields: bool = False
    #: what it calls a field of OpenAI's
    renames: Mapping[str, str] = field(default_factory=dict)
    #: models that refuse temperature, top_p and the like
    fixed_sampling: tuple[str, ...] = ()
    #: keys that the provider refuses in a tool's JSON schema
    schema_drops: tuple[str, ...] = ()
    #: tool_choice "required" is accepted; else "auto" is what comes nearest
    tool_choice_required: bool = True
    #: stop sequences that are accepted at most
    most_stops: int = 4

    def takes_reasoning(self, model: str) -> bool:
        """Whether a wish for thinking may be put into a body for this model."""
        if self.reasoning_field == "none":
            return False
        return not self.reasoning_models or _among(model, self.reasoning_models)

    def limit_name(self, model: str) -> str:
        """What a body calls the most tokens of an answer."""
        if self.newer_limit and _among(model, self.newer_limit):
            return "max_completion_tokens"
        return self.max_tokens_field

    def keeps_marks(self, model: str) -> bool:
        """Whether cache_control goes up: what serves Claude in OpenAI's format passes it on, and
        without it no prompt is cached there."""
        return self.keeps_cache_control or "claude" in model.lower()

    def fixes_sampling(self, model: str) -> bool:
        """Whether temperature, top_p and penalties must stay out of a body for this model."""
        return bool(self.fixed_sampling) and _among(model, self.fixed_sampling)


#: parts of an address that stand for what an installation says
_PLACES = re.compile(r"\{(\w+)\}")


def _among(model: str, prefixes: tuple[str, ...]) -> bool:
    return model.rpartition("/")[2].lower().startswith(prefixes)


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of provider. `base` has no trailing slash; `base + path` completes a chat."""

    name: str
    title: str  # for people
    #: what the catalogue of prices calls it, where that is another name
    catalogue: str = ""
    #: its name in OpenTelemetry's GenAI conventions, where they have one, which then must be used
    telemetry: str = ""
    base: str = ""  # "" where every installation has its own
    path: str = "/chat/completions"
    format: str = "openai_chat"
    auth: Auth = "bearer"
    #: other formats that it speaks, and their paths behind `base`, for clients of those formats
    also: Mapping[str, str] = field(default_factory=dict)
    #: where streams are asked for, if not at `path`
    stream_path: str = ""
    #: the sign-in that stands for a key where there is none: see router/signing
    sign_in: Literal["", "aws", "google", "azure"] = ""
    #: further hosts that are its own ("*" for any part); those of `base` are known
    hosts: str = ""
    #: changes that every body needs: names of router/providers/adjustments.py
    adjust: tuple[str, ...] = ()
    #: environment variables that hold its key, first one set wins
    keys: tuple[str, ...] = ()
    #: environment variable that moves its base, only where the vendor documents one
    base_env: str = ""
    #: model names that begin so are this provider's own
    families: tuple[str, ...] = ()
    #: the model for hard work, and the one for small work
    flagship: str = ""
    small: str = ""
    #: others worth offering in a list to choose from
    models: tuple[str, ...] = ()
    #: what LiteLLM calls it before the slash of a model's name
    litellm: tuple[str, ...] = ()
    #: on this machine as a rule: free, and slow to the first byte
    local: bool = False
    quirks: Quirks = field(default_factory=Quirks)

    @property
    def url(self) -> str:
        return self.base + self.path if self.base else ""

    @property
    def needs(self) -> tuple[str, ...]:
        """What its address is made of and each installation says itself: ("region",)."""
        return tuple(dict.fromkeys(_PLACES.findall(self.base)))

    @property
    def offered(self) -> tuple[str, ...]:
        """Models for a list to choose from, without repeats, best first."""
        return tuple(dict.fromkeys(m for m in (self.flagship, self.small, *self.models) if m))
