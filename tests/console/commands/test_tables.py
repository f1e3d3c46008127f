"""What a command prints at a terminal of so many columns, and into a pipe."""

from __future__ import annotations

import click
import pytest

from console.tables import laid_out, wrapped

HEADS = ("TIME", "MODEL", "DOOR", "IN", "WHY")
ROWS = [
    ("10:00:00", "openrouter,google/gemini-2.5-pro", "ccr", "61,204", "more than 60,000 tokens"),
    ("10:00:01", "deepseek,deepseek-chat", "litellm", "12", ""),
]


@pytest.mark.parametrize(
    ("cells", "missed", "shown"),
    [
        (
            None,
            "",
            """\
TIME      MODEL                             DOOR         IN  WHY
10:00:00  openrouter,google/gemini-2.5-pro  ccr      61,204  more than 60,000 tokens
10:00:01  deepseek,deepseek-chat            litellm      12""",
        ),
        (
            66,
            "",
            """\
TIME      MODEL                  DOOR         IN  WHY
10:00:00  openrouter,            ccr      61,204  more than 60,000
          google/gemini-2.5-pro                   tokens
10:00:01  deepseek,              litellm      12
          deepseek-chat""",
        ),
        (
            47,
            "door",
            """\
TIME      MODEL                      IN  WHY
10:00:00  openrouter,            61,204  more
          google/gemini-2.5-pro          than
                                         60,000
                                         tokens
10:00:01  deepseek,                  12
          deepseek-chat""",
        ),
    ],
)
def test_a_table_is_as_wide_as_the_terminal(cells: int | None, missed: str, shown: str) -> None:
    """Words go on below themselves, lesser columns stay away and are named, numbers stay whole."""
    lines, away = laid_out(HEADS, ROWS, right=(3,), lesser=(2,), cells=cells)
    assert "\n".join(lines) == shown
    assert away == missed


def test_on_a_phone_even_a_name_goes_on_below_itself() -> None:
    lines, _ = laid_out(HEADS, ROWS, right=(3,), lesser=(2,), cells=44)
    assert max(map(len, lines)) <= 44
    assert [line[10:22].strip() for line in lines[1:4]] == [
        "openrouter,",
        "google/gemin",
        "i-2.5-pro",
    ]
    narrow, _ = laid_out(HEADS, ROWS, right=(3,), lesser=(2,), cells=10)
    assert "61,204" in "".join(narrow)


def test_what_is_to_be_typed_stays_on_one_line() -> None:
    said = "nothing answers here; `pointsman start --port 8080` starts one"
    assert wrapped(said, None) == [said]
    assert wrapped(said, 40) == [
        "nothing answers here;",
        "`pointsman start --port 8080` starts one",
    ]
    red = click.style("nothing answers here;", fg="red")
    assert wrapped(f"{red} start one", 31) == [f"{red} start one"]
    assert wrapped(f"{red} start one", 30) == [f"{red} start", "one"]
