"""The vocabulary that tokens are counted with, shipped with the install: no network, ever.

tiktoken alone would download it at first use. Loading takes about 0.3 s and 30 MB, so it is done
when an exact count is first wanted, in the thread that wants it.
"""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
from importlib import resources

import tiktoken

FILE = "cl100k_base.tiktoken.gz"
#: of the unpacked file; tiktoken's own loader expects the same
SHA256 = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
#: how cl100k_base splits a text before it looks for tokens
PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)


class BrokenVocabularyError(RuntimeError):
    """The shipped file is not the one that was published: the install is damaged."""


@functools.cache
def encoding() -> tiktoken.Encoding:
    """cl100k_base without special tokens: text that looks like one is counted as plain text."""
    packed = resources.files(__package__).joinpath(FILE).read_bytes()
    data = gzip.decompress(packed)
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise BrokenVocabularyError(f"{FILE} is damaged: install Pointsman again")
    pairs = (line.split() for line in data.splitlines())
    ranks = {base64.b64decode(token): int(rank) for token, rank in pairs}
    return tiktoken.Encoding(
        name="cl100k_base", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={}
    )
