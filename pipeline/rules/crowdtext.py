"""How a crowd is told in words."""

from __future__ import annotations

_CAUSES = {
    "cleared": ("已散去", "cleared"),
    "lost": ("未观测过久，无法继续确认", "not watched for too long to go on"),
    "zone": ("区域已修改", "the zone was edited"),
}


def reason_of(numbers: dict[str, float], cause: str) -> dict[str, str]:
    """The numbers as a sentence."""
    people, peak, lasting = f"{numbers['people']:.0f}", f"{numbers['peak']:.0f}", f"{numbers['lasting_s']:.0f}"
    zh, en = f"区域内 {people} 人", f"{people} people in the zone"
    if "density" in numbers:
        zh += f"，每平方米 {numbers['density']:.2f} 人（上限 {numbers['limit_density']:.2f}）"
        en += f", {numbers['density']:.2f} per square metre (limit {numbers['limit_density']:.2f})"
    elif "limit" in numbers:
        zh += f"（上限 {numbers['limit']:.0f} 人）"
        en += f" (limit {numbers['limit']:.0f})"
    share = f"{100 * numbers['crowded_share']:.0f}"
    zh += f"，已持续 {lasting} 秒，最高 {peak} 人，近期 {share} % 的时间超限"
    en += f", for {lasting} s, {peak} at most, above the limit in {share} % of the recent time"
    if cause:
        zh, en = f"{zh}；{_CAUSES[cause][0]}", f"{en}; {_CAUSES[cause][1]}"
    return {"zh": zh, "en": en}
