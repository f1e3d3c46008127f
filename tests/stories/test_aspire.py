"""The real Aspire dashboard from npm, told by two routers over both protocols, and looked at.

Its requests, log and figures are asked for at its API; what its pages make of them is seen in a
real Chromium.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.console.web.chromium import PROGRAM, Tab, chromium
from tests.harness import environment, free_ports, running
from tests.stories.installed import from_npm
from tests.waiting import wait_until

pytestmark = [pytest.mark.real_client, pytest.mark.timeout(300)]

PACKAGE, VERSION = "@microsoft/aspire-cli-linux-x64", "13.5.4"
SECRET = "the words of somebody"
#: for the first start, when it unpacks itself
PATIENCE = 90.0


class Dashboard(NamedTuple):
    page: str
    #: endpoints by protocol
    otlp: dict[str, str]

    def told(self, what: str) -> Any:
        """What its API has of `resources`, `spans` or `logs`."""
        return httpx.get(f"{self.page}/api/telemetry/{what}").raise_for_status().json()

    def count(self, what: str) -> int:
        return int(self.told(what)["totalCount"])


@pytest.fixture(scope="module")
def dashboard(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Dashboard]:
    assert pytestconfig.cache is not None
    program = from_npm(pytestconfig.cache, PACKAGE, VERSION, f"{PACKAGE}/bin/aspire", "ASPIRE_PATH")
    with started(program, tmp_path_factory.mktemp("aspire")) as made:
        yield made


@contextmanager
def started(program: Path, home: Path) -> Iterator[Dashboard]:
    at = [f"http://127.0.0.1:{port}" for port in free_ports(3)]
    words = ["--frontend-url", at[0], "--otlp-grpc-url", at[1], "--otlp-http-url", at[2]]
    with (home / "said").open("wb") as said:
        process = subprocess.Popen(
            [program, "dashboard", "run", "--allow-anonymous", "--non-interactive", *words],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd=home,
            env=environment(home, ASPIRE_CLI_TELEMETRY_OPTOUT="true"),
            start_new_session=True,  # it starts another, which is ended with it
        )
    made = Dashboard(at[0], {"grpc": at[1], "http/protobuf": at[2]})
    try:
        wait_until(lambda: _answers(made.page), PATIENCE, (home / "said").read_text)
        yield made
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(page: str) -> bool:
    try:
        return httpx.get(page).status_code < 400
    except httpx.TransportError:
        return False


def attributes(of: dict[str, Any]) -> dict[str, str]:
    return {each["key"]: each["value"]["stringValue"] for each in of["attributes"]}


def things(told: Any, resource: str, scope: str, kind: str) -> list[dict[str, Any]]:
    return [one for by in told["data"][resource] for scoped in by[scope] for one in scoped[kind]]


def ask(dashboard: Dashboard, protocol: str, home: Path) -> str:
    """One request through a router of its own; its id."""
    home.mkdir()
    asked = {"model": "claude-haiku", "messages": [{"role": "user", "content": SECRET}]}
    with running(
        home,
        OTEL_EXPORTER_OTLP_ENDPOINT=dashboard.otlp[protocol],
        OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
    ) as router:
        answer = router.post("/litellm/v1/chat/completions", asked)
        assert answer.status_code == 200
        assert router.stop() == 0  # the last of it is sent before the end
    return answer.headers["x-request-id"]


async def test_two_starts_of_the_router_are_seen_on_every_page(
    dashboard: Dashboard, tmp_path: Path
) -> None:
    asked = [ask(dashboard, protocol, tmp_path / protocol[:4]) for protocol in dashboard.otlp]
    wait_until(lambda: dashboard.count("spans") >= 4, shown=lambda: dashboard.told("spans"))

    resources = dashboard.told("resources")
    assert {each["name"] for each in resources} == {"pointsman"}
    assert len(resources) == 2
    for each in resources:
        assert [each[has] for has in ("hasLogs", "hasTraces", "hasMetrics")] == [True] * 3

    told = dashboard.told("spans")
    spans = things(told, "resourceSpans", "scopeSpans", "spans")
    requests = {attributes(span).get("pointsman.request.id"): span for span in spans}
    lines = dashboard.told("logs")
    log = things(lines, "resourceLogs", "scopeLogs", "logRecords")
    for request in asked:
        span = requests[request]
        [call] = [one for one in spans if one.get("parentSpanId") == span["spanId"]]
        assert int(attributes(call)["gen_ai.usage.output_tokens"]) > 0
        [line] = [one for one in log if attributes(one).get("pointsman.request.id") == request]
        assert line["traceId"] == span["traceId"]
    assert SECRET not in f"{told} {lines}"

    if PROGRAM is None:
        pytest.skip("all but its pages was seen: Chromium is not installed")
    async with chromium(tmp_path / "profile") as tab:
        await _looked_at(tab, dashboard.page, requests[asked[0]]["traceId"])


async def _looked_at(tab: Tab, page: str, trace: str) -> None:
    seen = "document.body.innerText.includes({!r})".format
    await tab.size(1500, 1000)
    await tab.go(f"{page}/traces/detail/{trace}")
    await tab.until(f"{seen('chat claude-haiku')} && {seen('Total spans')}")
    await tab.go(f"{page}/structuredlogs")
    await tab.until(seen("done 200"))
    # each start by the name under which the page itself lists it
    await tab.go(f"{page}/metrics")
    names = await tab.until(
        "(found => found.length === 2 && found)([...document.querySelectorAll('fluent-option')]"
        ".map(one => one.innerText.trim()).filter(one => one.startsWith('pointsman-')))"
    )
    for name in names:
        await tab.go(f"{page}/metrics/resource/{name}")
        await tab.until(f"{seen('gen_ai.client.token.usage')} && {seen('pointsman.cost')}")
