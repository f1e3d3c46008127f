"""Edits of the routes: written into pointsman.toml or CCR's config.json, and taken back.

One rule: the file is written only on a person's command, and put back by itself when the router
cannot take it. What an edit replaced is kept beside the ledger, as private as the file itself, so
that it can be taken back after a restart too.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct

from router.config import edit, edit_json5
from router.contract import AddModels, Edited, EditRoutes, Refused
from router.control.routes import edited, places
from router.settings import SCENARIOS

if TYPE_CHECKING:
    from router.service import Router

#: edits that can be taken back
KEPT = 20


class _Done(Struct, frozen=True):
    """Which file, its text before (None: there was none), a digest of it after; in words."""

    file: Literal["toml", "ccr"]
    before: str | None
    after: str
    words: str


class Edits:
    """`path` holds those that can be taken back, oldest first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done = _read(path)
        #: two consoles that edit at once would each write over the other's
        self._turn = asyncio.Lock()

    @property
    def newest(self) -> str:
        """In words; "" when there is nothing to take back."""
        return self._done[-1].words if self._done else ""

    async def edit(self, router: Router, action: EditRoutes) -> Edited | Refused:
        async with self._turn:
            return await self._edit(router, action)

    async def add(self, router: Router, action: AddModels) -> Edited | Refused:
        """A provider's models, into CCR's config.json."""
        async with self._turn:
            path = router.home.ccr_json
            fresh: dict[str, Any] = {"api_base_url": action.api_base_url, "api_key": action.api_key}
            if action.transformers:
                fresh["transformer"] = {"use": list(action.transformers)}
            if not any(fresh.values()):
                fresh = {}
            targets = [f"{action.provider},{model}" for model in action.models]
            if not action.provider or not all(action.models) or not targets:
                return Refused("a provider's name and those of its models are needed")
            try:
                before = await asyncio.to_thread(edit.read, path)
                after = edit_json5.with_models(
                    before or "{}\n", action.provider, action.models, fresh
                )
            except ValueError as error:
                return Refused(str(error))
            except OSError as error:
                return Refused(f"{path} cannot be read: {error.strerror}")
            made = Edited(str(path), (), applied=False)  # the difference would show the key
            if after == before:
                return msgspec.structs.replace(made, message="nothing changes")
            words = f"added {', '.join(targets)}"

            def missing() -> str:
                known = router.generation.targets()
                lost = [target for target in targets if target not in known]
                return f"{', '.join(lost)} would not be served: {_why(router)}" if lost else ""

            done = _Done("ccr", before, _digest(after), words)
            return await self._put(router, path, after, done, made, missing)

    async def undo(self, router: Router) -> Edited | Refused:
        async with self._turn:
            return await self._undo(router)

    async def _edit(self, router: Router, action: EditRoutes) -> Edited | Refused:
        ccr = action.ccr and router.home.ccr_json.exists()
        path = router.home.ccr_json if ccr else router.home.toml
        edits = action.edits
        try:
            meant = edited(router.generation, edits)
            before = await asyncio.to_thread(edit.read, path)
            if not ccr:
                after = edit.with_routes(before or "", places(edits))
            elif others := [name for name in edits if name not in SCENARIOS]:
                return Refused(f"{path} takes targets alone, not {', '.join(others)}")
            else:
                after = edit_json5.with_targets(before or "", edits)
        except ValueError as error:
            return Refused(str(error))
        except OSError as error:
            return Refused(f"{path} cannot be read: {error.strerror}")
        made = Edited(str(path), edit.diff(before or "", after, path.name), applied=False)
        if action.dry or not made.diff:
            return msgspec.structs.replace(made, message="" if made.diff else "nothing changes")
        words = ", ".join(f"{what} → {text or 'none'}" for what, text in edits.items())
        done = _Done("ccr" if ccr else "toml", before, _digest(after), words)
        wanted = {name: meant.targets.get(name) for name in SCENARIOS if name in edits}

        def missing() -> str:
            now = router.generation.routes.targets
            lost = any(now.get(name) != target for name, target in wanted.items())
            return f"{router.home.toml} decides there: `pointsman routes set`" if lost else ""

        return await self._put(router, path, after, done, made, missing)

    async def _put(
        self,
        router: Router,
        path: Path,
        after: str,
        done: _Done,
        made: Edited,
        missing: Callable[[], str],
    ) -> Edited | Refused:
        """`missing` says, once the files are read again, why an edit is not in force."""
        try:
            await asyncio.to_thread(edit.write, path, after, done.before)
            if refused := await router.reload() or missing():
                await asyncio.to_thread(edit.put_back, path, done.before)
                await router.reload()
                return Refused(f"not taken, the file is as it was: {refused}")
        except edit.ChangedError as error:
            return Refused(str(error))
        except OSError as error:
            return Refused(f"{path} cannot be written: {error.strerror}")
        await self._keep([*self._done[-KEPT + 1 :], done])
        return msgspec.structs.replace(made, applied=True, message=done.words)

    async def _undo(self, router: Router) -> Edited | Refused:
        if not self._done:
            return Refused("there is no edit of the routes to take back")
        done = self._done[-1]
        path = router.home.ccr_json if done.file == "ccr" else router.home.toml
        try:
            after = await asyncio.to_thread(edit.read, path)
            if after is None or _digest(after) != done.after:
                return Refused(f"{path} was changed since: take the edit back by hand")
            await asyncio.to_thread(edit.put_back, path, done.before)
        except OSError as error:
            return Refused(f"{path} cannot be written: {error.strerror}")
        await self._keep(self._done[:-1])
        if refused := await router.reload():
            return Refused(refused)
        diff = edit.diff(after, done.before or "", path.name)
        return Edited(str(path), diff, applied=True, message=f"taken back: {done.words}")

    async def _keep(self, done: list[_Done]) -> None:
        """On a full disk they are kept as long as the router lives."""
        self._done = done
        text = msgspec.json.encode(done).decode()
        try:
            await asyncio.to_thread(edit.put_back, self._path, text if done else None)
        except OSError:
            return


def _read(path: Path) -> list[_Done]:
    """Nothing where there is no such file, or another version wrote it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[_Done])
    except (OSError, msgspec.DecodeError):
        return []


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _why(router: Router) -> str:
    """The newest problem of CCR's file, as start-up would tell it."""
    said = [
        finding.detail
        for finding in router.generation.findings
        if finding.state == "problem" and finding.where.startswith(str(router.home.ccr_json))
    ]
    return said[-1] if said else "it was left out"
