"""One request is found everywhere by one id: its answer, the ledger, the log, `why`, the file."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.harness import Running, running

BODY = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 8}


def ask(router: Running, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "console", *words],
        env=router.env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_id_leads_to_its_request_everywhere(tmp_path: Path) -> None:
    with running(tmp_path) as router:
        router.post("/ccr/v1/messages", BODY)
        sent = {"x-request-id": "trace-77"}
        first = router.post("/ccr/v1/messages", BODY, headers=sent)
        other = {"model": "text-embedding-3-small", "input": "x"}
        again = router.post("/litellm/v1/embeddings", other, headers=sent)
        ours = first.headers["x-request-id"]
        assert first.headers["x-client-request-id"] == "trace-77"
        assert again.headers["x-request-id"] != ours  # one sent twice is two requests all the same
        assert "x-client-request-id" not in router.post("/ccr/v1/messages", BODY).headers
        refused = router.post("/ccr/v1/messages", {"messages": 1}, headers=sent)
        assert refused.headers["x-client-request-id"] == "trace-77"
        router.stop()
        why = json.loads(ask(router, "why", ours, "--json"))
        assert (why["request"]["id"], why["request"]["sent_id"]) == (ours, "trace-77")
        by_answer = json.loads(ask(router, "why", first.json()["id"], "--json"))
        assert by_answer["request"]["id"] == ours
        by_theirs = json.loads(ask(router, "why", "trace-77", "--json"))
        assert by_theirs["request"]["id"] == refused.headers["x-request-id"]  # the newest
        told = ask(router, "logs", "--request", ours, "--json")
        lines = [json.loads(line) for line in told.splitlines()]
        assert lines
        assert {line["request"] for line in lines} == {ours}
    file = (tmp_path / ".claude-code-router" / "logs" / "ccr.log").read_text()
    mine = [json.loads(line) for line in file.splitlines() if ours in line]
    assert any("(x-request-id trace-77)" in line["message"] for line in mine)


def test_what_a_door_turns_away_has_an_id_and_a_line(tmp_path: Path) -> None:
    (tmp_path / "pointsman.toml").write_text('[litellm]\nkeys = ["sk-a-key-of-theirs"]\n')
    sent = {"x-request-id": "trace-78", "authorization": "Bearer sk-another-key"}
    with running(tmp_path) as router:
        answers = {
            (path, status): router.post(path, BODY, headers=sent)
            for path, status in (
                ("/litellm/v1/chat/completions", 401),
                ("/litellm/key/sk-the-key-itself/regenerate", 401),
                ("/ollama/api/chat", 401),
                ("/gemini/v1beta/models/m:generateContent", 401),
                ("/claude-code/v1/nothing", 404),
                ("/nothing", 404),
                ("/health", 405),
            )
        }
        answers["/readyz", 403] = router.get("/readyz", headers={**sent, "host": "evil.example"})
        fine = router.get("/health", headers=sent)
        assert fine.headers["x-client-request-id"] == "trace-78"
        counted = router.get("/metrics").text
        router.stop()
        found = ask(router, "logs", "--request", "trace-78", "--json").splitlines()
        one = answers["/nothing", 404].headers["x-request-id"]
        assert json.loads(ask(router, "logs", "--request", one, "--json"))["request"] == one
    lines = {line["request"]: line for line in map(json.loads, found)}
    for (path, status), answer in answers.items():
        assert answer.status_code == status
        line = lines.pop(answer.headers["x-request-id"])
        assert f"refused with {status} to " in line["message"], path
        assert line["level"] == ("info" if status in (404, 405) else "warning")
        assert "sk-" not in line["message"].replace("sk-…", "")
    assert not lines
    assert 'pointsman_refused_requests_total{status="401"} 4' in counted


async def test_a_provider_s_own_id_is_told_beside_ours(tmp_path: Path) -> None:
    async with FakeUpstream() as upstream:
        theirs = {"request-id": "req_theirs"}
        refusal = Behaviour(status=400, headers=theirs, body=b'{"error":{"message":"no"}}')
        upstream.behave("m", refusal)
        (tmp_path / "pointsman.toml").write_text(
            f'[providers.p]\nurl = "{upstream.url("/v1/chat/completions")}"\nkey = "k"\n'
        )
        # nobody is there: what a call is told of its trace does not hang on that
        with running(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9") as router:
            body = {**BODY, "model": "p,m"}
            answer = await asyncio.to_thread(router.post, "/ccr/v1/messages", body)
            traced = upstream.requests[0].headers["traceparent"]
            assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", traced)
            assert answer.headers.get_list("request-id") == [answer.headers["x-request-id"]]
            assert answer.json()["request_id"] == answer.headers["x-request-id"]
            assert answer.headers["x-pointsman-provider-request-id"] == "req_theirs"
            router.stop()
            assert "its request-id req_theirs" in ask(router, "logs", "--request", "last")
