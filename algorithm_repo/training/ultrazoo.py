"""A trained network as an entry of a zoo, so that both runners, Triton's repository and every measurement take it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from algorithm_repo.training.classes import known_classes
from contracts.errors import ConfigError
from models.zoo import (
    Artefact,
    ArtefactKind,
    Catalogue,
    ClassifierSpec,
    DetectorSpec,
    SegmenterSpec,
    Zoo,
    ZooFile,
    file_sha256,
)

Form = Literal["onnx", "openvino", "int8"]
_SUFFIXES: dict[Form, tuple[str, ...]] = {
    "onnx": (".onnx",),
    "openvino": (".xml", ".bin"),
    "int8": ("-int8.xml", "-int8.bin"),
}


def zoo_of(folder: Path, name: str, licence: str, forms: tuple[Form, ...] = ("onnx",)) -> Zoo:
    """A zoo of what a finished job exported: `NAME` for ONNX, `NAME-openvino` and `NAME-int8` for the others.

    Args:
        folder: of the job (`detectjob`, `classifyjob`, `segmentjob`).
        name: of the network.
        licence: of its weights: what its data and its start allow.
        forms: which of the files.

    Raises:
        ConfigError: a file is not there, or no class of a detector's job is one that detectors tell of.
    """
    job = json.loads((folder / "job.json").read_text())
    (stem,) = reader = reader_of(job)
    artefacts = {}
    for form in forms:
        files = [f"{stem}{suffix}" for suffix in _SUFFIXES[form]]
        missing = [file for file in files if not (folder / file).is_file()]
        if missing:
            raise ConfigError(f"{folder.name}: {missing[0]} is not there", "finish the training, or take another form")
        artefacts[name if form == "onnx" else f"{name}-{form}"] = Artefact(
            kind=ArtefactKind.MODEL,
            source=f"trained by job {folder.name}",
            licence=licence,
            files=tuple(ZooFile(path=f"builtin/{file}", sha256=file_sha256(folder / file)) for file in files),
            **reader,
        )
    return Zoo(Catalogue(schema=1, artefacts=artefacts), cache=folder / "zoo", weights=folder)


def reader_of(job: Mapping[str, Any]) -> dict[str, Any]:
    """How what a job exports is read, as a zoo's entry says it: what its files are called, to the reader's settings.

    Args:
        job: `task`, `classes`, of a classifier its `head`.

    Raises:
        ConfigError: no class of a detector's job is one that detectors tell of, or nothing reads what the task makes.
    """
    found = _SPECS.get(job.get("task", "detect"))
    if found is None:
        raise ConfigError(f"task: nothing reads what {job['task']} makes", f"take one of {', '.join(_SPECS)}")
    stem, spec = found
    return {stem: spec(job)}


def _segmenter(job: Mapping[str, Any]) -> SegmenterSpec:
    return SegmenterSpec(label=job["classes"][0])


def _classifier(job: Mapping[str, Any]) -> ClassifierSpec:
    return ClassifierSpec(heads={job["head"]: tuple(job["classes"])}, margin=0.0)


def _detector(job: Mapping[str, Any]) -> DetectorSpec:
    """Raises ConfigError."""
    return DetectorSpec(family="yolox", labels=known_classes(job["classes"]), nms_iou=0.6)


# By task, what its files are called, which is what a zoo calls how to read them.
_SPECS: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], Any]]] = {
    "detect": ("detector", _detector),
    "classify": ("classifier", _classifier),
    "segment": ("segmenter", _segmenter),
}
