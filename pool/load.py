"""The pool out of its files: `streams.yaml` and, beside it, `streams.d/*.yaml`, joined and checked as one."""

from __future__ import annotations

from pathlib import Path

from contracts.pool import Camera, Department, Pool
from pool.cache import CameraCache, without_collector
from pool.cross import cross_faults
from pool.faults import Fault, PoolFaults
from pool.files import FileContent, read_file


def pool_files(path: Path) -> list[Path]:
    """The files of the pool that `path` belongs to, the main one first.

    `streams.yaml` is joined by `streams.d/*.yaml`; naming one of those means the whole pool, too.
    """
    main = path
    if path.parent.suffix == ".d" and (owner := path.parent.with_suffix(path.suffix)).is_file():
        main = owner
    folder = main.with_suffix(".d")
    parts = [part for part in folder.iterdir() if part.suffix in (".yaml", ".yml")] if folder.is_dir() else []
    return [main, *sorted(part for part in parts if not part.name.startswith("."))]


class PoolLoader:
    """Loads one pool again and again; only cameras whose text changed are parsed again.

    Args:
        path: `streams.yaml`, or a file of `streams.d`.
        cache: cameras that were checked before; by default an empty one in memory.
    """

    def __init__(self, path: Path, cache: CameraCache | None = None) -> None:
        self.path = path
        self.cache = cache if cache is not None else CameraCache()

    def load(self) -> Pool:
        """The pool as the files say now.

        Raises:
            PoolFaults: everything that is wrong, in all files.
        """
        with without_collector():
            return self._load()

    def _load(self) -> Pool:
        contents = [self._read(path) for path in pool_files(self.path)]
        departments = [item for content in contents for item in content.departments]
        cameras = [item for content in contents for item in content.cameras]
        faults = [fault for content in contents for fault in content.faults]
        faults += cross_faults(departments, cameras, complete=all(content.readable for content in contents))
        if faults:
            raise PoolFaults(faults)
        self.cache.prune()
        # Every part was checked by itself; building it anew would check twelve thousand cameras once more.
        return Pool.model_construct(
            version=1,
            departments=tuple(item.value for item in departments if isinstance(item.value, Department)),
            cameras=tuple(item.value for item in cameras if isinstance(item.value, Camera)),
        )

    def _read(self, path: Path) -> FileContent:
        file = str(path)
        try:
            raw = path.read_bytes()
        except OSError as error:
            reason = error.strerror or "it cannot be read"
            fault = Fault.at(file, 1, (), f"the file cannot be read: {reason}", "name an existing, readable file")
            return FileContent(file, faults=[fault], readable=False)
        return read_file(file, raw, self.cache)


def load_pool(path: Path, cache_folder: Path | None = None) -> Pool:
    """The pool as its files say now, once.

    Args:
        path: `streams.yaml`; `streams.d/*.yaml` beside it joins it.
        cache_folder: where checked cameras are kept from run to run; None for no cache.

    Raises:
        PoolFaults: everything that is wrong with it.
    """
    cache = CameraCache(cache_folder)
    pool = PoolLoader(path, cache).load()
    cache.save()
    return pool
