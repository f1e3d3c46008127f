"""OpenTelemetry: what has passed, as traces, metrics and logs over OTLP (the extra `otel`).

One rule: a request only puts its beginning and its end into a bounded queue; a thread of its own
makes spans of them, and those of the SDK send them. Names follow the GenAI conventions; never any
content. Imported only where an endpoint is configured.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.environment_variables import (
    OTEL_METRIC_EXPORT_INTERVAL,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from router.contract import VERSION, AttemptView, LogLine, RequestDetail, RequestView
from router.log import TURNED_AWAY
from router.settings import Otlp
from router.telemetry.complaints import Complaints
from router.telemetry.conventions import (
    Callee,
    Words,
    failure,
    first_chunk,
    name_of,
    of_attempt,
    of_request,
)
from router.telemetry.exporters import exporters
from router.telemetry.ids import Ids, span_id, trace_id, traceparent
from router.telemetry.meters import Names

#: finished requests and lines that may wait; beyond that the oldest are lost
WAITING = 5_000
#: seconds that they wait for company
GATHER = 0.2
#: milliseconds between two sendings of the metrics
EVERY = 10_000
#: seconds for the last of everything when the router ends
LAST_WORDS = 2.0
#: as the conventions advise: tokens, seconds
TOKENS = [float(4**power) for power in range(14)]
SECONDS = [0.01 * 2**power for power in range(14)]
_SEVERITY = {
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
}


class Telemetry:
    """`complain` gets what the SDK has to say, such as that nobody listens. `callee` tells of a
    provider by its name; it and `names` are asked from another thread."""

    def __init__(
        self,
        otlp: Otlp,
        complain: Callable[[str], None],
        callee: Callable[[str], Callee],
        names: Names,
    ) -> None:
        self._callee = callee
        self._names = names
        # An instance is a process: counters begin at 0 with it, and Aspire's charts subtract what
        # the same one said before. Not a UUID: its dashboard (13.5) makes a name of eight letters
        # of these, and its own pages do not find that.
        instance = Resource({"service.instance.id": secrets.token_hex(4)})
        service = Resource({"service.name": otlp.service, "service.version": VERSION})
        resource = Resource.create().merge(instance).merge(OTELResourceDetector().detect())
        resource = resource.merge(service)
        spans, figures, lines = exporters(otlp)
        self._ids = Ids()
        self._traces = TracerProvider(
            resource=resource, id_generator=self._ids, shutdown_on_exit=False
        )
        if "traces" in otlp.signals:
            self._traces.add_span_processor(BatchSpanProcessor(spans))
        self._tracer = self._traces.get_tracer("pointsman", VERSION)
        every = None if OTEL_METRIC_EXPORT_INTERVAL in os.environ else EVERY
        readers = [
            PeriodicExportingMetricReader(figures, export_interval_millis=every)
            for signal in otlp.signals
            if signal == "metrics"
        ]
        self._metrics = MeterProvider(readers, resource=resource, shutdown_on_exit=False)
        self._logs = LoggerProvider(resource=resource, shutdown_on_exit=False)
        if "logs" in otlp.signals:
            self._logs.add_log_record_processor(BatchLogRecordProcessor(lines))
        self._logger = self._logs.get_logger("pointsman", VERSION)
        meter = self._metrics.get_meter("pointsman", VERSION)
        self._used = meter.create_histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Number of input and output tokens used",
            explicit_bucket_boundaries_advisory=TOKENS,
        )
        self._took = meter.create_histogram(
            "gen_ai.client.operation.duration",
            unit="s",
            description="GenAI operation duration",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        self._began = meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            unit="s",
            description="Time to the first chunk of the answer",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        self._cost = meter.create_counter(
            "pointsman.cost", unit="{dollar}", description="Dollars spent, where prices are known"
        )
        self._queue: deque[_Began | _Ended | LogLine] = deque(maxlen=WAITING)
        self._parents: OrderedDict[str, Context] = OrderedDict()  # of requests that came with one
        self._closing = threading.Event()
        self._complaints = Complaints(complain)
        logging.getLogger("opentelemetry").addHandler(self._complaints)
        logging.getLogger("opentelemetry").propagate = False
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        self._thread.start()

    # ── from the event loop ──────────────────────────────────────────────────────────────────────

    def began(self, request: str, headers: Mapping[str, str]) -> None:
        """`headers` are the client's: its trace is gone on with. Said first, so that every line of
        a request is of its trace."""
        if parent := headers.get("traceparent"):
            self._queue.append(_Began(request, parent, headers.get("tracestate", "")))

    def traced(
        self, request: str, number: int, headers: Mapping[str, str]
    ) -> tuple[tuple[str, str], ...]:
        """Headers by which the provider that is called for a request's attempt of that number goes
        on with its trace. `headers` are the client's, of which only the trace's id is told."""
        return (("traceparent", traceparent(request, number, headers)),)

    def finished(self, detail: RequestDetail, ends: tuple[str, ...]) -> None:
        """`ends`: why the answer of each attempt ended (messages.StopReason), or ""."""
        self._queue.append(_Ended(detail, ends))

    def logged(self, line: LogLine) -> None:
        if line.source != "telemetry":  # what we say of our own sending is not sent
            self._queue.append(line)

    def close(self) -> None:
        """Sends what waits, for a while. Blocks."""
        until = time.monotonic() + LAST_WORDS
        self._closing.set()
        self._thread.join(LAST_WORDS)
        ends = (self._traces.shutdown, self._metrics.shutdown, self._logs.shutdown)
        threads = [threading.Thread(target=end, daemon=True) for end in ends]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        logging.getLogger("opentelemetry").removeHandler(self._complaints)

    # ── on the thread ────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        last = False
        while not last:
            last = self._closing.wait(GATHER)
            while self._queue:
                item = self._queue.popleft()
                if isinstance(item, LogLine):
                    self._line(item)
                elif isinstance(item, _Ended):
                    self._request(*item)
                else:
                    self._parent(*item)

    def _parent(self, request: str, parent: str, state: str) -> None:
        told = {"traceparent": parent, "tracestate": state}
        self._parents[request] = TraceContextTextMapPropagator().extract(told)
        if len(self._parents) > WAITING:
            self._parents.popitem(last=False)

    def _request(self, detail: RequestDetail, ends: tuple[str, ...]) -> None:
        view = detail.request
        self._ids.of(view.id)
        span = self._tracer.start_span(
            name_of(view, view.asked or view.model),
            self._parents.get(view.id, Context()),
            SpanKind.SERVER,
            attributes=of_request(view, detail.facts),
            start_time=_nanos(view.started_at),
        )
        inside = trace.set_span_in_context(span)
        for attempt, end in zip(detail.attempts, ends, strict=True):
            self._attempt(view, attempt, end, inside)
        if view.state != "done":
            span.set_attribute("error.type", failure(view, detail.attempts))
            span.set_status(Status(StatusCode.ERROR, view.error))
        span.end(_nanos(view.started_at, view.duration_ms))

    def _attempt(self, view: RequestView, attempt: AttemptView, end: str, inside: Context) -> None:
        self._ids.attempt(view.id, attempt.number)
        words = of_attempt(view, attempt, self._callee(attempt.provider), end)
        span = self._tracer.start_span(
            name_of(view, attempt.model),
            inside,
            SpanKind.CLIENT,
            attributes=words,
            start_time=_nanos(attempt.started_at),
        )
        named = {
            name: words[name]
            for name in (
                *("gen_ai.operation.name", "gen_ai.provider.name"),
                *("pointsman.provider", "pointsman.simulated"),
            )
        }
        named["gen_ai.request.model"] = self._names.of(attempt.provider, attempt.model)
        if attempt.outcome not in ("ok", ""):
            span.set_attribute("error.type", attempt.outcome)
            span.set_status(Status(StatusCode.ERROR, attempt.error))
            named["error.type"] = attempt.outcome
        span.end(_nanos(attempt.started_at, attempt.duration_ms))
        here = trace.set_span_in_context(span)  # an example of the figure is a link to its span
        tokens = attempt.tokens
        if tokens.prompt and not tokens.estimated:  # "it MUST NOT report", where it is not told
            self._used.record(tokens.prompt, {**named, "gen_ai.token.type": "input"}, here)
        if tokens.output and not tokens.estimated:
            self._used.record(tokens.output, {**named, "gen_ai.token.type": "output"}, here)
        if attempt.duration_ms is not None:
            self._took.record(attempt.duration_ms / 1000, named, here)
        if (first := first_chunk(view, attempt)) is not None:
            self._began.record(first, named, here)
        if attempt.cost:
            self._cost.add(attempt.cost / 1e9, named, here)

    def _line(self, line: LogLine) -> None:
        words: Words = {"pointsman.source": line.source, "pointsman.simulated": line.simulated}
        context = None
        if line.request:
            words["pointsman.request.id"] = line.request
        if line.request and line.source != TURNED_AWAY:  # of that there is no span
            above = trace.get_current_span(self._parents.get(line.request)).get_span_context()
            own = above.trace_id if above.is_valid else trace_id(line.request)
            where = SpanContext(own, span_id(line.request), is_remote=True)
            context = trace.set_span_in_context(NonRecordingSpan(where))
        self._logger.emit(
            LogRecord(
                timestamp=_nanos(line.at),
                severity_number=_SEVERITY[line.level],
                severity_text=line.level.upper(),
                body=line.message,
                attributes=words,
                context=context,
            )
        )


def _nanos(at: float, later_ms: float | None = None) -> int:
    return int(at * 1e9 + (later_ms or 0.0) * 1e6)


class _Began(NamedTuple):
    request: str
    parent: str
    state: str


class _Ended(NamedTuple):
    detail: RequestDetail
    ends: tuple[str, ...]
