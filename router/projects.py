"""Which project a session belongs to, and so whose Router decides.

Claude Code writes each session to ~/.claude/projects/PROJECT/SESSION.jsonl: that the file is there
is all that is asked, never what is in it. Asked in a thread, once for a session that was found; one
that was not is asked again a little later, since its file may be written after its first request.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from router.settings import Generation, Personal, Preset, Provider, Routes

#: sessions remembered
REMEMBERED = 2_000
#: seconds until a session that was not found is looked for again
AGAIN = 3.0
#: what may become part of a path
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


class Projects:
    """`transcripts` is Claude Code's folder of projects."""

    def __init__(self, transcripts: Path | None = None) -> None:
        self._transcripts = transcripts or Path.home() / ".claude" / "projects"
        self._found: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._made: dict[str, Generation] = {}
        self._base: Generation | None = None

    async def generation(self, base: Generation, personal: Personal, session: str) -> Generation:
        """`base` with the Router that this session has; `base` itself where it has none."""
        routes = personal.sessions.get(session)
        if routes is None and personal.projects and _ID.fullmatch(session):
            project = await self._project(session, tuple(personal.projects))
            routes = personal.projects.get(project)
        return base if routes is None else self._with(base, routes)

    def preset(self, base: Generation, preset: Preset) -> Generation:
        """`base` with a preset's Router, and its providers alone where it has any."""
        return self._with(base, preset.routes, preset.providers)

    def _with(
        self, base: Generation, routes: Routes, providers: Mapping[str, Provider] | None = None
    ) -> Generation:
        """Made once for each file: rules compare and cache by identity."""
        if self._base is not base:
            self._base, self._made = base, {}
        made = self._made.get(routes.source)
        if made is None:
            letter = routes.strict or base.routes.strict
            chosen = routes if routes.strict is letter else replace(routes, strict=letter)
            made = replace(base, routes=chosen, providers=providers or base.providers)
            self._made[routes.source] = made
        return made

    async def _project(self, session: str, names: Sequence[str]) -> str:
        now = asyncio.get_running_loop().time()
        known = self._found.get(session)
        if known is not None and (known[0] in names or (not known[0] and now < known[1])):
            return known[0]
        project = await asyncio.to_thread(self._look, session, names)
        self._found[session] = (project, now + AGAIN)
        if len(self._found) > REMEMBERED:
            self._found.popitem(last=False)
        return project

    def _look(self, session: str, names: Sequence[str]) -> str:
        file = f"{session}.jsonl"
        return next((n for n in names if (self._transcripts / n / file).is_file()), "")
