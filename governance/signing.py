"""Signatures on what leaves the system: Ed25519 (RFC 8032) today, others (SM2 with SM3) behind the same names."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from contracts.errors import ConfigError

ED25519 = "ed25519"


class Signer(Protocol):
    """Signs for this installation.

    Attributes:
        algorithm: name by which `verify` knows it.
        public: the public key, base64.
    """

    algorithm: str
    public: str

    def sign(self, data: bytes) -> bytes: ...


class Ed25519Signer:
    """A key of its own, derived (HKDF, RFC 5869) from the installation's secret: nothing else need be kept."""

    def __init__(self, secret: str) -> None:
        derived = HKDF(hashes.SHA256(), 32, None, b"cityvision evidence packages")
        self._key = Ed25519PrivateKey.from_private_bytes(derived.derive(secret.encode()))
        self.algorithm = ED25519
        self.public = base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


def _ed25519(public: bytes, signature: bytes, data: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


VERIFIERS: dict[str, Callable[[bytes, bytes, bytes], bool]] = {ED25519: _ed25519}


def verify(algorithm: str, public: str, signature: bytes, data: bytes) -> bool:
    """Whether `signature` over `data` is of this public key (base64).

    Raises:
        ConfigError: the algorithm is none that is known here, or the key is no base64.
    """
    check = VERIFIERS.get(algorithm)
    if check is None:
        raise ConfigError(f"signed with {algorithm!r}, which is not known here", f"known: {', '.join(VERIFIERS)}")
    try:
        key = base64.b64decode(public, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigError("the public key is no base64", "take it as `cityvision evidence key` prints it") from error
    return check(key, signature, data)
