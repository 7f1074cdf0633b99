"""The gallery's process: `python -m cityvision.trial_child` answers trials on stdin until it ends."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from algorithm_repo.gallery.trying import Trier
from algorithm_repo.gallery.types import Trial
from cityvision.asking import receive, send
from contracts.errors import CityVisionError, ConfigError


def main() -> int:
    """Answers until stdin ends; the models' places are the first argument, as JSON."""
    given = json.loads(sys.argv[1])
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    cache, mirror = (None if given[name] is None else Path(given[name]) for name in ("cache", "mirror"))
    trier = Trier(given["model"], cache, mirror)
    while True:
        try:
            told, data = receive(sys.stdin.buffer)
        except ValueError:  # whoever asked is gone
            return 0
        told.pop("size")
        try:
            answer, pictures = trier.answer(Trial.model_validate(told), data)
        except CityVisionError as error:
            wrongly = isinstance(error, ConfigError)
            send(answers, {"error": error.message, "fix": error.fix, "asked_wrongly": wrongly}, b"")
        else:
            send(answers, {"answer": answer.model_dump(mode="json")}, b"".join(pictures))


if __name__ == "__main__":
    sys.exit(main())
