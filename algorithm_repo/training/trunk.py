"""The weights that a decoder's frozen trunk starts from: YOLOX-nano's convolutions, kept beside the jobs."""

from __future__ import annotations

import tempfile
from pathlib import Path

from algorithm_repo.training.pack import pack_start
from models.zoo import Zoo

_TRUNK = "yolox_nano"


def trunk(folder: Path, zoo: Zoo) -> Path:
    """`start.npz` in `folder`, made unless it is there.

    Raises:
        ModelError: the network is neither here nor to be had, or has other bytes.
    """
    start = folder / "start.npz"
    if not start.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        # A folder of its own: two workers may begin at once, and each puts the same bytes in place.
        with tempfile.TemporaryDirectory(prefix="start-", dir=folder) as own:
            part = Path(own) / start.name
            pack_start(zoo.fetch(_TRUNK)[0], part)
            part.replace(start)
    return start
