"""Watching one place for a short while with the algorithm that once raised an event there, to say what is there now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.looks import LookRequest
from contracts.records import LookVerdict
from pipeline.eventbook import Matter, MatterKey

WATCH_S = 20.0  # of stream time: as long as it takes a rule to take notice of what stands or lies still
LONGEST_S = 60.0  # while somebody else has just stopped there: nobody closes a case over a picture that shows one
LEAST_LOOKS = 4


@dataclass(frozen=True, slots=True)
class Seen:
    """The outcome; see `contracts.records.LookResult`."""

    verdict: LookVerdict
    looks: int
    watched_s: float
    reason: dict[str, str]


class SecondLook:
    """One request at work. Mutable; fed with every look at its camera until `look` has an answer.

    Args:
        request: see there.
    """

    def __init__(self, request: LookRequest) -> None:
        self.request = request
        self._began: float | None = None
        self._looks = 0
        self._blind: str | None = None
        self._since: dict[str, float] = {}  # id of what is there -> since which look, without a break

    def look(
        self, time: float, gap: float, matters: Mapping[MatterKey, Matter], paused: Mapping[str, str], *, watched: bool
    ) -> Seen | None:
        """One look at the camera, after its rules have judged it; the outcome once it is clear.

        Args:
            time: stream time, s.
            gap: of it, how much was not watched before this look, s: watching begins anew.
            matters: candidates and open events of the camera.
            paused: rules that do not judge, and why.
            watched: the zone is one that the algorithm watches in the present view.
        """
        asked = self.request
        if not watched:
            return self._seen(
                "unseen", time, f"{asked.type} 不监视该区域", f"{asked.type} does not watch this zone now"
            )
        if asked.type in paused:
            self._blind = paused[asked.type]
        if self._began is None or gap > 0 or asked.type in paused:
            self._began, self._looks, self._since = time, 0, {}
        here = {m.id for (kind, zone, _), m in matters.items() if kind == asked.type and zone == asked.zone}
        self._since = {one: self._since.get(one, time) for one in here}
        self._looks += 1
        if time - self._began < WATCH_S or self._looks < LEAST_LOOKS:
            return None
        if any(since <= self._began for since in self._since.values()):
            return self._seen("still_there", time, "复核时仍在", "It is still there")
        # Another one: as long as it takes to say so, or what the rule is sure of already.
        sure = any(m.last is not None for m in matters.values() if m.id in here)
        if sure or any(time - since >= WATCH_S for since in self._since.values()):
            return self._seen("still_there", time, "原先的已不在，又有新的", "That one is gone, another one is there")
        if here and time - self._began < LONGEST_S:
            return None
        return self._seen("gone", time, "复核时已不在", "It is gone")

    def late(self) -> Seen:
        """Nobody waits any longer."""
        why = self._blind or "no picture"
        return self._seen("unseen", self._began or 0.0, f"未能看清（{why}）", f"It could not be seen ({why})")

    def _seen(self, verdict: LookVerdict, time: float, zh: str, en: str) -> Seen:
        watched = 0.0 if self._began is None else max(0.0, time - self._began)
        seconds = round(watched)
        reason = {
            "zh": f"{zh}：观察 {seconds} 秒，{self._looks} 次查看",
            "en": f"{en}: watched for {seconds} s, {self._looks} looks.",
        }
        return Seen(verdict, self._looks, round(watched, 1), reason)
