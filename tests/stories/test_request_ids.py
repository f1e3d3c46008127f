"""One request is found everywhere by one id: its answer, the ledger, the log, `why`, the file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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
        by_theirs = json.loads(ask(router, "why", "trace-77", "--json"))
        assert by_theirs["request"]["id"] == refused.headers["x-request-id"]  # the newest
        told = ask(router, "logs", "--request", ours, "--json")
        lines = [json.loads(line) for line in told.splitlines()]
        assert lines
        assert {line["request"] for line in lines} == {ours}
    file = (tmp_path / ".claude-code-router" / "logs" / "ccr.log").read_text()
    mine = [json.loads(line) for line in file.splitlines() if ours in line]
    assert any("(x-request-id trace-77)" in line["message"] for line in mine)
