"""The zoo: where weights and clips come from, under which licence, and proof that they are the right bytes.

`models/zoo.yaml` is the catalogue. A file is taken from the cache, else from the mirror folder, else from its
addresses, and is verified against the catalogue's SHA-256 every time it is handed out. A file under `builtin/` ships
with the project in `models/weights/`: it needs neither cache nor mirror nor network, and is verified all the same.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Literal

import httpx
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.errors import ConfigError, HashMismatch, ModelMissing

_LOG = logging.getLogger(__name__)
_CATALOGUE = Path(__file__).with_name("zoo.yaml")
_WEIGHTS = Path(__file__).with_name("weights")
_BUILTIN = "builtin/"
_CHUNK = 1 << 20
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_MIRROR_HINT = "set CITYVISION_MIRROR to a folder that holds it, or connect this machine to its address"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
# Told of a running download: file name, bytes so far, bytes in all (None while unknown).
OnBytes = Callable[[str, int, int | None], None]


class ArtefactKind(StrEnum):
    MODEL = "model"
    CLIP = "clip"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ZooFile(_Entry):
    """One file: its path in cache and mirror, its hash, and the addresses that are tried in order.

    A path that begins with `builtin/` names a file of `models/weights/`; it has no addresses.
    """

    path: str = Field(pattern=r"^(models|footage|builtin)/[\w.-]+$")
    sha256: Sha256
    urls: tuple[str, ...] = ()

    @property
    def builtin(self) -> bool:
        return self.path.startswith(_BUILTIN)


class DetectorSpec(_Entry):
    """How to read a detector's output.

    Attributes:
        family: which reader (see `models.families`).
        labels: "coco", or the model's label numbers to names of `ObjectClass` in lower case.
        nms_iou: boxes of one group overlapping more than this are one object; unused where the model does NMS itself.
    """

    family: Literal["yolox", "omz_ssd"]
    labels: Literal["coco"] | dict[int, str]
    nms_iou: float = Field(0.5, gt=0, lt=1)


class SegmenterSpec(_Entry):
    """How to read a segmenter's output: one map of probabilities, [N, 1, h, w], of what is looked for.

    Attributes:
        label: what the map shows, e.g. "water".
    """

    label: str


class ClassifierSpec(_Entry):
    """How to read a crop classifier's outputs.

    Attributes:
        heads: output name to its labels in order; each output is [N, labels] of probabilities.
        margin: what a crop shows around the box, in sides of the box (see `models.crops`).
    """

    heads: dict[str, tuple[str, ...]] = Field(min_length=1)
    margin: float = Field(0.5, ge=0, le=4)


class PlateFinderSpec(_Entry):
    """How to read a plate finder's output, rows of (picture, label, score, x1, y1, x2, y2): `label` is a plate."""

    label: int


class PlateReaderSpec(_Entry):
    """How to read a plate reader's output: numbers of characters of `alphabet`, ended by -1."""

    alphabet: str = Field(min_length=10)


class Artefact(_Entry):
    """One entry of the catalogue."""

    kind: ArtefactKind
    source: str
    licence: str
    note: str = ""
    files: tuple[ZooFile, ...] = Field(min_length=1)
    detector: DetectorSpec | None = None
    segmenter: SegmenterSpec | None = None
    classifier: ClassifierSpec | None = None
    plate_finder: PlateFinderSpec | None = None
    plate_reader: PlateReaderSpec | None = None

    @property
    def digest(self) -> str:
        """The file's SHA-256; of several files, the SHA-256 of their hashes in order (as hex, a line each)."""
        if len(self.files) == 1:
            return self.files[0].sha256
        return hashlib.sha256("".join(f"{file.sha256}\n" for file in self.files).encode()).hexdigest()


class Catalogue(_Entry):
    version: Literal[1] = Field(alias="schema")
    artefacts: dict[str, Artefact]

    @staticmethod
    def read(path: Path = _CATALOGUE) -> Catalogue:
        """Parses a catalogue file.

        Raises:
            ConfigError: it is not YAML, or not of this shape.
        """
        try:
            return Catalogue.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (yaml.YAMLError, ValidationError) as error:
            raise ConfigError(f"{path.name}: {error}") from error


