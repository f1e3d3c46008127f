"""What the Aspire dashboard, or another receiver that is as strict, makes of what is sent."""

from __future__ import annotations

import binascii
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from msgspec.structs import replace

from router.contract import AttemptView, Facts, LogLine, RequestDetail, RequestView, Tokens
from router.settings import Otlp, Secret
from router.telemetry.complaints import plainly
from router.telemetry.conventions import Callee, failure, first_chunk, of_attempt, of_request
from router.telemetry.meters import Names
from router.telemetry.otel import Telemetry
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
#: by the names that people gave them
AT = {
    "deepseek": Callee("deepseek", "https://api.deepseek.com/v1"),
    "mine": Callee("xai", "https://api.x.ai/v1"),
    "box": Callee("compatible", "http://127.0.0.1:8000"),
}
NAMES = Names(lambda provider, model: True)

Serve = Callable[..., AbstractContextManager[tuple[str, Received]]]
both = pytest.mark.parametrize(
    ("serve", "protocol"), [(grpc_receiver, "grpc"), (receiver, "http/protobuf")]
)


def send(endpoint: str, protocol: str, key: str = "") -> list[str]:
    """A process's worth of signals; what was complained of."""
    said: list[str] = []
    otlp = Otlp(endpoint, protocol, {KEY: Secret(key)} if key else {})
    telemetry = Telemetry(otlp, said.append, lambda name: AT.get(name, Callee()), NAMES)
    telemetry.logged(LogLine(0, 1.0, "info", "exchange", "done", request="req_1"))
    telemetry.finished(DETAIL, ("end_turn",))
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
    assert words["gen_ai.response.finish_reasons"] == {"values": [{"string_value": "stop"}]}
    assert "" not in [value for span in received.spans for value in attributes(span).values()]
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


@both
def test_the_certificate_of_the_variables_is_trusted_before_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Serve, protocol: str
) -> None:
    (tmp_path / "theirs").mkdir()
    certificate.contexts(tmp_path)
    certificate.contexts(tmp_path / "theirs")
    # as a company sets it for each of its machines
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "theirs" / "certificate.pem"))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(tmp_path / "certificate.pem"))
    with serve(tls=tmp_path) as (endpoint, received):
        assert send(endpoint, protocol) == []
    assert received.spans


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (
            """NewConnectionError("HTTPSConnection(host='box', port=4318): Failed to establish a """
            """new connection: [Errno 111] Connection refused")""",
            "nobody answers at box:4318/v1/logs (Connection refused)",
        ),
        (
            "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate "
            "verify failed: self-signed certificate (_ssl.c:1006)'))",
            "the certificate of box:4318/v1/logs is not trusted (self-signed certificate): "
            "OTEL_EXPORTER_OTLP_CERTIFICATE may name one that is",
        ),
    ],
)
def test_why_no_connection_was_made_is_told_in_plain_words(cause: str, told: str) -> None:
    said = (
        "Transient error HTTPSConnectionPool(host='box', port=4318): Max retries exceeded with "
        f"url: /v1/logs (Caused by {cause}) encountered, retrying in 0.93s."
    )
    assert plainly(said) == f"Transient error {told} encountered, retrying in 0.93s."


def test_what_the_conventions_say_must_be_and_must_not_be() -> None:
    def call(attempt: AttemptView, end: str = "", view: RequestView = VIEW) -> dict[str, object]:
        return dict(of_attempt(view, attempt, AT[attempt.provider], end))

    mine = call(replace(ATTEMPT, provider="mine"), "tool_use")
    assert (mine["gen_ai.provider.name"], mine["pointsman.provider"]) == ("x_ai", "mine")
    assert mine["gen_ai.response.finish_reasons"] == ("tool_call",)
    assert call(replace(ATTEMPT, provider="box"))["gen_ai.provider.name"] == "box"
    assert "gen_ai.request.stream" not in mine
    # a stream's first chunk is that of an answer, and of nothing else
    streamed, answered = replace(VIEW, stream=True), replace(ATTEMPT, first_byte_ms=250.0)
    assert call(answered, view=streamed)["gen_ai.response.time_to_first_chunk"] == 0.25
    assert first_chunk(VIEW, answered) is None
    assert first_chunk(streamed, replace(answered, status=500)) is None
    # one that was cut: what it used is our own count, and it ended in no reason of the model's
    tokens = Tokens(input=7, output=3, estimated=True)
    cut = replace(answered, outcome="upstream", tokens=tokens)
    assert call(cut)["pointsman.usage.estimated"] is True
    assert call(cut)["gen_ai.response.finish_reasons"] == ("error",)
    failed = replace(VIEW, state="failed", status=400)
    assert [failure(failed, one) for one in ((), (ATTEMPT,), (ATTEMPT, cut))] == [
        *("400", "400", "upstream")
    ]
    assert failure(replace(VIEW, state="cancelled"), ()) == "cancelled"
    for dialect, endpoint, operation in (
        ("openai_completions", "chat", "text_completion"),
        ("openai_chat", "embeddings", "embeddings"),
        ("openai_chat", "images", "generate_content"),
        ("openai_chat", "rerank", "rerank"),
    ):
        told = of_request(replace(VIEW, dialect=dialect, endpoint=endpoint), Facts(effort="high"))
        assert told["gen_ai.operation.name"] == operation
        assert told["gen_ai.request.reasoning.level"] == "high"


def test_a_trace_s_state_is_gone_on_with_and_an_estimate_is_no_figure() -> None:
    cut = replace(ATTEMPT, tokens=Tokens(input=7, estimated=True))
    with receiver() as (endpoint, received):
        telemetry = Telemetry(Otlp(endpoint, "http/protobuf", {}), print, lambda _: Callee(), NAMES)
        parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        telemetry.logged(LogLine(0, 1.0, "info", "door", "refused with 404", request="req_0"))
        theirs = {"traceparent": parent, "tracestate": "dd=s:1"}
        told = telemetry.traced("req_1", 1, theirs)
        assert telemetry.traced("req_1", 1, {"traceparent": parent.replace("-01", "-00")}) != told
        assert parent[3:35] not in str(telemetry.traced("req_1", 1, {"traceparent": "ff" + parent}))
        telemetry.began("req_1", theirs)
        telemetry.finished(RequestDetail(VIEW, attempts=(cut,)), ("",))
        telemetry.close()
    assert {span.get("trace_state") for span in received.spans} == {"dd=s:1"}
    call = next(span for span in received.spans if span["kind"] == "SPAN_KIND_CLIENT")
    ids = (binascii.a2b_base64(call[name]).hex() for name in ("trace_id", "span_id"))
    assert told == (("traceparent", "00-{}-{}-01".format(*ids)),)
    assert "trace_id" not in received.logs[0]  # there is no span that it would lead to
    assert attributes(received.logs[0])["pointsman.request.id"] == "req_0"
    assert "gen_ai.client.token.usage" not in {metric["name"] for metric in received.metrics}


def test_only_the_signals_that_are_wanted_are_sent() -> None:
    with receiver() as (endpoint, received):
        otlp = Otlp(endpoint, "http/protobuf", signals=("traces",))
        telemetry = Telemetry(otlp, print, AT.__getitem__, NAMES)
        telemetry.logged(LogLine(0, 1.0, "info", "exchange", "done"))
        telemetry.finished(DETAIL, ("",))
        telemetry.close()
    assert len(received.spans) == 2
    assert (received.logs, received.metrics) == ([], [])
