"""What a clip's bytes say of it, found in a process of its own: they may be anybody's.

`python -m cityvision.clip_looks` reads an MP4 from stdin and writes JSON to stdout.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from algorithm_repo.labelling.clips import MOST_FRAMES, MOST_PIXELS, MOST_SECONDS, ClipFacts, ClipLooks

TIMEOUT_S = 60.0
_MEMORY = 2 << 30
_CPU_S = 50
_REFUSED = 3


def look(mp4: bytes) -> ClipLooks:
    """See `algorithm_repo.labelling.clips.LookAtClip`.

    Raises:
        ValueError: it is no clip, or longer or larger than is taken; says so.
    """
    command = [sys.executable, "-m", "cityvision.clip_looks"]
    try:
        done = subprocess.run(command, input=mp4, capture_output=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"it could not be opened within {TIMEOUT_S:.0f} s") from error
    if done.returncode == _REFUSED:
        raise ValueError(done.stderr.decode(errors="replace").strip()[-200:] or "it cannot be decoded")
    if done.returncode != 0:
        raise ValueError("whoever opened it crashed, or needed too much memory")
    told = json.loads(done.stdout)
    signature = np.asarray(told["signature"], np.float32)
    return ClipLooks(told["width"], told["height"], ClipFacts.model_validate(told["facts"]), signature)


# --- the child's side -------------------------------------------------------------------------------------------


def main() -> int:
    """Tells what stdin holds."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S + 1))
    from contracts.errors import CityVisionError
    from store.memory_files import in_memory

    with in_memory(sys.stdin.buffer.read()) as path:
        try:
            told = _told(path)
        except CityVisionError as error:
            sys.stderr.write(f"no clip that can be read ({error.message.replace(path.name, 'it')})")
            return _REFUSED
        except ValueError as error:
            sys.stderr.write(str(error))
            return _REFUSED
    sys.stdout.write(json.dumps(told))
    return 0


def _told(path: Path) -> dict[str, Any]:
    """Raises SourceError, StreamCorrupt, ValueError."""
    import cv2

    from algorithm_repo.datasets.alike import signature
    from pipeline.source import demux
    from pipeline.source.files import read_file

    times, size = [], (0, 0)
    for packet, parameters in read_file(path):
        size = parameters.width, parameters.height
        times.append(packet.time)
        if size[0] * size[1] > MOST_PIXELS:
            raise ValueError(f"width, height: {size[0]} x {size[1]} px are more than {MOST_PIXELS} pixels")
        if len(times) > MOST_FRAMES:
            raise ValueError(f"frames: more than {MOST_FRAMES}")
        if packet.time > MOST_SECONDS:
            raise ValueError(f"duration: longer than {MOST_SECONDS:g} s")
    shown = sorted(set(times))
    if len(shown) < 2:
        raise ValueError("frames: a clip has two pictures at least")
    with demux.open_file(path) as container:
        stream = container.streams.video[0]
        start = float((stream.start_time or 0) * (stream.time_base or 0))
    reader = cv2.VideoCapture(str(path))
    there, picture = reader.read()
    if not there:
        raise ValueError("its first picture cannot be decoded")
    # The usual step: a gap must not change what every step of the arrow keys is.
    steps = np.diff(shown)
    fps = round(1 / float(np.mean(steps[steps < 1.5 * np.median(steps)])), 6)
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    facts = {"duration_s": round(shown[-1] + 1 / fps, 6), "fps": fps, "frames": round(shown[-1] * fps) + 1}
    facts["start_s"] = round(max(0.0, start), 6)
    return {"width": size[0], "height": size[1], "facts": facts, "signature": signature(grey).tolist()}


if __name__ == "__main__":
    sys.exit(main())
