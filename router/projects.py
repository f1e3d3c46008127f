"""Which project a session belongs to, and so whose Router decides.

Claude Code writes each session to ~/.claude/projects/PROJECT/SESSION.jsonl: that the file is there
is all that is asked, never what is in it. Asked in a thread, once for a session that was found; one
that was not is asked again a little later. Its file is written after its first request, so until
then the folder counts that Claude Code's prompt says it works in: a session must not begin with
another model than it goes on with.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from router.messages import Part, Request, Text
from router.settings import Generation, Personal, Preset, Provider, Routes
from storage.home import user_home

#: sessions remembered
REMEMBERED = 2_000
#: seconds until a session that was not found is looked for again
AGAIN = 3.0
#: what may become part of a path
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
#: in the environment that Claude Code describes, to be among its own words and not the user's
_WORKS_IN = re.compile(r"[Ww]orking directory: *(\S[^\n<]*)")
_OTHER = re.compile(r"[^A-Za-z0-9]")


class Projects:
    """`transcripts` is Claude Code's folder of projects."""

    def __init__(self, transcripts: Path | None = None) -> None:
        self._transcripts = transcripts or user_home() / ".claude" / "projects"
        self._found: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._made: dict[str, Generation] = {}
        self._base: Generation | None = None

    async def generation(
        self, base: Generation, personal: Personal, session: str, request: Request | None = None
    ) -> Generation:
        """`base` with the Router that this session has; `base` itself where it has none. `request`:
        where a session may be known by the folder that it says it works in."""
        routes = personal.sessions.get(session)
        if routes is None and personal.projects and _ID.fullmatch(session):
            project = await self._project(session, tuple(personal.projects))
            if not project and request is not None:
                project = folder_of(request)
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


def folder_of(request: Request) -> str:
    """The name that Claude Code gives to the project it works in; "" where it does not say."""
    told: list[Part] = [*request.system]
    for message in request.messages:
        if message.role == "system":
            told += message.parts
    for part in told:
        if isinstance(part, Text) and (found := _WORKS_IN.search(part.text)):
            return _OTHER.sub("-", found[1].strip())
    return ""
