"""A model that is loaded when something first asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from contracts.errors import ConfigError, ModelError, RunnerError

_AGAIN_S = 60.0  # wall time until a model that could not be had is asked for again

ModelT = TypeVar("ModelT")


class Lazy(Generic[ModelT]):
    """Belongs to one thread.

    Args:
        load: gives the model, or raises one of `ModelError`, `ConfigError`.
    """

    def __init__(self, load: Callable[[], ModelT]) -> None:
        self._load = load
        self._model: ModelT | None = None
        self._failed: tuple[float, str] | None = None

    def get(self) -> ModelT:
        """The model.

        Raises:
            RunnerError: it cannot be had, or could not a minute ago: looking for weights at every look would cost
                every camera its looks.
        """
        if self._model is None:
            if self._failed is not None and time.monotonic() - self._failed[0] < _AGAIN_S:
                raise RunnerError(self._failed[1])
            try:
                self._model = self._load()
            except (ModelError, ConfigError) as error:
                self._failed = (time.monotonic(), str(error))
                raise RunnerError(str(error)) from error
            self._failed = None
        return self._model

    @property
    def loaded(self) -> ModelT | None:
        """The model, once something has asked for it."""
        return self._model

    def put(self, model: ModelT) -> ModelT | None:
        """Another model in its place from now on; the one before, which is the caller's to close, where there was."""
        before, self._model, self._failed = self._model, model, None
        return before
