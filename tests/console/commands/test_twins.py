"""What the console does, from a shell: lists, what-ifs, edits, pauses; data, words, exit codes."""

from __future__ import annotations

import json
import re

import msgspec
import pytest

from router.contract import (
    Cancel,
    ClearCooldown,
    ClearOverride,
    Dismiss,
    Done,
    EditRoutes,
    Pause,
    Refused,
    Resume,
    StopNeighbour,
)
from storage.home import Home
from tests.console import scene
from tests.console.commands.conftest import Invoke
from tests.console.fake_router import FakeRouter


async def test_what_can_be_read_can_be_read_without_a_router(here: Home, pointsman: Invoke) -> None:
    scene.fill(here.ledger)
    found = await pointsman("requests", "--session", "7f3c9a52", "-n", "3")
    assert found.exit_code == 0
    assert len(found.stdout.splitlines()) == 4
    assert "openrouter,anthropic/claude-sonnet-4.5" in found.stdout
    as_json = json.loads((await pointsman("requests", "--text", "mixtral", "--json")).stdout)
    assert {view["model"] for view in as_json} == {"mixtral-8x7b-32768"}
    tree = await pointsman("session", "list")
    assert "reviewer-2" in tree.stdout
    assert "91%" in tree.stdout
    lines = json.loads((await pointsman("session", "list", "--json", "-n", "1")).stdout)
    assert {line["session"] for line in lines} == {"7f3c9a52"}
    assert (await pointsman("routes")).exit_code == 3


async def test_a_session_is_known_by_the_beginning_of_its_id(here: Home, pointsman: Invoke) -> None:
    scene.fill(here.ledger)
    router = FakeRouter(msgspec.structs.replace(scene.SNAPSHOT, paused=("7f3c9a52", "older-1")))
    async with router.serving(here):
        listed = (await pointsman("session", "list")).stdout
        as_json = json.loads((await pointsman("session", "list", "--json")).stdout)
        found = await pointsman("requests", "--session", "7f3c", "-n", "3")
        await pointsman("session", "pause", "7f3c")
        await pointsman("session", "pause", "to-come")
        await pointsman("session", "resume", "older")
        await pointsman("override", "set", "a,b", "--session", "7f3")
    assert re.search(r"^7f3c9a52 .*main .* paused$", listed, re.M)
    assert re.search(r"^older-1 +paused$", listed, re.M)
    assert {line["session"] for line in as_json if line["paused"]} == {"7f3c9a52"}
    assert len(found.stdout.splitlines()) == 4
    named = [getattr(each, "session", "") or getattr(each, "scope", "") for each in router.actions]
    assert named == ["7f3c9a52", "to-come", "older-1", "session:7f3c9a52"]


async def test_questions_to_the_router(here: Home, pointsman: Invoke) -> None:
    async with FakeRouter(scene.SNAPSHOT).serving(here):
        models = await pointsman("models", "coder")
        assert "free" in models.stdout
        assert "0.14" in models.stdout
        assert "sonnet" not in models.stdout
        assert (await pointsman("models", "nonesuch")).exit_code == 1
        rules = await pointsman("routes")
        assert "more than 60,000 tokens" in rules.stdout
        assert "now deepseek,deepseek-reasoner" in rules.stdout
        assert json.loads((await pointsman("routes", "--json")).stdout)["strict"] is False
        what_if = await pointsman("routes", "what-if", "default=ollama-local,qwen2.5-coder:7b")
        assert "12 of 200 would move, ≈ −$0.8400" in what_if.stdout
        assert (await pointsman("routes", "what-if", "default")).exit_code == 2
        dry = await pointsman("routes", "set", "default=a,b", "--dry-run")
        assert '+default = "ollama-local,qwen2.5-coder:7b"' in dry.stdout
        assert "would be written to" in dry.stdout


@pytest.mark.parametrize(
    ("words", "kind", "held"),
    [
        (("session", "pause", "s1"), Pause, "s1"),
        (("session", "resume", "all"), Resume, "all"),
        (("cancel", "req_1"), Cancel, "req_1"),
        (("wake", "groq"), ClearCooldown, "groq"),
        (("override", "clear", "o1"), ClearOverride, "o1"),
        (("ssh", "kick", "v1"), Dismiss, "v1"),
        (("neighbours", "stop", "chat"), StopNeighbour, "chat"),
        (("routes", "set", "think="), EditRoutes, {"think": ""}),
    ],
)
async def test_changes_say_who_and_end_with_a_code(
    here: Home, pointsman: Invoke, words: tuple[str, ...], kind: type, held: object
) -> None:
    router = FakeRouter(scene.SNAPSHOT)
    router.answers.clear()
    async with router.serving(here):
        router.answer = lambda _: Refused("no: because")
        refused = await pointsman(*words)
        assert (refused.exit_code, refused.stderr) == (1, "no: because\n")
        router.answer = lambda _: scene.EDITED if kind is EditRoutes else Done("done so")
        done = await pointsman(*words)
        as_json = await pointsman(*words, "--json")
    assert (done.exit_code, as_json.exit_code) == (0, 0)
    assert json.loads(as_json.stdout)["type"] in ("Done", "Edited")
    action = router.actions[0]
    assert isinstance(action, kind)
    said = {name: getattr(action, name) for name in action.__struct_fields__}
    assert said["by"]
    assert held in said.values()
