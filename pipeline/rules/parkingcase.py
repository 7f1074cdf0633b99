"""One standing vehicle in one zone, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.rules.platevote import PlateVotes
from pipeline.rules.queue import Company
from pipeline.rules.stand import Stand, moved_now


@dataclass(frozen=True, slots=True)
class Case:
    """One standing vehicle in one zone.

    Attributes:
        key: see `Output.key`.
        zone: id of the zone.
        preset: preset of the scene the vehicle belongs to.
        stand: `Stand.number`.
        opened: an event; else a candidate.
        next_still_s: standing time at which the next milestone is told, s.
        told_track, told_at: what the last transition said, and its stream time.
        in_zone: share of the foot region inside the zone when last measured.
        company: see `queue`.
        plates: see `platevote`.
        told_plate: the plate that the last transition carried.
        last: the stand as last seen, for the closing words.
    """

    key: str
    zone: str
    preset: str
    stand: int
    last: Stand
    opened: bool = False
    next_still_s: float = 0.0
    told_track: int = -1
    told_at: float = 0.0
    in_zone: float = 0.0
    company: Company = field(default_factory=Company)
    plates: PlateVotes = field(default_factory=PlateVotes)
    told_plate: str | None = None


def numbers_of(case: Case, stand: Stand, aspect: float) -> dict[str, float]:
    """The explanation in numbers; see docs/rules.md."""
    return {
        "still_s": round(stand.still_s, 1),
        "moved_body_lengths": round(moved_now(stand, aspect), 3) if stand.recent else 0.0,
        "looks_share": round(stand.looks_share, 3),
        "in_zone_share": round(case.in_zone, 3),
        "neighbours_stopped": float(case.company.now),
        "queue_share": round(case.company.queue_share, 3),
        "vehicles_passed": float(case.company.passes),
        "hidden_s": round(stand.covered_s, 1),
        "unwatched_s": round(stand.unwatched_s, 1),
        "seen_since_start": float(stand.from_start),
    }


_CAUSES = {
    "left": ("已驶离", "seen driving off"),
    "gone": ("已不在原处", "no longer at its place"),
    "replaced": ("原处已换为另一辆车", "another vehicle stands in its place"),
    "lost": ("被遮挡或未观测过久，无法继续确认", "hidden or not watched for too long to go on"),
    "zone": ("区域已修改", "the zone was edited"),
}


def reason_of(numbers: dict[str, float], plate: str | None, cause: str) -> dict[str, str]:
    """The same as a sentence. The plate itself is never part of it: texts travel further than subjects."""
    still, share = f"{numbers['still_s']:.0f}", f"{100 * numbers['looks_share']:.0f}"
    moved = f"{numbers['moved_body_lengths']:.2f}"
    zh = f"静止 {still} 秒，移动 {moved} 个车身长，{share} % 的观测中可见"
    en = f"still for {still} s, moved {moved} body lengths, seen in {share} % of looks"
    if numbers["neighbours_stopped"]:
        others, queue = f"{numbers['neighbours_stopped']:.0f}", f"{100 * numbers['queue_share']:.0f}"
        zh += f"，旁边另有 {others} 辆车停着（占静止时间 {queue} %）"
        en += f", {others} other vehicles standing by ({queue} % of the time)"
    if numbers["unwatched_s"]:
        zh += f"，其中 {numbers['unwatched_s']:.0f} 秒未观测"
        en += f", not watched for {numbers['unwatched_s']:.0f} s of it"
    if numbers["seen_since_start"]:
        zh += "，开始观测时已在原处"
        en += ", there already when watching began"
    if plate == "":
        zh, en = f"{zh}，车牌无法识别", f"{en}, plate unreadable"
    if cause:
        zh, en = f"{zh}；{_CAUSES[cause][0]}", f"{en}; {_CAUSES[cause][1]}"
    return {"zh": zh, "en": en}
