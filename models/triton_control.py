"""Explicit model control of a running Triton server, ours or anybody's: load, warm, switch by name, drain, unload."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType

import numpy as np
from tritonclient.utils import InferenceServerException

from contracts.errors import RunnerError
from models.triton_runner import TritonRunner, connect, reason

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class ServedStatistics:
    """What one version has done since it was loaded.

    Attributes:
        pictures: inferred in all.
        executions: batches they were merged into.
        queue_s, compute_s: time spent waiting and computing, summed over pictures and executions, s.
    """

    pictures: int
    executions: int
    queue_s: float
    compute_s: float


class TritonControl:
    """One server's model control.

    Args:
        url: "host:port" of the gRPC endpoint.
        timeout_s: one request may take this long, s; loading compiles, so it is generous.
    """

    def __init__(self, url: str, *, timeout_s: float = 60.0) -> None:
        self.url = url
        self._timeout = timeout_s
        self._client = connect(url)

    def __enter__(self) -> TritonControl:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ready(self) -> bool:
        """The server answers and every model it was started with is loaded."""
        try:
            return bool(self._client.is_server_ready(client_timeout=0.5))
        except InferenceServerException:
            return False

    def wait_ready(self, within_s: float) -> bool:
        """Asks until it is ready, at most `within_s`."""
        end = time.monotonic() + within_s
        while not self.ready():
            if time.monotonic() > end:
                return False
            time.sleep(_POLL_S)
        return True

    def loaded(self) -> tuple[str, ...]:
        """Triton names that are loaded and ready.

        Raises:
            RunnerError: the server is away.
        """
        try:
            index = self._client.get_model_repository_index(as_json=True, client_timeout=self._timeout)
        except InferenceServerException as error:
            raise self._failure("cannot list its models", error) from error
        return tuple(sorted(entry["name"] for entry in index.get("models", []) if entry.get("state") == "READY"))

    def load(self, name: str) -> None:
        """Loads a version of the repository, or loads it again after its files changed.

        Raises:
            RunnerError: the server is away or cannot load it.
        """
        try:
            self._client.load_model(name, client_timeout=self._timeout)
        except InferenceServerException as error:
            raise self._failure(f"cannot load {name}", error) from error

    def warm(self, name: str, sha256: str, batch: int = 1) -> float:
        """Runs one batch of zeros, so that the first real one is not slow. Returns the seconds it took.

        Raises:
            RunnerError: the version is not loaded, is made from other weights, or inference fails.
        """
        runner = TritonRunner(self.url, name=name, sha256=sha256, timeout_s=self._timeout)
        try:
            zeros = {spec.name: np.zeros((batch, *spec.shape[1:]), spec.dtype) for spec in runner.inputs}
            start = time.perf_counter()
            runner.infer(zeros)
            return time.perf_counter() - start
        finally:
            runner.close()

    def unload(self, name: str, drained_within_s: float = 30.0) -> None:
        """Unloads a version: requests in flight are answered first, then its memory is free.

        Raises:
            RunnerError: the server is away, or the version was still busy after `drained_within_s`.
        """
        try:
            self._client.unload_model(name, client_timeout=self._timeout)
        except InferenceServerException as error:
            raise self._failure(f"cannot unload {name}", error) from error
        end = time.monotonic() + drained_within_s
        while name in self._states():
            if time.monotonic() > end:
                raise RunnerError(f"Triton at {self.url}: {name} was not drained within {drained_within_s:g} s")
            time.sleep(_POLL_S)

    def statistics(self, name: str) -> ServedStatistics:
        """Of one loaded version.

        Raises:
            RunnerError: the server is away or the version is not loaded.
        """
        try:
            answer = self._client.get_inference_statistics(name, as_json=True, client_timeout=self._timeout)
        except InferenceServerException as error:
            raise self._failure(f"has no statistics of {name}", error) from error
        entry = answer["model_stats"][0]
        spent = {
            key: int(entry["inference_stats"].get(key, {}).get("ns", 0)) / 1e9 for key in ("queue", "compute_infer")
        }
        return ServedStatistics(
            int(entry.get("inference_count", 0)),
            int(entry.get("execution_count", 0)),
            spent["queue"],
            spent["compute_infer"],
        )

    def close(self) -> None:
        """Closes the connection; the server goes on."""
        self._client.close()

    def _states(self) -> set[str]:
        """Names whose unloading has not come to its end."""
        index = self._client.get_model_repository_index(as_json=True, client_timeout=self._timeout)
        return {e["name"] for e in index.get("models", []) if e.get("state") in ("READY", "UNLOADING", "LOADING")}

    def _failure(self, what: str, error: InferenceServerException) -> RunnerError:
        return RunnerError(f"Triton at {self.url} {what}: {reason(error)}")
