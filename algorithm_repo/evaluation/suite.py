"""A suite of labelled clips: a folder with `suite.yaml`, read and checked. The format is told in docs/evaluation.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from contracts.errors import ConfigError
from contracts.pool import Camera
from contracts.records import Contract

SUITE_FILE = "suite.yaml"


class TruthEvent(Contract):
    """What a person says is to be seen in a clip.

    Attributes:
        type: of the event, e.g. "illegal_parking".
        zone: id of the zone; "" where the type watches the whole picture.
        start: when the condition began (the vehicle stopped), s of stream time.
        end: when it ended, s; None: it lasts to the clip's end.
    """

    type: str
    zone: str = ""
    start: float = Field(ge=0)
    end: float | None = None


class Clip(Contract):
    """One clip and what is known of it.

    Attributes:
        number: its place in the suite, from 1.
        file: as written: relative to the folder, or `zoo:NAME`.
        camera: what it is taken for, its algorithms included.
        slices: what kind of clip it is (night, rain, jam …).
        truth: every event in it; nothing else is to be raised.
        model: the detector to use; None: as the run says.
    """

    number: int = Field(ge=1)
    file: str
    camera: Camera
    slices: tuple[str, ...] = ()
    truth: tuple[TruthEvent, ...] = ()
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Suite:
    """What was read. `warnings` are things that were understood, but may not be meant."""

    folder: Path
    clips: tuple[Clip, ...]
    warnings: tuple[str, ...] = ()


class SuiteFaults(ConfigError):
    """The suite cannot be used; `faults` says everything that is wrong with it, in the file's order."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(f"{faults[0]}{more}")


def read_suite(folder: Path) -> Suite:
    """Reads and checks the suite of a folder. The clips themselves are not opened.

    Args:
        folder: holds `suite.yaml`, and the clips it names.

    Raises:
        SuiteFaults: the file cannot be read or used, with every fault at its clip and key, and the fix.
    """
    from algorithm_repo.evaluation.suite_clip import Faults, clip_of, unknown_keys

    path = folder / SUITE_FILE
    data = _yaml(path)
    faults = Faults(path.name)
    if not isinstance(data, dict):
        raise SuiteFaults([f"{path.name}: it holds no mapping; write clips: and a list below it"])
    unknown_keys(data, ("clips",), faults)
    entries = data.get("clips")
    if not isinstance(entries, list) or not entries:
        raise SuiteFaults([f"{path.name}: clips: is no list with an entry; write - file: NAME.mp4 for each clip"])
    clips = [clip_of(number, entry, faults.of_clip(number, entry)) for number, entry in enumerate(entries, 1)]
    if faults.found:
        raise SuiteFaults(faults.found)
    return Suite(folder, tuple(clip for clip in clips if clip is not None), tuple(faults.warned))


def suite_entry(clip: Clip) -> dict[str, Any]:
    """The entry of `suite.yaml` that reads as this clip."""
    camera = clip.camera.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    algorithms = {
        name: parameters.model_dump(mode="json", exclude_defaults=True)
        for name, parameters in clip.camera.algorithms.items()
    }
    camera.pop("algorithms", None)
    truth = [event.model_dump(mode="json", exclude_none=True) for event in clip.truth]
    entry = {"file": clip.file, "camera": camera, "algorithms": algorithms, "slices": list(clip.slices), "truth": truth}
    return entry if clip.model is None else entry | {"model": clip.model}


def write_suite(folder: Path, clips: Sequence[Clip]) -> Path:
    """Writes `suite.yaml` of a folder that holds these clips."""
    path = folder / SUITE_FILE
    text = yaml.safe_dump({"clips": [suite_entry(clip) for clip in clips]}, sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    return path


def _yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SuiteFaults([f"{path.parent} holds no {path.name}; name the folder of a suite, or `simulated`"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteFaults([f"{path} cannot be read ({error}); write it as UTF-8 text"]) from error
    except yaml.YAMLError as error:
        what = " ".join(str(error).split())
        raise SuiteFaults([f"{path.name} is no YAML: {what}; correct it there"]) from error
