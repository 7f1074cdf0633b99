"""What the Valkey/Redis clients share: their errors as ours, and stream entries as they come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import redis
from pydantic import ValidationError

from contracts.errors import BusUnavailable
from contracts.live import CameraStatus


@contextmanager
def translated() -> Iterator[None]:
    """Turns the client's errors into ours."""
    try:
        yield
    except (redis.RedisError, OSError) as error:
        # The client's texts name the address but never the password.
        raise BusUnavailable(
            f"Valkey/Redis: {str(error)[:200]}", "records wait in the spool until it is back"
        ) from error


def statuses_of(found: Mapping[bytes, bytes]) -> dict[str, CameraStatus]:
    """What workers say of cameras, by camera; of workers of another release, while an update rolls, nothing."""
    said = {}
    for name, text in found.items():
        try:
            said[name.decode()] = CameraStatus.model_validate_json(text)
        except ValidationError:
            continue
    return said


def entries_of(entries: Any) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
    """Entries of one stream as the client gives them (RESP3 wraps them in one more list)."""
    for item in entries:
        if len(item) == 2 and isinstance(item[0], bytes):
            yield item[0], item[1] or {}
        else:
            yield from entries_of(item)
