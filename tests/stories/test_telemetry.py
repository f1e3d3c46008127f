"""OpenTelemetry, received by a real OTLP endpoint: what a collector or Aspire would be told."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.otlp import attributes, grpc_receiver
from tests.harness import running

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
SECRET = "the words of somebody"
BODY = {"model": "claude-3-5-sonnet-20241022", "messages": [{"role": "user", "content": SECRET}]}


def test_a_request_is_told_as_spans_figures_and_lines(tmp_path: Path) -> None:
    with grpc_receiver() as (endpoint, received):  # over HTTP: tests/router/telemetry/test_otel.py
        (tmp_path / "pointsman.toml").write_text(
            f'[telemetry]\nendpoint = "{endpoint}"\nprotocol = "grpc"\n'
            'headers = { x-Team = "$TEAM" }\n'
        )
        with running(tmp_path, TEAM="a-key-of-theirs") as router:
            session = {"x-session-id": "s-1", "traceparent": PARENT}
            router.post("/litellm/v1/chat/completions", BODY, headers=session)
            router.post("/ccr/v1/messages", {**BODY, "model": "deepseek,deepseek-chat"})
            refused = router.post("/ccr/v1/messages", {"messages": "none"})
            assert refused.status_code == 400
            assert router.stop() == 0  # the last of it is sent before the end
    assert all(headers["x-team"] == "a-key-of-theirs" for headers in received.headers)
    assert received.faults == []
    assert {each["service.name"] for each in received.resources} == {"pointsman"}

    servers = {attributes(s)["pointsman.request.id"]: s for s in received.spans if "kind" in s and
               s["kind"] == "SPAN_KIND_SERVER"}  # fmt: skip
    clients = [s for s in received.spans if s["kind"] == "SPAN_KIND_CLIENT"]
    assert (len(servers), len(clients)) == (3, 2)
    first = next(s for s in servers.values() if attributes(s)["pointsman.door"] == "litellm")
    said = attributes(first)
    assert first["name"] == "chat claude-3-5-sonnet-20241022"
    assert said["gen_ai.conversation.id"] == "s-1"
    assert said["pointsman.simulated"] is True
    parent = next(c for c in clients if c["parent_span_id"] == first["span_id"])
    assert first["trace_id"] == parent["trace_id"]
    assert bytes.fromhex(TRACE).hex() == _hex(first["trace_id"])
    used = attributes(parent)
    assert used["gen_ai.operation.name"] == "chat"
    assert int(used["gen_ai.usage.input_tokens"]) > 0
    assert int(used["gen_ai.usage.output_tokens"]) > 0
    failed = servers[refused.headers["x-request-id"]]
    assert failed["status"]["code"] == "STATUS_CODE_ERROR"

    lines = [entry for entry in received.logs if "pointsman.request.id" in attributes(entry)]
    for request, span in servers.items():  # one of them in its client's trace
        mine = [e for e in lines if attributes(e)["pointsman.request.id"] == request]
        assert mine
        own = (span["trace_id"], span["span_id"])
        assert {(e["trace_id"], e["span_id"]) for e in mine} == {own}

    figures = {metric["name"]: metric for metric in received.metrics}
    points = figures["gen_ai.client.token.usage"]["histogram"]["data_points"]
    assert {attributes(p)["gen_ai.token.type"] for p in points} == {"input", "output"}
    assert figures["gen_ai.client.operation.duration"]["unit"] == "s"
    assert SECRET.encode() not in received.raw


def _hex(base64: str) -> str:
    import binascii

    return binascii.a2b_base64(base64).hex()


def test_an_endpoint_that_is_not_there_costs_no_request(tmp_path: Path) -> None:
    with running(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9") as router:
        for _ in range(5):
            assert router.post("/litellm/v1/chat/completions", BODY).status_code == 200
        assert router.stop() == 0
    log = (tmp_path / ".claude-code-router" / "logs" / "ccr.log").read_text()
    assert '"source":"telemetry"' in log
    assert SECRET not in log
