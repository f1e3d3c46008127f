"""An OTLP receiver: takes traces, metrics and logs, and decodes them as any collector does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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


def attributes(of: dict[str, Any]) -> dict[str, Any]:
    """Plain names and values."""
    return {
        each["key"]: next(iter(each["value"].values()), None) for each in of.get("attributes", [])
    }


class Received:
    def __init__(self) -> None:
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

    def take(self, path: str, body: bytes) -> None:
        self.raw += body
        message, outer, scopes, inner = _KINDS[path]
        said = MessageToDict(message.FromString(body), preserving_proto_field_name=True)
        for resource in said.get(outer, []):
            self.resources.append(attributes(resource["resource"]))
            for scope in resource.get(scopes, []):
                self.by_path[path] += scope.get(inner, [])


#: what gRPC calls them
_SERVICES = {
    "opentelemetry.proto.collector.trace.v1.TraceService": "/v1/traces",
    "opentelemetry.proto.collector.metrics.v1.MetricsService": "/v1/metrics",
    "opentelemetry.proto.collector.logs.v1.LogsService": "/v1/logs",
}


@contextmanager
def grpc_receiver() -> Iterator[tuple[str, Received]]:
    """Its endpoint and what it received."""
    received = Received()

    def export(path: str, body: bytes, context: grpc.ServicerContext) -> bytes:
        received.headers.append(dict(context.invocation_metadata()))
        received.take(path, body)
        return b""  # an answer of none but usual values

    server = grpc.server(ThreadPoolExecutor(2))
    for service, path in _SERVICES.items():
        method = grpc.unary_unary_rpc_method_handler(partial(export, path))
        handler = grpc.method_handlers_generic_handler(service, {"Export": method})
        server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}", received
    finally:
        server.stop(None).wait()


@contextmanager
def receiver() -> Iterator[tuple[str, Received]]:
    """The same over HTTP."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.headers.append({n.lower(): v for n, v in self.headers.items()})
            received.take(self.path, body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
