"""The only door from outside text to a terminal cell, and the one way numbers are written.

Its rule: what `clean` returns is one line of printable characters, so no byte of it can drive a
terminal, start a new row or read as markup (callers still pass it as plain text, never as markup).
Numbers are never cut: a form that fits is chosen, and what is unknown is "—", never 0.

Imports nothing of ours and nothing heavy: the command line uses it too.
"""

from __future__ import annotations

import re
import time
import unicodedata
from functools import lru_cache

#: characters of outside text that a cell, a log line or a table may carry
LIMIT = 500
UNKNOWN = "—"
CUT = "…"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

#: more than this on one base character climbs over neighbouring rows
_MOST_MARKS = 2
_MARKS = re.compile(
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
#: variation selectors and Hangul fillers: printable by category, invisible, of no agreed width
_INVISIBLE = re.compile("[\ufe00-\ufe0f\u180b-\u180f\U000e0100-\U000e01ef\u115f\u1160\u3164\uffa0]")


def clean(text: str, *, limit: int = LIMIT) -> str:
    """`text` as one printable line of at most `limit` characters.

    A line break shows as ⏎, a tab as spaces, other control characters as their pictures (ESC is ␛),
    and what is invisible, bidirectional, unassigned or half a surrogate pair as �.
    """
    if len(text) > limit:
        text = text[: max(limit - 1, 0)] + CUT
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\t", "    ")
    if not text.isprintable():
        text = "".join([c if c.isprintable() else _shown(c) for c in text])
    text = _few_marks(_INVISIBLE.sub("", text))
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + CUT


def clean_lines(text: str, *, limit: int = 20_000) -> str:
    """As `clean`, but line breaks stay: for text that owns whole rows of its own."""
    cut = text if len(text) <= limit else text[: limit - 1] + CUT
    return "\n".join(clean(line, limit=limit) for line in cut.replace("\r\n", "\n").split("\n"))


@lru_cache(maxsize=512)
def _shown(character: str) -> str:
    code = ord(character)
    if character in "\n\u2028\u2029\x85":
        return "⏎"
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return " " if unicodedata.category(character) == "Zs" else REPLACEMENT


def _few_marks(text: str) -> str:
    if not _MARKS.search(text):
        return text
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)


# ── widths ────────────────────────────────────────────────────────────────────────────────────────


def width(text: str) -> int:
    """Terminal cells that clean text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # the same tables as the screens draw with

    return cell_len(text)


def fit(text: str, cells: int, *, right: bool = False, middle: bool = False) -> str:
    """Clean text cut (with …) or padded to exactly `cells`. For words, never for numbers. `middle`
    cuts there: the two ends of a model's name tell most."""
    have = width(text)
    if have > cells:
        text = _cut_middle(text, cells) if middle and text.isascii() else _cut(text, cells)
        have = width(text)
    return " " * (cells - have) + text if right else text + " " * (cells - have)


def _cut(text: str, cells: int) -> str:
    if cells < 1:
        return ""
    if text.isascii():
        return text[: cells - 1] + CUT
    kept, used = [], 0
    for character in text:
        used += width(character)
        if used > cells - 1:
            break
        kept.append(character)
    return "".join(kept) + CUT


def _cut_middle(text: str, cells: int) -> str:
    tail = max(cells - 1, 0) // 2
    return (
        text[: cells - 1 - tail] + CUT + text[len(text) - tail :]
        if cells > 2
        else _cut(text, cells)
    )


def number(text: str, cells: int) -> str:
    """A number, right-aligned. One that does not fit shows as #, which no one takes for a value."""
    return text.rjust(cells) if len(text) <= cells else "#" * cells


# ── numbers ───────────────────────────────────────────────────────────────────────────────────────

NANO = 1_000_000_000


def money(nano: int | None, lower_bound: bool = False, *, cents: bool = False) -> str:
    """Nano-dollars: "$0.0042", "$0" for free, "—" where unknown, "≥ $…" for a lower bound.

    Four decimals below $100, two above; with `cents`, for an estimate, two above $1. What is not
    zero never shows as zero.
    """
    if nano is None:
        return UNKNOWN
    sign, amount = ("-", -nano) if nano < 0 else ("", nano)
    if amount == 0:
        shown = "$0"
    elif amount < NANO // 20_000:
        shown = "<$0.0001"
    elif amount < (1 if cents else 100) * NANO - NANO // 20_000:
        shown = f"${_decimals(amount, 4)}"
    else:
        shown = f"${_decimals(amount, 2)}"
    return f"≥ {sign}{shown}" if lower_bound else f"{sign}{shown}"


def _decimals(nano: int, places: int) -> str:
    """Integer arithmetic: a float of nano-dollars is exact only to 9 million dollars."""
    unit = NANO // 10**places
    rounded = (nano + unit // 2) // unit
    whole, part = divmod(rounded, 10**places)
    return f"{whole:,}.{part:0{places}d}"


def tokens(count: int | None, cells: int | None = None, *, estimated: bool = False) -> str:
    """ "12,345", or the most exact shorter form that fits: "12.3k", "12k", "1.2M"."""
    if count is None:
        return UNKNOWN
    mark = "≈" if estimated and count else ""
    full = f"{mark}{count:,}"
    if cells is None or len(full) <= cells:
        return full
    for divisor, unit in ((1_000, "k"), (1_000_000, "M"), (1_000_000_000, "G"), (10**12, "T")):
        for places in (1, 0):
            short = f"{mark}{count / divisor:,.{places}f}{unit}"
            if len(short) <= cells:
                return short
    return full


def ms(value: float | None) -> str:
    """A duration of milliseconds: "8.4ms", "412ms", "1.24s", "48.1s", "3m12s"."""
    if value is None:
        return UNKNOWN
    if value < 9.95:
        return f"{value:.1f}ms"
    if value < 999.5:
        return f"{value:.0f}ms"
    seconds = value / 1000
    if seconds < 9.995:
        return f"{seconds:.2f}s"
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    return age(round(seconds))


def age(seconds: float | None) -> str:
    """ "3s", "12m", "3m12s" (below ten minutes), "2h05m", "3d04h"."""
    if seconds is None:
        return UNKNOWN
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 10:
        return f"{minutes}m{rest:02d}s"
    if minutes < 60:
        return f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h{minutes:02d}m"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours:02d}h"


def clock(at: float | None) -> str:
    """The local time of day of Unix seconds `at`: "14:03:22"."""
    return UNKNOWN if at is None else time.strftime("%H:%M:%S", time.localtime(at))


def when(at: float | None) -> str:
    """Date, time and zone: "2026-11-22 14:03:22 UTC"."""
    return UNKNOWN if at is None else time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(at))


def percent(part: float | None) -> str:
    """A share of 0…1: "0%", "0.4%", "12%"; what is not zero never shows as zero."""
    if part is None:
        return UNKNOWN
    value = part * 100
    if 0 < value < 0.05:
        return "<0.1%"
    return f"{value:.1f}%" if 0 < value < 9.95 else f"{value:.0f}%"


def rate(value: float | None) -> str:
    """Requests or tokens per second, to three figures: "0.4", "12.5", "1,204"."""
    if value is None:
        return UNKNOWN
    return f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def moment(at: float | None, now: float, *, ago: bool = False) -> str:
    """The time of day, with its date before it where that is not today's; or how long `ago`."""
    if at is None:
        return UNKNOWN
    if ago:
        return age(now - at)
    then, today = time.localtime(at), time.localtime(now)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M:%S", then)
    return time.strftime("%b %d %H:%M:%S" if then[0] == today[0] else "%Y-%m-%d %H:%M:%S", then)
