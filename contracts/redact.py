"""Keeping secrets out of logs, error texts and answers.

Two ways together: addresses lose their `user:password@` and password-like parameters by their form, as do API keys,
and every secret that was resolved in this process is known by value (see `store.secrets`).
"""

from __future__ import annotations

import logging
import re
import threading
from urllib.parse import quote

MASK = "***"
_MIN_KNOWN = 4  # shorter values would blank out ordinary words

_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*://)[^\s/?#\"'<>]*@")
# A password may itself hold / ? # or @: `scheme://user:` followed by anything but a port, up to the last @.
_RAW_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*://)[^\s/@:]*:(?!\d{1,5}(?:[/?#\s]|$))[^\s\"'<>]*@")
_PARAMETER = re.compile(
    r"(?i)\b(pass|passwd|password|pwd|user|username|secret|token)=(?!\{)[^\s&;/\"'<>]+",
)
_API_KEY = re.compile(r"\bcvk_[A-Za-z0-9_-]{16,}")

_known: set[str] = set()
_known_pattern: re.Pattern[str] | None = None
_lock = threading.Lock()


def register_secret(value: str) -> None:
    """Makes `value` (a password, not a user name) a text that `redact` masks, also in its percent-encoded form."""
    global _known_pattern  # noqa: PLW0603 - one set of secrets a process
    if len(value) < _MIN_KNOWN:
        return
    with _lock:
        _known.update({value, quote(value, safe="")})
        longest_first = sorted(_known, key=lambda text: (-len(text), text))
        _known_pattern = re.compile("|".join(re.escape(text) for text in longest_first))


def redact(text: str) -> str:
    """`text` without credentials: `user:password@` and password parameters of addresses, API keys, known secrets."""
    pattern = _known_pattern
    if pattern is not None:
        text = pattern.sub(MASK, text)
    if "cvk_" in text:
        text = _API_KEY.sub(MASK, text)
    if "://" in text:
        text = _RAW_USERINFO.sub(rf"\1{MASK}@", text)
        text = _USERINFO.sub(rf"\1{MASK}@", text)
    if "=" in text:
        text = _PARAMETER.sub(rf"\1={MASK}", text)
    return text


class RedactingFormatter(logging.Formatter):
    """Redacts whole log lines, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))
