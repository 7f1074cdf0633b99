"""What the gallery needs: something that tries an algorithm, in a process that is not the API's."""

from __future__ import annotations

from typing import Protocol

from algorithm_repo.gallery.types import Trial, TrialAnswer


class Try(Protocol):
    """Tries; injected by the composition root."""

    def __call__(self, trial: Trial, data: bytes) -> tuple[TrialAnswer, list[bytes]]:
        """The answer, and pictures (JPEG) that show it.

        Raises:
            ConfigError: it cannot be tried like this.
            SourceError: picture or clip cannot be decoded.
            TimeoutError: it took too long, or others did.
        """
        ...
