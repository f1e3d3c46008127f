"""One fixed afternoon of traffic: what the pictures show and the tests look at.

Deterministic to the nano-dollar. The clock stands at NOW.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from router.contract import (
    PROTOCOL,
    AttemptView,
    Beat,
    Circuit,
    Done,
    Edited,
    EditRoutes,
    Explain,
    Explained,
    Facts,
    Finding,
    Listener,
    ListModels,
    Loaded,
    LogLine,
    Look,
    Models,
    ModelView,
    Move,
    OverrideView,
    Replayed,
    ReplayRoutes,
    RequestDetail,
    RequestView,
    Result,
    Routes,
    RouteValue,
    RuleView,
    ServiceView,
    ShowRoutes,
    Snapshot,
    Spend,
    Tokens,
    Totals,
    WeighOverride,
)
from storage.writer import Ledger

#: 2026-11-18 14:32:07 UTC
NOW = 1_795_012_327.0
STARTED = NOW - 2 * 3600 - 5 * 60
HAIKU = "claude-haiku-4-5"
SONNET = "claude-sonnet-4-5"
GEMINI = "google/gemini-2.5-pro"
CODE = "claude-cli/2.1.330"
LOOKS = ("forced", "header", "/model", "override", "model", "image", "longContext", "subagent")


def _request(
    ago: float,
    door: str,
    asked: str,
    provider: str,
    model: str,
    rule: str,
    value: str,
    used: tuple[int, int, int, int],
    cost: int | None,
    ttft: float | None,
    took: float | None,
    **more: object,
) -> RequestView:
    state = more.pop("state", "done" if took is not None else "running")
    view = RequestView(
        id=f"req_{int(NOW - ago) % 1_000_000:06x}{int(ago * 10) % 4096:03x}",
        started_at=NOW - ago,
        state=state,  # type: ignore[arg-type]
        door=door,
        dialect="openai_chat" if door == "litellm" else "anthropic_messages",
        client="openai-python/2.8.0" if door == "litellm" else CODE,
        session="" if door == "litellm" else "7f3c9a52",
        asked=asked,
        provider=provider,
        model=model,
        rule=rule,
        value=value,
        stream=True,
        status=200 if state == "done" else None,
        tokens=Tokens(input=used[0], cache_read=used[1], cache_write=used[2], output=used[3]),
        cost=cost,
        attempts=1,
        ttft_ms=ttft,
        duration_ms=took,
    )
    return msgspec.structs.replace(view, **more)


REQUESTS: tuple[RequestView, ...] = (
    _request(
        3.2, "claude-code", SONNET, "openrouter", "anthropic/claude-sonnet-4.5", "think",
        "effort high", (412, 84_310, 1_906, 318), 42_118_500, 842.0, None,
    ),
    _request(
        9.8, "litellm", "gpt-4o", "openrouter", "openai/gpt-4o", "alias", "gpt-4o",
        (2_204, 0, 0, 611), None, 512.0, None,
    ),
    _request(
        14.1, "claude-code", HAIKU, "ollama-local", "qwen2.5-coder:7b", "background",
        "a haiku model", (1_822, 0, 0, 41), 0, 96.0, 712.0, simulated=True,
    ),
    _request(
        21.4, "claude-code", SONNET, "deepseek", "deepseek-chat", "default", "nothing else applied",
        (3_118, 38_400, 0, 902), 6_112_400, 634.0, 14_220.0,
    ),
    _request(
        33.0, "claude-code", SONNET, "openrouter", "google/gemini-2.5-pro", "longContext",
        "81,204 > 60,000", (81_204, 0, 0, 1_877), 120_275_000, 2_410.0, 31_800.0, attempts=2,
    ),
    _request(
        47.9, "litellm", "text-embedding-3-small", "openai", "text-embedding-3-small", "group",
        "text-embedding-3-small", (8, 0, 0, 0), 160, None, 212.0, endpoint="embeddings",
        stream=False,
    ),
    _request(
        58.2, "ccr", "", "deepseek", "deepseek-coder", "context", "coder", (1_204, 0, 0, 2_466),
        3_042_000, 588.0, 38_410.0,
    ),
    _request(
        75.5, "claude-code", SONNET, "openrouter", "anthropic/claude-sonnet-4.5", "think",
        "budget 31,999 ≥ 16,000", (388, 82_404, 1_502, 0), None, None, 1_204.0, state="failed",
        status=529, attempts=3, error="openrouter: overloaded, and no other candidate is left",
    ),
    _request(
        92.0, "claude-code", "/model deepseek,deepseek-reasoner", "deepseek", "deepseek-reasoner",
        "/model", "deepseek,deepseek-reasoner", (2_840, 36_100, 0, 4_210), 11_404_100, 3_120.0,
        64_000.0, state="cancelled",
    ),
    _request(
        118.6, "claude-code", HAIKU, "ollama-local", "qwen2.5-coder:7b", "background",
        "session title", (640, 0, 0, 18), 0, 88.0, 420.0, simulated=True,
    ),
    _request(
        151.0, "litellm", "mixtral-8x7b", "groq", "mixtral-8x7b-32768", "group", "mixtral-8x7b",
        (912, 0, 0, 344), None, 71.0, 980.0,
    ),
    _request(
        204.3, "ccr", "openrouter,z-ai/glm-4.6", "openrouter", "z-ai/glm-4.6", "model",
        "openrouter,z-ai/glm-4.6", (5_410, 0, 0, 1_120), 4_710_000, 1_010.0, 18_240.0,
    ),
)  # fmt: skip


def _spend(request: RequestView) -> Spend:
    """Its cost by kinds: a cached token costs a tenth, one of the answer five times as much."""
    used, cost = request.tokens, request.cost or 0
    parts = (used.input * 10, used.cache_read, used.cache_write * 12, used.output * 50)
    whole = sum(parts) or 1
    input, read, written = (cost * part // whole for part in parts[:3])
    return Spend(input, read, written, cost - input - read - written, saved=read * 9)


def detail(request: RequestView) -> RequestDetail:
    """The trace of one request: every rule before the one that decided was looked at."""
    looks = [Look(rule, "none") for rule in LOOKS if rule != request.rule]
    if request.rule == "longContext":
        looks = looks[:6]
    target = f"{request.provider},{request.model}"
    looks.append(Look(request.rule, request.value, hit=True, target=target))
    attempts = [
        AttemptView(
            number=1,
            provider=request.provider,
            model=request.model,
            started_at=request.started_at + 0.004,
            simulated=request.simulated,
            status=request.status,
            outcome="" if request.state == "running" else "ok",
            first_byte_ms=request.ttft_ms,
            duration_ms=request.duration_ms,
            tokens=request.tokens,
            cost=request.cost,
            spend=_spend(request),
            reason=f"rule {request.rule}",
        )
    ]
    if request.attempts > 1:
        failed = [
            AttemptView(
                number=number,
                provider="openrouter",
                model="anthropic/claude-sonnet-4.5:beta",
                started_at=request.started_at + 0.004,
                status=529,
                outcome="overload",
                error="Overloaded: too many requests to this model, try again later",
                first_byte_ms=1_180.0,
                duration_ms=1_190.0,
                reason=f"rule {request.rule}",
            )
            for number in range(1, request.attempts)
        ]
        attempts = [
            *failed,
            msgspec.structs.replace(
                attempts[0],
                number=request.attempts,
                started_at=request.started_at + 1.2,
                duration_ms=(request.duration_ms or 0) - 1_200,
                reason="fallback",
            ),
        ]
    facts = Facts(
        tokens=request.tokens.prompt,
        messages=41,
        tools=18,
        thinking="on 31,999",
        effort="high",
    )
    return RequestDetail(request=request, looks=tuple(looks), attempts=tuple(attempts), facts=facts)


def _sessions() -> list[RequestView]:
    """An afternoon's conversations, with subagents, several models and caches of every warmth."""
    made: list[RequestView] = []
    plan = (
        # session, agent, seconds ago, turns, provider, model, prompt, cached share, nano-dollars
        ("7f3c9a52", "", 5_400, 38, "openrouter", SONNET, 92_000, 0.91, 31_000_000),
        ("7f3c9a52", "", 1_900, 9, "deepseek", "deepseek-chat", 71_000, 0.62, 6_100_000),
        ("7f3c9a52", "explore-1", 2_400, 14, "ollama-local", "qwen2.5-coder:7b", 18_000, 0.0, 0),
        (
            "7f3c9a52",
            "reviewer-2",
            1_500,
            6,
            "deepseek",
            "deepseek-reasoner",
            41_000,
            0.4,
            9_900_000,
        ),
        ("b01d77e4", "", 9_000, 22, "openrouter", SONNET, 176_000, 0.96, 55_000_000),
        ("b01d77e4", "tests-1", 4_100, 11, "groq", "llama-3.3-70b", 9_000, 0.0, None),
        (
            "longer ago",
            "",
            86_000,
            5,
            "openrouter",
            "google/gemini-2.5-pro",
            12_000,
            0.0,
            4_000_000,
        ),
    )
    for session, agent, ago, turns, provider, model, prompt, share, cost in plan:
        for turn in range(turns):
            begun = ago - turn * (ago * 0.8 / turns)
            cached = int(prompt * share)
            made.append(
                msgspec.structs.replace(
                    _request(
                        begun, "claude-code", SONNET, provider, model, "default", "",
                        (prompt - cached, cached, 0, 640 + 31 * turn), cost, 700.0, 9_000.0,
                        session=session, agent=agent, simulated=provider == "ollama-local",
                    ),
                    id=f"req_s{session[:4]}{agent[:3]}{provider[:3]}{turn:02d}",
                )
            )  # fmt: skip
    return sorted(made, key=lambda view: view.started_at)


