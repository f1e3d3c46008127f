"""Where an answer's words come from, between the dialects: sources with the span they stand behind.

Its one rule: a span counts characters of all the answer's text, its Text blocks joined; without one
a source stands behind the whole block that it is told in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from router.formats.fold import Whole
from router.messages import JSON, Citation, Text

URL = "url_citation"
_WEB = "web_search_result_location"


def placed(told: Iterable[Citation], start: int, end: int) -> list[Citation]:
    """Those of a block that went from `start` to `end`, each with a span; what names no page, as a
    place in one of the client's documents, has a form in its own dialect only."""
    return [
        one if one.start is not None else replace(one, start=start, end=end)
        for one in told
        if one.url
    ]


def spans(whole: Whole) -> list[Citation]:
    """All of an answer, each with a span."""
    found: list[Citation] = []
    at = 0
    for number, part in enumerate(whole.parts):
        if isinstance(part, Text):
            end = at + len(part.text)
            found += placed(whole.cited.get(number, ()), at, end)
            at = end
    return found


# ── Anthropic's ───────────────────────────────────────────────────────────────────────────────────


def from_anthropic(body: JSON) -> Citation:
    """Kept as it is, for a client of the same dialect."""
    url = body.get("url") or body.get("source")
    title, quote = body.get("title"), body.get("cited_text")
    return Citation(_url(url), _text(title), _text(quote), own=body)


def to_anthropic(told: Iterable[Citation]) -> list[JSON]:
    return [
        one.own
        or {
            "type": _WEB,
            "url": one.url,
            "title": one.title or None,
            "cited_text": one.quote,
            "encrypted_index": "",
        }
        for one in told
        if one.own or one.url
    ]


def foreign(told: Any) -> bool:
    """Whether `to_anthropic` made it: Anthropic takes back only an index that it encrypted."""
    return type(told) is dict and told.get("type") == _WEB and not told.get("encrypted_index")


# ── OpenAI's: a member of its own in Chat Completions, flat in Responses ──────────────────────────


def from_openai(told: Any, before: int = 0) -> list[Citation]:
    """`before`: characters of text before the part that they are told with. A file that is cited
    is one without an address."""
    found = []
    for one in told if type(told) is list else ():
        if type(one) is not dict:
            continue
        inner = one.get(URL)
        one = inner if type(inner) is dict else one
        url = _url(one.get("url"))
        start, end = _known(one.get("start_index"), one.get("end_index"), before)
        found.append(Citation(url, _text(one.get("title")), _text(one.get("content")), start, end))
    return found


def pages(told: Any) -> list[Citation]:
    """Of a list of addresses, or of objects with one, as xAI and Perplexity have them."""
    listed = told if type(told) is list else ()
    urls = (_url(one.get("url") if type(one) is dict else one) for one in listed)
    return [Citation(url) for url in dict.fromkeys(urls) if url]


def to_chat(told: Iterable[Citation]) -> list[JSON]:
    """Of placed ones. The words of the source stand where OpenRouter has them."""
    return [
        {"type": URL, URL: _flat(one, 0) | ({"content": one.quote} if one.quote else {})}
        for one in told
    ]


def to_responses(told: Iterable[Citation], before: int) -> list[JSON]:
    """Of placed ones, for a part of a message that `before` characters of text came before."""
    return [{"type": URL, **_flat(one, before)} for one in told]


def _flat(one: Citation, before: int) -> JSON:
    start, end = max((one.start or 0) - before, 0), max((one.end or 0) - before, 0)
    return {"start_index": start, "end_index": end, "url": one.url, "title": one.title}


# ── Gemini's, which counts bytes ──────────────────────────────────────────────────────────────────


def from_gemini(grounding: Any, recited: Any) -> list[Citation]:
    """Spans are in bytes still: see `characters`. A page without one is told once."""
    found: list[Citation] = []
    grounding = grounding if type(grounding) is dict else {}
    pages = [_page(one) for one in _list(grounding.get("groundingChunks"))]
    named: set[int] = set()
    for support in _list(grounding.get("groundingSupports")):
        start, end = _span(support.get("segment"))
        numbers = support.get("groundingChunkIndices")
        for at in numbers if type(numbers) is list else ():
            if type(at) is int and 0 <= at < len(pages) and (page := pages[at]) is not None:
                named.add(at)
                found.append(replace(page, start=start, end=end))
    found += [one for at, one in enumerate(pages) if one is not None and at not in named]
    recited = recited if type(recited) is dict else {}
    for one in _list(recited.get("citationSources") or recited.get("citations")):
        if url := _url(one.get("uri")):
            start, end = _span(one)
            found.append(Citation(url, _text(one.get("title")), "", start, end))
    return found


def characters(told: Iterable[Citation], text: str) -> list[Citation]:
    """Spans in bytes of `text` as spans in characters."""
    if text.isascii():
        return list(told)
    raw = text.encode("utf-8", "surrogatepass")

    def at(place: int | None) -> int | None:
        return None if place is None else len(raw[:place].decode("utf-8", "ignore"))

    return [replace(one, start=at(one.start), end=at(one.end)) for one in told]


def to_gemini(told: list[Citation], text: str) -> JSON:
    """The metadata of placed ones, for an answer of that text."""
    pages = {one.url: one.title for one in told}
    numbers = {url: number for number, url in enumerate(pages)}
    spoken: dict[tuple[int, int], list[int]] = {}
    for one in told:
        known = spoken.setdefault((one.start or 0, one.end or 0), [])
        if (number := numbers[one.url]) not in known:
            known.append(number)
    return {
        "groundingChunks": [{"web": {"uri": url, "title": title}} for url, title in pages.items()],
        "groundingSupports": [
            {
                "segment": {
                    "startIndex": _bytes(text[:start]),
                    "endIndex": _bytes(text[:end]),
                    "text": text[start:end],
                },
                "groundingChunkIndices": numbers,
            }
            for (start, end), numbers in spoken.items()
        ],
    }


def _page(chunk: JSON) -> Citation | None:
    for kind in ("web", "retrievedContext"):
        page = chunk.get(kind)
        if type(page) is dict and (url := _url(page.get("uri"))):
            return Citation(url, _text(page.get("title")), _text(page.get("text")))
    return None


def _span(segment: Any) -> tuple[int | None, int | None]:
    """Google leaves out a start of 0."""
    told = segment if type(segment) is dict else {}
    return _known(told.get("startIndex") or 0, told.get("endIndex"))


def _known(start: Any, end: Any, before: int = 0) -> tuple[int | None, int | None]:
    if type(start) is int and type(end) is int and 0 <= start < end:
        return before + start, before + end
    return None, None


def _list(value: Any) -> list[JSON]:
    return [one for one in value if type(one) is dict] if type(value) is list else []


def _url(value: Any) -> str:
    return value if type(value) is str else ""


_text = _url


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
