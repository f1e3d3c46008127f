"""An edit of pointsman.toml from a console: nobody's words are lost, and nobody else reads them."""

from __future__ import annotations

import asyncio
import os
import stat
import tomllib

import msgspec
import pytest

from router.config import edit
from router.contract import AddModels, ClientKeys, Edited, EditRoutes, Refused, ShowKeys, UndoRoutes
from router.control.actions import act
from router.control.visitors import ROLES, may
from storage.home import Home
from tests.router.inside import served

PROVIDER = (
    "# mine\n[providers.fake]\nkind = 'openai'\nbase = 'http://127.0.0.1:9/v1'\nkey = 'k'\n"
    "[routes.targets]\ndefault = 'fake,m'\n"
)
SCENARIOS = ("think", "coder", "background", "image", "tool", "simple")


async def test_consoles_that_edit_at_once_do_not_write_over_each_other(test_home: Home) -> None:
    test_home.toml.write_text(PROVIDER)
    async with served(test_home) as (router, _):
        done = await asyncio.gather(
            *(
                router.edits.edit(router, EditRoutes({name: f"fake,{name}"}, dry=False))
                for name in SCENARIOS
            )
        )
        assert all(isinstance(each, Edited) for each in done), done
        written = tomllib.loads(test_home.toml.read_text())["routes"]["targets"]
        assert written == {"default": "fake,m"} | {name: f"fake,{name}" for name in SCENARIOS}
        back = await asyncio.gather(*(router.edits.undo(router) for _ in SCENARIOS))
        assert all(isinstance(each, Edited) for each in back), back
    assert test_home.toml.read_text() == PROVIDER


async def test_clients_keys_are_for_who_has_a_shell(test_home: Home) -> None:
    test_home.toml.write_text(f"[ccr]\nkeys = ['sk-ccr']\n{PROVIDER}")
    async with served(test_home) as (router, _):
        told = await act(router, ShowKeys())
        assert told == ClientKeys(ccr="sk-ccr", litellm="")
    allowed = {role for role in ROLES if may(role, ShowKeys())}
    assert allowed == {"shell"}


async def test_a_provider_is_added_by_who_has_a_shell_and_its_key_is_told_nobody(
    test_home: Home,
) -> None:
    """One that could not be served is not kept; and an addition is taken back like a route."""
    test_home.toml.write_text(PROVIDER)
    test_home.ccr_json.parent.mkdir(parents=True, exist_ok=True)
    test_home.ccr_json.write_text(before := '{ "Router": {} /* mine */ }\n')
    new = AddModels("p", ("m", "n"), "http://127.0.0.1:9/v1", "sk-hidden")
    async with served(test_home) as (router, _):
        wrong = await act(router, msgspec.structs.replace(new, api_base_url="nowhere"))
        assert isinstance(wrong, Refused)
        assert "is not an address" in wrong.message
        assert test_home.ccr_json.read_text() == before
        done = await act(router, new)
        assert isinstance(done, Edited)
        assert done.applied
        assert "sk-hidden" not in f"{done}{wrong}"
        assert {"p,m", "p,n"} <= set(router.generation.targets())
        assert "/* mine */" in test_home.ccr_json.read_text()
        assert isinstance(await act(router, UndoRoutes()), Edited)
    assert test_home.ccr_json.read_text() == before
    assert "sk-hidden" not in (test_home.ccr / "logs" / "ccr.log").read_text()
    assert [role for role in ROLES if may(role, new)] == ["shell"]


async def test_what_an_editor_wrote_meanwhile_stays(test_home: Home) -> None:
    test_home.toml.write_text("# theirs\n")
    with pytest.raises(edit.ChangedError, match="changed meanwhile"):
        edit.write(test_home.toml, "# ours\n", "# as it was read\n")
    assert [path.name for path in test_home.config.glob("*.toml*")] == ["pointsman.toml"]
    assert test_home.toml.read_text() == "# theirs\n"


async def test_a_file_that_is_kept_elsewhere_stays_there(test_home: Home) -> None:
    """As with every manager of dotfiles; and whatever the umask, only its owner reads it."""
    kept = test_home.config.parent / "dotfiles" / "pointsman.toml"
    kept.parent.mkdir()
    kept.write_text(PROVIDER)
    test_home.toml.symlink_to(kept)
    before = os.umask(0)
    try:
        async with served(test_home) as (router, _):
            done = await router.edits.edit(router, EditRoutes({"think": "fake,t"}, dry=False))
            assert isinstance(done, Edited)
            assert test_home.toml.is_symlink()
            assert "fake,t" in kept.read_text()
            refused = await router.edits.edit(router, EditRoutes({"think": "no,t"}, dry=False))
            assert isinstance(refused, Refused)
            assert isinstance(await router.edits.undo(router), Edited)
    finally:
        os.umask(before)
    assert kept.read_text() == PROVIDER
    backup = test_home.config / "pointsman.toml.bak"
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (kept, backup)}
    assert modes == {0o600}


async def test_an_edit_of_ccrs_own_file(test_home: Home) -> None:
    """Comments stay; where pointsman.toml decides, the file is left as it was, and that is said."""
    test_home.toml.write_text(PROVIDER.partition("[routes")[0])
    test_home.ccr_json.parent.mkdir(parents=True, exist_ok=True)
    test_home.ccr_json.write_text('{ Router: { default: "fake,m" /* mine */ } }')
    async with served(test_home) as (router, _):
        edited = await router.edits.edit(router, EditRoutes({"think": "fake,t"}, False, "", True))
        assert isinstance(edited, Edited), edited
        text = '{ Router: { default: "fake,m", "think": "fake,t" /* mine */ } }'
        assert test_home.ccr_json.read_text() == text
        assert str(router.generation.routes.targets["think"]) == "fake,t"
        test_home.toml.write_text(PROVIDER)
        assert not await router.reload()
        no = await router.edits.edit(router, EditRoutes({"default": "fake,x"}, False, "", True))
        assert isinstance(no, Refused)
        assert "pointsman.toml decides" in no.message
        assert test_home.ccr_json.read_text() == text
        assert isinstance(await router.edits.undo(router), Edited)
    assert test_home.ccr_json.read_text() == '{ Router: { default: "fake,m" /* mine */ } }'
