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
from store.objects import DiskObjects, ObjectStore

log = logging.getLogger(__name__)

_LOCAL_PATIENCE_S = 0.5
_RETRY_S = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)


class EvidenceSpool:
    """Takes evidence for good: onto this machine's disk at once, and from there into the object store.

    The caller is the compute thread, so it never waits for a network. A store that is a folder of this machine takes
    the bytes itself; after a failure there everything waits until what waits already has gone out.

    Args:
        folder: made when missing; what an earlier run left in it goes out too.
        objects: where the bytes belong.
        patience_s: how long `put` waits for the store; None: half a second for a folder, not at all for any other.
        min_free_bytes: with less free disk than this nothing more is taken.
    """

    def __init__(
        self,
        folder: Path,
        objects: ObjectStore,
        *,
        patience_s: float | None = None,
        min_free_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob("*.tmp"):
            leftover.unlink()
        self._folder = folder
        self._objects = objects
        local = _LOCAL_PATIENCE_S if isinstance(objects, DiskObjects) else 0.0
        self._patience = local if patience_s is None else patience_s
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
            DiskFull: they have to wait, and there is no room here.
            StoreError: the store refuses the key for good (see `ObjectStore.put`). Not where they wait first: there
                they are kept aside.
        """
        if self._patience > 0 and not self._down and self._put_now(key, data, media_type):
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
            log.debug("%s: %s", key, str(error) or f"no answer in {self._patience:g} s")
            return False
        return True

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                self._empty()
            except (ObjectsUnavailable, OSError) as error:
                if failures == 0:
                    log.warning("evidence waits in the spool: %s", error)
                self._stop.wait(_RETRY_S[min(failures, len(_RETRY_S) - 1)])
                failures += 1
                continue
            failures = 0
            self._wake.wait()
            self._wake.clear()

    def _empty(self) -> None:
        """Sends what waits, oldest first. Raises ObjectsUnavailable or OSError when it has to wait on."""
        while waiting := sorted(self._folder.glob("*.blob"), key=lambda p: p.stat().st_mtime_ns):
            for path in waiting:
                if self._stop.is_set():
                    return
                self._send(path)
        self._down = False

    def _send(self, path: Path) -> None:
        header, _, data = path.read_bytes().partition(b"\n")
        try:
            named = json.loads(header)
            self._objects.put(named["key"], data, named["media_type"])
        except ObjectsUnavailable:
            raise
        except (StoreError, ValueError) as error:
            log.error("evidence %s is refused for good and kept aside: %s", path.name, error)
            path.rename(path.with_suffix(".refused"))
        else:
            path.unlink()

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.blob"
