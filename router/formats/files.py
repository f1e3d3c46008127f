"""Files in a client's request: what a data: URL holds, as the part that every provider knows best.

Its one rule: a text is read here, once, so that no provider is sent a text as if it were a PDF; and
a kind is named as the APIs name it, not as clients write it.
"""

from __future__ import annotations

import base64
import binascii

from router.messages import JSON, Document, Image

#: what clients write for JPEG; every API refuses it
_KINDS = {"image/jpg": "image/jpeg"}
#: texts whose kind does not begin with "text/"
_TEXTS = frozenset({"application/json", "application/xml", "application/yaml"})


def data_url(url: str) -> tuple[str | None, str]:
    """Media type and base64 of a data: URL; of anything else, itself as base64."""
    if not url.startswith("data:"):
        return None, url
    head, _, data = url[5:].partition(",")
    return kind_of(head.partition(";")[0]), data


def kind_of(media_type: str) -> str | None:
    kind = media_type.strip().lower()
    return _KINDS.get(kind, kind) or None


def document(
    media_type: str | None, data: str, name: str | None, cache: JSON | None = None
) -> Document | Image:
    """A file by its kind: a picture, a text in words, or else its bytes."""
    if media_type is not None and media_type.startswith("image/"):
        return Image(media_type, data, cache=cache)
    if is_text(media_type) and (text := _text(data)) is not None:
        return Document("text/plain", text=text, name=name, cache=cache)
    return Document(media_type, data, name=name, cache=cache)


def is_text(media_type: str | None) -> bool:
    return media_type is not None and (media_type.startswith("text/") or media_type in _TEXTS)


def _text(data: str) -> str | None:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
