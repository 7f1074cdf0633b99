"""What is said about a pool file that is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts.errors import ConfigError
from contracts.problems import Location
from contracts.redact import redact

_LONGEST_PATH = 120  # only aliases without end make longer ones


def path_text(location: Location) -> str:
    """`cameras[3].zones[0].polygon` from ("cameras", 3, "zones", 0, "polygon"); "" for the whole file."""
    text = ""
    for step in location:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text if len(text) <= _LONGEST_PATH else text[: _LONGEST_PATH - 1] + "…"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault: where, what is wrong, and what to write. Never holds a secret.

    Attributes:
        file: as the caller named it; "" for data that came from no file.
        line: of the key or value at fault, from 1; 0 without a file.
        path: e.g. `cameras[3].zones[0].polygon`; "" when it concerns the whole file.
        what: what is wrong.
        fix: what to write.
    """

    file: str
    line: int
    path: str
    what: str
    fix: str

    @staticmethod
    def at(file: str, line: int, location: Location, what: str, fix: str) -> Fault:
        """A fault with its path spelt out and its texts redacted."""
        return Fault(file, line, redact(path_text(location)), redact(what), redact(fix))

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file else ""
        path = f"{self.path}: " if self.path else ""
        return f"{place}{path}{self.what}; {self.fix}"


class PoolFaults(ConfigError):
    """The pool cannot be used; `faults` says everything that is wrong with it, in the files' order."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: Sequence[Fault] = sorted(set(faults))
        count = len(self.faults)
        first = str(self.faults[0]) if self.faults else "no fault was named"
        more = f" (and {count - 1} more)" if count > 1 else ""
        super().__init__(f"{first}{more}")
