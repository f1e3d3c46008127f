"""The CCR plane: which model a scenario goes to, and what is asked before the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from router.settings.providers import Provider, Target

Scenario = Literal[
    "default",
    "background",
    "think",
    "longContext",
    "webSearch",
    "image",
    "tool",
    "coder",
    "simple",
    "complex",
]
SCENARIOS: tuple[Scenario, ...] = get_args(Scenario)


@dataclass(frozen=True, slots=True)
class Routes:
    """The CCR plane: a target per scenario. `strict` follows CCR 1.x/2.x to the letter."""

    targets: Mapping[Scenario, Target] = field(default_factory=dict)
    long_context_threshold: int = 60_000
    #: `think` needs at least this budget or effort "high": today's clients always ask for thinking
    think_budget: int = 16_000
    think_efforts: tuple[str, ...] = ("high", "max", "xhigh")
    strict: bool = False
    fallback: Mapping[Scenario, tuple[Target, ...]] = field(default_factory=dict)
    #: model-name prefix → provider that serves those models under their own names
    named: Mapping[str, str] = field(default_factory=dict)
    source: str = "the usage guide"
    from_file: bool = False  # a person's own, not made of what stands in or of keys
    #: these are a project's or a session's own
    personal: bool = False
    #: strict: where a request goes that CCR's rules throw at, if that is not the default here
    thrown: Target | None = None


@dataclass(frozen=True, slots=True)
class Personal:
    """Routes of single projects, by the name of their folder, and of single sessions, by id."""

    projects: Mapping[str, Routes]
    sessions: Mapping[str, Routes]


@dataclass(frozen=True, slots=True)
class Preset:
    """A configuration of its own, at /preset/NAME. `providers` by the name that `routes` call them
    by; their own names say whose they are ("deepseek@NAME")."""

    providers: Mapping[str, Provider]
    routes: Routes


@dataclass(frozen=True, slots=True)
class CustomRouter:
    """A person's own routing function. `stamp` differs whenever the file was written; `config` is
    CCR's config.json as JSON, which the function is handed."""

    path: str
    language: Literal["python", "javascript"]
    stamp: str
    config: bytes = field(repr=False)  # it holds keys
    seconds: float = 2.0  # it may take


@dataclass(frozen=True, slots=True)
class Hooks:
    """What CCR's config.json asks for before the rules. Nothing of it: there is no Hooks."""

    personal: Personal | None = None
    custom: CustomRouter | None = None
    #: REWRITE_SYSTEM_PROMPT: the text itself
    system_prompt: str | None = None
    presets: Mapping[str, Preset] | None = None
    #: forceUseImageAgent: pictures are put into words by the Router's image model
    image_agent: bool = False
