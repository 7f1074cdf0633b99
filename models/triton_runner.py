"""Inference through a Triton server over gRPC; tensors by system shared memory where the server is on this machine.

Triton merges the batches of all its clients (dynamic batching); a batch larger than the server takes is split here.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tritonclient import grpc as triton
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

from contracts.errors import RunnerError
from models.runner import Tensors, TensorSpec, batch_size
from models.triton_lanes import Lane, Model, SharedLane, WireLane

_LOG = logging.getLogger(__name__)
_LOCAL = {"localhost", "127.0.0.1", "[::1]"}
# Asking again at once cannot help: the server is away or busy.
_GONE = {"StatusCode.UNAVAILABLE", "StatusCode.DEADLINE_EXCEEDED", "StatusCode.CANCELLED"}
_CHANNEL = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # A channel reconnects by itself; without these, not for up to two minutes after the server came back.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),
]


def connect(url: str) -> triton.InferenceServerClient:
    """A gRPC client that comes back soon after the server does. Connects on first use."""
    return triton.InferenceServerClient(url, channel_args=_CHANNEL)


def reason(error: InferenceServerException) -> str:
    """What a server said, in one line."""
    message = " ".join(str(error.message() or error).split())
    return f"{error.status()}: {message}" if error.status() else message


class TritonRunner:
    """`Runner` over one version (one Triton name) that the server has loaded.

    Args:
        url: "host:port" of the gRPC endpoint.
        name: the version's Triton name.
        sha256: what the server's copy must have been made from.
        timeout_s: one request may take this long, s.
        shared_memory: None: where the server is on this machine and maps our memory; False: never.

    Raises:
        RunnerError: no server, it does not serve the version, or its copy was made from other weights.
    """

    def __init__(
        self, url: str, *, name: str, sha256: str, timeout_s: float = 10.0, shared_memory: bool | None = None
    ) -> None:
        self.name = name
        self.sha256 = sha256
        self._url = url
        self._client = connect(url)
        self._lock = threading.Lock()
        self._idle: list[Lane] = []
        self._closed = False
        self._share = url.rsplit(":", 1)[0] in _LOCAL if shared_memory is None else shared_memory
        try:
            config = self._client.get_model_config(name, as_json=True, client_timeout=timeout_s)["config"]
            metadata = self._client.get_model_metadata(name, as_json=True, client_timeout=timeout_s)
        except InferenceServerException as error:
            self._client.close()
            raise RunnerError(f"Triton at {url} does not serve {name}: {reason(error)}") from error
        served = config.get("parameters", {}).get("sha256", {}).get("string_value", "")
        if served != sha256:
            self._client.close()
            raise RunnerError(f"Triton at {url} serves {name} from other weights ({served[:12] or 'unknown'}…)")
        # 0: the version has its batch axis fixed to one picture.
        self._step = max(1, int(config.get("max_batch_size", 0)))
        self.inputs = tuple(_spec(entry) for entry in metadata["inputs"])
        self.outputs = tuple(_spec(entry) for entry in metadata["outputs"])
        self._model = Model(name, self.inputs, self.outputs, timeout_s)

    @property
    def shares_memory(self) -> bool:
        """Tensors go by shared memory; settled by the first batch."""
        return self._share

    def infer(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
        """One batch; blocks. Concurrent callers run side by side, each in memory of its own.

        Raises:
            RunnerError: wrong shapes, or the server is away or failed; the next call connects anew.
        """
        if self._closed:
            raise RunnerError(f"{self.name} is closed")
        n = batch_size(self.name, self.inputs, inputs)
        if n == 0:
            return {spec.name: np.zeros((0, *spec.shape[1:]), spec.dtype) for spec in self.outputs}
        try:
            return self._attempt(inputs, n)
        except InferenceServerException as error:
            if str(error.status()) in _GONE:
                raise self._failure(error) from error
        # A server that restarted has forgotten our memory: once more, with a fresh lane.
        try:
            return self._attempt(inputs, n)
        except InferenceServerException as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Releases shared memory and the connection."""
        with self._lock:
            self._closed = True
            lanes, self._idle = self._idle, []
        for lane in lanes:
            lane.close()
        self._client.close()

    def _attempt(self, inputs: Tensors, n: int) -> dict[str, NDArray[Any]]:
        lane = self._lane(n)
        try:
            results = lane.run(inputs, n, self._step)
        except InferenceServerException:
            lane.close()
            raise
        with self._lock:
            if not self._closed:
                self._idle.append(lane)
                return results
        lane.close()
        return results

    def _lane(self, n: int) -> Lane:
        while True:
            with self._lock:
                lane = self._idle.pop() if self._idle else None
            if lane is None:
                return self._new_lane(n)
            if lane.capacity >= n:
                return lane
            lane.close()

    def _new_lane(self, n: int) -> Lane:
        if self._share:
            try:
                return SharedLane(self._client, self._model, n)
            except InferenceServerException as error:
                if str(error.status()) in _GONE:
                    raise
                self._share = False
                _LOG.warning("Triton at %s cannot map our memory (%s): tensors go over gRPC", self._url, reason(error))
        return WireLane(self._client, self._model, n)

    def _failure(self, error: InferenceServerException) -> RunnerError:
        return RunnerError(f"{self.name}: Triton at {self._url}: {reason(error)}")


def _spec(entry: dict[str, Any]) -> TensorSpec:
    shape = (-1, *(int(dimension) for dimension in entry["shape"][1:]))
    return TensorSpec(entry["name"], shape, np.dtype(triton_to_np_dtype(entry["datatype"])))
