"""摄像机健康, camera health: the picture, or its absence, says that nobody should trust what the rules do not report.

One matter per ailment. Every other rule that the ailment blinds pauses while it lasts (`CameraChain`), from its first
look on: what a blind picture shows is not evidence of anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from contracts.algorithms import HEALTH, CameraHealth
from contracts.pool import Camera, Zone
from contracts.records import Subject
from contracts.senses import Ask, PictureHealth
from contracts.vision import Look
from pipeline.rules.ailments import ailment_of
from pipeline.rules.base import Condition, Output, Step
from pipeline.rules.codec import decode, encode
from pipeline.rules.registry import register

_OPEN_LOOKS_S = 5.0
_EARLY = 0.1  # a look this share of its interval early is in time
_LEAST_LOOKS = 3  # that show it before anybody is told
_SHOWN = 0.7  # share of the looks since it began that must show it
_LONGEST_STILL_S = 600.0  # however calm a camera's pictures are
_STILL_FACTOR = 2.0
_GETTING_TO_KNOW = 8  # measured looks in which the sense learns what the camera usually shows
_RECODED_FACTOR = 2.0  # pictures that are not the same to the bit have to stay alike for longer
_LIVELY = 5  # looks in a row that differed: how many it takes to call the camera's pictures lively
# A scene in which nothing moves looks like this for minutes where noise reduction or a low bit rate leaves no grain.
_CALM_S = 600.0
OFFLINE, FROZEN = "offline", "frozen"
_PTZ = {"moved": "off_preset"}


@dataclass(frozen=True, slots=True)
class Ailing:
    """A candidate or an open event.

    Attributes:
        ailment: its key.
        since: stream time at which it began, s.
        opened: an event; else a candidate.
        looks, shown: since then, and how many of them showed it.
        well_since: stream time of the first look that no longer shows it, s; None while it shows.
        numbers: measured when it last showed.
    """

    ailment: str
    since: float
    opened: bool = False
    looks: int = 1
    shown: int = 1
    well_since: float | None = None
    numbers: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class CameraHealthState:
    """What the rule remembers of one camera.

    Attributes:
        time: stream time of the newest look, s; None before the first.
        sensed: of the newest look whose health was measured, s.
        measured: looks whose health was measured, as far as it takes to know the camera.
        alive: some picture was ever different from the one before: the camera is no test chart.
        lively: looks in a row that differed all over before the present run of identical ones, `_LIVELY` at most.
        still_since: time of the first of a run of identical pictures, s; None while they differ.
        recoded: some of that run are the same but for their coding only.
        usual_still_s: the longest run that ended by itself before it was taken for frozen.
        ailing: what is going on.
    """

    time: float | None = None
    sensed: float | None = None
    measured: int = 0
    alive: bool = False
    lively: int = 0
    still_since: float | None = None
    recoded: bool = False
    usual_still_s: float = 0.0
    ailing: tuple[Ailing, ...] = ()


@register(HEALTH)
class CameraHealthRule:
    """The rule for one camera; `Rule[CameraHealthState]`.

    Args:
        camera: fixed or PTZ.
        parameters: see `contracts.algorithms.CameraHealth`.
        zones: none; it watches the whole picture.
    """

    type: ClassVar[str] = HEALTH

    def __init__(self, camera: Camera, parameters: CameraHealth, zones: tuple[Zone, ...]) -> None:
        self._ptz = camera.kind == "ptz"
        self._parameters = parameters

    def initial(self) -> CameraHealthState:
        """Nothing seen yet."""
        return CameraHealthState()

    def wants(self, state: CameraHealthState) -> float | None:
        """Every promised look until the camera is known and while something is suspected; every 5 s while it lasts."""
        every = self._parameters.look_every
        if state.measured < _GETTING_TO_KNOW:
            return every
        wishes = [
            max(every, min(_OPEN_LOOKS_S, self._parameters.clear_hold)) if one.opened else every
            for one in state.ailing
            if one.ailment != OFFLINE
        ]
        return min(wishes, default=None)

    def asks(self, state: CameraHealthState, time: float) -> Ask:
        """The picture's health, every `look_every`."""
        due = state.sensed is None or not 0 <= time - state.sensed < self._parameters.look_every * (1 - _EARLY)
        return Ask(health=due)

    def blind(self, state: CameraHealthState) -> dict[str, float]:
        """What ails the picture now, be it suspected or sure, and the stream time since when, s.

        A picture that is the same again is only suspicious once it has been so for half of the time it takes, and only
        where this camera's pictures never stood still before.
        """
        return {one.ailment: one.since for one in state.ailing if one.opened or self._suspicious(state, one)}

    def sure(self, state: CameraHealthState) -> dict[str, float]:
        """Of `blind`, what has become an event."""
        return {one.ailment: one.since for one in state.ailing if one.opened}

    def _suspicious(self, state: CameraHealthState, one: Ailing) -> bool:
        if one.well_since is not None:
            return False
        if one.ailment != FROZEN:
            return True
        return self._is_unlike_it(state) and self._lasting(state, one) >= self._needed(state, one) / 2

    def conditions(self, state: CameraHealthState) -> list[Condition]:
        """See `Rule.conditions`."""
        waiting: list[Condition] = []
        for one in state.ailing:
            shown = round(one.shown / one.looks, 3)
            lasting, needed = round(self._lasting(state, one), 1), self._needed(state, one)
            waiting += [
                Condition("", one.ailment, "lasting_s", lasting, needed),
                Condition("", one.ailment, "looks", one.looks, _LEAST_LOOKS),
                Condition("", one.ailment, "shown_share", shown, _SHOWN),
            ]
        return waiting

    def step(self, state: CameraHealthState, look: Look) -> tuple[CameraHealthState, list[Output]]:
        """See `Rule.step`. Without a measurement only a return from being offline, or off a preset, is told."""
        if state.time is not None and look.time <= state.time:
            return state, []
        outputs: list[Output] = []
        state = self._back(replace(state, time=look.time), look.time, outputs)
        health = look.senses.health
        if health is None and look.preset is not None:
            return state, outputs
        before, state = state, self._compared(state, health, look)
        shown: dict[str, float] = {}
        ailment = None if health is None else ailment_of(health, self._parameters.max_shift)
        if look.preset is None:
            ailment = "off_preset"
        elif self._ptz and ailment is not None:
            ailment = _PTZ.get(ailment, ailment)
        if ailment is not None:
            shown[ailment] = look.time
        if state.still_since is not None and state.alive and ailment not in {"black", "overexposed"}:
            shown[FROZEN] = state.still_since
        numbers = () if health is None else _numbers(health)
        ailing = [self._go_on(before, one, one.ailment in shown, look, numbers, outputs) for one in state.ailing]
        known = {one.ailment for one in state.ailing}
        for name, since in shown.items():
            if name not in known:
                looks = 2 if name == FROZEN else 1  # it takes two pictures to be the same
                fresh = Ailing(name, since, looks=looks, shown=looks, numbers=numbers)
                outputs.append(self._output(Step.CANDIDATE, fresh, look.time, look.time))
                ailing.append(self._ripen(state, fresh, look.time, outputs))
        return replace(state, ailing=tuple(one for one in ailing if one is not None)), outputs

    def unseen(self, state: CameraHealthState, since: float, time: float) -> tuple[CameraHealthState, list[Output]]:
        """Nothing arrives from the camera: offline once that lasts `offline_after`; over with the next look.

        Args:
            state: of the camera.
            since: stream time of the last sign of life, s.
            time: stream time as it would be now, s.
        """
        if time - since < self._parameters.offline_after or any(one.ailment == OFFLINE for one in state.ailing):
            return state, []
        gone = Ailing(OFFLINE, since)
        said = [self._output(step, gone, time, time) for step in (Step.CANDIDATE, Step.OPENED)]
        return replace(state, ailing=(*state.ailing, replace(gone, opened=True))), said

    def _back(self, state: CameraHealthState, time: float, outputs: list[Output]) -> CameraHealthState:
        """There is a look: whatever else is wrong, the camera is not offline."""
        gone = [one for one in state.ailing if one.ailment == OFFLINE]
        outputs.extend(self._output(Step.CLOSED, one, time, time) for one in gone)
        return replace(state, ailing=tuple(one for one in state.ailing if one.ailment != OFFLINE)) if gone else state

    def _compared(self, state: CameraHealthState, health: PictureHealth | None, look: Look) -> CameraHealthState:
        """The run of identical pictures, longer or over."""
        if health is None:
            return state
        measured = min(state.measured + 1, _GETTING_TO_KNOW)
        before, state = state.sensed, replace(state, sensed=look.time, measured=measured)
        if health.changed is None:
            return replace(state, still_since=None, recoded=False)
        if health.changed == 0.0 or health.recoded:
            since = look.time if look.gap > self._parameters.hold else state.still_since or before
            recoded = health.recoded or (state.recoded and since == state.still_since)
            return replace(state, still_since=look.time if since is None else since, recoded=recoded)
        usual = state.usual_still_s
        if state.still_since is not None and before is not None and not self._is_open(state, FROZEN):
            usual = min(_LONGEST_STILL_S, max(usual, before - state.still_since))
        lively = 0 if state.still_since is not None or not health.grainy else min(state.lively + 1, _LIVELY)
        return replace(state, alive=True, lively=lively, still_since=None, recoded=False, usual_still_s=usual)

    def _is_open(self, state: CameraHealthState, ailment: str) -> bool:
        return any(one.ailment == ailment and one.opened for one in state.ailing)

    def _lasting(self, state: CameraHealthState, one: Ailing) -> float:
        return 0.0 if state.time is None else max(0.0, state.time - one.since)

    def _needed(self, state: CameraHealthState, one: Ailing) -> float:
        if one.ailment == OFFLINE:
            return self._parameters.offline_after
        if one.ailment == FROZEN:
            hold = self._parameters.hold * (_RECODED_FACTOR if state.recoded else 1.0)
            return max(hold if self._is_unlike_it(state) else _CALM_S, _STILL_FACTOR * state.usual_still_s)
        return self._parameters.hold

    def _is_unlike_it(self, state: CameraHealthState) -> bool:
        """Standing still is not like this camera: its noise has always shown in every picture until now."""
        return state.lively >= _LIVELY

    def _go_on(
        self,
        state: CameraHealthState,
        one: Ailing,
        shown: bool,
        look: Look,
        numbers: tuple[tuple[str, float], ...],
        outputs: list[Output],
    ) -> Ailing | None:
        """A known ailment at one more look: goes on, ripens, or is over."""
        if not one.opened and look.gap > self._parameters.hold:
            outputs.append(self._output(Step.DISSOLVED, one, look.time, look.time))
            return None
        one = replace(one, looks=one.looks + 1, shown=one.shown + shown)
        if shown:
            return self._ripen(state, replace(one, well_since=None, numbers=numbers), look.time, outputs)
        if one.well_since is None:
            one = replace(one, well_since=look.time)
        well = look.time - (one.well_since or look.time)
        if one.opened:
            if well < self._parameters.clear_hold - 1e-6:
                return one
            outputs.append(self._output(Step.CLOSED, one, one.well_since or look.time, look.time))
            return None
        if one.ailment != FROZEN and well < self._parameters.hold / 3 and one.shown >= _SHOWN * one.looks:
            return one
        outputs.append(self._output(Step.DISSOLVED, one, look.time, look.time))
        return None

    def _ripen(self, state: CameraHealthState, one: Ailing, time: float, outputs: list[Output]) -> Ailing:
        """It shows in this look: an event, if it has for long enough."""
        enough = one.shown >= _LEAST_LOOKS and one.shown >= _SHOWN * one.looks
        if one.opened or not enough or time - one.since < self._needed(state, one) - 1e-6:
            return one
        outputs.append(self._output(Step.OPENED, one, time, time))
        return replace(one, opened=True)

    def _output(self, step: Step, one: Ailing, time: float, now: float) -> Output:
        silent = step in {Step.CANDIDATE, Step.DISSOLVED}
        numbers = dict(one.numbers) | {"lasting_s": round(time - one.since, 1)}
        return Output(
            step=step,
            key=one.ailment,
            zone="",
            started=one.since,
            time=max(time, one.since),
            subject=Subject(object_class=one.ailment),
            numbers=numbers,
            reason={} if silent else _reason(one.ailment, numbers, over=step is Step.CLOSED),
        )

    def rezone(self, state: CameraHealthState, zones: tuple[Zone, ...]) -> CameraHealthState:
        """No zone concerns it."""
        return state

    def dump(self, state: CameraHealthState) -> dict[str, object]:
        """The state as JSON-able data."""
        return encode(state)

    def load(self, data: dict[str, object]) -> CameraHealthState:
        """Inverse of `dump`. Raises ValueError when the data is of another shape."""
        return decode(CameraHealthState, data)


