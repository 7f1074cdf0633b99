"""What a Triton server does while a version is drained never ends the thread that brings promotions to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as services

from cityvision.triton_desk import TritonDesk
from contracts.rollout import ServedModel, Serving
from models.zoo import Zoo

OLD = "old-12345678"


class Draining(services.GRPCInferenceServiceServicer):  # type: ignore[misc]
    """A server that goes away for a moment whenever a version is unloaded."""

    def __init__(self) -> None:
        self.unloads = 0
        self._away = 0

    def ServerReady(self, _request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        return messages.ServerReadyResponse(ready=True)

    def RepositoryIndex(self, _request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        if self._away:
            self._away -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "killed while it drains")
        model = messages.RepositoryIndexResponse.ModelIndex(name=OLD, state="READY")
        return messages.RepositoryIndexResponse(models=[model])

    def RepositoryModelUnload(self, _request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        self.unloads += 1
        self._away = 1
        return messages.RepositoryModelUnloadResponse()


@pytest.fixture
def server() -> Iterator[tuple[str, Draining]]:
    draining = Draining()
    running = grpc.server(ThreadPoolExecutor(2))
    services.add_GRPCInferenceServiceServicer_to_server(draining, running)
    port = running.add_insecure_port("127.0.0.1:0")
    running.start()
    yield f"127.0.0.1:{port}", draining
    running.stop(None)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def no_network(_model: ServedModel) -> Zoo:
    raise AssertionError("nothing is to be loaded here")


def test_a_server_that_goes_away_while_a_version_drains_is_nobodys_fault(
    server: tuple[str, Draining], tmp_path: Path
) -> None:
    url, draining = server
    (tmp_path / ".rolled-out").mkdir()
    (tmp_path / ".rolled-out" / OLD).touch()
    desk = TritonDesk(url, tmp_path, no_network)
    try:
        first, second = Serving(number=1, models=()), Serving(number=2, models=())
        desk.want(first, frozenset())
        until(lambda: draining.unloads > 0)
        desk.want(second, frozenset())
        until(lambda: desk.serves(second))
        assert desk.refused(first) is None
        assert desk.refused(second) is None
        assert (tmp_path / ".rolled-out" / OLD).exists(), "it is to be unloaded later"
    finally:
        desk.close()


def test_what_nobody_foresaw_does_not_end_the_desk(server: tuple[str, Draining], tmp_path: Path) -> None:
    desk = TritonDesk(server[0], tmp_path, no_network)
    try:
        odd = Serving(number=3, models=(ServedModel(role="detector", name="odd", sha256="a" * 64),))
        desk.want(odd, frozenset())
        until(lambda: desk.refused(odd) is not None)
        later = Serving(number=4, models=())
        desk.want(later, frozenset())
        until(lambda: desk.serves(later))
    finally:
        desk.close()
