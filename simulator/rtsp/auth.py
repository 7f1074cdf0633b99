"""Digest authentication as RTSP cameras do it (RFC 2617, MD5, qop absent or "auth")."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

REALM = "camera"
_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


def new_nonce() -> str:
    return secrets.token_hex(16)


def challenge(nonce: str) -> str:
    """Value of `WWW-Authenticate`."""
    return f'Digest realm="{REALM}", nonce="{nonce}", algorithm=MD5'


def _md5(text: str) -> str:
    # The protocol prescribes MD5; nothing else is protected by it.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def accepts(header: str, method: str, nonce: str, user: str, password: str) -> bool:
    """Whether the `Authorization` header answers the challenge `nonce` for these credentials."""
    if not header.lower().startswith("digest "):
        return False
    given = {key: quoted or bare for key, quoted, bare in _FIELD.findall(header[7:])}
    if given.get("username") != user or given.get("nonce") != nonce:
        return False
    who = _md5(f"{user}:{REALM}:{password}")
    what = _md5(f"{method}:{given.get('uri', '')}")
    if given.get("qop") == "auth":
        expected = _md5(f"{who}:{nonce}:{given.get('nc', '')}:{given.get('cnonce', '')}:auth:{what}")
    else:
        expected = _md5(f"{who}:{nonce}:{what}")
    return hmac.compare_digest(expected, given.get("response", ""))
