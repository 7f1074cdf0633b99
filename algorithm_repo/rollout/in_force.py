"""The pool as it is in force: with the parameters that versions bring, on the cameras that run them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from algorithm_repo.registry import ledger, service
from algorithm_repo.registry.parameters import Parameters, applied
from algorithm_repo.registry.types import Stage
from algorithm_repo.rollout import lanes
from algorithm_repo.rollout.types import LaneKind
from contracts.algorithms import running
from contracts.pool import Camera, Pool


@dataclass(frozen=True, slots=True)
class InForce:
    """What versions say of rules.

    Attributes:
        number: of the newest line of the ledger that it follows from.
        production: by algorithm.
        canaries: by the lane's worker: algorithm and parameters.
    """

    number: int = 0
    production: Mapping[str, Parameters] = field(default_factory=dict)
    canaries: Mapping[str, tuple[str, Parameters]] = field(default_factory=dict)


def read(connection: Connection, known: InForce | None = None) -> InForce:
    """What is in force now; `known` again where the ledger says nothing newer."""
    number = ledger.newest(connection)
    if known is not None and known.number == number:
        return known
    production = {one.algorithm: one.parameters for one in service.listed(connection) if one.stage is Stage.PRODUCTION}
    canaries = {
        lane.worker: (lane.algorithm, lane.parameters)
        for lane in lanes.wanted(connection)
        if lane.kind is LaneKind.CANARY
    }
    return InForce(number, production, canaries)


_Told = tuple[tuple[str, Parameters], ...]


class PoolInForce:
    """Makes pools. What was made before is the same object again, so that its digest is known.

    Attributes:
        of: what was in force when the last pool was made.
    """

    def __init__(self) -> None:
        self.of = InForce()
        self._made: dict[str, tuple[Camera, _Told, Camera]] = {}
        self._pool: Pool | None = None

    def pool(self, pool: Pool, now: InForce, held: Mapping[str, Sequence[str]]) -> Pool:
        """The pool as workers are to have it; the same one where no version says anything.

        Args:
            pool: as departments have it.
            now: what is in force.
            held: cameras by the lane's worker that has them.
        """
        self.of = now
        if not any(now.production.values()) and not now.canaries:
            return pool
        of_camera = {
            camera: now.canaries[worker] for worker, some in held.items() if worker in now.canaries for camera in some
        }
        before, self._made = self._made, {}
        cameras = tuple(self._camera(camera, now, of_camera.get(camera.id), before) for camera in pool.cameras)
        for known in (pool, self._pool):
            if known is not None and known.departments == pool.departments and _same(known.cameras, cameras):
                self._pool = known
                return known
        self._pool = pool.model_copy(update={"cameras": cameras})
        return self._pool

    def _camera(
        self,
        camera: Camera,
        now: InForce,
        candidate: tuple[str, Parameters] | None,
        before: Mapping[str, tuple[Camera, _Told, Camera]],
    ) -> Camera:
        theirs = dict([candidate]) if candidate is not None else {}
        told = tuple(
            (name, parameters)
            for name in running(camera.algorithms)
            if (parameters := theirs.get(name, now.production.get(name, {})))
        )
        if not told:
            return camera
        known = before.get(camera.id)
        if known is None or known[0] is not camera or known[1] != told:
            made = camera
            for name, parameters in told:
                made = applied(made, name, parameters)
            known = (camera, told, made)
        self._made[camera.id] = known
        return known[2]


def _same(some: Sequence[Camera], others: Sequence[Camera]) -> bool:
    return len(some) == len(others) and all(one is other for one, other in zip(some, others, strict=True))
