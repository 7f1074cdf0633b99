"""Signatures as Standard Webhooks 1.0 has them: HMAC-SHA256 over id, time and body, one for each secret in force."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence

from contracts.errors import NotAuthenticated

TOLERANCE_S = 300
"""A message whose stated time is further off than this is refused."""

_PREFIX = "whsec_"
_BYTES = 32
_LEAST = 24
_MAX_ID = 200


def new_secret() -> str:
    """A secret as receivers are given it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def is_secret(text: str) -> bool:
    """Whether this is a secret of 24 bytes or more, as `new_secret` writes it."""
    try:
        return text.startswith(_PREFIX) and len(base64.b64decode(text[len(_PREFIX) :], validate=True)) >= _LEAST
    except (binascii.Error, ValueError):
        return False


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


def verified(headers: Mapping[str, str], body: bytes, keys: Sequence[str], now: float) -> tuple[str, int]:
    """Id and time of a message that one of `keys` has signed.

    Args:
        headers: by lower-case name.
        now: s since 1970 UTC.

    Raises:
        NotAuthenticated: a header is missing, the time is more than `TOLERANCE_S` off, or nobody we know signed it.
    """
    id_, stamp, shown = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not id_ or len(id_) > _MAX_ID or not id_.isascii() or not id_.isprintable():
        raise NotAuthenticated("webhook-id: missing or not one", f"name the message in {_MAX_ID} letters at most")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        raise NotAuthenticated("webhook-timestamp: missing or not a time", "write s since 1970 UTC")
    if abs(now - int(stamp)) > TOLERANCE_S:
        raise NotAuthenticated("webhook-timestamp: too old, or still to come", "sign anew at each attempt")
    expected = signed(id_, int(stamp), body, keys)["webhook-signature"].split()
    given = [one.encode() for one in shown.split()]
    if not any(hmac.compare_digest(one.encode(), other) for one in expected for other in given):
        raise NotAuthenticated("webhook-signature: not one of ours", "sign id.timestamp.body with the agreed secret")
    return id_, int(stamp)


def _mac(key: str, told: bytes) -> str:
    raw = base64.b64decode(key.removeprefix(_PREFIX))
    return base64.b64encode(hmac.digest(raw, told, hashlib.sha256)).decode()
