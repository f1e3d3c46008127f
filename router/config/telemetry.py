"""Where traces, metrics and logs are sent: [telemetry] of pointsman.toml, else the variables that
every OpenTelemetry SDK reads (Aspire sets them)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import get_args
from urllib.parse import unquote, urlsplit

from router.config.endpoints import problem_of
from router.config.own import TelemetryTable
from router.contract import Finding
from router.extras import to_install
from router.settings import Otlp, Secret, Signal

WHAT = "OpenTelemetry"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
PROTOCOLS = ("http/protobuf", "grpc")
SIGNALS: tuple[Signal, ...] = get_args(Signal)
#: gRPC's own port and the Aspire dashboard's, where nothing is said
GRPC = (4317, 18889)


def read(table: TelemetryTable, env: Mapping[str, str]) -> tuple[Otlp | None, list[Finding]]:
    told = env.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip()
    if env.get("OTEL_SDK_DISABLED", "").lower() == "true":
        told = ""
    endpoint = table.endpoint or told
    if not endpoint:
        return None, []
    by = "pointsman.toml" if table.endpoint else "OTEL_EXPORTER_OTLP_ENDPOINT"
    if problem := problem_of(endpoint):
        return None, [Finding(WHAT, by, "problem", problem)]
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        text = f"nothing is sent: `{to_install('otel')}` installs it"
        return None, [Finding(WHAT, endpoint, "problem", text)]
    usual = "grpc" if urlsplit(endpoint).port in GRPC else "http/protobuf"
    protocol = table.protocol or (not table.endpoint and env.get(PROTOCOL)) or usual
    if protocol not in PROTOCOLS:
        text = f"{PROTOCOL}={protocol} is not spoken: http/protobuf and grpc are"
        return None, [Finding(WHAT, endpoint, "problem", text)]
    if urlsplit(endpoint).path.rstrip("/").endswith(tuple(f"/v1/{each}" for each in SIGNALS)):
        text = f"leave out {endpoint[endpoint.index('/v1/') :]}: it is put behind for each signal"
        return None, [Finding(WHAT, endpoint, "problem", text)]
    signals = table.signals
    if signals is None:
        signals = tuple(each for each in SIGNALS if not _off(env, each))
    if not signals:
        return None, []
    shared = _headers(env.get("OTEL_EXPORTER_OTLP_HEADERS", ""))
    headers = {n: Secret(v) for n, v in (table.headers or shared).items()}
    service = table.service or env.get("OTEL_SERVICE_NAME", "") or "pointsman"
    text = f"{', '.join(signals)} of {service} are sent there over {protocol} ({by})"
    otlp = Otlp(endpoint, protocol, headers, service, signals)
    return otlp, [Finding(WHAT, endpoint, "found", text)]


def _off(env: Mapping[str, str], signal: str) -> bool:
    """By a variable that every SDK reads; other values than "otlp" and "none" are not ours."""
    return env.get(f"OTEL_{signal.upper()}_EXPORTER", "").strip() == "none"


def _headers(told: str) -> dict[str, str]:
    """Names and values of the variable: percent-encoded, as the specification has it."""
    pairs = (unquote(pair).partition("=") for pair in told.split(","))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}
