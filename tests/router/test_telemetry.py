"""What the Aspire dashboard, or another receiver that is as strict, makes of what is sent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from router.contract import AttemptView, LogLine, RequestDetail, RequestView, Tokens
from router.settings import Otlp, Secret
from router.telemetry import Telemetry
from tests.fakes import certificate
from tests.fakes.otlp import KEY, Received, attributes, grpc_receiver, receiver

ATTEMPT = AttemptView(
    1,
    "deepseek",
    "deepseek-chat",
    1.0,
    status=200,
    outcome="ok",
    duration_ms=900.0,
    tokens=Tokens(input=7, output=62),
)
VIEW = RequestView("req_1", 1.0, "done", "ccr", "anthropic_messages", model="deepseek-chat")
DETAIL = RequestDetail(VIEW, attempts=(ATTEMPT,))
AT = {"deepseek": "https://api.deepseek.com/v1"}

Serve = Callable[..., AbstractContextManager[tuple[str, Received]]]
both = pytest.mark.parametrize(
    ("serve", "protocol"), [(grpc_receiver, "grpc"), (receiver, "http/protobuf")]
)


def send(endpoint: str, protocol: str, key: str = "") -> list[str]:
    """A process's worth of signals; what was complained of."""
    said: list[str] = []
    otlp = Otlp(endpoint, protocol, {KEY: Secret(key)} if key else {})
    telemetry = Telemetry(otlp, said.append, lambda provider: AT.get(provider, ""))
    telemetry.logged(LogLine(0, 1.0, "info", "exchange", "done", request="req_1"))
    telemetry.finished(DETAIL)
    telemetry.close()
    return said


@both
def test_the_dashboard_names_whom_we_called_and_links_figures_and_lines_to_their_span(
    serve: Serve, protocol: str
) -> None:
    with serve(key="k") as (endpoint, received):
        assert send(endpoint, protocol, "k") == []
    assert received.faults == []
    assert all(each["service.instance.id"] for each in received.resources)
    call = next(span for span in received.spans if span["kind"] == "SPAN_KIND_CLIENT")
    words = attributes(call)
    assert (words["server.address"], words["server.port"]) == ("api.deepseek.com", "443")
    assert words["gen_ai.response.model"] == "deepseek-chat"
    assert "" not in {value for span in received.spans for value in attributes(span).values()}
    took = next(m for m in received.metrics if m["name"] == "gen_ai.client.operation.duration")
    [example] = took["histogram"]["data_points"][0]["exemplars"]
    assert (example["trace_id"], example["span_id"]) == (call["trace_id"], call["span_id"])
    request = next(span for span in received.spans if span["kind"] == "SPAN_KIND_SERVER")
    [line] = received.logs
    assert (line["trace_id"], line["span_id"]) == (request["trace_id"], request["span_id"])


@both
def test_a_key_that_is_not_the_dashboards_is_said(serve: Serve, protocol: str) -> None:
    with serve(key="k") as (endpoint, received):
        said = send(endpoint, protocol, "another")
    assert received.refused >= 3
    assert not received.raw
    assert all("another" not in line for line in said)
    assert any("UNAUTHENTICATED" in line or "Unauthorized" in line for line in said), said


def test_the_certificate_of_the_variables_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate.contexts(tmp_path)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(tmp_path / "certificate.pem"))
    with grpc_receiver(tls=tmp_path) as (endpoint, received):
        assert send(endpoint, "grpc") == []
    assert received.spans
