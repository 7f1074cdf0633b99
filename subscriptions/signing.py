"""Signatures as Standard Webhooks 1.0 has them: HMAC-SHA256 over id, time and body, one for each secret in force."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

_PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    """A secret as receivers are given it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def signed(id_: str, at: int, body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """The three headers of a message.

    Args:
        at: s since 1970 UTC, of this attempt: receivers refuse what is older than five minutes.
        keys: secrets in force; while they are rotated a receiver may know either of them.
    """
    told = b"%s.%d.%s" % (id_.encode(), at, body)
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{_mac(key, told)}" for key in keys),
    }


def _mac(key: str, told: bytes) -> str:
    raw = base64.b64decode(key.removeprefix(_PREFIX))
    return base64.b64encode(hmac.digest(raw, told, hashlib.sha256)).decode()
