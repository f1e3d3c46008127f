"""The routes as a person sees and edits them: the rules in words, and edits that can be undone.

One rule: an edit is written only on a person's command, into pointsman.toml or, where they say so,
into CCR's config.json, and is taken back by itself when the router cannot take the file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from router.config import edit, edit_json5
from router.contract import Edited, EditRoutes, OverrideView, Refused, Routes, RuleView
from router.overrides import problem
from router.rules import CCR, TABLE
from router.settings import SCENARIOS, Generation, Scenario, Target
from router.settings import Routes as Settings

if TYPE_CHECKING:
    from router.service import Router

#: edits that can be taken back
KEPT = 20

_SCENARIO_OF: Mapping[str, Scenario] = {
    "image": "image",
    "longContext": "longContext",
    "background": "background",
    "webSearch": "webSearch",
    "think": "think",
    "tool": "tool",
    "coder": "coder",
    "default": "default",
}


def shown(generation: Generation, overrides: Sequence[OverrideView], file: str) -> Routes:
    """The CCR plane's rules in the order they are asked; complexity is two lines, one for each of
    its scenarios."""
    routes = generation.routes
    rules: list[RuleView] = []
    for rule in CCR if not routes.strict else TABLE:
        if rule.name == "complexity":
            rules += [
                _line("complexity", _when("simple", routes), "simple", generation, overrides),
                _line("complexity", _when("complex", routes), "complex", generation, overrides),
            ]
            continue
        scenario = _SCENARIO_OF.get(rule.name, "")
        rules.append(_line(rule.name, _when(rule.name, routes), scenario, generation, overrides))
    return Routes(tuple(rules), routes.strict, routes.source, file)


def _line(
    name: str,
    when: str,
    scenario: str,
    generation: Generation,
    overrides: Sequence[OverrideView],
) -> RuleView:
    targets: Mapping[str, Target] = {str(k): v for k, v in generation.routes.targets.items()}
    target = targets.get(scenario)
    over = next((o.target for o in overrides if o.scope == f"scenario:{scenario}"), "")
    return RuleView(name, when, scenario, str(target) if target else "", over)


def _when(name: str, routes: Settings) -> str:
    words = {
        "forced": "an operator's forced override",
        "header": "the header x-pointsman-model",
        "/model": "/model provider,model in the prompt",
        "override": "an operator's override",
        "custom": "your own router (CUSTOM_ROUTER_PATH)",
        "model": "the body names provider,model",
        "image": "an image not seen before",
        "longContext": f"more than {routes.long_context_threshold:,} tokens",
        "subagent": "a subagent's tag",
        "context": "the client names the scenario",
        "background": "a haiku, or a side call",
        "webSearch": "a web search tool",
        "think": f"high effort, or ≥ {routes.think_budget:,} tokens to think",
        "tool": "tools that the client runs",
        "coder": "code in the prompt",
        "simple": "a simple prompt",
        "complex": "a complex prompt",
        "named": "a provider serves that family by name",
        "default": "everything else",
    }
    return words.get(name, "")


def edited_targets(generation: Generation, targets: Mapping[str, str]) -> dict[Scenario, Target]:
    """All targets with the edits put over them. Raises ValueError that says what is wrong."""
    result = dict(generation.routes.targets)
    for scenario, text in targets.items():
        if scenario not in SCENARIOS:
            raise ValueError(f"no scenario {scenario!r}; there are: {', '.join(SCENARIOS)}")
        if not text:
            if scenario == "default":
                raise ValueError("default needs a target: it takes what no rule takes")
            result.pop(scenario, None)
            continue
        if wrong := problem(text, generation):
            raise ValueError(f"{scenario}: {wrong}")
        target = Target.parse(text)
        assert target is not None
        result[scenario] = target
    return result


class _Edit(NamedTuple):
    path: Path
    before: str | None
    after: str
    words: str


class Edits:
    """The edits of one router's life: written, and taken back in their reverse order."""

    def __init__(self) -> None:
        self._done: list[_Edit] = []
        #: two consoles that edit at once would each write over the other's
        self._turn = asyncio.Lock()

    @property
    def newest(self) -> str:
        """In words; "" when there is nothing to take back."""
        return self._done[-1].words if self._done else ""

    async def edit(self, router: Router, action: EditRoutes) -> Edited | Refused:
        async with self._turn:
            return await self._edit(router, action)

    async def undo(self, router: Router) -> Edited | Refused:
        async with self._turn:
            return await self._undo(router)

    async def _edit(self, router: Router, action: EditRoutes) -> Edited | Refused:
        ccr = action.ccr and router.home.ccr_json.exists()
        path = router.home.ccr_json if ccr else router.home.toml
        with_targets = edit_json5.with_targets if ccr else edit.with_targets
        try:
            edited = edited_targets(router.generation, action.targets)
            before = await asyncio.to_thread(edit.read, path)
            after = with_targets(before or "", action.targets)
        except ValueError as error:
            return Refused(str(error))
        except OSError as error:
            return Refused(f"{path} cannot be read: {error.strerror}")
        made = Edited(str(path), edit.diff(before or "", after, path.name), applied=False)
        if action.dry or not made.diff:
            return msgspec.structs.replace(made, message="" if made.diff else "nothing changes")
        words = ", ".join(f"{s} → {t or 'none'}" for s, t in action.targets.items())
        meant = {name: edited.get(name) for name in SCENARIOS if name in action.targets}
        return await self._put(router, _Edit(path, before, after, words), made, meant)

    async def _put(
        self, router: Router, one: _Edit, made: Edited, meant: Mapping[Scenario, Target | None]
    ) -> Edited | Refused:
        path = one.path
        try:
            await asyncio.to_thread(edit.write, path, one.after, one.before)
            refused = await router.reload()
            now = router.generation.routes.targets
            if not refused and any(now.get(name) != target for name, target in meant.items()):
                refused = f"{router.home.toml} decides there: `pointsman routes set`"
            if refused:
                await asyncio.to_thread(edit.put_back, path, one.before)
                await router.reload()
                return Refused(f"not taken, the file is as it was: {refused}")
        except edit.ChangedError as error:
            return Refused(str(error))
        except OSError as error:
            return Refused(f"{path} cannot be written: {error.strerror}")
        self._done = [*self._done[-KEPT + 1 :], one]
        return msgspec.structs.replace(made, applied=True, message=one.words)

    async def _undo(self, router: Router) -> Edited | Refused:
        if not self._done:
            return Refused("there is no edit of this router's life to take back")
        path, before, after, words = self._done[-1]
        try:
            if await asyncio.to_thread(edit.read, path) != after:
                return Refused(f"{path} was changed since: take the edit back by hand")
            await asyncio.to_thread(edit.put_back, path, before)
        except OSError as error:
            return Refused(f"{path} cannot be written: {error.strerror}")
        self._done.pop()
        if refused := await router.reload():
            return Refused(refused)
        diff = edit.diff(after, before or "", path.name)
        return Edited(str(path), diff, applied=True, message=f"taken back: {words}")
