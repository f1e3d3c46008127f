"""How OpenTelemetry's three signals are sent: OTLP over HTTP, or over gRPC (the extra `otel`).

One rule: only the protocol in use is imported: gRPC brings a library and threads of its own.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk._logs.export import LogRecordExporter
from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_CERTIFICATE
from opentelemetry.sdk.metrics.export import MetricExporter
from opentelemetry.sdk.trace.export import SpanExporter

from router.settings import Otlp

if TYPE_CHECKING:
    from requests import Session

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
        OTLPSpanExporter(endpoint=f"{at}/v1/traces", headers=headers, session=_session()),
        OTLPMetricExporter(endpoint=f"{at}/v1/metrics", headers=headers, session=_session()),
        OTLPLogExporter(endpoint=f"{at}/v1/logs", headers=headers, session=_session()),
    )


def _session() -> Session | None:
    """None: the SDK's own. That one lets REQUESTS_CA_BUNDLE, which many a company sets for all its
    machines, stand above the certificate that is named for the receiver."""
    if not os.environ.get(OTEL_EXPORTER_OTLP_CERTIFICATE):
        return None
    from requests import Session

    class Trusting(Session):
        def merge_environment_settings(self, *args: Any, **named: Any) -> Any:
            return {**super().merge_environment_settings(*args, **named), "verify": self.verify}

    return Trusting()


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
