"""What a request was made of is gone with it: under load the garbage collector would else be a
tenth of all CPU, and memory grows until it runs."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Iterator

import httpx

from router.guards.connection import GuardedProtocol
from router.record import Record
from router.transport import Response
from router.transport.wire import Connection
from storage.home import Home
from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.router import inside
from tests.stories.provider import configure, openai_body
from tests.waiting import until


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def alive(*kinds: type) -> list[str]:
    return [repr(each)[:80] for each in gc.get_objects() if isinstance(each, kinds)]


#: how the provider behaves, and the group that is asked
ENDS = {
    "answered": (Behaviour(), "openai"),
    "cut": (Behaviour(cut="middle", reset=True), "openai"),
    "refused": (Behaviour(status=400, body=b"{}"), "openai"),
    "fallen back": (Behaviour(status=400, body=b"{}"), "openai-weak"),
    "left": (Behaviour(stall="middle"), "openai"),
    "unreachable": (Behaviour(), "openai-dark"),
}


async def test_nothing_of_a_request_is_left_to_the_collector(
    test_home: Home, upstream: FakeUpstream
) -> None:
    configure(test_home.config, upstream)
    file = test_home.config / "litellm-config.yaml"
    dark = f"openai/openai-dark, api_base: '{upstream.base}'"
    file.write_text(
        file.read_text().replace(dark, "openai/openai-dark, api_base: 'http://[::1]:1'")
    )
    left: dict[str, list[str]] = {}
    async with (
        inside.served(test_home) as (router, front),
        httpx.AsyncClient(timeout=10, headers={"connection": "close"}) as client,
    ):
        for name, (behaviour, group) in ENDS.items():
            upstream.behave(group, behaviour)
            body = openai_body(group, "hello", stream=True)
            path = f"{front}/litellm/v1/chat/completions"
            with uncollected():
                async with client.stream("POST", path, content=body) as answer:
                    assert (answer.status_code < 400) == (name not in ("refused", "unreachable"))
                    with contextlib.suppress(httpx.HTTPError):
                        async for chunk in answer.aiter_bytes():
                            if behaviour.stall and b"one" in chunk:
                                break
                await until(lambda: not router.live.running)
                await router.transport.close()
                await asyncio.sleep(0)
                left[name] = alive(GuardedProtocol, Record, Response, Connection)
    assert left == {name: [] for name in ENDS}
