"""The algorithms we speak, strongest first: the ones that ssh-audit does not fail.

Its rule: a short explicit list. The library's defaults still offer the NIST curves, group14 and
group exchange, for which ssh-audit ends with 3. Every OpenSSH since 6.5 (2014) finds a match here;
strict key exchange (against Terrapin, CVE-2023-48795) is the library's own and always on.
"""

from __future__ import annotations

from asyncssh.kex import get_kex_algs

#: mlkem768 is post-quantum (OpenSSH 10.1 warns without); it needs a cryptography that has ML-KEM
KEY_EXCHANGES = tuple(
    name
    for name in ("mlkem768x25519-sha256", "curve25519-sha256", "curve25519-sha256@libssh.org")
    if name.encode() in get_kex_algs()
)
CIPHERS = (
    "chacha20-poly1305@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-gcm@openssh.com",
    "aes256-ctr",
    "aes128-ctr",
)
MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com")
#: what a client's key may sign with: no SHA-1 (ssh-rsa), no DSA
SIGNATURES = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
