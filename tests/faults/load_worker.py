"""A load worker: the real spool and publisher, fed with `script`. Goes on where its spool says it was.

    python -m tests.faults.load_worker SPOOL WORKER REDIS_URL TARGET PER_SECOND

Says `PER_SECOND` transitions a second until the file TARGET names a number of steps; then it hurries to that step and
ends with status 0 once everything is consumed. So the load never ends before the killing does.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from contracts.records import EventRecord
from pipeline.publish import Publisher
from pipeline.spool import Spool, Watermarks
from store.bus import Bus
from tests.faults.script import CAMERAS, event_at


def main(folder: Path, worker: str, url: str, target: Path, per_second: float) -> None:
    spool = Spool(folder, worker, Watermarks(segment_bytes=64 * 1024))
    publisher = Publisher(spool, Bus(url))
    publisher.start()
    said = {int(camera): json.loads(state)["said"] for camera, state in spool.last_states().items()}
    step = min((said.get(camera, 0) for camera in range(CAMERAS)), default=0)
    due = time.monotonic()
    while not target.exists() or step < int(target.read_text()):
        for camera in range(CAMERAS):
            if step < said.get(camera, 0):
                continue
            state = json.dumps({"said": step + 1, "padding": "x" * 500}).encode()
            spool.append(EventRecord(event=event_at(worker, camera, step)), {str(camera): state})
            if step % 7 == camera:
                spool.checkpoint(str(camera), state)
            due += 0.0 if target.exists() else 1 / per_second
            time.sleep(max(0.0, due - time.monotonic()))
        step += 1
    while not publisher.drain(60):
        pass
    publisher.stop()
    spool.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4]), float(sys.argv[5]))
