"""Networks that are no part of a release, kept in the object store by their hash, and had again wherever one is to run.

Beside the weights lies their entry as the zoo writes it: how to read what comes out.
"""

from __future__ import annotations

import hashlib

from pydantic import ValidationError

from algorithm_repo.registry.types import ModelRef
from contracts.errors import ConfigError, ModelMissing, ObjectMissing
from contracts.rollout import ServedModel
from models.zoo import Artefact, ArtefactKind, Zoo, ZooFile
from store.objects import ObjectStore

_FOLDER = "networks"


def keep_network(
    objects: ObjectStore, data: bytes, *, role: str, name: str, like: Artefact, anew: bool = False
) -> ModelRef:
    """Keeps a network for good.

    Args:
        objects: where.
        data: the ONNX file.
        role: what it is for: detector, water, litter.
        name: of the network, without a version.
        like: its entry, but for the files: how to read its outputs, its source and licence.
        anew: an entry that is kept already gives way to this one; only where nothing runs the network.

    Returns:
        What a version of an algorithm names it by.

    Raises:
        ObjectsUnavailable: the object store is away.
        StoreError: a network of this hash is kept with another entry.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    file = ZooFile(path=f"models/{sha256}.onnx", sha256=sha256)
    entry = like.model_copy(update={"kind": ArtefactKind.MODEL, "files": (file,)})
    objects.put(_weights(sha256), data, "application/octet-stream")
    if anew:
        objects.delete(_entry(sha256))
    objects.put(_entry(sha256), entry.model_dump_json(exclude_defaults=True).encode(), "application/json")
    return ModelRef(role=role, name=name, sha256=sha256)


def drop_network(objects: ObjectStore, sha256: str) -> None:
    """Deletes a kept network; none there is fine. Raises ObjectsUnavailable."""
    objects.delete(_weights(sha256))
    objects.delete(_entry(sha256))


class NetworkShelf:
    """Where the networks of a `Serving` come from: the zoo where it has them, else what was kept.

    Args:
        zoo: of this machine.
        objects: where others are kept.
    """

    def __init__(self, zoo: Zoo, objects: ObjectStore) -> None:
        self._zoo = zoo
        self._objects = objects

    def zoo_with(self, model: ServedModel) -> Zoo:
        """A zoo that has this very network at hand under its name.

        Raises:
            ModelMissing: it is neither in the zoo nor kept.
            ObjectsUnavailable: it is not here, and the object store is away.
            ConfigError: its entry cannot be read.
        """
        if model.name in self._zoo.names() and self._zoo.artefact(model.name).digest == model.sha256:
            if not self._zoo.at_hand(model.name):
                fix = f"fetch it with `cityvision models fetch {model.name}`"
                raise ModelMissing(f"the network {model.name} is not on this machine", fix)
            return self._zoo
        try:
            entry = Artefact.model_validate_json(self._objects.get(_entry(model.sha256)))
            zoo = self._zoo.including({model.name: entry})
            if not zoo.at_hand(model.name):
                zoo.keep(entry.files[0], self._objects.get(_weights(model.sha256)))
        except ObjectMissing as error:
            known = f"{model.name} {model.sha256[:12]}"
            raise ModelMissing(
                f"nobody has kept the network {known}", "enter it again with `cityvision algo enter`"
            ) from error
        except ValidationError as error:
            raise ConfigError(f"the entry of the network {model.sha256[:12]} cannot be read") from error
        return zoo


def _weights(sha256: str) -> str:
    return f"{_FOLDER}/{sha256[:2]}/{sha256}.onnx"


def _entry(sha256: str) -> str:
    return f"{_FOLDER}/{sha256[:2]}/{sha256}-entry.json"
