"""An operator at work on a real router: pauses a session, edits the routes and takes that back, and
checks a provider. One router for all of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from console.conformance import CHECKS, Found, run
from console.link import Link
from router.contract import (
    ClearCooldown,
    Done,
    Edited,
    EditRoutes,
    ListModels,
    Models,
    Pause,
    Refused,
    Replayed,
    ReplayRoutes,
    Resume,
    Routes,
    ShowRoutes,
    UndoRoutes,
)
from storage.home import home
from tests.harness import Running, running

SESSION = "11111111-2222-3333-4444-555555555555"
BODY = {
    "max_tokens": 30,
    "messages": [{"role": "user", "content": "hello there"}],
    "metadata": {"user_id": f"user_x_account__session_{SESSION}"},
}
MINE = '# mine\n[log]\nlevel = "info" # chatty\n'


def text(file: Path) -> str:
    return file.read_text()


async def _ask(router: Running, **more: Any) -> Any:
    return await asyncio.to_thread(router.post, "/ccr/v1/messages", BODY | more)


async def test_an_operator_at_work(tmp_path: Path) -> None:
    (tmp_path / "pointsman.toml").write_text(MINE)
    with running(tmp_path) as router:
        link = Link(home({"POINTSMAN_HOME": str(tmp_path)}))
        try:
            assert (await _ask(router)).status_code == 200
            await pausing(router, link)
            await routing(router, link, tmp_path / "pointsman.toml")
            await checking(router, link)
        finally:
            await link.close()


async def pausing(router: Running, link: Link) -> None:
    assert isinstance(await link.act(Pause("")), Refused)
    mistyped = await link.act(Pause(SESSION + "x"))
    assert isinstance(mistyped, Refused)
    assert "is known: " in mistyped.message
    assert isinstance(await link.act(Pause(SESSION, by="ana")), Done)
    assert (await link.snapshot()).paused == (SESSION,)
    refused = await _ask(router)
    assert refused.status_code == 503
    assert refused.json()["type"] == "error"
    assert "paused this session" in refused.json()["error"]["message"]
    assert refused.headers["retry-after"] == "5"
    other = await _ask(router, metadata={"user_id": "somebody else"})
    assert other.status_code == 200
    assert isinstance(await link.act(Resume(SESSION)), Done)
    assert isinstance(await link.act(Resume(SESSION)), Refused)
    assert (await _ask(router)).status_code == 200


async def routing(router: Running, link: Link, file: Path) -> None:
    shown = await link.act(ShowRoutes())
    assert isinstance(shown, Routes)
    assert shown.rules[-1].name == "default"
    listed = await link.act(ListModels())
    assert isinstance(listed, Models)
    coder = next(m for m in listed.models if m.target == "deepseek,deepseek-coder")
    assert (coder.input, coder.output) == (140, 280)
    edit = {"default": coder.target}
    while True:  # the ledger has the newest request a moment after its answer
        found = await link.act(ReplayRoutes(edit))
        assert isinstance(found, Replayed)
        if found.requests >= 3:
            break
    assert found.moved == found.requests
    assert found.difference < 0
    dry = await link.act(EditRoutes(edit))
    assert isinstance(dry, Edited)
    assert not dry.applied
    assert text(file) == MINE
    done = await link.act(EditRoutes(edit, dry=False, by="ana"))
    assert isinstance(done, Edited)
    assert done.diff == dry.diff
    assert text(file).startswith(MINE)
    served = await _ask(router)
    assert served.headers["x-pointsman-model"] == coder.target
    assert isinstance(await link.act(EditRoutes({"default": "nobody,x"}, dry=False)), Refused)
    assert isinstance(await link.act(UndoRoutes(by="ana")), Edited)
    assert text(file) == MINE
    assert isinstance(await link.act(UndoRoutes()), Refused)


async def checking(router: Running, link: Link) -> None:
    found: list[Found] = [one async for one in run(router.front, "none", "deepseek,deepseek-chat")]
    assert [one.name for one in found] == [check.name for check in CHECKS]
    assert all(one.works for one in found), found
    judged = {check.name: check.judge({"content": [], "usage": {}}) for check in CHECKS}
    assert {name for name, (works, _) in judged.items() if works} == set()
    views = (await link.snapshot()).recent
    assert sum(view.client == "pointsman-check" for view in views) == len(CHECKS)
    assert isinstance(await link.act(ClearCooldown("deepseek")), Done)
    assert isinstance(await link.act(ClearCooldown("nobody")), Refused)
