"""Masked copies of evidence, made in processes of their own: bytes of a camera are decoded outside the API."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Literal

from api.masked_copies import Box, MaskedBytes
from cityvision.asking import AskedProcess, models_of
from cityvision.settings import Settings
from contracts.errors import StreamCorrupt

TIMEOUT_S: Mapping[Literal["picture", "clip"], float] = {"picture": 30.0, "clip": 240.0}


class MaskingProcess:
    """Asks child processes, one for pictures and one for clips, so that a clip holds up no picture. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        command = (sys.executable, "-m", "cityvision.masking_child", models_of(settings))
        self._children = {kind: AskedProcess(command, timeout, "masking") for kind, timeout in TIMEOUT_S.items()}

    def mask(self, kind: Literal["picture", "clip"], data: bytes, own_vehicle: Box | None) -> MaskedBytes:
        """See `api.masked_copies.Mask`.

        Raises:
            StreamCorrupt: it cannot be decoded, or the child crashed on it.
            TimeoutError: it took too long, or others did.
        """
        told, answer = self._children[kind].ask({"kind": kind, "own": own_vehicle}, data)
        if "error" in told:
            raise StreamCorrupt(str(told["error"]))
        return MaskedBytes(answer, told["how"])

    def close(self) -> None:
        """Ends the children."""
        for child in self._children.values():
            child.close()
