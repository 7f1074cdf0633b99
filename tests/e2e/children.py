"""The API's child processes, one of each for all cities of a test run: they end with the run."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import gettempdir

from cityvision.masking import MaskingProcess
from cityvision.settings import Settings
from cityvision.trying import TrialProcess
from store.objects import DiskObjects
from tests.conftest import mirror_path


@cache
def masking() -> MaskingProcess:
    """With no model at hand it masks coarsely."""
    return MaskingProcess(Settings(mirror=mirror_path()))


@cache
def trials() -> TrialProcess:
    """Tries algorithms for the gallery, with what the release holds."""
    return TrialProcess(Settings(mirror=mirror_path()), DiskObjects(Path(gettempdir()) / "no-networks"))
