"""Puts trained networks where the project ships them: `models/weights/`, their entries in `models/zoo.yaml`, and the
figures in `docs/training.md`.

    python -m algorithm_repo.training.install OUT
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

from models.zoo import Artefact

ROOT = Path(__file__).resolve().parents[2]
_LIMITS = {"street": 3_000_000, "water": 1_000_000, "litter": 1_000_000}
_LICENCE = "AGPL-3.0-or-later; start weights YOLOX-nano, Apache-2.0"
_ENTRIES = {
    "street": """\
  street:
    kind: model
    source: "trained here (docs/training.md) from YOLOX-nano on simulated streets and COCO128"
    licence: "LICENCE"
    note: simulated streets, demo and tests; 416x256 BGR 0-255; on real streets yolox_nano is better
    files:
      - path: builtin/street.onnx
        sha256: DIGEST
    detector:
      family: yolox
      labels: {0: person, 1: bicycle, 2: car, 3: motorcycle, 4: bus, 5: truck}
      nms_iou: 0.5
""",
    "water": """\
  water:
    kind: model
    source: "trained here (docs/training.md) from YOLOX-nano on simulated streets, flood photos and COCO128"
    licence: "LICENCE"
    note: standing water; 320x192 BGR 0-255; the flood photos state no licence and are not passed on
    files:
      - path: builtin/water.onnx
        sha256: DIGEST
    segmenter:
      label: water
""",
    "litter": """\
  litter:
    kind: model
    source: "trained here (docs/training.md) from YOLOX-nano on simulated streets, TrashNet and COCO128"
    licence: "LICENCE"
    note: crops of 64x64 BGR 0-255
    files:
      - path: builtin/litter.onnx
        sha256: DIGEST
    classifier:
      heads:
        thing: [litter, leaves, object, ground]
        bin: [ok, overflowing]
      margin: 0.5
""",
}
_FIGURES = re.compile(r"(<!-- figures -->\n).*?(<!-- end of figures -->)", re.DOTALL)


def artefact_of(kind: str, digest: str) -> Artefact:
    """The zoo's entry of a built-in network with a file of this SHA-256."""
    return Artefact.model_validate(yaml.safe_load(_entry(kind, digest))[kind])


def install(out: Path, root: Path = ROOT) -> list[str]:
    """Installs every network whose `.onnx` lies in `out`, and the figures beside them.

    Args:
        out: folder of a training run, after `algorithm_repo.training.measure`.
        root: the checkout.

    Returns:
        What was installed.

    Raises:
        ValueError: a file is larger than what may ship.
    """
    catalogue = root / "models" / "zoo.yaml"
    text = catalogue.read_text(encoding="utf-8")
    done = []
    for kind, limit in _LIMITS.items():
        source = out / f"{kind}.onnx"
        if not source.is_file():
            continue
        if source.stat().st_size > limit:
            raise ValueError(f"{source.name} has {source.stat().st_size} bytes; at most {limit} may ship")
        target = root / "models" / "weights" / source.name
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, target)
        text = with_entry(text, kind, hashlib.sha256(source.read_bytes()).hexdigest())
        done.append(kind)
    catalogue.write_text(text, encoding="utf-8")
    if (out / "measured.json").is_file():
        kept = root / "models" / "weights" / "measured.json"
        before = json.loads(kept.read_text()) if kept.is_file() else {}
        measured = before | json.loads((out / "measured.json").read_text())  # other networks keep their figures
        kept.write_text(json.dumps(measured, indent=1) + "\n")
        page = root / "docs" / "training.md"
        page.write_text(
            _FIGURES.sub(lambda found: found[1] + table(measured) + found[2], page.read_text("utf-8")), "utf-8"
        )
    return done


def with_entry(catalogue: str, kind: str, digest: str) -> str:
    """The catalogue's text with this network's entry: its hash where it has one, else a new one on top."""
    known = re.compile(rf"(path: builtin/{kind}\.onnx\n\s+sha256: )[0-9a-f]{{64}}")
    if known.search(catalogue):
        return known.sub(lambda found: found[1] + digest, catalogue)
    return catalogue.replace("artefacts:\n", "artefacts:\n" + _entry(kind, digest) + "\n", 1)


def table(measured: dict[str, Any]) -> str:
    """Every figure of `measured.json` as one Markdown table."""
    rows = ["| network | figure | value |", "|---|---|---|"]
    for kind, found in measured.items():
        rows += [f"| {kind} | {name} | {value} |" for name, value in _flat(found)]
    return "\n".join(rows) + "\n"


def _flat(found: Any, name: str = "") -> list[tuple[str, Any]]:
    if not isinstance(found, dict):
        return [(name, found)]
    return [row for key, value in found.items() for row in _flat(value, f"{name} {key}".strip())]


def _entry(kind: str, digest: str) -> str:
    return _ENTRIES[kind].replace("DIGEST", digest).replace("LICENCE", _LICENCE)


if __name__ == "__main__":
    sys.stdout.write(f"installed: {', '.join(install(Path(sys.argv[1])))}\n")
