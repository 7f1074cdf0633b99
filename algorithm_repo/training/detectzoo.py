"""A trained detector as an entry of a zoo, so that both runners, Triton's repository and every measurement take it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from contracts.errors import ConfigError
from contracts.vision import ObjectClass
from models.zoo import Artefact, ArtefactKind, Catalogue, DetectorSpec, Zoo, ZooFile, file_sha256

Form = Literal["onnx", "openvino", "int8"]
_FILES: dict[Form, tuple[str, ...]] = {
    "onnx": ("detector.onnx",),
    "openvino": ("detector.xml", "detector.bin"),
    "int8": ("detector-int8.xml", "detector-int8.bin"),
}


def zoo_of(folder: Path, name: str, licence: str, forms: tuple[Form, ...] = ("onnx",)) -> Zoo:
    """A zoo of what a finished job exported: `NAME` for ONNX, `NAME-openvino` and `NAME-int8` for the others.

    Args:
        folder: of the job (`detectjob`).
        name: of the network.
        licence: of its weights: what its data and its start allow.
        forms: which of the files.

    Raises:
        ConfigError: a file is not there, or no class of the job is one that detectors tell of.
    """
    classes = json.loads((folder / "job.json").read_text())["classes"]
    known = {number: one for number, one in enumerate(classes) if one.upper() in ObjectClass.__members__}
    if not known:
        told = ", ".join(one.name.lower() for one in ObjectClass)
        raise ConfigError(f"classes: none of {', '.join(classes)} is known", f"name them {told}")
    artefacts = {}
    for form in forms:
        missing = [file for file in _FILES[form] if not (folder / file).is_file()]
        if missing:
            raise ConfigError(f"{folder.name}: {missing[0]} is not there", "finish the training, or take another form")
        artefacts[name if form == "onnx" else f"{name}-{form}"] = Artefact(
            kind=ArtefactKind.MODEL,
            source=f"trained by job {folder.name}",
            licence=licence,
            files=tuple(ZooFile(path=f"builtin/{file}", sha256=file_sha256(folder / file)) for file in _FILES[form]),
            detector=DetectorSpec(family="yolox", labels=known, nms_iou=0.6),
        )
    return Zoo(Catalogue(schema=1, artefacts=artefacts), cache=folder / "zoo", weights=folder)
