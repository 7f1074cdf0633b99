"""Laying down the training of a classifier by ultralytics on a version of tags, and running it.

A picture counts where it has one tag: what is trained is which of the classes it is of. Pictures are cut to the
network's input as a running system cuts them (`models.crops`), so that the figures are those of what runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from algorithm_repo.datasets.pictures import Read, decode, encode
from algorithm_repo.datasets.tags import WHOLE, tagged, why_not
from algorithm_repo.datasets.types import Item, Manifest
from algorithm_repo.training import ultrajob
from algorithm_repo.training.folderjob import Reached
from algorithm_repo.training.ultra_settings import ClassifySettings
from algorithm_repo.training.ultrajob import Laid
from contracts.errors import ConfigError
from models.crops import crop_bgr

RESULT = "classifier.onnx"
HEAD = "tag"
"""The name of a classifier's output."""


def lay(
    folder: Path, manifest: Manifest, read: Read, settings: ClassifySettings, start: Path | None = None
) -> tuple[str, ...]:
    """Writes a job, unless the same one lies there already, begun or not.

    Args:
        folder: of the job; made when missing.
        manifest: frozen, of task `classify`; trained on its train side, watched on its val side.
        read: bytes of a picture by SHA-256.
        settings: how to train.
        start: `classifier.npz` of an earlier job of the same network; what fits of it is taken over. Never a pickle.

    Returns:
        What cannot be trained on, in words: pictures without one tag, classes without a picture.

    Raises:
        ConfigError: the version cannot be trained on, or another job lies in the folder.
    """
    ultrajob.check(manifest, "classify", "tags", start)
    used = [(item, tag) for item in manifest.items if (tag := tagged(item)) is not None]
    shown = {tag for item, tag in used if item.side == "train"}
    if len(shown) < 2:
        found = f"pictures of {len(shown)} of its classes" if shown else "no picture with one tag"
        raise ConfigError(f"{manifest.name}: {found} on the train side", "tag pictures of at least two classes")
    if not any(item.side == "val" for item, _ in used):
        raise ConfigError(f"{manifest.name}: no picture with one tag is on the val side", "split it anew")
    left_out = [f"{item.name}: {why}" for item in manifest.items if (why := why_not(item))]
    left_out += [f"{one}: no picture of it is on the train side" for one in manifest.classes if one not in shown]
    what = Laid("classify", {"head": HEAD}, lambda: _files(manifest, used, read, settings.size), start)
    ultrajob.lay(folder, manifest, settings, what, left_out)
    return tuple(left_out)


def train(folder: Path, python: Path, told: Callable[[Reached], None], cancelled: Callable[[], bool]) -> Path:
    """Runs a job that was laid down; see `ultrajob.train`."""
    return ultrajob.train(folder, RESULT, python, told, cancelled)


def _files(manifest: Manifest, used: Sequence[tuple[Item, str]], read: Read, size: int) -> Iterable[tuple[str, bytes]]:
    """ultralytics' layout: a folder a class. Their names sort as the classes are ordered, and hold no class's name."""
    for number in range(len(manifest.classes)):
        yield f"train/{number:05}/.class", b""
    numbers = {name: number for number, name in enumerate(manifest.classes)}
    for item, tag in used:
        if item.side in ("train", "val"):
            crop = crop_bgr(decode(read(item.content)), WHOLE, size, 0.0)
            yield f"{item.side}/{numbers[tag]:05}/{item.content}.png", encode(crop, ".png")
