"""What the waterlogging rule says in words."""

from __future__ import annotations

_CLASSES_CM = (5.0, 15.0, 40.0)  # least depth of: ankle, kerb, knee
_DEPTHS = (("浅", "shallow"), ("及踝", "ankle-deep"), ("及路缘", "kerb-deep"), ("及膝", "knee-deep"))
_CAUSES = {
    "cleared": ("已消退", "gone"),
    "lost": ("未观测过久，无法继续确认", "not watched for too long to go on"),
    "zone": ("区域已修改", "the zone was edited"),
}


def depth_class(depth_cm: float) -> int:
    """0 none, 1 ankle (from 5 cm), 2 kerb (from 15 cm), 3 knee (from 40 cm)."""
    return sum(depth_cm >= least for least in _CLASSES_CM)


def reason(numbers: dict[str, float], cause: str) -> dict[str, str]:
    """A transition in a sentence, {"zh": …, "en": …}; `cause` says why it ended, if it did."""
    share, limit = f"{100 * numbers['share']:.0f} %", f"{100 * numbers['limit_share']:.0f} %"
    zh, en = f"积水占区域 {share}（上限 {limit}）", f"water over {share} of the zone (limit {limit})"
    if "area_m2" in numbers:
        zh += f"，约 {numbers['area_m2']:.0f} 平方米"
        en += f", about {numbers['area_m2']:.0f} square metres"
    growth = 100 * numbers["growth_per_min"]
    if abs(growth) >= 0.5:
        zh += f"，每分钟{'增加' if growth > 0 else '减少'} {abs(growth):.1f} 个百分点"
        en += f", {'growing' if growth > 0 else 'shrinking'} by {abs(growth):.1f} percentage points a minute"
    zh += f"，已持续 {numbers['lasting_s']:.0f} 秒，最高 {100 * numbers['peak_share']:.0f} %"
    en += f", for {numbers['lasting_s']:.0f} s, {100 * numbers['peak_share']:.0f} % at most"
    if numbers.get("depth_cm", 0.0) > 0:
        in_zh, in_en = _DEPTHS[int(numbers["depth_class"])]
        zh += f"，水深至少 {numbers['depth_cm']:.0f} 厘米（{in_zh}）"
        en += f", at least {numbers['depth_cm']:.0f} cm deep ({in_en})"
    if cause:
        zh, en = f"{zh}；{_CAUSES[cause][0]}", f"{en}; {_CAUSES[cause][1]}"
    return {"zh": zh, "en": en}
