"""What the litter rule says: numbers and sentences."""

from __future__ import annotations

from contracts.records import Subject
from pipeline.rules.base import Output, Step
from pipeline.rules.heaps import Ground, Heap

_CAUSES = {
    "gone": ("已清除", "no longer there"),
    "emptied": ("已清空", "emptied"),
    "other": ("复核后不是垃圾", "not litter after all"),
    "lost": ("未观测过久，无法继续确认", "not watched for too long to go on"),
    "zone": ("区域已修改", "the zone was edited"),
}


def heap_output(step: Step, heap: Heap, ground: Ground | None, time: float, cause: str = "") -> Output:
    """One transition of a heap; `ground` None: its zone was taken away."""
    lead = heap.lead
    numbers = {
        "litter": round(heap.litter, 3),
        "pieces": float(len(heap.members)),
        "lying_s": round(time - heap.started, 1),
        "unattended_s": round(heap.unattended_s, 1),
        "seen_share": round(lead.seen_share, 3),
        "hidden_s": round(lead.hidden_s, 1),
        "unwatched_s": round(lead.unwatched_s, 1),
    }
    width = None if ground is None else ground.width_m(heap.box)
    if width is not None:
        numbers["width_m"] = round(width, 2)
    elif lead.bodies is not None:
        numbers["size_body_heights"] = round(lead.bodies, 2)
    silent = step in {Step.CANDIDATE, Step.DISSOLVED}
    return Output(
        step=step,
        key=heap.key,
        zone=heap.zone,
        started=heap.started,
        time=time,
        subject=Subject(object_class="litter", box=heap.box),
        numbers=numbers,
        reason={} if silent else _heap_reason(numbers, cause),
    )


def _heap_reason(numbers: dict[str, float], cause: str) -> dict[str, str]:
    lying, alone = f"{numbers['lying_s']:.0f}", f"{numbers['unattended_s']:.0f}"
    litter, pieces = f"{100 * numbers['litter']:.0f}", f"{numbers['pieces']:.0f}"
    zh = f"地面遗留物已存在 {lying} 秒，无人看管 {alone} 秒，判为垃圾的把握 {litter} %"
    en = f"left on the ground for {lying} s, nobody attended to it for {alone} s, {litter} % sure that it is litter"
    if numbers["pieces"] > 1:
        zh, en = f"{zh}，共 {pieces} 件", f"{en}, {pieces} pieces"
    if "width_m" in numbers:
        zh, en = f"{zh}，宽约 {numbers['width_m']:.1f} 米", f"{en}, about {numbers['width_m']:.1f} m wide"
    if numbers["unwatched_s"]:
        zh += f"，其间 {numbers['unwatched_s']:.0f} 秒未观测"
        en += f", not watched for {numbers['unwatched_s']:.0f} s meanwhile"
    return with_cause(zh, en, cause)


def bin_reason(numbers: dict[str, float], cause: str) -> dict[str, str]:
    """The sentence for an overflowing bin."""
    lasting, sure = f"{numbers['lasting_s']:.0f}", f"{100 * numbers['overflowing']:.0f}"
    zh, en = (
        f"垃圾桶满溢已 {lasting} 秒，把握 {sure} %",
        f"the bin has overflown for {lasting} s, {sure} % sure",
    )
    return with_cause(zh, en, cause)


def with_cause(zh: str, en: str, cause: str) -> dict[str, str]:
    """Both sentences, with why it ended."""
    if not cause:
        return {"zh": zh, "en": en}
    return {"zh": f"{zh}；{_CAUSES[cause][0]}", "en": f"{en}; {_CAUSES[cause][1]}"}
