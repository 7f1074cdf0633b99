"""The gallery's process: `python -m cityvision.trial_child` answers trials on stdin until it ends."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from algorithm_repo.gallery.trying import Trier
from algorithm_repo.gallery.types import Lent, Trial
from cityvision.asking import serve
from contracts.errors import CityVisionError, ConfigError

# Address space, bytes: all networks take 1.5 GB of it, libraries included.
_MEMORY = 6 << 30


def main() -> int:
    """Answers until stdin ends; the models' places are the first argument, as JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    given = json.loads(sys.argv[1])
    cache, mirror = (None if given[name] is None else Path(given[name]) for name in ("cache", "mirror"))
    trier = Trier(given["model"], cache, mirror)

    def answer(told: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        told.pop("size")
        try:
            lent = tuple(Lent.model_validate(one) for one in told.pop("lent"))
            said, pictures = trier.answer(Trial.model_validate(told), lent, data)
        except CityVisionError as error:
            wrongly = isinstance(error, ConfigError)
            return {"error": error.message, "fix": error.fix, "asked_wrongly": wrongly}, b""
        return {"answer": said.model_dump(mode="json")}, b"".join(pictures)

    return serve(answer)


if __name__ == "__main__":
    sys.exit(main())
