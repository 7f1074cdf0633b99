"""The installation's own key for secrets that it keeps."""

from __future__ import annotations

from pathlib import Path

from cityvision.settings import Settings
from contracts.errors import ConfigError
from store.sealing import Sealer
from store.service import password_file


def seal_key(settings: Settings) -> str:
    """The key that is set, or that of the data folder, drawn at the first call."""
    if settings.seal_key is not None:
        return settings.seal_key.get_secret_value()
    return password_file(_file(settings))


def existing_seal_key(settings: Settings) -> str:
    """The same, for those who sign in its name: none is drawn.

    Raises:
        ConfigError: neither is there, or the file cannot be read.
    """
    try:
        return settings.seal_key.get_secret_value() if settings.seal_key else _file(settings).read_text().strip()
    except OSError as error:
        raise ConfigError(
            f"the installation's key cannot be read: {_file(settings)}: {error.strerror}",
            "name its data folder (CITYVISION_DATA), or set CITYVISION_SEAL_KEY",
        ) from error


def _file(settings: Settings) -> Path:
    return settings.data / "seal.key"


def sealer(settings: Settings) -> Sealer:
    """Seals and opens with it."""
    return Sealer(seal_key(settings))
