"""Commands that show: right figures, JSON that decodes, and no stranger's byte on the terminal."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from console.commands.costs import By
from console.commands.doctor import of_router
from console.link import Link
from router.contract import (
    AttemptView,
    Facts,
    LogLine,
    Look,
    RequestDetail,
    RequestView,
    ServiceView,
    Tokens,
)
from storage.home import Home
from storage.writer import Ledger
from tests.console.commands.conftest import Invoke, Run
from tests.console.commands.fake import EVIL, Fake, installed

NOW = time.time()


def detail(id: str, model: str, cost: int | None, **more: Any) -> RequestDetail:
    view = RequestView(
        id=id,
        stream=True,
        started_at=NOW - 5,
        state="done",
        door="ccr",
        dialect="anthropic_messages",
        client="claude-cli/2.1.330",
        session="s1",
        asked="claude-opus-5-5",
        provider="deepseek",
        model=model,
        rule="longContext",
        value="61,204 > 60,000",
        status=200,
        tokens=Tokens(input=1200, cache_read=300, output=50, reasoning=20),
        cost=cost,
        attempts=1,
        ttft_ms=300.0,
        duration_ms=1300.0,
        **more,
    )
    attempt = AttemptView(
        1, "deepseek", model, NOW - 5, view.simulated, status=200, outcome="ok",
        first_byte_ms=250.0, duration_ms=1290.0, tokens=view.tokens, cost=cost,
        reason="rule longContext", dropped=("seed", EVIL),
    )  # fmt: skip
    looks = (Look("forced", "none"), Look("longContext", "61,204 > 60,000", True, EVIL))
    return RequestDetail(view, looks, (attempt,), Facts(tokens=61_204, messages=9, tools=12))


@pytest.fixture
def ledger(here: Home) -> Home:
    """Two priced requests, one unpriced with a hostile name, one simulated; three log lines."""
    here.make()
    ledger = Ledger(here.ledger)
    ledger.request(detail("req_aa1", "deepseek-chat", 1_500_000))
    ledger.request(detail("req_aa2", "deepseek-chat", 2_500_000))
    ledger.request(detail("req_b", EVIL, None, error=EVIL))
    ledger.request(detail("req_sim", "fake", 9_000_000_000, simulated=True))
    for level, message in (("info", "started"), ("warning", EVIL), ("error", "broken")):
        ledger.log(LogLine(0, NOW, level, "exchange", message, request="req_b"))  # type: ignore[arg-type]
    ledger.close()
    return here


def safe(text: str) -> str:
    """Asserts that nothing in `text` can act on a terminal."""
    assert all(c.isprintable() or c == "\n" for c in text), text
    return text


async def test_status_of_a_running_router(here: Home, pointsman: Invoke) -> None:
    async with Fake(here) as fake:
        assert "written down" not in (await pointsman("status")).stdout
        fake.ledger_trouble = f"disk full {EVIL}"
        await pointsman("override", "set", "deepseek,deepseek-chat", "--for", "1h")
        shown = await pointsman("status")
        data = await pointsman("status", "--json")
    text = safe(shown.stdout)
    for part in (
        "running 1h01m",
        "http://127.0.0.1:5000",
        fake.url,
        "412ms",
        "1h00m left",
        "3,456",
        "disk full",
    ):
        assert part in text
    # 2 of 12 requests have no price: the sum is a lower bound; simulated money is not in it
    assert "≥ $0.1230" in text
    assert "simulated" in text
    assert "$0.9990" in text
    status = json.loads(safe(data.stdout))
    assert status["running"] is True
    assert status["today"]["cost"] == 123_000_000
    assert status["services"][1]["reason"] == EVIL


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("override", "list"),
        ("override", "set", "a,b"),
        ("override", "clear", "--all"),
        ("stop",),
    ],
)
async def test_no_router_is_exit_code_3(words: tuple[str, ...], pointsman: Invoke) -> None:
    result = await pointsman(*words)
    assert result.exit_code == 3
    assert result.stdout == ""
    assert "no router runs here" in result.stderr


async def test_status_of_no_router_as_json(pointsman: Invoke) -> None:
    result = await pointsman("status", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (3, {"running": False})


async def test_costs_keep_real_and_simulated_and_unknown_apart(
    ledger: Home, pointsman: Invoke
) -> None:
    shown = await pointsman("costs", "--since", "1h")
    text = safe(shown.stdout)
    real, simulated = text.split("Simulated (not money)")
    assert "$0.0040" in real
    assert "≥ $0.0040" in real  # the total: one request has no price
    assert "$9.0000" not in real
    assert "$9.0000" in simulated
    assert "33% of the attempts" in real
    data = json.loads((await pointsman("costs", "--since", "1h", "--json")).stdout)
    assert data["real"]["total"] == {
        "requests": 3,
        "attempts": 3,
        "errors": 0,
        "prompt_tokens": 4500,
        "output_tokens": 150,
        "cost": 4_000_000,
        "saved": 0,
        "unpriced": 1,
        "lower_bound": True,
        "coverage": 2 / 3,
    }
    assert data["simulated"]["total"]["cost"] == 9_000_000_000
    for by in get_args(By):
        grouped = json.loads(
            (await pointsman("costs", "--by", by, "--since", "1h", "--json")).stdout
        )
        assert grouped["real"]["total"] == data["real"]["total"], by
    listed = (await pointsman("costs", "--since", "1h", "--csv")).stdout.splitlines()
    assert len(listed) == 4
    assert "deepseek,deepseek-chat" in listed[1] or "deepseek,deepseek-chat" in listed[2]
    dear = next(row for row in csv.DictReader(listed) if row["model"] == "deepseek,deepseek-chat")
    assert (dear["requests"], dear["cost"], dear["cache_read"]) == ("2", "0.004000000", "600")
    assert (await pointsman("costs", "--csv", "--json")).exit_code == 2
    assert "no requests" in (await pointsman("costs", "--until", "2020-01-01")).stdout
    assert "no requests" in (await pointsman("costs", "--since", "2999-01-01")).stdout
    assert (await pointsman("costs", "--since", "soon")).exit_code == 2


async def test_costs_and_logs_without_any_ledger(pointsman: Invoke) -> None:
    assert "no requests" in (await pointsman("costs")).stdout
    assert (await pointsman("logs")).stdout == ""
    why = await pointsman("why", "last")
    assert (why.exit_code, why.stderr) == (1, "there are no requests yet\n")


async def test_why_shows_the_decision(ledger: Home, pointsman: Invoke) -> None:
    text = safe((await pointsman("why", "req_aa1")).stdout)
    for part in (
        "deepseek,deepseek-chat",
        "longContext: 61,204 > 60,000",
        "1,500 in (300 read from the cache), 50 out (20 thinking)",
        "$0.0015",
        "1.30s, first token after 300ms, 50.0 tokens/s",
        "▸  longContext",
        "1 deepseek,deepseek-chat: seed, ",
        "·  forced",
        "≈61,204 tokens, 9 messages, 12 tools",
        "claude-cli/2.1.330",
    ):
        assert part in text
    unpriced = safe((await pointsman("why", "req_b")).stdout)
    assert "cost      —" in unpriced
    last = json.loads(safe((await pointsman("why", "last", "--json")).stdout))
    assert last["request"]["id"] == "req_sim"
    ambiguous = await pointsman("why", "req_aa")
    assert ambiguous.exit_code == 1
    assert "req_aa1" in ambiguous.stderr
    assert (await pointsman("why", EVIL)).exit_code == 1


async def test_logs_are_filtered_and_clean(ledger: Home, pointsman: Invoke) -> None:
    every = safe((await pointsman("logs")).stdout).splitlines()
    assert [line.split()[3] for line in every] == ["info", "warning", "error"]
    worse = json.loads((await pointsman("logs", "--level", "error", "--json")).stdout)
    assert worse["message"] == "broken"
    assert safe((await pointsman("logs", "-n", "1")).stdout).count("\n") == 1
    assert (await pointsman("logs", "--source", "ssh")).stdout == ""
    levels = {json.loads(line)["level"]: line for line in
              (await pointsman("logs", "--json")).stdout.splitlines()}  # fmt: skip
    said = (await pointsman("logs", "level:error", "--json")).stdout.splitlines()
    assert said == [levels["error"]]
    some = json.loads(said[0])["message"].split()[0].casefold()
    assert levels["error"] in (await pointsman("logs", some, "--json")).stdout.splitlines()
    assert (
        levels["error"] not in (await pointsman("logs", f"!{some}", "--json")).stdout.splitlines()
    )
    about = await pointsman("logs", "--request", "req_b", "--json")
    assert len(safe(about.stdout).splitlines()) == 3
    for wanted, lines in (("request:req_b", 3), ("request:req_sim", 0)):
        told = safe((await pointsman("logs", wanted, "--json")).stdout).splitlines()
        assert len(told) == lines, wanted


async def test_a_ledger_that_is_none_is_a_clear_error(here: Home, pointsman: Invoke) -> None:
    here.make()
    here.ledger.write_bytes(b"this is no database at all" * 100)
    result = await pointsman("costs")
    assert result.exit_code == 1
    assert str(here.ledger) in result.stderr


async def test_route_asks_the_router(here: Home, pointsman: Invoke, tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text("{}")
    async with Fake(here):
        shown = await pointsman("route", str(body))
        data = await pointsman("route", "-", "--json", "--door", "litellm", input="{}")
        header = await pointsman("route", "-", "--header", "X-A: b:c", "--json", input="{}")
        refused = await pointsman("route", "-", input="refuse")
        wrong = await pointsman("route", "-", "--header", "nonsense", input="{}")
    text = safe(shown.stdout)
    assert text.startswith("deepseek,deepseek-chat\nthen openrouter,evil")
    assert "12 > 60,000" in text
    assert json.loads(safe(data.stdout))["rule"] == "litellm:none"
    assert json.loads(header.stdout)["rule"] == "ccr:x-a=b:c"
    assert (refused.exit_code, "no such model" in refused.stdout) == (1, True)
    assert wrong.exit_code == 2


async def test_route_and_doctor_without_a_router(here: Home, run: Run, tmp_path: Path) -> None:
    """Both start `python -m router …` for the answer."""
    fake = installed(tmp_path / "fake")
    words = ("route", "-", "--json", "--header", "a:b")
    code, out, _ = await run("pointsman", *words, stdin=b"{}", **fake)
    assert (code, json.loads(out)["rule"]) == (0, "ccr:a=b")
    here.make()
    here.ledger.touch(0o644)
    here.ledger.chmod(0o644)
    here.toml.write_text("[listen]\nport = 0\nlitellm_port = 0\nccr_port = 0\nssh_port = 0\n")
    code, out, err = await run("pointsman", "doctor", **fake)
    safe(out)
    assert code == 1
    assert "✓ CCR config" in out
    assert "not running" in out
    assert f"chmod 600 '{here.ledger}'" in out
    assert "1 problem" in err
    here.ledger.chmod(0o600)
    code, out, _ = await run("pointsman", "doctor", "--json", **fake)
    findings = json.loads(out)["findings"]
    assert code == 0
    assert {finding["what"] for finding in findings} >= {"CCR config", "Python", "SQLite", "home"}
    (folder := tmp_path / "bin").mkdir()
    (folder / "ccr").write_text("#!/bin/sh\n")
    (folder / "ccr").chmod(0o755)
    _, out, _ = await run("pointsman", "doctor", "--json", **fake, PATH=str(folder))
    told = {one["what"]: one["detail"] for one in json.loads(out)["findings"]}
    assert told["ccr"].startswith(f"`ccr` is another program, {folder / 'ccr'}: `export PATH=")
    assert told["pointsman"].startswith("no `pointsman` on PATH: ")


async def test_doctor_names_a_taken_port(here: Home, run: Run, tmp_path: Path) -> None:
    async with Fake(here) as fake:
        port = fake.role_port
        here.toml.write_text(
            f"[listen]\nport = {port}\nlitellm_port = 0\nccr_port = 0\nssh_port = 0\n"
        )
        elsewhere = {"POINTSMAN_HOME": str(tmp_path / "other")}
        other = tmp_path / "other"
        other.mkdir()
        (other / "pointsman.toml").write_text(here.toml.read_text())
        code, out, _ = await run("pointsman", "doctor", **installed(tmp_path / "fake"), **elsewhere)
    assert code == 1
    assert f"! front door port  {port}" in out
    assert "--port PORT" in out


async def test_doctor_of_a_running_router(here: Home, pointsman: Invoke) -> None:
    async with Fake(here):
        result = await pointsman("doctor")
        link = Link(here)
        snapshot = await link.snapshot()
        await link.close()
    assert result.exit_code == 0, result.stdout  # a provider that is down is no fault of here
    gone = ServiceView("n8n", "neighbour", "down", reason="it ended with 1")
    found = of_router(here, replace(snapshot, services=(*snapshot.services, gone)))
    assert [f.detail for f in found if f.state == "problem"] == ["is down: it ended with 1"]
    assert "2 providers" in safe(result.stdout)
    assert "ssh -p 2299" in result.stdout


async def test_logs_follow_until_ctrl_c(ledger: Home, env: dict[str, str], tmp_path: Path) -> None:
    """New lines come as they are written, none twice, and Ctrl-C ends without a word."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from console.main import pointsman; pointsman()"),
        *("logs", "-f", "-n", "1", "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=env,
    )
    assert child.stdout is not None
    assert json.loads(await child.stdout.readline())["message"] == "broken"
    writer = Ledger(ledger.ledger)
    writer.log(LogLine(0, NOW, "info", "exchange", "one more"))
    writer.close()
    assert json.loads(await child.stdout.readline())["message"] == "one more"
    child.send_signal(signal.SIGINT)
    assert await child.communicate() == (b"", b"")
    assert child.returncode == 130


async def test_nothing_is_asked_where_another_model_would_answer(
    here: Home, pointsman: Invoke
) -> None:
    async with Fake(here) as fake:
        for words in (("check", "nosuch,x"), ("ask", "--model", "nosuch,x", "hi")):
            result = await pointsman(*words)
            assert result.exit_code == 1
            assert "no provider is named 'nosuch'; configured are: " in result.stderr
        result = await pointsman("ask", "--model", "gpt-4o", "hi")
        assert (result.exit_code, "write PROVIDER,MODEL" in result.stderr) == (1, True)
    assert not fake.actions
