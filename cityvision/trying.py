"""The gallery's trials, made in a process of their own: bytes from anywhere are decoded outside the API."""

from __future__ import annotations

import sys

from algorithm_repo.gallery.types import Trial, TrialAnswer
from cityvision.asking import AskedProcess, models_of
from cityvision.settings import Settings
from contracts.errors import ConfigError, StreamCorrupt

TIMEOUT_S = 180.0


class TrialProcess:
    """Asks one child process, one trial at a time. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        command = (sys.executable, "-m", "cityvision.trial_child", models_of(settings))
        self._child = AskedProcess(command, TIMEOUT_S, "the gallery")

    def attempt(self, trial: Trial, data: bytes) -> tuple[TrialAnswer, list[bytes]]:
        """See `api.gallery.Try`.

        Raises:
            ConfigError: it cannot be tried like this.
            StreamCorrupt: picture or clip cannot be decoded, or the child crashed on it.
            TimeoutError: it took too long, or others did.
        """
        told, joined = self._child.ask(trial.model_dump(mode="json"), data)
        if "error" in told:
            kind = ConfigError if told["asked_wrongly"] else StreamCorrupt
            raise kind(str(told["error"]), str(told["fix"]))
        answer = TrialAnswer.model_validate(told["answer"])
        pictures, start = [], 0
        for size in answer.pictures:
            pictures.append(joined[start : start + size])
            start += size
        return answer, pictures

    def close(self) -> None:
        """Ends the child."""
        self._child.close()
