"""What schemathesis is not to send: addresses longer than the HTTP server takes, which it refuses before the API."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import schemathesis

_LONGEST = 60_000  # characters; the server's parser ends at 65,535


@schemathesis.hook
def filter_query(context: Any, query: dict[str, Any] | None) -> bool:
    """Whether a generated query is sent."""
    return query is None or len(urlencode(query, doseq=True)) < _LONGEST