SERVICES = (
    ServiceView(
        "router", "router", "up", "embedded", "http://127.0.0.1:5000", requests=1_284, errors=3
    ),
    ServiceView(
        "LiteLLM", "role", "up", "embedded", "http://127.0.0.1:4000", requests=402, p50_ms=388.0,
    ),
    ServiceView(
        "CCR", "role", "up", "embedded", "http://127.0.0.1:3456", requests=882, p50_ms=642.0,
    ),
    ServiceView(
        "openrouter", "provider", "degraded", "real", "https://openrouter.ai/api/v1",
        reason="3 of the last 20 answers were 529", requests=310, errors=3, p50_ms=842.0,
        last_error="529 overloaded", last_error_at=NOW - 75, p95_ms=2_410.0, took_p50_ms=18_240.0,
        history=((0, 0),) * 6 + ((4, 0), (9, 0), (7, 1), (3, 3)) + ((6, 0),) * 17 + ((5, 1),) * 3,
        keys=(
            ServiceView(
                "key 1", "key", "degraded", address="key-5f2d91c0, weight 1", requests=103,
                errors=3, p50_ms=871.0, p95_ms=2_520.0, last_error="529 overloaded",
                last_error_at=NOW - 75, reason="529 overloaded", took_p50_ms=18_610.0,
                history=((0, 0),) * 8 + ((7, 1), (3, 3)) + ((2, 0),) * 17 + ((2, 1),) * 3,
            ),
            ServiceView(
                "key 2", "key", "up", address="key-c0a83e17, weight 2", requests=207,
                p50_ms=829.0, p95_ms=2_260.0, took_p50_ms=17_980.0,
                history=((0, 0),) * 6 + ((4, 0), (9, 0)) + ((0, 0),) * 2 + ((4, 0),) * 20,
            ),
        ),
    ),
    ServiceView(
        "deepseek", "provider", "up", "real", "https://api.deepseek.com", requests=571,
        p95_ms=1_180.0, took_p50_ms=14_220.0, history=((8, 0),) * 30,
        p50_ms=634.0, models=("deepseek-chat", "deepseek-coder", "deepseek-reasoner"),
    ),
    ServiceView(
        "groq", "provider", "down", "real", "https://api.groq.com/openai/v1",
        reason="the key in GROQ_API_KEY was refused (401)", requests=4, errors=4,
        last_error="401 invalid API key", last_error_at=NOW - 3_720, cooling_until=NOW + 42,
        circuits=(Circuit("llama-3.3-70b", 0, "open", NOW + 42),),
        history=((0, 0),) * 26 + ((1, 1),) * 4,
    ),
    ServiceView(
        "ollama-local", "local", "up", "simulated", "http://127.0.0.1:5199", requests=214,
        p50_ms=92.0, models=("qwen2.5-coder:7b",),
        loaded=(Loaded("qwen2.5-coder:7b", 32_768, 4_900_000_000, "2026-11-18T14:37:00Z"),),
    ),
    ServiceView("SSH", "ssh", "up", "", "ssh://127.0.0.1:2222"),
)  # fmt: skip

