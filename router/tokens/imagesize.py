"""What an image costs in tokens, from its first bytes. Pure; decodes no picture.

Anthropic's own rule: an image is scaled down to at most 1,568 pixels a side and about 1.15
megapixels, and then costs width × height / 750 tokens. Other providers bill the same order of size.
"""

from __future__ import annotations

import base64
import binascii
import math
import struct

#: where the size cannot be told: that of a screenshot after scaling
TYPICAL = 1_500
LONGEST_SIDE = 1_568
MOST_PIXELS = 1_200_000
PIXELS_PER_TOKEN = 750

#: base64 characters that are looked at: a JPEG's size may follow a thumbnail and a colour profile
_HEAD = 4 * 20_000


def image_tokens(data: str | None) -> int:
    """Tokens of an image given as base64; a typical number where it is only a URL or unreadable."""
    size = _size(data) if data else None
    if size is None:
        return TYPICAL
    width, height = size
    shrink = math.sqrt(MOST_PIXELS / (width * height))
    scale = min(1.0, LONGEST_SIDE / max(width, height), shrink)
    return max(1, round(width * height * scale * scale / PIXELS_PER_TOKEN))


def _size(data: str) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG, GIF, WebP or JPEG."""
    try:
        start = base64.b64decode(data[:64] if not data.startswith("/9j") else data[:_HEAD])
        found = _png(start) or _gif(start) or _webp(start) or _jpeg(start)
    except (binascii.Error, struct.error, ValueError):
        return None
    return found if found and found[0] and found[1] else None


def _png(data: bytes) -> tuple[int, int] | None:
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _gif(data: bytes) -> tuple[int, int] | None:
    if data[:4] != b"GIF8":
        return None
    width, height = struct.unpack("<HH", data[6:10])
    return width, height


def _webp(data: bytes) -> tuple[int, int] | None:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    kind = data[12:16]
    if kind == b"VP8X":
        return (
            1 + int.from_bytes(data[24:27], "little"),
            1 + int.from_bytes(data[27:30], "little"),
        )
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", data[26:30])
    return width & 0x3FFF, height & 0x3FFF


def _jpeg(data: bytes) -> tuple[int, int] | None:
    if data[:2] != b"\xff\xd8":
        return None
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            return width, height
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return None
