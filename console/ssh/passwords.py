"""Passwords are kept as argon2id hashes, and compared slowly: 64 MiB and a tenth of a second each.

One rule: never on the event loop, never many at once, and an unknown name costs as much as a known
one.
"""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 10
#: comparisons at once: each holds 64 MiB
_AT_ONCE = 2
_HASHER = PasswordHasher()
#: of a password that nobody knows; compared where there is none to compare
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$2Pw2RM9KxyZzZ8TOTOiFCQ"
    "$IOVvIkSYzwnEol/mhWqWWjorZpSuzKIiQVVyQ+mDbCM"
)


def hashed(password: str) -> str:
    return _HASHER.hash(password)


class Comparer:
    def __init__(self) -> None:
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def matches(self, kept: str, password: str) -> bool:
        """Whether `password` is the one of which `kept` is the hash ("": there is none)."""
        async with self._room:
            right = await asyncio.to_thread(_verify, kept or _NOBODY, password)
        return right and bool(kept)


def _verify(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
