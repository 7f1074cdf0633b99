"""Which picture of a folder is meant by which of a labels' file, by path and not by name alone."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from algorithm_repo.formats.types import FormatFaults, Picture

_EQUAL = 1_000_000  # more parts than any path has
_FIX = "give the folder from which the labels' file names its pictures"


@dataclass(frozen=True, slots=True)
class Matched:
    """What is said of which picture.

    Attributes:
        said: by the picture's path, as it was given.
        without: files that labels name and of which there is no picture.
        by_name: pairs of paths, the labels' and the folder's, that have the file's name alone in common.
    """

    said: Mapping[str, Picture]
    without: tuple[str, ...]
    by_name: tuple[tuple[str, str], ...]


def matched(pictures: Sequence[Picture], paths: Sequence[str], above: str = "") -> Matched:
    """Each labels' picture goes to the path that is equal to its own, else to the one that ends as it for longest.

    Texts are compared as Unicode's NFC: file systems keep the same name in different bytes.

    Args:
        pictures: of the labels' file, each file once.
        paths: of the folder's pictures, relative to it, with "/".
        above: the folder's own path, with "/": labels may name parts of it.

    Raises:
        FormatFaults: a file's picture may be one of several, or a picture several files'; all are named.
    """
    exact = {_nfc(path): path for path in paths}
    endings = _endings(paths, above)
    faults, without = list[str](), list[str]()
    best: dict[str, tuple[int, list[Picture]]] = {}
    for one in pictures:
        file = _nfc(one.file)
        depth, found = (_EQUAL, [exact[file]]) if file in exact else _longest(file, endings)
        if len(found) > 1:
            faults.append(f"{one.file}: {found[0]} and {found[1]} may both be meant; {_FIX}")
        for path in found[:1]:
            before = best.get(path, (0, []))
            if depth > before[0]:
                without += [other.file for other in before[1]]
                best[path] = (depth, [one])
            elif depth == before[0]:
                before[1].append(one)
            else:
                without.append(one.file)
        if not found:
            without.append(one.file)
    for path, (_, several) in best.items():
        if len(several) > 1:
            faults.append(f"{path}: labels of {several[0].file} and {several[1].file} may both be meant; {_FIX}")
    if faults:
        raise FormatFaults(faults)
    said = {path: several[0] for path, (_, several) in best.items()}
    loose = ((one.file, path) for path, one in said.items() if best[path][0] == 1 and "/" in one.file)
    return Matched(said, tuple(sorted(without)), tuple(loose))


def _endings(paths: Sequence[str], above: str) -> dict[str, list[str]]:
    """Paths by each of their endings, whole parts of them."""
    found: dict[str, list[str]] = {}
    for path in paths:
        for _, ending in _from_longest([*_parts(above), *_parts(_nfc(path))]):
            found.setdefault(ending, []).append(path)
    return found


def _longest(file: str, endings: Mapping[str, list[str]]) -> tuple[int, list[str]]:
    for depth, ending in _from_longest(_parts(file)):
        if ending in endings:
            return depth, endings[ending]
    return 0, []


def _from_longest(parts: Sequence[str]) -> Iterator[tuple[int, str]]:
    return ((len(parts) - start, "/".join(parts[start:])) for start in range(len(parts)))


def _parts(path: str) -> list[str]:
    return [part for part in _nfc(path).split("/") if part]


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
