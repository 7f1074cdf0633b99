"""The gallery's trials, made in a process of their own: bytes from anywhere are decoded outside the API."""

from __future__ import annotations

import sys

from algorithm_repo.gallery.types import Lent, Trial, TrialAnswer
from algorithm_repo.rollout.keeping import NetworkShelf
from cityvision.asking import AskedProcess, models_of
from cityvision.settings import Settings
from contracts.errors import ConfigError, StreamCorrupt
from contracts.rollout import ServedModel
from models.zoo import Zoo
from store.objects import ObjectStore

TIMEOUT_S = 180.0


class TrialProcess:
    """Asks one child process, one trial at a time. Thread-safe.

    Args:
        settings: where models are.
        objects: has networks of production that no release holds.
    """

    def __init__(self, settings: Settings, objects: ObjectStore) -> None:
        self._shelf = NetworkShelf(Zoo(cache=settings.cache, mirror=settings.mirror), objects)
        command = (sys.executable, "-m", "cityvision.trial_child", models_of(settings))
        self._child = AskedProcess(command, TIMEOUT_S, "the gallery")

    def attempt(self, trial: Trial, data: bytes) -> tuple[TrialAnswer, list[bytes]]:
        """See `api.gallery.Try`.

        Raises:
            ConfigError: it cannot be tried like this.
            ModelMissing, ObjectsUnavailable: a network of production cannot be had.
            StreamCorrupt: picture or clip cannot be decoded, or the child crashed on it.
            TimeoutError: it took too long, or others did.
        """
        lent = [self._lent(model).model_dump() for model in trial.serving]
        told, joined = self._child.ask(trial.model_dump(mode="json") | {"lent": lent}, data)
        if "error" in told:
            kind = ConfigError if told["asked_wrongly"] else StreamCorrupt
            raise kind(str(told["error"]), str(told["fix"]))
        answer = TrialAnswer.model_validate(told["answer"])
        pictures, start = [], 0
        for size in answer.pictures:
            pictures.append(joined[start : start + size])
            start += size
        return answer, pictures

    def _lent(self, model: ServedModel) -> Lent:
        """Fetches its weights into the cache, from which the child takes them."""
        entry = self._shelf.zoo_with(model).artefact(model.name)
        return Lent(role=model.role, name=model.name, sha256=model.sha256, entry=entry.model_dump_json())

    def close(self) -> None:
        """Ends the child."""
        self._child.close()
