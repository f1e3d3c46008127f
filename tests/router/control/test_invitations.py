"""Who comes back to the console in a browser: by its own ticket, and also after a restart."""

from __future__ import annotations

from pathlib import Path

from router.contract import Invite
from router.control.invitations import GOOD, Invitations
from router.process.bequest import RESTART


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_browser_comes_back_to_the_router_after_a_restart(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "browsers.json"
    first = Invitations(clock, path)
    ticket = first.invite(Invite("view", by="ana")).ticket
    found = first.redeem(ticket)
    assert found is not None
    assert (found.role, found.by, first.redeem(ticket)) == ("view", "ana", None)
    assert first.redeem(found.again) == found  # as often as the connection breaks
    clock.now += GOOD + 1
    assert first.redeem(found.again) == found
    first.hand_on()
    assert path.stat().st_mode & 0o777 == 0o600
    assert found.again not in path.read_text()
    second = Invitations(clock, path)
    assert second.redeem(found.again) == found
    assert not path.exists()
    assert Invitations(clock, path).redeem(found.again) is None  # one that was stopped and started
    second.hand_on()
    clock.now += RESTART
    assert Invitations(clock, path).redeem(found.again) is None
    path.write_text("[")
    assert Invitations(clock, path).redeem(found.again) is None


def test_a_link_for_any_number_gives_each_browser_a_ticket_of_its_own(tmp_path: Path) -> None:
    invitations = Invitations(Clock(), tmp_path / "x")
    ticket = invitations.invite(Invite("admin", once=False)).ticket
    one, two = invitations.redeem(ticket), invitations.redeem(ticket)
    assert one is not None
    assert two is not None
    assert len({ticket, one.again, two.again}) == 3
    assert invitations.redeem(ticket + "x") is None
