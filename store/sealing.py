"""Secrets that have to be kept and read again (signing keys of subscriptions), encrypted with the installation's key.

AES-256-GCM; the key is a file of the data folder, or a setting where processes run on several machines. A copy of
the database alone therefore holds no secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.errors import ConfigError

_VERSION = "1."
_NONCE = 12


class Sealer:
    """Seals and opens short texts.

    Args:
        passphrase: drawn at random, at least 16 characters; the key is its SHA-256.
    """

    def __init__(self, passphrase: str) -> None:
        if len(passphrase) < 16:
            raise ConfigError("the sealing key is too short", "use 16 random characters or more")
        self._cipher = AESGCM(hashlib.sha256(passphrase.encode()).digest())

    def seal(self, text: str, about: str) -> str:
        """`text` encrypted; it opens only with the same `about`, so that it cannot be moved to another row."""
        nonce = os.urandom(_NONCE)
        return _VERSION + base64.b64encode(nonce + self._cipher.encrypt(nonce, text.encode(), about.encode())).decode()

    def open(self, sealed: str, about: str) -> str:
        """The text again.

        Raises:
            ConfigError: it was sealed with another key, about something else, or damaged.
        """
        try:
            raw = base64.b64decode(sealed.removeprefix(_VERSION), validate=True)
            return self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], about.encode()).decode()
        except (InvalidTag, ValueError, binascii.Error):
            raise ConfigError(
                f"a kept secret ({about}) cannot be opened", "bring back this installation's sealing key, or rotate it"
            ) from None