def _numbers(health: PictureHealth) -> tuple[tuple[str, float], ...]:
    told = {
        "brightness": health.brightness,
        "contrast": health.contrast,
        "detail": health.detail,
        "usual_detail": health.usual_detail,
        "likeness": health.likeness,
        "shift_x": None if health.shift is None else health.shift[0],
        "shift_y": None if health.shift is None else health.shift[1],
    }
    return tuple((name, round(value, 3)) for name, value in told.items() if value is not None)


_SAID = {
    OFFLINE: ("摄像机无数据", "nothing arrives from the camera"),
    FROZEN: ("画面静止不变", "the picture is the very same again and again"),
    "black": ("画面全黑，亮度 {brightness:.0f}", "the picture is black, brightness {brightness:.0f}"),
    "overexposed": ("画面过曝，亮度 {brightness:.0f}", "the picture is blown out, brightness {brightness:.0f}"),
    "blurred": (
        "画面模糊，细节 {detail:.0f}（平时 {usual_detail:.0f}）",
        "the picture is blurred, detail {detail:.0f} (usually {usual_detail:.0f})",
    ),
    "covered": (
        "镜头被遮挡，细节 {detail:.0f}（平时 {usual_detail:.0f}）",
        "the lens is covered, detail {detail:.0f} (usually {usual_detail:.0f})",
    ),
    "moved": (
        "摄像机已移位，原场景仅 {likeness:.0%} 还在原处{shift_zh}，区域不再吻合",
        "the camera has moved, {likeness:.0%} of its scene is where it was{shift_en}: its zones no longer fit",
    ),
    "off_preset": ("不在预置位", "it does not stand at its preset"),
}


def _reason(ailment: str, numbers: dict[str, float], *, over: bool) -> dict[str, str]:
    words: dict[str, float | str] = {"shift_zh": "", "shift_en": "", **numbers}
    if "shift_x" in numbers:
        x, y = 100 * numbers["shift_x"], 100 * numbers["shift_y"]
        words["shift_zh"] = f"，偏移画面宽度的 {x:+.1f} %、{y:+.1f} %"
        words["shift_en"] = f", shifted by {x:+.1f} %, {y:+.1f} % of the picture's width"
    zh, en = (text.format_map(words) for text in _SAID[ailment])
    zh, en = f"{zh}，已持续 {numbers['lasting_s']:.0f} 秒", f"{en}, for {numbers['lasting_s']:.0f} s"
    return {"zh": f"{zh}；已恢复", "en": f"{en}; it is well again"} if over else {"zh": zh, "en": en}
