"""Where another program's redirects and cookies lead, as the client sees it."""

from __future__ import annotations

import pytest

from router.doors.homeward import Onward, cookie, homeward, moved

TOOL = Onward("Tool", "http://127.0.0.1:8090", "/x", "/tool", "localhost:5000")
BELOW = Onward("Tool", "http://127.0.0.1:8090/sub", "/x", "/tool", "localhost:5000")
NAMED = Onward("Tool", "http://box.lan:8090/sub", "/x")


@pytest.mark.parametrize(
    ("onward", "location", "seen"),
    [
        (TOOL, "/login", "/tool/login"),
        (TOOL, "/tool/login", "/tool/login"),
        (TOOL, "/tools", "/tool/tools"),
        (TOOL, "http://localhost:5000/login", "/tool/login"),
        (TOOL, "https://localhost:5000/login", "/tool/login"),
        (TOOL, "http://localhost:8090/login", "/tool/login"),  # what it calls itself
        (TOOL, "http://127.0.0.1:8090?a#b", "/tool/?a#b"),
        (TOOL, "http://localhost:8091/login", "http://localhost:8091/login"),
        (TOOL, "app://127.0.0.1:8090/back", "app://127.0.0.1:8090/back"),
        (TOOL, "https://elsewhere.example/x", "https://elsewhere.example/x"),
        (TOOL, "//elsewhere.example/x", "//elsewhere.example/x"),
        (TOOL, "../x", "../x"),
        (TOOL, "?a=b", "?a=b"),
        (TOOL, "", ""),
        (TOOL, "http://[x/", "http://[x/"),
        (TOOL, "http://127.0.0.1:x/", "http://127.0.0.1:x/"),
        (BELOW, "/sub/login", "/tool/login"),
        (BELOW, "/sub", "/tool/"),
        (BELOW, "http://127.0.0.1:8090/sub/x", "/tool/x"),
        (NAMED, "http://box.lan:8090/sub/x?y", "/x?y"),
        (NAMED, "/x", "/x"),
        # a path of its own is never another host
        (NAMED, "http://box.lan:8090//evil.example/", "/.//evil.example/"),
        (NAMED, "http://box.lan:8090/sub//evil.example", "/.//evil.example"),
        (NAMED, "http://box.lan:8090/\\evil.example", "/./\\evil.example"),
        (NAMED, "http://box.lan:8090/\t/evil.example", "/./\t/evil.example"),
        (TOOL, "http://127.0.0.1:8090//evil.example/", "/tool//evil.example/"),
        (NAMED, "http://localhost:8090/x", "http://localhost:8090/x"),
    ],
)
def test_a_place_of_the_program_s_own_is_moved_with_it(
    onward: Onward, location: str, seen: str
) -> None:
    assert moved(location, onward) == seen


@pytest.mark.parametrize(
    ("onward", "text", "seen"),
    [
        (TOOL, "a=1; Path=/; HttpOnly", "a=1; Path=/tool/; HttpOnly"),
        (TOOL, "a=1; path=/admin;Secure", "a=1; Path=/tool/admin;Secure"),
        (TOOL, "a=1; Path=/tool/x", "a=1; Path=/tool/x"),
        (TOOL, "a=1", "a=1"),
        (TOOL, "a=1; Domain=127.0.0.1; Max-Age=5", "a=1; Max-Age=5"),
        (TOOL, "a=1; Domain=.example.com", "a=1; Domain=.example.com"),
        (TOOL, "__Host-a=1; Secure; Path=/", "__Host-a=1; Secure; Path=/"),
        (BELOW, "a=1; Path=/sub", "a=1; Path=/tool/"),
        (NAMED, "a=1; Path=/; Domain=.Box.lan", "a=1; Path=/"),
        (NAMED, "a=b=; Expires=Mon, 1 Jan 2035", "a=b=; Expires=Mon, 1 Jan 2035"),
    ],
)
def test_a_cookie_stays_with_its_program(onward: Onward, text: str, seen: str) -> None:
    assert cookie(text, onward) == seen


def test_the_body_s_coding_is_not_ours_to_change() -> None:
    headers = {"content-encoding": "br", "content-length": "9", "transfer-encoding": "chunked"}
    kept = [("content-encoding", "br"), ("content-length", "9")]
    assert list(homeward(headers, TOOL)) == kept
