"""Which worker runs which camera: balanced, and moving as few cameras as it can when workers come or go."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence


def place(
    cameras: Sequence[str], workers: Sequence[str], present: Mapping[str, Sequence[str]] | None = None
) -> dict[str, list[str]]:
    """Spreads `cameras` over `workers` so that no two workers differ by more than one camera.

    A camera stays where it is as long as its worker is there and not over-full; the others go where rendezvous
    hashing prefers them among the workers that have room. The same input gives the same answer in any process.

    Args:
        cameras: ids, each once.
        workers: ids, each once.
        present: worker → cameras as they are placed now.

    Returns:
        worker → its cameras, sorted; every worker is named, every camera stands once.

    Raises:
        ValueError: there are cameras but no workers.
    """
    if not workers:
        if cameras:
            raise ValueError("cameras without workers")
        return {}
    wanted = set(cameras)
    placed: dict[str, list[str]] = {worker: [] for worker in workers}
    seen: set[str] = set()
    for worker in workers:
        for camera in sorted((present or {}).get(worker, ())):
            if camera in wanted and camera not in seen:
                placed[worker].append(camera)
                seen.add(camera)
    low, extra = divmod(len(cameras), len(workers))
    # The fullest keep the places of the remainder, so that fewer cameras move.
    fullest = sorted(workers, key=lambda worker: (-len(placed[worker]), worker))
    room = {worker: low + (1 if rank < extra else 0) for rank, worker in enumerate(fullest)}
    homeless = sorted(wanted - seen)
    for worker in workers:
        ranked = sorted(placed[worker], key=lambda camera, worker=worker: _weight(camera, worker), reverse=True)  # type: ignore[misc]
        placed[worker], over = ranked[: room[worker]], ranked[room[worker] :]
        homeless += over
    for camera in homeless:
        free = [worker for worker in workers if len(placed[worker]) < room[worker]]
        placed[max(free, key=lambda worker: _weight(camera, worker))].append(camera)
    return {worker: sorted(placed[worker]) for worker in workers}


def _weight(camera: str, worker: str) -> bytes:
    """How much a camera prefers a worker (rendezvous hashing, Thaler and Ravishankar 1998)."""
    return hashlib.blake2b(f"{camera}\x1f{worker}".encode(), digest_size=8).digest()
