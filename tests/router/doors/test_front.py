"""The front door's own addresses: the landing page, its files, and what it says of its health."""

from __future__ import annotations

import asyncio
import json
import re
from html.parser import HTMLParser

import httpx
import pytest

from storage.home import Home
from tests.router.inside import served

HTML = {"accept": "text/html"}
TOML = "[litellm]\nmode = 'external'\nurl = 'http://127.0.0.1:9'\nkeys = ['a-key-of-theirs']\n"


class Read(HTMLParser):
    """What a browser would load, and the text it would show."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert not [name for name in given if name.startswith("on") or name == "style"], given
        place = given.get("src") or (given.get("href") if tag == "link" else None)
        self.loads += [place] if place else []
        self.links += [given["href"] or ""] if tag == "a" else []

    def handle_data(self, data: str) -> None:
        self.text += data


async def test_the_landing_page_is_true_and_self_contained(test_home: Home) -> None:
    tls = "[listen]\nhosts = ['box.lan']\norigins = ['https://box.lan']\n"
    test_home.toml.write_text(TOML + tls)
    async with (
        served(test_home) as (router, address),
        httpx.AsyncClient(base_url=address) as http,
    ):
        secure = await http.get("/", headers={**HTML, "host": "box.lan"})
        assert 'base_url="https://box.lan/litellm/v1",' in Read(secure.text).text
        assert "developer@box.lan" in secure.text
        await router.health.probes.ask(router.generation)
        answer = await http.get("/", headers={**HTML, "host": "localhost:5000"})
        page = Read(answer.text)
        assert 'base_url="http://localhost:5000/litellm/v1",' in page.text
        assert 'api_key="your-litellm-key"' in page.text
        assert "ANTHROPIC_BASE_URL=http://localhost:5000/claude-code" in page.text
        assert "a-key-of-theirs" not in answer.text
        assert re.search(r"LiteLLM\s*✗ down", page.text)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        for place in page.loads:
            loaded = await http.get(place)
            assert loaded.status_code == 200
            assert loaded.headers["x-content-type-options"] == "nosniff"
            assert not re.findall(r"https?://(?!www\.w3\.org/)", loaded.text)
        ways = {"/litellm/", "/ccr/ui", "/health", "/console/", "/chat/", "/n8n/"}
        assert ways <= set(page.links)


async def test_what_is_pasted_can_be_asked_for(test_home: Home) -> None:
    names = ('a"; rm -rf ~; "', "any/*", "o'clock", "z/plain-1.5:latest")
    for count, shown in [(0, "claude-3-5-sonnet-20241022"), (3, "your-model"), (4, names[3])]:
        lines = [
            f"  - {{model_name: {json.dumps(name)}, litellm_params: {{model: openai/x}}}}"
            for name in names[:count]
        ]
        test_home.litellm_yaml.write_text("\n".join(["model_list:", *lines]) if lines else "")
        async with (
            served(test_home) as (_, address),
            httpx.AsyncClient(base_url=address) as http,
        ):
            page = await http.get("/", headers=HTML)
            assert f'model="{shown}",' in Read(page.text).text
            assert "rm -rf" not in page.text
            # what beside the router is used is not counted here
            assert re.search(r'<td>chat<td.*?data-of="requests"><td', page.text)


async def test_a_base_with_a_slash_too_many_leads_to_its_door(test_home: Home) -> None:
    async with (
        served(test_home) as (_, address),
        httpx.AsyncClient(base_url=address) as http,
    ):
        for path in ("/ccr//v1/models", "//ccr/v1/models", "/ollama///api/tags"):
            assert (await http.get(address + path)).status_code == 200, path
        for path in ("//", "/cc//r/v1/models", "/ccr/v1//models"):
            assert (await http.get(address + path)).status_code == 404, path


async def test_strangers_are_told_the_ways_in_and_no_figures(test_home: Home) -> None:
    test_home.toml.write_text(
        TOML
        + "[listen]\nhost = '0.0.0.0'\n[ccr]\nkeys = ['another-of-them']\n[ssh]\npassword = false\n"
    )
    async with (
        served(test_home) as (_, address),
        httpx.AsyncClient(base_url=address) as http,
    ):
        strange = Read((await http.get("/", headers=HTML)).text)
        assert "/litellm/" in strange.links
        assert not {"Requests", "is down", "simulated"} & set(strange.text.split())
        assert "curl -H" in strange.text
        shown = {**HTML, "authorization": "Bearer a-key-of-theirs"}
        assert "Requests" in (await http.get("/", headers=shown)).text


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/chat", "console/?screen=playground"),
        ("/chat/a/b?c", "../../console/?screen=playground"),
    ],
)
async def test_the_playground_stands_in_for_a_chat_that_nobody_set_up(
    test_home: Home, path: str, place: str
) -> None:
    async with (
        served(test_home) as (router, address),
        httpx.AsyncClient(base_url=address) as http,
    ):
        assert (await http.get(path, headers=HTML)).headers["location"] == place
        test_home.toml.write_text("[neighbours.chat]\nurl = 'http://127.0.0.1:9'\n")
        assert await router.reload() == ""
        there = (await http.get(path, headers={**HTML, "host": "localhost:7"})).headers["location"]
        assert there.startswith("http://chat.localhost:7/")


async def test_health_livez_and_readyz_tell_the_router_s_own_figures(test_home: Home) -> None:
    tls = "[listen]\nhosts = ['box.lan']\norigins = ['https://box.lan']\n"
    test_home.toml.write_text(TOML + tls)
    async with (
        served(test_home) as (router, address),
        httpx.AsyncClient(base_url=address) as http,
    ):
        secure = await http.get("/", headers={**HTML, "host": "box.lan"})
        assert 'base_url="https://box.lan/litellm/v1",' in Read(secure.text).text
        assert "developer@box.lan" in secure.text
        await router.health.probes.ask(router.generation)
        told = (await http.get("/health")).json()
        shown = {service.name: service for service in router.services()}
        assert told["status"] == "degraded"
        assert told["services"].keys() == shown.keys()
        assert told["services"]["LiteLLM"]["reason"] == shown["LiteLLM"].reason != ""
        assert (await http.get("/livez")).text == "ok\n"
        ready = await http.get("/readyz")
        assert (ready.status_code, ready.text.startswith("LiteLLM is down")) == (503, True)
        test_home.toml.write_text("")
        assert await router.reload() == ""
        assert (await http.get("/readyz")).text == "ok\n"
        await asyncio.to_thread(router.ledger.close)  # else its next commit would take that back
        router.ledger.trouble = "disk full"
        assert "disk full" in (await http.get("/readyz")).text


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/assets/../landing.html"), ("GET", "/assets/landing.html"), ("GET", "/<b>x"),
     ("POST", "/"), ("GET", "/assets/__init__.py")],
)  # fmt: skip
async def test_what_is_not_there_says_so(test_home: Home, method: str, path: str) -> None:
    async with (
        served(test_home) as (_, address),
        httpx.AsyncClient(base_url=address) as http,
    ):
        as_page = await http.request(method, path, headers=HTML)
        assert as_page.status_code == 404
        assert "<b>" not in as_page.text
        as_json = await http.request(method, path)
        assert "/litellm/v1" in as_json.json()["error"]["message"]


async def test_a_fault_of_ours_is_an_incident_of_the_log_and_no_more(test_home: Home) -> None:
    async with served(test_home) as (router, address), httpx.AsyncClient() as http:
        health = router.health
        router.health = None  # type: ignore[assignment]
        answers = [await http.get(address + path) for path in ("/health", "/chat/")]
        router.health = health
        assert (await http.get(f"{address}/health")).status_code == 200
    lines = test_home.ccr_log.read_text().splitlines()
    traces = [
        line
        for line in map(json.loads, lines)
        if line["source"] == "door" and "\n" in line["message"]
    ]
    assert [line["request"] for line in traces] == [a.headers["x-request-id"] for a in answers]
    for answer, line in zip(answers, traces, strict=True):
        assert answer.status_code == 500
        incident = re.findall(r"incident (i_\w+): .*AttributeError", line["message"], re.S)[0]
        assert f"internal error, incident {incident}" in answer.json()["error"]["message"]
        assert "AttributeError" not in answer.text
