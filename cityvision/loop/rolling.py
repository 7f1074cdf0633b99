"""A registered version goes out by whole cameras: shadow, canary, production; each step when the last one was seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from algorithm_repo.registry import ledger
from algorithm_repo.registry import service as registry
from algorithm_repo.registry.types import AlgorithmVersion, LedgerLine, Move, Stage
from algorithm_repo.rollout import lanes, service
from algorithm_repo.rollout.evidence import Least, looks
from algorithm_repo.rollout.types import Lane, LaneKind
from cityvision.loop.city import City
from cityvision.loop.registering import network_of
from cityvision.loop.types import ENGINEER, PROMOTER, ROLE, LoopSettings
from pool.reader import cameras_of

Say = Callable[[str], None]


class Rolling:
    """One version on its way.

    Args:
        cameras: those of its shadow; the first alone is given over to its canary.
        say: told of each step.
    """

    def __init__(
        self, city: City, version: AlgorithmVersion, cameras: Sequence[str], settings: LoopSettings, say: Say
    ) -> None:
        self._city, self._version, self._cameras = city, version, tuple(cameras)
        self._settings, self._say = settings, say

    def go(self) -> tuple[bool, str]:
        """Goes on from wherever the version stands.

        Returns:
            Whether it is in production, and why not.
        """
        steps = {Stage.REGISTERED: self._shadow, Stage.SHADOW: self._canary, Stage.CANARY: self._promote}
        while True:
            version, last = self._now()
            if version.stage is Stage.PRODUCTION:
                return self._switched(), "no worker took it over"
            if last.move in (Move.ABORT, Move.ROLL_BACK) or version.stage not in steps:
                return False, last.grounds.why or f"it is {version.stage}"
            why = steps[version.stage]()
            if why:
                return False, why

    def _now(self) -> tuple[AlgorithmVersion, LedgerLine]:
        with self._city.transaction() as connection:
            version = registry.get(connection, self._version.id)
            return version, ledger.of_version(connection, version.id)[-1]

    def _shadow(self) -> str:
        with self._city.transaction() as connection:
            pool = cameras_of(connection)
            service.shadow(connection, self._version, self._cameras, pool, ENGINEER)
        self._say(f"in shadow on {', '.join(self._cameras)}")
        return ""

    def _canary(self) -> str:
        why = self._wait(LaneKind.SHADOW)
        if why:
            return why
        with self._city.transaction() as connection:
            told = service.compared(connection, self._version)
            service.canary(connection, self._version, self._cameras[:1], cameras_of(connection), PROMOTER)
        self._say(f"shadow: {told.candidate} events, production {told.production}, both {told.both}")
        self._say(f"in canary on {self._cameras[0]}")
        return ""

    def _promote(self) -> str:
        why = self._wait(LaneKind.CANARY)
        if why:
            return why
        with self._city.transaction() as connection:
            # A demo has minutes, not days: how often it looks is asked for, how long is not.
            least = Least(camera_minutes=0, looks=self._settings.looks)
            service.promote(connection, self._version, PROMOTER, looks=partial(looks, self._city.bus), least=least)
        self._say("promoted")
        return ""

    def _wait(self, kind: LaneKind) -> str:
        """Until the lane has looked often enough, and a shadow has told of something; why it did not, if so."""
        seen = self._city.until(lambda: self._over(kind) or self._looked(kind), self._settings.patience_s)
        if self._over(kind):
            return self._now()[1].grounds.why or f"its {kind} was ended"
        return "" if seen else f"its {kind} has not shown enough within {self._settings.patience_s:.0f} s"

    def _over(self, kind: LaneKind) -> bool:
        """A guardrail ended it; the ledger says why."""
        return self._now()[0].stage.value != kind.value

    def _looked(self, kind: LaneKind) -> bool:
        lane = self._lane()
        if lane is None or lane.kind is not kind:
            return False
        found = [self._city.status(camera, lane.space) for camera in lane.cameras]
        looked = all(
            one is not None and one.worker == lane.worker and one.looks >= self._settings.looks for one in found
        )
        if not looked or kind is LaneKind.CANARY:
            return looked
        with self._city.transaction() as connection:
            return service.compared(connection, self._version).candidate > 0

    def _lane(self) -> Lane | None:
        with self._city.transaction() as connection:
            mine = [one for one in lanes.wanted(connection) if one.version_id == self._version.id]
            begun = lanes.unburied(connection)
        return next((one for one in mine if one.number in begun), None)

    def _switched(self) -> bool:
        network = network_of(self._version).sha256
        return self._city.until(lambda: self._city.runs(ROLE) == {network}, self._settings.patience_s)
