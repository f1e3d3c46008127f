"""clean() lets nothing through that a terminal obeys; numbers are never cut and never lie."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b]52;c;AAA\x1b\\", "␛]52;c;AAA␛\\"),
        ("a\r\nb\nc\td", "a⏎b⏎c    d"),
        ("\x9b31m\x7f\x00", "�31m␡␀"),
        ("\u202eabc\u2066", "�abc�"),
        ("half \ud83c pair", "half � pair"),
        ("no\u00a0break", "no break"),
        ("z" + "\u0301" * 40, "z" + "\u0301" * 2),
        ("❤\ufe0f", "❤"),
        ("[/nope] [@click=app.bell]x", "[/nope] [@click=app.bell]x"),
        ("日本語 café", "日本語 café"),
    ],
)
def test_clean(raw: str, shown: str) -> None:
    assert text.clean(raw) == shown


@given(st.text(alphabet=st.characters(), max_size=80))
def test_clean_is_one_bounded_printable_line_and_settles(raw: str) -> None:
    shown = text.clean(raw, limit=40)
    assert len(shown) <= 40
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn") for c in shown)
    assert text.clean(shown, limit=40) == shown


def test_clean_says_that_it_cut() -> None:
    assert text.clean("x" * 50, limit=10) == "x" * 9 + "…"
    assert text.clean("\t" * 50, limit=10) == " " * 9 + "…"


def test_clean_lines_keeps_rows_and_nothing_else() -> None:
    assert text.clean_lines("a\r\nb\x1b[2J\n\tc") == "a\nb␛[2J\n    c"


@pytest.mark.parametrize(
    ("nano", "shown"),
    [
        (None, "—"),
        (0, "$0"),
        (1, "<$0.0001"),
        (50_000, "$0.0001"),
        (4_200_000, "$0.0042"),
        (99_999_940_000, "$99.9999"),
        (99_999_960_000, "$100.00"),
        (123_456_789_000_000_001, "$123,456,789.00"),
        (-4_200_000, "-$0.0042"),
    ],
)
def test_money(nano: int | None, shown: str) -> None:
    assert text.money(nano) == shown


def test_a_lower_bound_says_so() -> None:
    assert text.money(4_200_000, lower_bound=True) == "≥ $0.0042"
    assert text.money(None, lower_bound=True) == "—"


@pytest.mark.parametrize(
    "count", [0, 7, 999, 1_000, 12_345, 123_456, 999_950, 1_234_567_890, 10**13]
)
@pytest.mark.parametrize("cells", [4, 5, 6, 7, 9])
def test_tokens_choose_a_form_that_fits_and_stay_close(count: int, cells: int) -> None:
    shown = text.tokens(count, cells)
    assert len(shown) <= cells
    unit = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}.get(shown[-1], 1)
    assert float(shown.rstrip("kMGT").replace(",", "")) * unit == pytest.approx(count, rel=0.5)


def test_a_number_without_room_is_never_a_smaller_number() -> None:
    assert text.number("123456", 2) == "##"
    assert text.number("12", 4) == "  12"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "—"),
        (8.44, "8.4ms"),
        (9.96, "10ms"),
        (412.2, "412ms"),
        (999.6, "1.00s"),
        (48_060.0, "48.1s"),
        (59_960.0, "1m00s"),
        (192_000.0, "3m12s"),
    ],
)
def test_ms(value: float | None, shown: str) -> None:
    assert text.ms(value) == shown


def test_ages_and_shares() -> None:
    assert [text.age(s) for s in (None, 3, 65, 900, 7_500, 273_600)] == [
        "—",
        "3s",
        "1m05s",
        "15m",
        "2h05m",
        "3d04h",
    ]
    assert [text.percent(p) for p in (None, 0, 0.0001, 0.004, 0.12, 1)] == [
        "—",
        "0%",
        "<0.1%",
        "0.4%",
        "12%",
        "100%",
    ]


def test_fit_counts_cells_not_characters() -> None:
    assert text.fit("日本語", 4) == "日… "
    assert text.fit("hello", 4) == "hel…"
    assert text.fit("hi", 4) == "hi  "
    assert text.width(text.fit("日本語 and more", 7)) == 7
