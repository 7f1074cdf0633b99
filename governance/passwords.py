"""Passwords: how they are kept, what is good enough, how long a wrong one makes the next wait."""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from contracts.errors import ConfigError

MIN_LENGTH = 10
MAX_LENGTH = 1024  # bytes are hashed whole; a bound keeps a request small

# argon2id, the second of the two recommended settings of RFC 9106 section 4 (64 MiB, 3 passes), on one thread.
HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
# No 0/O, 1/l/I: the password is read off a terminal once.
_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"

FREE_ATTEMPTS = 5
LONGEST_WAIT_S = 300.0
FORGET_AFTER_S = 86_400.0


def wait_s(failures: int) -> float:
    """How long after the last of `failures` wrong passwords in a row the next may be tried, s.

    None for the first few, then doubling from one second; bounded, so that nobody can lock the owner out for good.
    """
    return 0.0 if failures < FREE_ATTEMPTS else min(LONGEST_WAIT_S, 2.0 ** min(failures - FREE_ATTEMPTS, 16))


def generate() -> str:
    """A password of four groups of five characters: 116 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))


def hash_password(password: str) -> str:
    return HASHER.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether `password` is the one; without an account (None) it takes as long and says no."""
    try:
        HASHER.verify(password_hash or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def outdated(password_hash: str) -> bool:
    """Whether it was hashed with other costs than today's."""
    return HASHER.check_needs_rehash(password_hash)


@cache
def _nobody() -> str:
    return HASHER.hash(secrets.token_urlsafe())


def require_good(name: str, old: str, new: str) -> None:
    """Raises ConfigError where `new` is not good enough for the account `name` whose password is `old`."""
    if len(new) < MIN_LENGTH:
        raise ConfigError(f"the new password has fewer than {MIN_LENGTH} characters", "choose a longer one")
    if len(new) > MAX_LENGTH:
        raise ConfigError(f"the new password has more than {MAX_LENGTH} characters", "choose a shorter one")
    if new == old:
        raise ConfigError("the new password is the old one", "choose another")
    if len(set(new)) < 5 or new.lower().strip("0123456789") in ("", "password", "admin", "cityvision", name):
        raise ConfigError("the new password is easy to guess", "choose another, e.g. a few unrelated words")
