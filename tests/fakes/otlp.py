"""An OTLP receiver: takes traces, metrics and logs, and decodes them as any collector does.

It is as strict as the Aspire dashboard (13.5, src/Aspire.Dashboard/Otlp and /Authentication of
microsoft/aspire): the key in `x-otlp-api-key`, the sizes, the kinds of figures that it draws.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_KINDS: dict[str, tuple[Any, str, str, str]] = {
    "/v1/traces": (ExportTraceServiceRequest, "resource_spans", "scope_spans", "spans"),
    "/v1/metrics": (ExportMetricsServiceRequest, "resource_metrics", "scope_metrics", "metrics"),
    "/v1/logs": (ExportLogsServiceRequest, "resource_logs", "scope_logs", "log_records"),
}
#: the dashboard's limits: bytes of one message, attributes of one thing
LARGEST, MOST = 4 * 1024 * 1024, 128
KEY = "x-otlp-api-key"


def attributes(of: dict[str, Any]) -> dict[str, Any]:
    """Plain names and values."""
    return {
        each["key"]: next(iter(each["value"].values()), None) for each in of.get("attributes", [])
    }


class Received:
    """`faults`: what the dashboard would not have shown, or shown wrongly. Where there is a `key`,
    who does not bring it is `refused`."""

    def __init__(self, key: str = "") -> None:
        self.key = key
        self.refused = 0
        self.faults: list[str] = []
        self._counts: dict[str, list[int]] = {}
        self.headers: list[dict[str, str]] = []
        self.raw = b""
        self.resources: list[dict[str, Any]] = []
        self.by_path: dict[str, list[dict[str, Any]]] = {path: [] for path in _KINDS}

    @property
    def spans(self) -> list[dict[str, Any]]:
        return self.by_path["/v1/traces"]

    @property
    def metrics(self) -> list[dict[str, Any]]:
        return self.by_path["/v1/metrics"]

    @property
    def logs(self) -> list[dict[str, Any]]:
        return self.by_path["/v1/logs"]

    def admits(self, headers: dict[str, str]) -> bool:
        if self.key and headers.get(KEY) != self.key:
            self.refused += 1
            return False
        self.headers.append(headers)
        return True

    def take(self, path: str, body: bytes) -> None:
        self.raw += body
        if len(body) > LARGEST:
            self.faults.append(f"{path}: {len(body)} bytes")
        message, outer, scopes, inner = _KINDS[path]
        said = MessageToDict(message.FromString(body), preserving_proto_field_name=True)
        for resource in said.get(outer, []):
            self.resources.append(attributes(resource["resource"]))
            for scope in resource.get(scopes, []):
                self.by_path[path] += scope.get(inner, [])
                for thing in scope.get(inner, []):
                    if path == "/v1/metrics":
                        self._figure(self.resources[-1], thing)
                    if len(thing.get("attributes", [])) > MOST:
                        self.faults.append(f"{thing['name']}: too many attributes")

    def _figure(self, resource: dict[str, Any], metric: dict[str, Any]) -> None:
        """The dashboard draws a histogram by subtracting one sending's counts from the next one's,
        of the same instance, name and attributes; other histograms and summaries it refuses."""
        if not {"gauge", "sum", "histogram"} & set(metric):
            self.faults.append(f"{metric['name']} is of a kind that is not drawn")
        for point in metric.get("histogram", {}).get("data_points", []):
            instance = resource["service.name"], resource.get("service.instance.id")
            series = f"{instance} {metric['name']} {sorted(attributes(point).items())}"
            counts = [int(count) for count in point["bucket_counts"]]
            before = self._counts.get(series, [0] * len(counts))
            if len(counts) != len(point["explicit_bounds"]) + 1 or len(counts) != len(before):
                self.faults.append(f"{series}: its buckets changed")
            elif any(now < then for now, then in zip(counts, before, strict=True)):
                self.faults.append(f"{series}: its counts fell")
            self._counts[series] = counts


#: what gRPC calls them
_SERVICES = {
    "opentelemetry.proto.collector.trace.v1.TraceService": "/v1/traces",
    "opentelemetry.proto.collector.metrics.v1.MetricsService": "/v1/metrics",
    "opentelemetry.proto.collector.logs.v1.LogsService": "/v1/logs",
}


@contextmanager
def grpc_receiver(key: str = "", tls: Path | None = None) -> Iterator[tuple[str, Received]]:
    """Its endpoint and what it received. `tls`: the folder of its certificate.pem and key.pem."""
    received = Received(key)

    def export(path: str, body: bytes, context: grpc.ServicerContext) -> bytes:
        if not received.admits(dict(context.invocation_metadata())):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "")
        received.take(path, body)
        return b""  # an answer of none but usual values

    server = grpc.server(ThreadPoolExecutor(2))
    for service, path in _SERVICES.items():
        method = grpc.unary_unary_rpc_method_handler(partial(export, path))
        handler = grpc.method_handlers_generic_handler(service, {"Export": method})
        server.add_generic_rpc_handlers((handler,))
    if tls is None:
        scheme, port = "http", server.add_insecure_port("127.0.0.1:0")
    else:
        pair = (tls / "key.pem").read_bytes(), (tls / "certificate.pem").read_bytes()
        credentials = grpc.ssl_server_credentials([pair])
        scheme, port = "https", server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    try:
        yield f"{scheme}://127.0.0.1:{port}", received
    finally:
        server.stop(None).wait()


@contextmanager
def receiver(key: str = "", tls: Path | None = None) -> Iterator[tuple[str, Received]]:
    """The same over HTTP."""
    received = Received(key)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = 401
            if received.admits({n.lower(): v for n, v in self.headers.items()}):
                status = 200 if self.headers["content-type"] == "application/x-protobuf" else 415
                received.take(self.path, body)
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls / "certificate.pem", tls / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        scheme = "http" if tls is None else "https"
        yield f"{scheme}://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
