"""The stages of one request in the log, for whoever asked for every word (level debug).

One rule: a stage is told by what the ledger may keep of it: rules, targets, times and counts, never
a word of a prompt or an answer. Nobody calls this unless `log.debugs`: it costs nothing when off.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from router.log import Log
from router.record import Attempt, Record
from router.rules.plan import Plan


def decided(log: Log, record: Record, plan: Plan, now: float) -> None:
    """What came, every rule that was looked at, and the candidates in their order."""
    caller, facts = record.caller, record.facts
    log.debug(
        "rules",
        f"{caller.door} {record.dialect} {record.endpoint} asks {record.asked or '(no model)'}"
        f"{', streamed' if record.stream else ''}: {facts.tokens} tokens,"
        f" {facts.tools} tools, {facts.images} images,"
        f" session {caller.session or '(none)'}, client {caller.client or '(unknown)'}",
        record.id,
    )
    for look in plan.looks:
        where = f" → {look.target}" if look.target else ""
        note = f" ({look.note})" if look.note else ""
        hit = "hit" if look.hit else "no"
        log.debug("rules", f"{look.rule}: {hit}, {look.value}{where}{note}", record.id)
    names = (f"{each.provider.name},{each.model}" for each in plan.candidates)
    log.debug(
        "rules",
        f"decided by {plan.rule} after {_ms(record.started, now)}: {', then '.join(names)}",
        record.id,
    )


def attempted(log: Log, record: Record, attempt: Attempt) -> None:
    """An upstream call that begins, or has ended, however it did."""
    provider, model = attempt.candidate.provider, attempt.candidate.model
    words = f"attempt {attempt.number} at {provider.name},{model}"
    if attempt.ended is None:
        reason = f" ({attempt.reason})" if attempt.reason else ""
        words += f"{reason}: {provider.format} to {_host(provider.url)}"
    else:
        status = f"status {attempt.status}" if attempt.status is not None else "no status"
        tokens = attempt.tokens
        words += (
            f" {attempt.outcome}: {status},"
            f" first byte after {_ms(attempt.started, attempt.first_byte)},"
            f" ended after {_ms(attempt.started, attempt.ended)},"
            f" {tokens.prompt} tokens in, {tokens.output} out"
        )
    log.debug("exchange", words, record.id, provider.simulated)


def _host(url: str) -> str:
    """Without what else an address may hold: a sign-in before it, a key behind it."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _ms(start: float, end: float | None) -> str:
    return "(none)" if end is None else f"{(end - start) * 1000:.1f} ms"