FINDINGS = (
    Finding("CCR config", "~/.claude-code-router/config.json", "found", "4 providers, 6 routes"),
    Finding("LiteLLM config", "./litellm-config.yaml", "found", "7 models, 2 fallbacks"),
    Finding("OPENROUTER_API_KEY", "environment", "found", "provider openrouter"),
    Finding("ANTHROPIC_API_KEY", "environment", "absent"),
    Finding("GROQ_API_KEY", "environment", "problem", "refused by groq: set a new key and reload"),
    Finding("Ollama", "http://127.0.0.1:11434", "absent", "a simulator stands in for it"),
    Finding("LiteLLM proxy", "http://127.0.0.1:4000", "absent", "the role is played here"),
    Finding("SSH host key", "ssh_host_ed25519_key", "made", "SHA256:qWx…"),
)

OVERRIDES = (
    OverrideView(
        "ov1", "scenario:think", "deepseek,deepseek-reasoner", NOW - 420, NOW + 1_380, "developer",
        served=17,
    ),
    OverrideView("ov2", "session:7f3c9a52", "openrouter,z-ai/glm-4.6", NOW - 60, None, "developer"),
    OverrideView(
        "ov3", "key:ci-bot", "groq,llama-3.3-70b", NOW - 3_600, NOW + 3_600, "ana", served=2,
        problem="groq is down: the key in GROQ_API_KEY was refused",
    ),
)  # fmt: skip