class FileState(StrEnum):
    """A file of the zoo as it lies in the cache."""

    READY = "ready"
    WRONG = "wrong"
    ABSENT = "absent"


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, lower-case hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def default_cache() -> Path:
    """`CITYVISION_CACHE`, else `cityvision` in the user's cache folder (XDG)."""
    if named := os.environ.get("CITYVISION_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cityvision"


def default_mirror() -> Path | None:
    """`CITYVISION_MIRROR`, where it is set."""
    named = os.environ.get("CITYVISION_MIRROR")
    return Path(named) if named else None


class Zoo:
    """Hands out verified files. Safe to use from many processes at once: files appear by atomic rename.

    Args:
        catalogue: what there is; by default `models/zoo.yaml`.
        cache: folder that keeps verified copies; by default `default_cache()`.
        mirror: folder with `models/` and `footage/` that is asked before the internet; by default `default_mirror()`.
        client: HTTP client for the addresses; by default one with 10 s to connect and 30 s between bytes.
        weights: folder of the files that ship with the project; by default `models/weights/`.
    """

    def __init__(
        self,
        catalogue: Catalogue | None = None,
        *,
        cache: Path | None = None,
        mirror: Path | None = None,
        client: httpx.Client | None = None,
        weights: Path | None = None,
    ) -> None:
        self.catalogue = catalogue or Catalogue.read()
        self.cache = cache or default_cache()
        self.mirror = mirror or default_mirror()
        self._client = client
        self._weights = weights or _WEIGHTS

    def including(self, others: Mapping[str, Artefact]) -> Zoo:
        """This zoo with more artefacts, or with others in place of its own of the same name."""
        catalogue = self.catalogue.model_copy(update={"artefacts": self.catalogue.artefacts | dict(others)})
        return Zoo(catalogue, cache=self.cache, mirror=self.mirror, client=self._client, weights=self._weights)

    def keep(self, file: ZooFile, data: bytes) -> Path:
        """Puts a file that is no part of the project into the cache, where `fetch` finds it.

        Raises:
            ConfigError: it is a built-in one.
            HashMismatch: the bytes are not the entry's.
        """
        if file.builtin:
            raise ConfigError(f"{file.path} ships with the project", "name it models/…")
        target = self._place(file)
        if self._state(file) is not FileState.READY:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._keep(file, target, lambda sink: _write(sink, data), "its keeper")
        return target

    def names(self, kind: ArtefactKind | None = None) -> tuple[str, ...]:
        """Every artefact's name, or those of one kind, in the catalogue's order."""
        return tuple(name for name, one in self.catalogue.artefacts.items() if kind in (None, one.kind))

    def artefact(self, name: str) -> Artefact:
        """The catalogue's entry.

        Raises:
            ModelMissing: there is none of that name.
        """
        found = self.catalogue.artefacts.get(name)
        if found is None:
            raise ModelMissing(f"the zoo has no {name!r}", f"it has {', '.join(self.names())}")
        return found

    def states(self, name: str) -> dict[str, FileState]:
        """Each file of an artefact as it lies in the cache (built-in ones: in the project), by path; nothing is
        fetched or removed."""
        return {file.path: self._state(file) for file in self.artefact(name).files}

    def at_hand(self, name: str) -> bool:
        """Whether `fetch` gives it without asking a network: built in, in the cache, or in the mirror folder.

        Raises:
            ModelMissing: there is none of that name.
        """
        return all(self.has(file) for file in self.artefact(name).files)

    def has(self, file: ZooFile) -> bool:
        """See `at_hand`."""
        if self._state(file) is FileState.READY:
            return True
        return not file.builtin and self.mirror is not None and (self.mirror / file.path).is_file()

    def fetch(self, name: str, on_bytes: OnBytes | None = None) -> tuple[Path, ...]:
        """The artefact's files (in the cache, built-in ones in the project), in the catalogue's order, verified.

        Raises:
            ModelMissing: unknown name, or a file is neither in the cache, nor in the mirror, nor at its addresses.
            HashMismatch: the mirror or every answering address holds other bytes; they are not kept. Or a built-in
                file has been changed.
        """
        return tuple(self._fetch(file, on_bytes) for file in self.artefact(name).files)

    def _place(self, file: ZooFile) -> Path:
        return self._weights / file.path.removeprefix(_BUILTIN) if file.builtin else self.cache / file.path

    def _state(self, file: ZooFile) -> FileState:
        path = self._place(file)
        if not path.is_file():
            return FileState.ABSENT
        return FileState.READY if file_sha256(path) == file.sha256 else FileState.WRONG

    def _fetch(self, file: ZooFile, on_bytes: OnBytes | None) -> Path:
        target = self._place(file)
        state = self._state(file)
        if state is FileState.READY:
            return target
        if file.builtin:
            raise _broken_builtin(target, state)
        if state is FileState.WRONG:
            _LOG.warning("%s in the cache is not what the zoo names: removed and fetched again", file.path)
            target.unlink(missing_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        if self.mirror is not None and (copy := self.mirror / file.path).is_file():
            with copy.open("rb") as source:
                self._keep(file, target, lambda sink: shutil.copyfileobj(source, sink, _CHUNK), "the mirror")
            return target
        self._fetch_remote(file, target, on_bytes)
        return target

    def _fetch_remote(self, file: ZooFile, target: Path, on_bytes: OnBytes | None) -> None:
        refused: HashMismatch | None = None
        failures: list[str] = []
        for url in file.urls:
            try:
                self._keep(file, target, lambda sink, url=url: self._download(url, sink, on_bytes), url)  # type: ignore[misc]
                return
            except HashMismatch as error:
                refused = error
            except httpx.HTTPError as error:
                failures.append(f"{url}: {error}")
        if refused is not None:
            raise refused
        tried = "; ".join(failures) if failures else "it has no public address"
        raise ModelMissing(f"{file.path} is neither in the cache nor in the mirror ({tried})", _MIRROR_HINT)

    def _keep(self, file: ZooFile, target: Path, write: Callable[[IO[bytes]], None], origin: str) -> None:
        """Writes beside `target`, verifies, renames; leaves nothing behind on failure."""
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        partial = Path(name)
        try:
            with os.fdopen(handle, "wb") as sink:
                write(sink)
            got = file_sha256(partial)
            if got != file.sha256:
                raise HashMismatch(
                    f"{file.path} from {origin} is not what the zoo names: expected SHA-256 {file.sha256}, got {got}",
                    "it was not kept; " + _MIRROR_HINT,
                )
            partial.chmod(0o644)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    def _download(self, url: str, sink: IO[bytes], on_bytes: OnBytes | None) -> None:
        client = self._client or httpx.Client(timeout=_TIMEOUT, follow_redirects=True)
        try:
            with client.stream("GET", url) as answer:
                answer.raise_for_status()
                length = answer.headers.get("content-length")
                total = int(length) if length else None
                done = 0
                for chunk in answer.iter_bytes(_CHUNK):
                    sink.write(chunk)
                    done += len(chunk)
                    if on_bytes is not None:
                        on_bytes(url.rsplit("/", 1)[-1], done, total)
        finally:
            if client is not self._client:
                client.close()


def _write(sink: IO[bytes], data: bytes) -> None:
    sink.write(data)


def _broken_builtin(path: Path, state: FileState) -> ModelMissing | HashMismatch:
    """A built-in file is never fetched: what ships with the project is put back from where the project came from."""
    fix = "install CityVision again, or `git checkout models/weights` in a checkout"
    if state is FileState.ABSENT:
        return ModelMissing(f"the built-in {path.name} is not part of this installation", fix)
    return HashMismatch(f"the built-in {path.name} is not what the zoo names", fix)
