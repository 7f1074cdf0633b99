"""Codes that change every 30 s (TOTP, RFC 6238), and the codes for the day the telephone is lost."""

from __future__ import annotations

import hashlib
import io
import secrets

import pyotp
import segno

STEP_S = 30
DRIFT = 1
"""Steps that a telephone's clock may be ahead or behind."""
RECOVERY_CODES = 10
ISSUER = "CityVision"
# No i/l/1, o/0: the codes are read off paper.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def new_secret() -> str:
    """160 random bits in base32, as RFC 4226 recommends."""
    return pyotp.random_base32()


def address(secret: str, account: str) -> str:
    """The otpauth URI that authenticator apps take."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER)


def picture(uri: str) -> str:
    """The URI as a QR code, SVG, black on white."""
    drawn = io.BytesIO()
    segno.make(uri, error="m", micro=False).save(drawn, kind="svg", scale=5, border=4, dark="#000", light="#fff")
    return drawn.getvalue().decode()


def step_of(secret: str, code: str, now: float) -> int | None:
    """Which step `code` belongs to: the present one or `DRIFT` beside it; None where it is wrong.

    Args:
        now: s since 1970 UTC.
    """
    generator, present = pyotp.TOTP(secret), int(now) // STEP_S
    for step in range(present - DRIFT, present + DRIFT + 1):
        if secrets.compare_digest(generator.generate_otp(step).encode(), code.encode()):
            return step
    return None


def is_code(text: str) -> bool:
    """Whether it has the form of a code by time; else it may be a recovery code."""
    return len(text) == 6 and text.isascii() and text.isdigit()


def new_recovery_codes() -> list[str]:
    """Ten codes of 79 bits, in four groups."""
    return [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4)) for _ in range(RECOVERY_CODES)
    ]


def recovery_hash(code: str) -> str:
    """What is stored of a recovery code: SHA-256, hex; it is random, so there is nothing to guess.

    Dashes and capitals do not count.
    """
    plain = "".join(sign for sign in code.lower() if sign.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()