TODAY = Totals(
    requests=1_070, errors=3, tokens=Tokens(input=4_210_044, output=611_209), cost=8_412_077_310,
    unpriced=4, simulated_requests=214, simulated_cost=31_400_000,
)  # fmt: skip

BEAT = Beat(at=NOW, running=2, per_second=3.4, p95_ms=14_220.0, error_rate=0.004, today=TODAY)

LISTENERS = (
    Listener("front door", "http://127.0.0.1:5000"),
    Listener("LiteLLM", "http://127.0.0.1:4000"),
    Listener("CCR", "http://127.0.0.1:3456"),
    Listener("SSH", "ssh://127.0.0.1:2222"),
    Listener("control", "control.sock"),
)

SNAPSHOT = Snapshot(
    version="0.0.0",
    protocol=PROTOCOL,
    pid=1,
    started_at=STARTED,
    home="~/.local/share/pointsman",
    generation=1,
    simulated_only=False,
    listeners=LISTENERS,
    findings=FINDINGS,
    services=SERVICES,
    overrides=OVERRIDES,
    running=tuple(r for r in REQUESTS if r.state == "running"),
    recent=tuple(r for r in REQUESTS if r.state != "running"),
    beat=BEAT,
    targets=(
        "deepseek,deepseek-chat",
        "deepseek,deepseek-coder",
        "deepseek,deepseek-reasoner",
        "groq,llama-3.3-70b",
        "ollama-local,qwen2.5-coder:7b",
        "openrouter,anthropic/claude-sonnet-4.5",
        "openrouter,google/gemini-2.5-pro",
        "openrouter,z-ai/glm-4.6",
    ),
    scenarios={
        "default": "deepseek,deepseek-chat",
        "think": "openrouter,anthropic/claude-sonnet-4.5",
    },
)


