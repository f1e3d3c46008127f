"""How OpenTelemetry's three signals are sent: OTLP over HTTP, or over gRPC (the extra `otel`).

One rule: only the protocol in use is imported: gRPC brings a library and threads of its own.
"""

from __future__ import annotations

from opentelemetry.sdk._logs.export import LogRecordExporter
from opentelemetry.sdk.metrics.export import MetricExporter
from opentelemetry.sdk.trace.export import SpanExporter

from router.settings import Otlp

Exporters = tuple[SpanExporter, MetricExporter, LogRecordExporter]


def exporters(otlp: Otlp) -> Exporters:
    """For traces, metrics and logs."""
    return _grpc(otlp) if otlp.protocol == "grpc" else _http(otlp)


def _http(otlp: Otlp) -> Exporters:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    at = otlp.endpoint.rstrip("/")
    headers = {name: value.reveal() for name, value in otlp.headers.items()}
    return (
        OTLPSpanExporter(endpoint=f"{at}/v1/traces", headers=headers),
        OTLPMetricExporter(endpoint=f"{at}/v1/metrics", headers=headers),
        OTLPLogExporter(endpoint=f"{at}/v1/logs", headers=headers),
    )


def _grpc(otlp: Otlp) -> Exporters:
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    at, plain = otlp.endpoint, otlp.endpoint.startswith("http://")
    headers = {name.lower(): value.reveal() for name, value in otlp.headers.items()}  # as it asks
    return (
        OTLPSpanExporter(endpoint=at, insecure=plain, headers=headers),
        OTLPMetricExporter(endpoint=at, insecure=plain, headers=headers),
        OTLPLogExporter(endpoint=at, insecure=plain, headers=headers),
    )
