"""Strict mode decides as the real CCR 2.0.0 did: with project and session files, a custom router,
fallbacks, and requests of a kind that nobody would write."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.upstream import FakeUpstream
from tests.harness import running
from tests.router.ccr_cases import CASES, RECORDED, decisions, written

#: ours is another decision on purpose
OURS: dict[str, list[str]] = {}


async def test_strict_mode_decides_as_ccr_did(tmp_path: Path, upstream: FakeUpstream) -> None:
    assert list(RECORDED) == list(CASES)
    home = tmp_path / "home"
    custom = str(home / "custom.py")
    written(home, upstream.url("")[7:], 0, strict=True, CUSTOM_ROUTER_PATH=custom)
    (home / "pointsman.toml").write_text("[retry]\nretries = 0\ncooldown = 0\n")
    with running(home) as router:
        made = await decisions(router.ccr, upstream)
    wrong = {
        name: f"ours {found}, CCR {RECORDED[name]}"
        for name, found in made.items()
        if found != OURS.get(name, RECORDED[name])
    }
    assert wrong == {}