def _model(
    target: str, input: int | None, output: int | None, cached: int | None, context: int
) -> ModelView:
    """Prices in nano-dollars per token."""
    return ModelView(target, input, output, cached, input, "genai-prices", context)


MODELS = Models(
    (
        _model("deepseek,deepseek-chat", 280, 420, 28, 128_000),
        _model("deepseek,deepseek-coder", 140, 280, 14, 128_000),
        _model("deepseek,deepseek-reasoner", 550, 2_190, 55, 128_000),
        _model("groq,llama-3.3-70b", None, None, None, 131_072),
        _model("ollama-local,qwen2.5-coder:7b", 0, 0, 0, 32_768),
        _model("openrouter,anthropic/claude-sonnet-4.5", 3_000, 15_000, 300, 200_000),
        _model(f"openrouter,{SONNET}", 3_000, 15_000, 300, 200_000),
        _model(f"openrouter,{GEMINI}", 1_250, 10_000, 310, 1_048_576),
        _model("openrouter,z-ai/glm-4.6", 600, 2_200, 110, 204_800),
    )
)

_TARGETS = {
    "longContext": "openrouter,google/gemini-2.5-pro",
    "background": "ollama-local,qwen2.5-coder:7b",
    "think": "openrouter,anthropic/claude-sonnet-4.5",
    "coder": "deepseek,deepseek-coder",
    "default": "deepseek,deepseek-chat",
}
ROUTES = Routes(
    rules=tuple(
        RuleView(
            name, when, scenario, _TARGETS.get(scenario, ""),
            "deepseek,deepseek-reasoner" if scenario == "think" else "",
        )
        for name, when, scenario in (
            ("forced", "an operator's forced override", ""),
            ("header", "the header x-pointsman-model", ""),
            ("/model", "/model provider,model in the prompt", ""),
            ("override", "an operator's override", ""),
            ("custom", "your own router (CUSTOM_ROUTER_PATH)", ""),
            ("model", "the body names provider,model", ""),
            ("image", "an image not seen before", "image"),
            ("longContext", "more than 60,000 tokens", "longContext"),
            ("subagent", "a subagent's tag", ""),
            ("context", "the client names the scenario", ""),
            ("background", "a haiku, or a side call", "background"),
            ("webSearch", "a web search tool", "webSearch"),
            ("think", "high effort, or ≥ 16,000 tokens to think", "think"),
            ("tool", "tools that the client runs", "tool"),
            ("coder", "code in the prompt", "coder"),
            ("simple", "a simple prompt", "simple"),
            ("complex", "a complex prompt", "complex"),
            ("named", "a provider serves that family by name", ""),
            ("default", "everything else", "default"),
        )
    ),
    strict=False,
    source="~/.claude-code-router/config.json",
    file="~/.config/pointsman/pointsman.toml",
    undo="think → openrouter,anthropic/claude-sonnet-4.5",
    values=(
        RouteValue("longContextThreshold", "60000", "longContext", "tokens"),
        RouteValue("thinkBudget", "16000", "think", "tokens to think"),
        RouteValue("fallback.think", "", "think", "tried next"),
        RouteValue(
            "fallback.default", "openrouter,z-ai/glm-4.6", "default", "tried next"
        ),
    ),
)  # fmt: skip
REPLAYED = Replayed(
    requests=200, moved=12, pinned=31, unclear=0, refused=0, difference=-840_000_000, unpriced=0,
    moves=(
        Move("default", "deepseek,deepseek-chat", "ollama-local,qwen2.5-coder:7b", 9,
             700_000_000, 0),
        Move("default", "openrouter,z-ai/glm-4.6", "ollama-local,qwen2.5-coder:7b", 3,
             140_000_000, 0),
    ),
)  # fmt: skip
EDITED = Edited(
    file="~/.config/pointsman/pointsman.toml",
    diff=(
        "@@ -4,2 +4,3 @@", " [routes.targets]", '-default = "deepseek,deepseek-chat"',
        '+default = "ollama-local,qwen2.5-coder:7b"', ' think = "openrouter,…"',
    ),
    applied=False,
)  # fmt: skip
EXPLAINED = Explained(
    candidates=("deepseek,deepseek-coder", "deepseek,deepseek-chat"),
    rule="coder",
    looks=(
        Look("longContext", "~14 ≤ 60,000"),
        Look("coder", "names the_list.py", True, "deepseek,deepseek-coder"),
    ),
    facts=Facts(tokens=14, messages=1),
)
ANSWERS: dict[type, Result] = {
    ListModels: MODELS,
    ShowRoutes: ROUTES,
    ReplayRoutes: REPLAYED,
    EditRoutes: EDITED,
    Explain: EXPLAINED,
    WeighOverride: Done(warning="leaves 1 warm cache of 86,216 tokens: about $0.0259 more"),
}

