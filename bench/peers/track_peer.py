"""supervision's ByteTrack (gone from its current releases) on given tasks; runs in an environment of its own.

usage: python track_peer.py TASKS.npz ANSWERS.npz

TASKS.npz holds per task NAME: `NAME/rows` float64 [N, 6] (look 1.., x1, y1, x2, y2, score), `NAME/looks` their
number, `NAME/rate` looks per s. ANSWERS.npz gets `NAME` float64 [R, 6] (look, id, x1, y1, x2, y2) and
`NAME/seconds`, the CPU time of all updates.
"""

import sys
import time

import numpy as np
import supervision as sv


def track(rows: np.ndarray, looks: int, rate: float) -> tuple[np.ndarray, float]:
    tracker = sv.ByteTrack(frame_rate=max(1, round(rate)))
    answers = []
    seconds = 0.0
    for look in range(1, looks + 1):
        r = rows[rows[:, 0] == look]
        given = sv.Detections(
            xyxy=r[:, 1:5].astype(np.float32), confidence=r[:, 5].astype(np.float32), class_id=np.zeros(len(r), int)
        )
        began = time.process_time()
        got = tracker.update_with_detections(given)
        seconds += time.process_time() - began
        answers.append(np.column_stack([np.full(len(got), look), got.tracker_id, got.xyxy]).reshape(-1, 6))
    return np.concatenate(answers).astype(np.float64), seconds


def main() -> None:
    tasks = np.load(sys.argv[1])
    answers = {}
    for key in tasks.files:
        if key.endswith("/rows"):
            name = key.removesuffix("/rows")
            answers[name], seconds = track(tasks[key], int(tasks[f"{name}/looks"]), float(tasks[f"{name}/rate"]))
            answers[f"{name}/seconds"] = np.array(seconds)
    np.savez(sys.argv[2], **answers)


if __name__ == "__main__":
    main()
