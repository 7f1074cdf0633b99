"""The second looks that one camera has been asked for; see `contracts.looks`."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.looks import LookRequest
from contracts.records import EvidenceRef, LookResult
from contracts.vision import Frame, Look
from pipeline.chain import CameraChain
from pipeline.secondlook import SecondLook, Seen


class SecondLooks:
    """Mutable; belongs to the compute thread. False while nothing is asked."""

    def __init__(self) -> None:
        self._open: dict[str, SecondLook] = {}
        self._answered: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._open)

    def ask(self, requests: Iterable[LookRequest]) -> None:
        """All that this camera is asked for at present; what is not among them any more is let go."""
        wanted = {one.id: one for one in requests}
        self._answered &= wanted.keys()
        self._open = {
            name: self._open.get(name) or SecondLook(one) for name, one in wanted.items() if name not in self._answered
        }

    def seen(self, look: Look, frame: Frame, chain: CameraChain) -> list[LookResult]:
        """One look, after the chain has judged it; what is answered by it."""
        found: list[LookResult] = []
        for one in list(self._open.values()):
            asked = one.request
            watched = chain.watches(asked.type, asked.zone, look.preset)
            seen = one.look(look.time, look.gap, chain.all_matters, chain.paused, watched=watched)
            if seen is not None:
                found.append(self._answer(asked, seen, look.utc, chain.snapshot(frame)))
        return found

    def overdue(self, now_utc: float) -> list[LookResult]:
        """What could not be answered in time."""
        late = [one for one in self._open.values() if now_utc >= one.request.until_utc]
        return [self._answer(one.request, one.late(), now_utc, ()) for one in late]

    def _answer(self, asked: LookRequest, seen: Seen, utc: float, evidence: tuple[EvidenceRef, ...]) -> LookResult:
        del self._open[asked.id]
        self._answered.add(asked.id)
        return LookResult(
            request=asked.id,
            camera=asked.camera,
            type=asked.type,
            zone=asked.zone,
            utc=utc,
            verdict=seen.verdict,
            looks=seen.looks,
            watched_s=seen.watched_s,
            reason=seen.reason,
            evidence=evidence,
        )
