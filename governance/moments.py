"""Moments as the database has them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def utc(seconds: float) -> datetime:
    """s since 1970 UTC as a moment; by a sum, which is exact where `fromtimestamp` rounds."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
