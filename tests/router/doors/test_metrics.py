"""/metrics: what a scraper reads is what has passed, in a form that Prometheus takes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from router.contract import RequestView, Tokens
from router.telemetry.exposition import traffic
from router.telemetry.meters import BUCKETS, FREE, MOST, OTHER, Meters, Names, Spread
from storage.home import Home
from tests.harness import running
from tests.router.inside import served

DASHBOARD = Path(__file__).parents[3] / "docs" / "grafana-dashboard.json"


def view(**more: Any) -> RequestView:
    usual = {"id": "r", "started_at": 0.0, "state": "done", "door": "ccr", "dialect": "d"}
    return RequestView(**{**usual, "provider": "p", "model": "m", **more})


def sample(lines: list[str], start: str) -> float:
    found = [line for line in lines if line.startswith(start)]
    assert len(found) == 1, (start, found)
    return float(found[0].rpartition(" ")[2])


def test_what_has_passed_is_added_up() -> None:
    meters = Meters(Names(lambda provider, model: True))
    used = Tokens(input=10, cache_read=5, cache_write=2, cache_write_1h=1, output=7, reasoning=3)
    meters.finished(view(tokens=used, cost=2_000_000_000, duration_ms=100.0, ttft_ms=50.0))
    meters.finished(view(state="failed", tokens=used, duration_ms=10_000_000.0))
    lines = list(traffic(meters))
    where = '{door="ccr",provider="p",model="m",simulated="false"'
    assert sample(lines, f'pointsman_requests_total{where},state="failed"') == 1
    assert sample(lines, f'pointsman_tokens_total{where},kind="cache_write"') == 6
    assert sample(lines, f"pointsman_cost_dollars_total{where}") == 2
    assert sample(lines, f"pointsman_unpriced_requests_total{where}") == 1
    at = 'pointsman_request_duration_seconds_bucket{door="ccr",provider="p",le='
    assert sample(lines, f'{at}"0.05"') == 0
    assert sample(lines, f'{at}"0.1"') == 1
    assert sample(lines, f'{at}"300"') == 1
    assert sample(lines, f'{at}"+Inf"') == 2


def test_a_bound_belongs_to_its_bucket() -> None:
    spread = Spread()
    for bound in BUCKETS:
        spread.add(bound)
    assert spread.counts == [1] * len(BUCKETS) + [0]


def test_made_up_names_end_in_one_series_and_forge_no_line() -> None:
    meters = Meters(Names(lambda provider, model: model.startswith("mine")))
    for number in range(FREE + 50):
        meters.finished(view(model=f'm{number}"\n\x1b[31m\\'))
        meters.finished(view(model=f'm{number}"[31m\\'))
    assert len(meters.series) == FREE + 1
    assert meters.series["ccr", "p", OTHER, False].done == 100
    # they take no place from those that are configured, of which there may be many
    for number in range(MOST):
        meters.finished(view(model=f"mine-{number}"))
    assert meters.series["ccr", "p", "mine-0", False].done == 1
    assert len(meters.series) == MOST
    lines = list(traffic(meters))
    names = [line.rpartition(" ")[0] for line in lines if not line.startswith("#")]
    assert len(names) == len(set(names))
    for line in lines:
        assert re.fullmatch(r'#.*|\w+(\{(\w+="([^"\\\n]|\\.)*",?)*\})? \S+', line), line
        assert "\x1b" not in line


async def test_every_panel_of_the_dashboard_has_its_figures(test_home: Home) -> None:
    async with (
        served(test_home) as (router, address),
        httpx.AsyncClient(base_url=address) as http,
    ):
        router.meters.finished(view(cost=1, duration_ms=1.0, ttft_ms=1.0))
        text = (await http.get("/metrics")).text
    told = set(re.findall(r"^# TYPE (\S+)", text, re.M))
    asked = set(re.findall(r"pointsman_\w+", DASHBOARD.read_text()))
    assert {name.removesuffix("_bucket") for name in asked} <= told
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert all(panel["targets"] for panel in panels)
    for expr in (target["expr"] for panel in panels for target in panel["targets"]):
        wanted = set(re.findall(r"(\w+)=", expr))
        for by in re.findall(r"by \(([^)]+)\)", expr):
            wanted |= set(re.split(r",\s*", by))
        for metric in re.findall(r"pointsman_\w+", expr):
            lines = re.findall(rf"^{metric}(?:{{(.*)}})? ", text, re.M)
            # a figure that has not happened yet has no line: its labels are in the exposition
            assert not lines or wanted <= set(re.findall(r"(\w+)=", lines[0])), expr


def test_beyond_this_machine_figures_need_a_key(tmp_path: Path) -> None:
    key = "a-long-key-of-somebody"
    (tmp_path / "pointsman.toml").write_text(
        f"[litellm]\nkeys = ['{key}']\n[ccr]\nkeys = ['{key}']\n[listen]\nhost = '0.0.0.0'\n"
    )
    with running(tmp_path) as router:
        for path in ("/metrics", "/health"):
            assert router.get(path).status_code == 401
            shown = router.get(path, headers={"authorization": f"Bearer {key}"})
            assert shown.status_code == 200
        assert router.get("/livez").status_code == 200


@pytest.mark.real_client
def test_promtool_has_nothing_to_complain_of(tmp_path: Path) -> None:
    promtool = shutil.which("promtool") or pytest.skip("promtool is not installed")
    with running(tmp_path) as router:
        router.post("/ccr/v1/messages", {"messages": [{"role": "user", "content": "hi"}]})
        text = router.get("/metrics").text
    checked = subprocess.run(
        [str(promtool), "check", "metrics"], input=text, text=True, capture_output=True, timeout=30
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