EMPTY = msgspec.structs.replace(
    SNAPSHOT, running=(), recent=(), overrides=(), simulated_only=True,
    beat=Beat(at=NOW, running=0, per_second=0.0, p95_ms=None, error_rate=0.0, today=Totals()),
)  # fmt: skip

_SAID = (
    (
        "info", "config",
        "4 providers and 6 routes from ~/.claude-code-router/config.json; not used: HOST, which "
        "pointsman.toml says, and rewriteSystemPrompt, whose file is not there",
    ),
    ("info", "listen", "front door on http://127.0.0.1:5000"),
    ("warning", "health", "groq: the key in GROQ_API_KEY was refused (401)"),
    ("debug", "exchange", "deepseek,deepseek-chat: first byte after 634 ms"),
    ("info", "exchange", "200 in 14.2 s, 38,400 of 41,518 input tokens from the cache"),
    ("warning", "policy", "openrouter: 529 overloaded, retry 1 in 0.5 s"),
    ("error", "exchange", "openrouter: overloaded, and no other candidate is left"),
    ("info", "ssh", "developer from 127.0.0.1 with a key, console 120x40"),
    ("info", "overrides", "scenario think → deepseek,deepseek-reasoner for 30 minutes"),
    ("debug", "facts", "81,204 tokens, 41 messages, 18 tools"),
)  # fmt: skip


def log_lines(count: int) -> list[LogLine]:
    """`count` lines, three seconds apart, up to NOW."""
    lines = []
    for number in range(count):
        level, source, message = _SAID[number % len(_SAID)]
        about = source in ("exchange", "policy", "facts")
        lines.append(
            LogLine(
                id=0,
                at=NOW - (count - number) * 3.0,
                level=level,  # type: ignore[arg-type]
                source=source,
                message=message,
                request=REQUESTS[number % len(REQUESTS)].id if about else "",
                simulated=number % 13 == 0,
            )
        )
    return lines


def fill(ledger: Path, logs: int = 120) -> None:
    """Writes the afternoon into a ledger, and some of the days before for the costs."""
    ledger.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    book = Ledger(ledger)
    try:
        for days in (20, 9, 3, 2, 1):
            for number, request in enumerate(REQUESTS):
                if request.state == "running":
                    continue
                earlier = msgspec.structs.replace(
                    request,
                    id=f"req_d{days:02d}{number:02d}",
                    session=request.session and f"{days} days ago",
                    started_at=request.started_at - days * 86_400,
                    cost=None if request.cost is None else request.cost * (days + 3),
                )
                book.request(RequestDetail(request=earlier))
        for request in _sessions():
            book.request(detail(request))
        for request in reversed(REQUESTS):
            book.request(detail(request))
        for override in OVERRIDES:
            book.override(override)
        for line in log_lines(logs):
            book.log(line)
        assert book.flush(10.0)
    finally:
        book.close()
