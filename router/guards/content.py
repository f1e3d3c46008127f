"""Bodies are JSON. The three types that a web form can send without asking (text/plain and the two
form types) are refused, so that no page can post to us by a form."""

from __future__ import annotations

from functools import lru_cache

from router.errors import CallerError


def check(content_type: str, *, forms: bool = False) -> None:
    """Raises CallerError 415 for a body that says it is not JSON. "" (nothing said) passes.

    `forms`: files are sent here, as multipart/form-data. A page that sends one says its Origin, and
    is refused by that.
    """
    if forms and content_type.lower().startswith("multipart/form-data"):
        return
    if not is_json(content_type):
        raise CallerError(
            "send the body as JSON, with the header content-type: application/json", status=415
        )


@lru_cache(maxsize=256)
def is_json(content_type: str) -> bool:
    """Some clients say it twice; then all that they say must be JSON."""
    named = content_type.partition(";")[0].lower().split(",")
    return all(_is_json(media.strip()) for media in named)


def _is_json(media: str) -> bool:
    return media in ("", "application/json") or (
        media.startswith("application/") and media.endswith("+json")
    )
