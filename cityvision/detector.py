"""Which detector an installation runs on: the one that is set, or the built-in one where that cannot be had."""

from __future__ import annotations

from collections.abc import Callable

from cityvision.commands.models import download_progress
from cityvision.settings import Settings
from contracts.errors import ModelMissing
from contracts.live import BUILT_IN_DETECTOR
from models.reach import within_reach
from models.zoo import Zoo


def with_detector(settings: Settings, say: Callable[[str], None]) -> Settings:
    """The settings with a detector whose weights are on this machine; fetches them where they are not.

    Only the default gives way to the built-in one: what somebody named is not replaced.

    Raises:
        ModelMissing: the detector that was named cannot be had.
        HashMismatch: see `Zoo.fetch`.
    """
    zoo = Zoo(cache=settings.cache, mirror=settings.mirror)
    named = "model" in settings.model_fields_set
    try:
        if not named and not within_reach(zoo, [settings.model]):
            raise ModelMissing(f"{settings.model} is neither here nor within reach")
        with download_progress() as on_bytes:
            zoo.fetch(settings.model, on_bytes)
    except ModelMissing as error:
        if named:
            raise
        say(f"{error.message}: {describe(BUILT_IN_DETECTOR)}")
        say(f"for real streets: `cityvision models fetch {settings.model}`, then start again")
        zoo.fetch(BUILT_IN_DETECTOR)
        return settings.model_copy(update={"model": BUILT_IN_DETECTOR})
    return settings


def describe(model: str) -> str:
    """The detector as people are told of it."""
    if model == BUILT_IN_DETECTOR:
        return "detector: built in, for simulated streets only"
    return f"detector: {model}"
