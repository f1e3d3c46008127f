"""What config.json asks for before the rules: Router files of projects and sessions, a function of
one's own, a system prompt."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from router.config import watch
from router.config.ccr_personal import MOST
from router.messages import Message, Request, Role, Text
from router.projects import Projects
from router.settings import Generation, Target
from tests.router.config.conftest import House, said

PROVIDER = {"name": "p", "api_base_url": "https://h.test/v1/chat/completions", "api_key": "k"}


def put(house: House, *, file: dict[str, Any] | None = None, **beside: Any) -> Path:
    """config.json with `file` in it; `beside` are paths in its folder, "__" standing for "/"."""
    folder = house.home.ccr
    base = {"Providers": [PROVIDER], "Router": {"default": "p,m", "background": "p,bg"}}
    house.write(ccr=json.dumps({**base, **(file or {})}))
    for name, text in beside.items():
        path = folder / name.replace("__", "/").replace("_json", ".json").replace("_py", ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if isinstance(text, str) else json.dumps(text))
    return folder


def test_nothing_asked_for_is_nothing_made(house: House) -> None:
    folder = put(house, logs__x_json={"Router": {"default": "p,no"}}, presets__a__m_json={})
    made = house.load()
    assert made.hooks is None
    presets = f"{folder}/presets"
    assert made.follows == (str(folder), presets, f"{presets}/a")


def test_projects_and_sessions(house: House) -> None:
    folder = put(
        house,
        proj__config_json={"Router": {"default": "p,a", "think": "p,t", "longContextThreshold": 9}},
        proj__s1_json="{ Router: { default: 'p,b', background: 'p,own' }, } // JSON5",
        other__config_json={"nothing": 1},
    )
    made = house.load()
    assert made.hooks is not None
    assert made.hooks.personal is not None
    project, session = made.hooks.personal.projects["proj"], made.hooks.personal.sessions["s1"]
    assert project.targets == {
        "default": Target("p", "a"),
        "think": Target("p", "t"),
        "background": Target("p", "bg"),  # CCR takes it from above
    }
    assert project.long_context_threshold == 9
    assert session.targets["background"] == Target("p", "own")
    assert list(made.hooks.personal.projects) == ["proj"]
    assert f"{folder}/other/config.json: not used: nothing" in said(made, "found")
    assert set(made.follows) == {str(folder), f"{folder}/other", f"{folder}/proj"}

    put(house, file={"strict": True})
    strict = house.load().hooks
    assert strict is not None
    assert strict.personal is not None
    to_the_letter = strict.personal.sessions["s1"]
    assert to_the_letter.targets["background"] == Target("p", "bg")
    assert to_the_letter.thrown == Target("p", "m")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not used: "),
        ('{"Router": {"default": "gone,m"}}', "Router.default: no provider is called 'gone'"),
        ('{"Router": {"default": "m"}}', "Router.default: should be written provider,model"),
        ('{"Router": {"default": "p,m", "thimk": "p,x"}}', "not used: Router.thimk"),
    ],
)
def test_a_bad_personal_file_stops_nobody_else(house: House, text: str, words: str) -> None:
    put(house, good__config_json={"Router": {"default": "p,g"}}, proj__config_json=text)
    made = house.load()
    assert made.hooks is not None
    assert made.hooks.personal is not None
    assert made.hooks.personal.projects["good"].targets["default"] == Target("p", "g")
    told = [*said(made, "problem"), *said(made, "found")]
    assert any(words in line and "proj/config.json" in line for line in told), told


def test_not_endlessly_many(house: House) -> None:
    put(house, **{f"proj__s{n}_json": {"Router": {"default": "p,m"}} for n in range(MOST + 5)})
    made = house.load()
    assert made.hooks is not None
    assert made.hooks.personal is not None
    assert len(made.hooks.personal.sessions) == MOST
    assert any("more than" in line for line in said(made, "problem"))


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ({"CUSTOM_ROUTER_PATH": "gone.py"}, "CUSTOM_ROUTER_PATH: is not run: "),
        ({"CUSTOM_ROUTER_PATH": "bad.py"}, "is not run: line 1: "),
        ({"CUSTOM_ROUTER_PATH": "r.lua"}, "should be a .py or a .js file"),
        ({"CUSTOM_ROUTER_PATH": "r.js"}, "there is no node on the PATH"),
        ({"REWRITE_SYSTEM_PROMPT": "gone.md"}, "REWRITE_SYSTEM_PROMPT: "),
    ],
)
def test_a_hook_that_cannot_work_is_told(house: House, file: dict[str, Any], words: str) -> None:
    folder = put(house, file=file, bad_py="def (", **{"r.js": "x", "r.lua": "x"})
    made = house.load({"PATH": str(folder)})
    problems = said(made, "problem")
    assert len(problems) == 1, problems
    assert words in problems[0]
    assert f"{house.home.ccr_json}:1: " in problems[0]
    assert made.hooks is None


def test_a_custom_router_and_a_prompt(house: House) -> None:
    file = {"CUSTOM_ROUTER_PATH": "r.py", "REWRITE_SYSTEM_PROMPT": "$WHERE/p.md"}
    folder = put(house, file=file, r_py="def router(req): pass", **{"p.md": "Be brief."})
    made = house.load({"WHERE": str(house.home.ccr)})
    assert made.hooks is not None
    assert made.hooks.system_prompt == "Be brief."
    custom = made.hooks.custom
    assert custom is not None
    assert (custom.path, custom.language) == (str(folder / "r.py"), "python")
    assert json.loads(custom.config)["REWRITE_SYSTEM_PROMPT"] == f"{folder}/p.md"
    assert "config" not in repr(custom)
    assert {str(folder / "r.py"), str(folder / "p.md")} < set(made.follows)
    (folder / "r.py").write_text("def router(req, config): pass")
    again = house.load().hooks
    assert again is not None
    assert again.custom != custom, "an edit makes another"


def _changed(generation: Generation, session: str, projects: Projects) -> str:
    assert generation.hooks is not None
    assert generation.hooks.personal is not None
    found = asyncio.run(projects.generation(generation, generation.hooks.personal, session))
    return found.routes.targets["default"].model


def test_a_session_finds_its_project_by_its_transcript(house: House, tmp_path: Path) -> None:
    put(
        house,
        proj__config_json={"Router": {"default": "p,project"}},
        proj__s2_json={"Router": {"default": "p,session"}},
    )
    made = house.load()
    transcripts = tmp_path / "projects"
    (transcripts / "proj").mkdir(parents=True)
    (transcripts / "proj" / "s1.jsonl").touch()
    (transcripts / "unlisted").mkdir()
    (transcripts / "unlisted" / "s3.jsonl").touch()
    projects = Projects(transcripts)
    chosen = {s: _changed(made, s, projects) for s in ("s1", "s2", "s3", "../proj/s1", "nobody")}
    assert chosen == {
        "s1": "project",
        "s2": "session",
        "s3": "m",
        "../proj/s1": "m",
        "nobody": "m",
    }
    (transcripts / "proj" / "s1.jsonl").unlink()
    assert _changed(made, "s1", projects) == "project", "asked once"


@pytest.mark.parametrize(
    ("where", "words", "model"),
    [
        ("system", "# Environment\n - Primary working directory: /w/my.app\n - more", "project"),
        ("message", "<env>\nWorking directory: /w/my.app\nPlatform: linux\n</env>", "project"),
        ("message", "Working directory: /w/other", "m"),
        ("user", "Working directory: /w/my.app", "m"),
    ],
)
def test_a_session_without_a_transcript_is_known_by_its_folder(
    house: House, tmp_path: Path, where: str, words: str, model: str
) -> None:
    """Claude Code writes the transcript after the first request, which must not go elsewhere."""
    folder = put(house, _w_my_app__config_json={"Router": {"default": "p,project"}})
    (folder / "_w_my_app").rename(folder / "-w-my-app")
    made = house.load()
    assert made.hooks is not None
    assert made.hooks.personal is not None
    role: Role = "user" if where == "user" else "system"
    request = Request("anthropic_messages", "x", [Message(role, [Text(words)])])
    if where == "system":
        request = Request("anthropic_messages", "x", [], [Text(words)])
    chosen = Projects(tmp_path / "none").generation(made, made.hooks.personal, "new", request)
    assert asyncio.run(chosen).routes.targets["default"].model == model


async def test_a_new_file_in_a_followed_folder_is_seen(house: House) -> None:
    folder = put(house, proj__config_json={"Router": {"default": "p,a"}})
    stop = asyncio.Event()
    changes = watch(map(Path, house.load().follows), stop)
    first = asyncio.ensure_future(anext(changes))
    for number in range(100):  # the watcher begins in its own time: write until it has seen one
        (folder / "proj" / "ignored.txt").write_text("x")
        (folder / "proj" / f"s{number}.json").write_text("{}")
        done, _pending = await asyncio.wait({first}, timeout=0.3)
        if done:
            break
    assert {path.suffix for path in await first} == {".json"}
    stop.set()
    assert [change async for change in changes] == []


def test_a_function_that_anybody_may_write_is_not_run(house: House) -> None:
    folder = put(house, file={"CUSTOM_ROUTER_PATH": "r.py"}, r_py="def router(req): return None")
    (folder / "r.py").chmod(0o666)
    made = house.load()
    assert made.hooks is None
    assert any("any user of this machine may write it" in each for each in said(made, "problem"))
    (folder / "r.py").chmod(0o664)
    hooks = house.load().hooks
    assert hooks is not None
    assert hooks.custom is not None
