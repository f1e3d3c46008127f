"""A client's key at the browser's door: the router's own opens the console, others open nothing."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.link import Link
from router.contract import Dismiss, Done, Invitation, Redeem
from storage.home import home
from tests import harness
from tests.console.web.chromium import PROGRAM, chromium
from tests.console.web.conftest import Door
from tests.console.web.test_chromium import shows
from tests.console.web.test_socket import handshake, opened

#: a word that no header may hold as it is, and one that looks as a ticket does
CCR_KEY, LITELLM_KEY = "ключ of CCR, 1/2", "0123456789abcdef0123456789abcdef"


def shown(key: str) -> str:
    return "key." + base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("locked")
    folder.chmod(0o700)
    config = folder / "pointsman.toml"
    config.write_text(
        f'[ccr]\nkeys = ["{CCR_KEY}"]\n[litellm]\nkeys = ["{LITELLM_KEY}"]\n', encoding="utf-8"
    )
    config.chmod(0o600)
    with harness.running(folder) as router:
        yield Door(router)


async def test_the_routers_own_keys_open_the_console(locked: Door) -> None:
    page = await opened(locked, shown(CCR_KEY))
    await page.until(lambda text: "Live" in text)
    link = Link(home(locked.router.env), token="")
    (who,) = (await link.snapshot()).visitors
    assert (who.by[:8], who.role) == ("web:key-", "admin")
    assert isinstance(await link.act(Dismiss(who.id)), Done)
    assert (await page.closed())[0] == 4000
    found = await link.act(Redeem(key=LITELLM_KEY))
    await link.close()
    assert isinstance(found, Invitation)
    logs = [path.read_text() for path in locked.router.home.rglob("*.log")]
    assert logs
    assert not any(key in log for log in logs for key in (CCR_KEY, LITELLM_KEY))


async def test_other_words_open_nothing(locked: Door, door: Door) -> None:
    made = locked.router.post(
        "/litellm/key/generate", {}, headers={"Authorization": f"Bearer {LITELLM_KEY}"}
    )
    for place, offered in (
        (locked, shown("wrong")),
        (locked, "key."),
        (locked, "key.!"),
        (locked, f"key.{CCR_KEY[-3:]}"),
        (locked, f"ticket.{LITELLM_KEY}"),
        (locked, shown(made.json()["key"])),  # a key made for somebody: not for all to see
        (door, shown("")),  # where no key is asked for, none opens
        (door, shown(LITELLM_KEY)),
    ):
        origin = f"http://{place.address}"
        assert await asyncio.to_thread(handshake, place, offered, origin) == 401, offered
    assert await asyncio.to_thread(handshake, locked, shown(CCR_KEY), "http://evil") == 403


@pytest.mark.real_client
@pytest.mark.skipif(PROGRAM is None, reason="needs Chromium")
async def test_a_key_is_typed_into_the_page(locked: Door, tmp_path: Path) -> None:
    async with chromium(tmp_path / "profile") as tab:
        await tab.go(f"http://{locked.address}/console/")
        await tab.until("!document.getElementById('asked').hidden")
        await tab.paste("wrong key")
        await tab.enter()
        await tab.until("document.getElementById('words').textContent.startsWith('No console')")
        for key in (LITELLM_KEY, CCR_KEY):
            # what is typed into a page that is about to go is lost with it
            await tab.run("sessionStorage.clear(); window.before = true; location.reload(); 1")
            await tab.until("!window.before && !document.getElementById('asked').hidden")
            await tab.paste(key)
            await tab.enter()
            await tab.until("document.getElementById('notice').hidden && " + shows("req/s"))
            assert key not in await tab.run("location.href + JSON.stringify(sessionStorage)")
        assert not [c for c in tab.complaints if "WebSocket" not in c]
