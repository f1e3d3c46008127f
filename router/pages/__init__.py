"""The pages that the front door itself shows: static files of ours, and two that are filled in.

One rule: everything comes from this folder and nothing from elsewhere; a page may run only our own
script and call only our own address (POLICY), and whatever is filled in is escaped.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from router.call import Call

#: on every page of ours
HEADERS = (
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-cache"),
)
#: left out of a page: they would drive the terminal of whoever reads it with curl
_CONTROLS = dict.fromkeys(n for n in (*range(0x20), *range(0x7F, 0xA0)) if chr(n) not in "\n\t")
_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
#: seconds until a browser looks again for a program that may be starting
AGAIN = 4
HTML = "text/html; charset=utf-8"


class Markup(str):
    """HTML of our own: filled in as it is."""

    __slots__ = ()


def filled(page: str, **parts: str) -> bytes:
    """A page of this folder with its $names replaced; text is escaped."""
    safe = {n: p if isinstance(p, Markup) else escape(p) for n, p in parts.items()}
    return _template(page).substitute(safe).translate(_CONTROLS).encode()


async def asset(call: Call, name: str) -> bool:
    """Answers with a static file; False when there is none of that name."""
    kind = _TYPES.get(name.rpartition(".")[2])
    if kind is None or name not in _assets():
        return False
    await call.answer(200, _assets()[name], kind, HEADERS)
    return True


async def notice(
    call: Call, status: int, title: str, *words: str, again: int = 0, kind: str = "not_found_error"
) -> None:
    """A page that says one thing, in sentences; JSON for those who did not ask for a page.

    `again`: seconds until a browser asks once more, for what may yet come up; 0: never.
    Text between backquotes is shown as something to type.
    """
    if "text/html" not in call.headers.get("accept", ""):
        message = " ".join((f"{title}.", *words)).replace("`", "").translate(_CONTROLS)
        await call.json(status, {"error": {"message": message, "type": kind}})
        return
    refresh = Markup(f'<meta http-equiv="refresh" content="{again}">' if again else "")
    body = Markup("\n".join(f"<p>{_typed(each)}</p>" for each in words))
    style, headers = _apart()
    icon = Markup(_assets()["icon.svg"].decode())
    page = filled("notice.html", title=title, words=body, refresh=refresh, style=style, icon=icon)
    await call.answer(status, page, HTML, headers)


@cache
def _apart() -> tuple[Markup, tuple[tuple[str, str], ...]]:
    """The style of a page that stands alone, and its headers: at another program's name every
    address is that program's, our style's, too."""
    style = _assets()["page.css"]
    digest = b64encode(sha256(style).digest()).decode()
    policy = dict(HEADERS)["content-security-policy"]
    policy = policy.replace("style-src 'self'", f"style-src 'sha256-{digest}'")
    return Markup(style.decode()), (("content-security-policy", policy), *HEADERS[1:])


def _typed(words: str) -> str:
    """Escaped, with `this` as code."""
    parts = [escape(part) for part in words.split("`")]
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(parts))


@cache
def _template(page: str) -> Template:
    return Template(files(__name__).joinpath(page).read_text("utf-8"))


@cache
def _assets() -> dict[str, bytes]:
    """Read once: a request never waits for the disk."""
    found = (each for each in files(__name__).iterdir() if each.name.rpartition(".")[2] in _TYPES)
    return {each.name: each.read_bytes() for each in found}
