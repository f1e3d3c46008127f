"""Where OpenTelemetry's signals go: the file's word, else the usual variables."""

from __future__ import annotations

import pytest

from router.config.own import TelemetryTable
from router.config.telemetry import read

ENDPOINT, PROTOCOL = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"


@pytest.mark.parametrize(
    ("table", "env", "protocol"),
    [
        ({}, {ENDPOINT: "http://h:18889", PROTOCOL: "grpc"}, "grpc"),
        ({}, {ENDPOINT: "http://h:4317"}, "grpc"),
        ({}, {ENDPOINT: "http://h:18889"}, "grpc"),  # Aspire's
        ({}, {ENDPOINT: "http://h:4317", PROTOCOL: "http/protobuf"}, "http/protobuf"),
        ({}, {ENDPOINT: "https://h"}, "http/protobuf"),
        ({"endpoint": "http://h:4318"}, {PROTOCOL: "grpc"}, "http/protobuf"),
        ({"endpoint": "http://h:1", "protocol": "grpc"}, {}, "grpc"),
        ({}, {ENDPOINT: "http://h:1", PROTOCOL: "http/json"}, None),
        ({}, {ENDPOINT: "http://h:1", "OTEL_SDK_DISABLED": "true"}, None),
        ({}, {ENDPOINT: "http://h:1/v1/traces"}, None),
        ({"endpoint": "http://h:1/otel/v1/logs/"}, {}, None),
    ],
)
def test_which_protocol_is_spoken(
    table: dict[str, str], env: dict[str, str], protocol: str | None
) -> None:
    otlp, findings = read(TelemetryTable.model_validate(table), env)
    assert (otlp and otlp.protocol) == protocol
    assert all((finding.state == "found") is (otlp is not None) for finding in findings)


def test_the_headers_of_the_variable_are_percent_encoded() -> None:
    env = {ENDPOINT: "http://h:4318", "OTEL_EXPORTER_OTLP_HEADERS": "x-otlp-api-key=a%2Cb=, c = d"}
    otlp, _ = read(TelemetryTable(), env)
    assert otlp is not None
    told = {name: value.reveal() for name, value in otlp.headers.items()}
    assert told == {"x-otlp-api-key": "a,b=", "c": "d"}


@pytest.mark.parametrize(
    ("table", "off", "signals"),
    [
        ({}, (), ("traces", "metrics", "logs")),
        ({}, ("METRICS", "LOGS"), ("traces",)),
        ({}, ("TRACES", "METRICS", "LOGS"), None),
        ({"signals": ["traces", "logs"]}, ("TRACES",), ("traces", "logs")),
        ({"signals": []}, (), None),
    ],
)
def test_which_signals_are_sent(
    table: dict[str, list[str]], off: tuple[str, ...], signals: tuple[str, ...] | None
) -> None:
    env = {ENDPOINT: "http://h:4318", **{f"OTEL_{name}_EXPORTER": "none" for name in off}}
    otlp, findings = read(TelemetryTable.model_validate(table), env)
    assert (otlp and otlp.signals) == signals
    assert all(finding.detail.startswith(", ".join(signals or ())) for finding in findings)
