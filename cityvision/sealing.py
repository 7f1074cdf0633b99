"""The installation's own key for secrets that it keeps."""

from __future__ import annotations

from cityvision.settings import Settings
from store.sealing import Sealer
from store.service import password_file


def seal_key(settings: Settings) -> str:
    """The key that is set, or that of the data folder, drawn at the first call."""
    if settings.seal_key is not None:
        return settings.seal_key.get_secret_value()
    return password_file(settings.data / "seal.key")


def sealer(settings: Settings) -> Sealer:
    """Seals and opens with it."""
    return Sealer(seal_key(settings))
