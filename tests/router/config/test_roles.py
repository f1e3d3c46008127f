"""Neighbours are found by asking, never mistaken, and take their role; open doors are refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from router.config import Flags, Neighbour, Probes, addresses, probe
from tests.router.config.conftest import House, said

JSON = "content-type: application/json\r\n"


@asynccontextmanager
async def server(answers: dict[str, tuple[str, str]]) -> AsyncIterator[str]:
    """A real one on loopback: path → (extra headers, body); any other path is a 404."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split()[1].decode()
        extra, body = answers.get(path, ("", ""))
        status = "200 OK" if path in answers else "404 Not Found"
        writer.write(
            f"HTTP/1.1 {status}\r\n{extra}content-length: {len(body)}\r\n"
            f"connection: close\r\n\r\n{body}".encode()
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


def asked_at(url: str) -> Probes:
    return Probes(Neighbour(url), Neighbour(url), Neighbour(url))


async def test_each_neighbour_is_known_by_its_own_answer() -> None:
    tags = '{"models": [{"name": "a:1"}, {"name": 3}, "x", {"name": "b"}]}'
    answers = {
        "/api/version": (JSON, '{"version": "0.40.1"}'),
        "/api/tags": (JSON, tags),
        "/health/liveliness": (JSON, '"I\'m alive!"'),
        "/": (JSON, '{"message": "LLMs API", "version": "1.0.51"}'),
    }
    async with server(answers) as url:
        found = await probe(asked_at(url))
    assert found.ollama == Neighbour(url, "found", "0.40.1", ("a:1", "b"))
    assert found.litellm == Neighbour(url, "found")
    assert found.ccr == Neighbour(url, "found")


async def test_a_pointsman_is_no_neighbour() -> None:
    """A reload asks while this router itself holds the ports."""
    ours = JSON + "x-pointsman: 0.1.0\r\n"
    answers = {
        "/api/version": (ours, '{"version": "0"}'),
        "/health/liveliness": (ours, '"I\'m alive!"'),
        "/": (ours, '{"message": "LLMs API"}'),
    }
    async with server(answers) as url:
        found = await probe(asked_at(url))
    assert [n.state for n in (found.ollama, found.litellm, found.ccr)] == ["ours"] * 3


@pytest.mark.parametrize("body", ["hello", "[]", "{}", "\x00", '{"version": 1, "message": 2}', ""])
async def test_another_program_is_not_mistaken(body: str) -> None:
    paths = ("/", "/api/version", "/health/liveliness")
    async with server(dict.fromkeys(paths, (JSON, body))) as url:
        found = await probe(asked_at(url))
    assert [n.state for n in (found.ollama, found.litellm, found.ccr)] == ["absent"] * 3


async def test_a_closed_port_is_absent_and_a_silent_one_a_problem() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening:
        silent_one = (await probe(asked_at(f"http://127.0.0.1:{port}"))).litellm
    closed = (await probe(asked_at(f"http://127.0.0.1:{port}"))).litellm
    assert (silent_one.state, closed.state) == ("problem", "absent")


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("", "http://127.0.0.1:11434"),
        ("127.0.0.1:9999", "http://127.0.0.1:9999"),
        ("localhost", "http://localhost:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("http://192.168.1.5:11434", "http://127.0.0.1:11434"),  # never off this machine
        ("http://x:y", "http://127.0.0.1:11434"),
    ],
)
def test_only_this_machine_is_asked(value: str, address: str) -> None:
    assert addresses({"OLLAMA_HOST": value}).ollama.address == address


FOUND = Probes(
    litellm=Neighbour("http://127.0.0.1:4000", "found"),
    ccr=Neighbour("http://127.0.0.1:3456", "found"),
)


def test_a_found_neighbour_takes_its_role_and_keeps_its_port(house: House) -> None:
    made = house.load({"LITELLM_MASTER_KEY": "sk-m"}, probes=FOUND)
    assert (made.litellm.mode, made.litellm.url) == ("external", "http://127.0.0.1:4000")
    assert (made.ccr.mode, made.ccr.url) == ("external", "http://127.0.0.1:3456")
    assert made.ccr.found  # once it goes, Health says how to take its part
    assert (made.listen.litellm_port, made.listen.ccr_port) == (0, 0)
    internal = made.providers["litellm-internal"]
    assert (internal.plane, internal.simulated) == (None, False)
    assert internal.url == "http://127.0.0.1:4000/v1/chat/completions"
    assert internal.key.reveal() == "sk-m"
    assert any("CCR: plays the CCR role" in text for text in said(made, "found"))


def test_a_moved_listener_stays_beside_a_neighbour(house: House) -> None:
    made = house.load(flags=Flags(litellm_port=4100), probes=FOUND)
    assert (made.litellm.mode, made.listen.litellm_port) == ("external", 4100)


def test_a_role_that_must_be_embedded_says_who_has_its_port(house: House) -> None:
    house.write(toml='[litellm]\nmode = "embedded"\n[ccr]\nmode = "embedded"')
    made = house.load(flags=Flags(ccr_port=3457), probes=FOUND)
    assert (made.litellm.mode, made.listen.litellm_port) == ("embedded", 4000)
    assert any("has port 4000" in text for text in said(made, "problem"))
    assert any("CCR: not used" in text for text in said(made, "found"))


STRONG = '[litellm]\nkeys = "a-long-key-1"\n[ccr]\nkeys = ["a-long-key-2"]\n'


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("", "the LiteLLM role has no key"),
        ('[litellm]\nkeys = "a-long-key-1"', "the CCR role has no key"),
        (STRONG.replace("a-long-key-2", "ccr-dev-key-2024"), "well-known"),
        (STRONG.replace("a-long-key-1", "sk-1234"), "well-known"),
        (STRONG.replace("a-long-key-1", "short"), "very short"),
        (STRONG.replace("a-long-key-1", "$TEAM_KEY"), "a variable that is not set"),
        (STRONG.replace("a-long-key-1", ""), "the LiteLLM role has no key"),
    ],
)
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "box.lan"])
def test_others_get_in_only_with_real_keys(house: House, host: str, toml: str, words: str) -> None:
    house.write(toml=toml)
    error = house.refused(flags=Flags(host=host))
    assert words in error.problem
    assert error.file == "--host"
    house.write(toml=f'{toml}\n[listen]\nhost = "{host}"')
    error = house.refused()
    assert (error.file, error.key) == (str(house.home.toml), "listen.host")
    house.write(toml=STRONG)
    assert "development password" in house.refused(flags=Flags(host=host)).problem
    assert house.load(flags=Flags(host=host, ssh_port=0)).listen.host == host
    house.write(toml=f"{STRONG}\n[ssh]\npassword = false")
    assert house.load(flags=Flags(host=host)).listen.host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.2"])
def test_this_machine_needs_no_key(house: House, host: str) -> None:
    assert house.load(flags=Flags(host=host)).listen.host == host


def test_keys_come_from_ccr_and_litellm_unless_our_own_file_says(house: House) -> None:
    house.write(ccr='{"APIKEY": "c"}', litellm="general_settings: {master_key: m}")

    made = house.load()
    assert [k.reveal() for k in (*made.litellm.keys, *made.ccr.keys)] == ["m", "c"]
    house.write(toml="[ccr]\nkeys = []\n[litellm]\nkeys = ['x']")
    made = house.load()
    assert [k.reveal() for k in (*made.litellm.keys, *made.ccr.keys)] == ["x"]
