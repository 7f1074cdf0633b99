"""Cards of the built-in networks; files that are no ONNX file and cards that are wrong, each with its reason."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from typing import Any

import numpy as np
import pytest

from algorithm_repo.intake.reasons import Code
from tests.contract import intake_uploads as up

STREET = {
    **up.CARD,
    "name": "street-copy",
    "licence": "AGPL-3.0-or-later",
    "family": "yolox",
    "width": 416,
    "height": 256,
    "labels": ["person", "bicycle", "car", "motorcycle", "bus", "truck"],
}
WATER = {**up.CARD, "name": "water-copy", "family": "segmenter", "width": 320, "height": 192, "labels": ["water"]}
LITTER = {
    **up.CARD,
    "name": "litter-copy",
    "width": 64,
    "height": 64,
    "labels": {"thing": ["litter", "leaves", "object", "ground"], "bin": ["ok", "overflowing"]},
}


def _torch_file() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"w": [1.0]}, 2))
    return packed.getvalue()


def _zip_file() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("model.onnx", up.saved())
    return packed.getvalue()


class _Bomb:
    """A pickle that would say so if anybody opened it."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("/tmp/cityvision-pickle-was-opened",)


FILES = [
    pytest.param(lambda: b"", Code.EMPTY, "empty", id="empty"),
    pytest.param(lambda: up.saved()[:-40], Code.NOT_ONNX, "cut off", id="truncated"),
    pytest.param(lambda: np.random.default_rng(3).bytes(5000), Code.NOT_ONNX, "no ONNX", id="random"),
    pytest.param(lambda: b"\x08\x08", Code.NOT_ONNX, "no graph", id="no graph"),
    pytest.param(_zip_file, Code.ZIP, "zip archive", id="zip"),
    pytest.param(_torch_file, Code.TORCH, "torch file", id="torch"),
    pytest.param(
        lambda: pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(_Bomb(), 2), Code.TORCH, "torch", id="old torch"
    ),
    pytest.param(lambda: pickle.dumps(_Bomb(), 4), Code.PICKLE, "pickle", id="pickle"),
    pytest.param(lambda: pickle.dumps(_Bomb(), 0), Code.PICKLE, "pickle", id="pickle in text"),
    pytest.param(lambda: b"\x1f\x8b" + up.saved(), Code.OTHER_FORMAT, "gzip", id="gzip"),
    pytest.param(lambda: b"<!DOCTYPE html><title>404</title>", Code.OTHER_FORMAT, "web page", id="web page"),
    pytest.param(lambda: b"version https://git-lfs.github.com/spec/v1\n", Code.OTHER_FORMAT, "LFS", id="lfs"),
]


def _without(field: str) -> dict[str, Any]:
    return {name: value for name, value in up.CARD.items() if name != field}


_BOMB = b"a: &a [x, x]\n" + b"".join(b"b%d: &b%d [*a, *a]\n" % (i, i) for i in range(30))
CARDS = [
    pytest.param(_without("licence"), Code.CARD_FIELD, "card.licence", "required", id="licence missing"),
    pytest.param({**up.CARD, "licence": "CC-BY-NC-4.0"}, Code.LICENCE, "card.licence", "NC", id="not commercial"),
    pytest.param({**up.CARD, "licence": "MIT AND SSPL-1.0"}, Code.LICENCE, "card.licence", "SSPL", id="half unfit"),
    pytest.param({**up.CARD, "licence": "MIT OR"}, Code.CARD_FIELD, "card.licence", "missing", id="half a licence"),
    pytest.param({**up.CARD, "name": "../../etc/x"}, Code.CARD_FIELD, "card.name", "pattern", id="path as name"),
    pytest.param({**up.CARD, "name": "a/b"}, Code.CARD_FIELD, "card.name", "pattern", id="slash in name"),
    pytest.param({**up.CARD, "version": "1.2"}, Code.CARD_FIELD, "card.version", "semantic", id="version"),
    pytest.param({**up.CARD, "version": "01.2.3"}, Code.CARD_FIELD, "card.version", "semantic", id="leading zero"),
    pytest.param({**up.CARD, "source": "file:///etc/passwd"}, Code.CARD_FIELD, "card.source", "address", id="source"),
    pytest.param({**up.CARD, "family": "pickle"}, Code.CARD_FIELD, "card.family", "yolox", id="family"),
    pytest.param({**up.CARD, "width": 10**9}, Code.CARD_FIELD, "card.width", "2048", id="width"),
    pytest.param({**up.CARD, "labels": ["a"]}, Code.CARD_FIELD, "card.labels", "each of its outputs", id="labels"),
    pytest.param({**STREET, "labels": ["dog"]}, Code.CARD_FIELD, "card.labels", "'dog' is no class", id="class"),
    pytest.param({**up.CARD, "run": "x"}, Code.CARD_FIELD, "card.run", "not permitted", id="unknown field"),
    pytest.param({**up.CARD, "sha256": "abc"}, Code.CARD_FIELD, "card.sha256", "pattern", id="half a hash"),
    pytest.param({**up.CARD, "sha256": "0" * 64}, Code.HASH, "card.sha256", "the card says 000", id="wrong hash"),
    pytest.param(_BOMB, Code.CARD_ALIAS, "card, line 1", "aliases", id="yaml bomb"),
    pytest.param(b"a: !!python/object/apply:os.system [id]", Code.CARD_TAG, "card, line 1", "os.system", id="tag"),
    pytest.param(b"[" * 60_000, Code.CARD_YAML, "card, line 1", "nested", id="deep yaml"),
    pytest.param(b"name: [", Code.CARD_YAML, "card, line 1", "no YAML", id="no yaml"),
    pytest.param(b"name: a\nname: b", Code.CARD_YAML, "card, line 2", "twice", id="key twice"),
    pytest.param(b"\xff\xfe\x00", Code.CARD_YAML, "card", "UTF-8", id="no text"),
    pytest.param(b"just words", Code.CARD_FIELD, "card", "dictionary", id="no mapping"),
    pytest.param(b"#" * 70_000, Code.CARD_TOO_BIG, "card", "larger", id="large card"),
]
