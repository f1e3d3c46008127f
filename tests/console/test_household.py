"""What doctor says of a home's folders and files, and what it mends by itself."""

from __future__ import annotations

import time

from console import household
from console.commands.doctor import of_clock
from storage.home import Home


def test_a_file_where_a_folder_belongs_is_told_and_left_alone(test_home: Home) -> None:
    test_home.make()
    test_home.data.rmdir()
    test_home.data.write_text("mine")
    test_home.data.chmod(0o600)
    said = list(household.mended(test_home))
    assert [line for line in said if "not made" in line and str(test_home.data) in line]
    found = {(f.what, f.where): f for f in household.findings(test_home, "")}
    assert "move it away" in found["folder", str(test_home.data)].detail
    assert test_home.data.read_text() == "mine"


def test_what_its_owner_may_not_write_is_opened_to_them(test_home: Home) -> None:
    test_home.make()
    test_home.ledger.touch(0o400)
    test_home.logs.chmod(0o500)
    said = " ".join(household.mended(test_home))
    assert f"you can write {test_home.ledger} now (was 400)" in said
    assert f"you can write {test_home.logs} now (was 500)" in said
    assert test_home.ledger.stat().st_mode & 0o777 == 0o600
    assert list(household.mended(test_home)) == []


def test_what_the_ledger_suffers_from_stands_in_place_of_its_size(test_home: Home) -> None:
    test_home.make()
    test_home.ledger.touch(0o600)
    [told] = [f for f in household.findings(test_home, "is damaged") if f.what == "ledger"]
    assert (told.state, told.detail) == ("problem", "is damaged")
    [told] = [f for f in household.findings(test_home, "") if f.what == "ledger"]
    assert "0.0 MB" in told.detail


def test_a_request_of_the_future_tells_of_a_wrong_clock() -> None:
    assert list(of_clock(time.time())) == []
    [told] = of_clock(time.time() + 86_400)
    assert (told.what, told.state) == ("clock", "problem")
