"""The one error tree. Every error says what is wrong and what to do about it.

CityVisionError
├── ConfigError            a setting or a pool file is wrong (names the field and the fix)
├── SourceError            a camera or a file cannot be read
│   ├── SourceUnreachable  no connection, or it hung past its deadline
│   ├── SourceDenied       credentials refused
│   └── StreamCorrupt      packets arrive but cannot be used
├── ModelError             a model cannot be had or run
│   ├── ModelMissing       not in cache, mirror or at its address
│   ├── HashMismatch       the bytes are not the ones the zoo names
│   ├── ModelRefused       a model from elsewhere did not pass its checks; nothing of it is kept
│   └── RunnerError        inference failed
├── StoreError             a store refused
│   ├── BusUnavailable     Valkey/Redis away or refusing writes; the caller keeps the record
│   ├── DatabaseUnavailable
│   ├── ObjectMissing      no such key in the object store
│   ├── ObjectsUnavailable the object store is down; the caller keeps the bytes
│   └── StaleRevision      an edit was made against an older revision (HTTP 409)
├── AccessError
│   ├── NotAuthenticated   (HTTP 401)
│   ├── TooManyAttempts    too soon after wrong ones; says how long to wait (HTTP 429)
│   └── Forbidden          (HTTP 403)
└── ServiceError           an embedded service cannot start or stay up
    ├── PortTaken
    ├── DiskFull
    └── AlreadyRunning     a second instance on the same data folder
"""

from __future__ import annotations

import math


class CityVisionError(Exception):
    """Root of every error that CityVision raises on purpose.

    Args:
        message: what is wrong, in one line, without secrets.
        fix: what the reader can do about it, in one line; may be empty.
    """

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(f"{message}; {fix}" if fix else message)
        self.message = message
        self.fix = fix


class ConfigError(CityVisionError):
    """A setting or a pool file is wrong."""


class SourceError(CityVisionError):
    """A camera or a file cannot be read."""


class SourceUnreachable(SourceError):
    """No connection, or opening hung past its deadline."""


class SourceDenied(SourceError):
    """The camera refused the credentials."""


class StreamCorrupt(SourceError):
    """Packets arrive but cannot be used."""


class ModelError(CityVisionError):
    """A model cannot be had or run."""


class ModelMissing(ModelError):
    """The model is neither in the cache, nor in the mirror, nor at its address."""


class HashMismatch(ModelError):
    """The bytes found are not the ones the zoo names."""


class ModelRefused(ModelError):
    """A model from elsewhere did not pass its checks; nothing of it is kept."""


class RunnerError(ModelError):
    """Inference failed."""


class StoreError(CityVisionError):
    """A store refused."""


class BusUnavailable(StoreError):
    """Valkey/Redis is away or refuses writes; the caller keeps the record."""


class DatabaseUnavailable(StoreError):
    """Postgres is away."""


class ObjectMissing(StoreError):
    """The object store holds nothing under that key."""


class ObjectsUnavailable(StoreError):
    """The object store is down; the caller keeps the bytes."""


class StaleRevision(StoreError):
    """An edit was made against an older revision than the current one."""


class AccessError(CityVisionError):
    """Somebody may not do that."""


class NotAuthenticated(AccessError):
    """Nobody is logged in, or the session has ended."""


class TooManyAttempts(AccessError):
    """Refused without a look at the password: too soon after wrong ones, or too many at once.

    Args:
        message: what is wrong.
        retry_after_s: how long to wait before the next try, s, rounded up to whole ones and at least 1.
    """

    def __init__(self, message: str, retry_after_s: float) -> None:
        self.retry_after_s = max(1, math.ceil(retry_after_s))
        super().__init__(message, f"try again in {self.retry_after_s} s")


class Forbidden(AccessError):
    """Logged in, but without a grant for this."""


class ServiceError(CityVisionError):
    """An embedded service cannot start or stay up."""


class PortTaken(ServiceError):
    """Another process listens on the port."""


class DiskFull(ServiceError):
    """Less free space than the low watermark."""


class AlreadyRunning(ServiceError):
    """A second instance was started on the same data folder."""
