"""Conditions as people read them; what is not known here is shown by its own name."""

from __future__ import annotations

from typing import Literal, NamedTuple

from contracts.trace import TracedCondition

# Seconds; a share, written in per cent; 1 or 0 as yes or no; a plain number.
Unit = Literal["s", "%", "yes", ""]


class Words(NamedTuple):
    """A condition's name in Chinese and English, and its unit."""

    zh: str
    en: str
    unit: Unit = ""


WORDS: dict[str, Words] = {
    "still_s": Words("静止时长", "standing still", "s"),
    "in_zone_share": Words("在区域内比例", "share inside the zone", "%"),
    "looks_share": Words("查看中可见比例", "share of looks in which it was seen", "%"),
    "held_back_by_queue": Words("因排队暂缓", "held back by a queue", "yes"),
    "people": Words("人数", "people"),
    "density": Words("每平方米人数", "people per square metre"),
    "lasting_s": Words("持续时长", "lasting", "s"),
    "watched_s": Words("期间有效监看", "time watched", "s"),
    "crowded_share": Words("拥挤时间比例", "share of that time crowded", "%"),
    "things": Words("地面遗留物件数", "things left on the ground"),
    "litter": Words("是垃圾的概率", "probability that it is litter", "%"),
    "unattended_s": Words("无人看管时长", "lying unattended", "s"),
    "attended_by": Words("旁边有人看管", "people attending to it"),
    "missing_s": Words("未再看到", "not seen for", "s"),
    "looks_since_gap": Words("中断后的查看次数", "looks since the last gap"),
    "seen_share": Words("查看中可见比例", "share of looks in which it was seen", "%"),
    "vehicle_share": Words("被当作车辆的比例", "share of looks in which it was part of a vehicle", "%"),
    "no_vehicle_s": Words("附近无车时长", "no vehicle near it for", "s"),
    "readings": Words("垃圾桶读数次数", "readings of the bin"),
    "overflowing": Words("桶满溢的概率", "probability that the bin overflows", "%"),
    "share": Words("积水占区域比例", "share of the zone under water", "%"),
    "standing_share": Words("持续积水比例", "share under water most of the time", "%"),
    "looks": Words("查看次数", "looks"),
    "shown_share": Words("查看中出现比例", "share of looks that showed it", "%"),
    "confidence": Words("事件可信度", "confidence that it is real", "%"),
}
_UNITS = {"s": (" 秒", " s"), "%": ("%", " %"), "": ("", ""), "yes": ("", "")}
_YES = (("否", "no"), ("是", "yes"))


def words_of(name: str) -> Words:
    """The words for a condition, or its own name with a unit guessed from its ending."""
    known = WORDS.get(name)
    if known is not None:
        return known
    unit: Unit = "s" if name.endswith("_s") else "%" if name.endswith("share") else ""
    plain = name.removesuffix("_s").replace("_", " ")
    return Words(plain, plain, unit)


def amount(value: float, unit: Unit) -> tuple[str, str]:
    """A value with its unit, (zh, en)."""
    if unit == "yes":
        return _YES[value > 0]
    number = value * 100 if unit == "%" else value
    digits = 0 if unit == "%" or float(number).is_integer() else 1 if abs(number) >= 10 else 2
    zh, en = _UNITS[unit]
    return f"{number:.{digits}f}{zh}", f"{number:.{digits}f}{en}"


def reading(one: TracedCondition) -> tuple[str, str]:
    """Name, value and limit as a clause, (zh, en): "standing still 12 s, at least 30 s needed"."""
    words = words_of(one.name)
    value, needed = amount(one.value, words.unit), amount(one.needed, words.unit)
    if words.unit == "yes":
        return f"{words.zh}：{value[0]}", f"{words.en}: {value[1]}"
    if one.at_least:
        return (
            f"{words.zh} {value[0]}（至少需 {needed[0]}）",
            f"{words.en} {value[1]} (at least {needed[1]} needed)",
        )
    return (
        f"{words.zh} {value[0]}（至多允许 {needed[0]}）",
        f"{words.en} {value[1]} (at most {needed[1]} allowed)",
    )
