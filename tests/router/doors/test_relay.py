"""The pages of a real LiteLLM and CCR, through the front door: at a name, and metered as ever."""

from __future__ import annotations

from urllib.parse import urljoin

import httpx

from storage.home import Home
from tests.fakes.program import Program
from tests.router.inside import served

PAGE = {"accept": "text/html,*/*"}


async def test_a_browser_is_led_to_the_name_that_the_pages_work_under(test_home: Home) -> None:
    async with Program() as program:
        test_home.toml.write_text(
            f"[litellm]\nmode = 'external'\nurl = '{program.url}'\n"
            f"[ccr]\nmode = 'external'\nurl = '{program.url}'\nhost = 'ccr.example'\n"
        )
        async with (
            served(test_home) as (router, address),
            httpx.AsyncClient(base_url=address) as http,
        ):
            for asked, host, place in [
                ("/litellm/", "localhost:5000", "http://litellm.localhost:5000/ui/"),
                ("/litellm/ui/?page=x", "localhost", "http://litellm.localhost/ui/?page=x"),
                ("/ccr/ui", "127.0.0.1:5000", "http://ccr.example:5000/ui"),
                ("/ccr/ui", "ccr.example", None),  # there already
                ("/litellm/ui/", "ccr.example", None),
            ]:
                answer = await http.get(asked, headers={**PAGE, "host": host})
                assert answer.headers.get("location") == place, (asked, host)
            at = {"host": "litellm.localhost:5000"}
            assert (await http.get("/ui/x?y", headers={**PAGE, **at})).text == "ok"
            assert program.asked[-1].target == "/ui/x?y"
            assert (await http.get("/litellm/", headers={"host": "localhost"})).text == "ok"
            form = {"content-type": "application/x-www-form-urlencoded", **at}
            form["origin"] = "http://litellm.localhost:5000"
            assert (await http.post("/login", headers=form, content=b"a=b")).status_code == 200
            assert b"".join(program.asked[-1].pieces) == b"a=b"
            seen = len(router.live.recent)
            await http.post("/v1/chat/completions", headers=at, json={"model": "m"})
            assert len(router.live.recent) == seen + 1  # whatever name it came by
            assert {s.name for s in router.services() if s.kind == "neighbour"} == {"chat", "n8n"}


async def test_a_real_one_that_does_not_run_is_a_page_to_a_person(test_home: Home) -> None:
    test_home.toml.write_text("[litellm]\nmode = 'external'\nurl = 'http://127.0.0.1:9'\n")
    async with (
        served(test_home) as (_, address),
        httpx.AsyncClient(base_url=address) as http,
    ):
        at = {"host": "litellm.localhost:5000"}
        page = await http.get("/ui/", headers={**PAGE, **at})
        assert page.status_code == 502
        assert "<h2>LiteLLM does not run</h2>" in page.text
        assert "<code>http://127.0.0.1:9</code>: no connection" in page.text
        assert 'http-equiv="refresh"' in page.text
        told = await http.get("/ui/", headers=at)  # a program is told as ever
        assert told.json()["error"]["code"] == "502"


async def test_a_browser_is_led_to_the_console_where_we_play_the_role(test_home: Home) -> None:
    async with (
        served(test_home) as (_, address),
        httpx.AsyncClient(base_url=address) as http,
    ):
        for path in ("/litellm/", "/ccr/ui"):
            page = await http.get(path, headers=PAGE)
            assert page.status_code == 307
            assert urljoin(path, page.headers["location"]).startswith("/console/")
