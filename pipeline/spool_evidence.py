"""Evidence bytes on their way to the object store; while it is down they wait in the worker's spool."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import threading
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError
from pathlib import Path

from contracts.errors import DiskFull, ObjectsUnavailable, StoreError
from pipeline.spoollog import replace_file
from store.objects import ObjectStore

log = logging.getLogger(__name__)

_RETRY_S = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)


class EvidenceSpool:
    """Takes evidence for good: into the object store at once, else onto the worker's disk, from where it follows.

    The caller is the compute thread, so it never waits longer than `patience_s` for the store; after a failure,
    everything goes to the disk until what waits there has gone out.

    Args:
        folder: made when missing; what an earlier run left in it goes out too.
        objects: where the bytes belong.
        patience_s: how long `put` waits for the store.
        min_free_bytes: with less free disk than this nothing more is taken.
    """

    def __init__(
        self,
        folder: Path,
        objects: ObjectStore,
        *,
        patience_s: float = 0.5,
        min_free_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob("*.tmp"):
            leftover.unlink()
        self._folder = folder
        self._objects = objects
        self._patience = patience_s
        self._min_free = min_free_bytes
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._direct = ThreadPoolExecutor(1, thread_name_prefix="evidence")
        self._down = bool(self.waiting())
        self._thread = threading.Thread(target=self._run, name="evidence-retry", daemon=True)
        self._thread.start()

    def put(self, key: str, data: bytes, media_type: str) -> bool:
        """Keeps the bytes durably.

        Returns:
            True when the object store has them, False while they wait here.

        Raises:
            DiskFull: the store is down and there is no room here.
            StoreError: the store refuses the key for good (see `ObjectStore.put`).
        """
        if not self._down and self._put_now(key, data, media_type):
            return True
        if shutil.disk_usage(self._folder).free < self._min_free + len(data):
            raise DiskFull(f"{self._folder}: no room for evidence", "free some space, or bring the object store back")
        header = json.dumps({"key": key, "media_type": media_type}).encode()
        try:
            replace_file(self._path(key), header + b"\n" + data)
        except OSError as error:
            raise DiskFull(f"{self._folder}: {error.strerror}", "free some space") from error
        self._down = True
        self._wake.set()
        return False

    def get(self, key: str) -> bytes | None:
        """The bytes, while they wait here."""
        try:
            return self._path(key).read_bytes().split(b"\n", 1)[1]
        except FileNotFoundError:
            return None

    def waiting(self) -> int:
        """How many pieces wait here."""
        return sum(1 for _ in self._folder.glob("*.blob"))

    def close(self) -> None:
        """Stops; what waits goes out in the next run."""
        self._stop.set()
        self._wake.set()
        self._thread.join(5.0)
        self._direct.shutdown(wait=False, cancel_futures=True)

    def _put_now(self, key: str, data: bytes, media_type: str) -> bool:
        attempt: Future[None] = self._direct.submit(self._objects.put, key, data, media_type)
        try:
            attempt.result(self._patience)
        except (ObjectsUnavailable, TimeoutError) as error:
            # One that comes late after all does no harm: the same bytes under the same key.
            log.warning("evidence waits in the spool: %s", str(error) or f"no answer in {self._patience:g} s")
            return False
        return True

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            if self._empty_once():
                failures = 0
                self._wake.wait()
                self._wake.clear()
            else:
                self._stop.wait(_RETRY_S[min(failures, len(_RETRY_S) - 1)])
                failures += 1

    def _empty_once(self) -> bool:
        """Sends what waits, oldest first; False when the store is still down."""
        for path in sorted(self._folder.glob("*.blob"), key=lambda p: p.stat().st_mtime_ns):
            header, data = path.read_bytes().split(b"\n", 1)
            named = json.loads(header)
            try:
                self._objects.put(named["key"], data, named["media_type"])
            except ObjectsUnavailable:
                return False
            except StoreError as error:
                log.error("evidence %s is refused for good and kept aside: %s", named["key"], error)
                path.rename(path.with_suffix(".refused"))
                continue
            path.unlink()
        self._down = self.waiting() > 0
        return not self._down

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.blob"
