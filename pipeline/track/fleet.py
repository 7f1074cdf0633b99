"""The tracker of a worker: one array step for the looks of all its cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contracts.vision import Tracks
from pipeline.track.assignment import assign
from pipeline.track.association import Side, candidates
from pipeline.track.looks import GROUPS, Found, TrackerInput, gather
from pipeline.track.motion import Motion, begin, correct, predict, size_of
from pipeline.track.settings import TrackerSettings
from pipeline.track.table import LOOK, PLACE, ROWS, SPEED, SPREAD, VOTES, Column, TrackTable, pack, unpack

Array = NDArray[np.float64]
Index = NDArray[np.int64]

_STATE_VERSION = 1


@dataclass(slots=True)
class _Camera:
    """What is kept of a camera beside its tracks."""

    index: int
    next_id: int = 1
    next_serial: int = 0
    last: float = -np.inf


class _Moment(NamedTuple):
    """When each look of a step was taken, and how long after the one before, s (inf where there was none)."""

    cameras: list[_Camera]
    times: Array
    gaps: Array


class _Seen(NamedTuple):
    """Tracks seen in this step, S of them: their columns after the update, and where they were seen."""

    columns: Array  # [ROWS, S]
    found: Index  # index into Found


class FleetTracker:
    """Tracks the objects of any number of cameras; each camera is as if it had a tracker of its own.

    Two stages as in ByteTrack (Zhang et al., ECCV 2022): sure detections choose first, then the less sure ones may
    continue tracks that are still open. Not safe for use by several threads at once.
    """

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self._settings = settings or TrackerSettings()
        self._table = TrackTable()
        self._cameras: dict[str, _Camera] = {}
        self._next_index = 0

    def step(self, looks: Sequence[TrackerInput]) -> list[Tracks]:
        """Takes at most one look a camera and returns their tracks, in the order of `looks`.

        Raises ValueError when a camera comes twice, or signatures do not fit their detections.
        """
        if not looks:
            return []
        if len({look.camera for look in looks}) != len(looks):
            raise ValueError("FleetTracker.step: at most one look a camera in one call")
        found = gather(looks, self._settings.low_score)
        moment = self._moment(looks)
        old = self._follow(moment, found)
        new = self._start(moment, found, old.found)
        columns = np.concatenate([old.columns, new.columns[: len(old.columns)]], axis=1)
        at = np.concatenate([old.found, new.found])
        return _report(columns, at, found, looks)

    def snapshot(self, camera: str) -> dict[str, object]:
        """What `restore` needs to go on as if nothing had happened; JSON-able, exact."""
        known = self._camera(camera)
        live = self._table.live
        columns = live[:, live[Column.CAMERA] == known.index]
        columns = columns[:, np.argsort(columns[Column.SERIAL])]
        columns[Column.CAMERA] = 0  # its index here means nothing elsewhere
        return {
            "version": _STATE_VERSION,
            "next_id": known.next_id,
            "next_serial": known.next_serial,
            "last": None if known.last == -np.inf else known.last,
            "tracks": pack(columns),
        }

    def restore(self, camera: str, state: dict[str, object]) -> None:
        """Replaces what is known of the camera.

        Raises ValueError, changing nothing, when `state` is of another shape.
        """
        if state.get("version") != _STATE_VERSION:
            raise ValueError(f"tracker state: version {_STATE_VERSION} expected, not {state.get('version')!r}")
        next_id, next_serial, last = state.get("next_id"), state.get("next_serial"), state.get("last")
        if not isinstance(next_id, int) or not isinstance(next_serial, int) or next_id < 1 or next_serial < 0:
            raise ValueError("tracker state: 'next_id' and 'next_serial' must be whole numbers")
        if last is not None and not isinstance(last, (int, float)):
            raise ValueError("tracker state: 'last' must be a number or null")
        columns = unpack(state.get("tracks"))
        if (columns[Column.ID] >= next_id).any() or (columns[Column.SERIAL] >= next_serial).any():
            raise ValueError("tracker state: a track is newer than the counters")
        self.forget(camera)
        known = self._camera(camera)
        known.next_id, known.next_serial = next_id, next_serial
        known.last = -np.inf if last is None else float(last)
        columns[Column.CAMERA] = known.index
        self._table.add(columns)

    def forget(self, camera: str) -> None:
        """Drops all that is known of the camera, its id counter too; unknown cameras are ignored."""
        known = self._cameras.pop(camera, None)
        if known is not None:
            self._table.remove(np.flatnonzero(self._table.live[Column.CAMERA] == known.index))

    def _moment(self, looks: Sequence[TrackerInput]) -> _Moment:
        """Moves the cameras' clocks on."""
        cameras = [self._camera(look.camera) for look in looks]
        before = np.array([camera.last for camera in cameras])
        times = np.maximum(before, [look.time for look in looks])
        for camera, time in zip(cameras, times.tolist(), strict=True):
            camera.last = time
        return _Moment(cameras, times, times - before)

    def _camera(self, name: str) -> _Camera:
        known = self._cameras.get(name)
        if known is None:
            known = self._cameras[name] = _Camera(self._next_index)
            self._next_index += 1
        return known

    def _rows_of(self, cameras: list[_Camera]) -> tuple[Index, Index]:
        """Table indices of the cameras' tracks by (look, birth), and the look of each."""
        look_of_camera = np.full(self._next_index, -1, np.int64)
        look_of_camera[[camera.index for camera in cameras]] = np.arange(len(cameras))
        live = self._table.live
        look = look_of_camera[live[Column.CAMERA].astype(np.int64)]
        rows = np.flatnonzero(look >= 0)
        # The order must not depend on where the table happens to keep a track: ties are broken by it.
        rows = rows[np.argsort(look[rows] * 2.0**40 + live[Column.SERIAL, rows])]
        return rows, look[rows]

    def _follow(self, moment: _Moment, found: Found) -> _Seen:
        """Matches the cameras' tracks with what was found, and updates both table and tracks."""
        s = self._settings
        rows, look = self._rows_of(moment.cameras)
        times = moment.times
        state = self._table.take(rows, found.signature is not None)
        elapsed = times[look] - state[Column.LAST]
        confirmed = state[Column.ID] > 0
        parked = confirmed & (state[Column.LAST] - state[Column.STILL_SINCE] >= s.parked_after_s)
        away = parked & (elapsed > s.lost_s)  # too long for its motion to say anything, but its place does
        kept = np.where(confirmed, np.where(parked, s.parked_lost_s, s.lost_s), s.tentative_s)
        missed_few = state[Column.MISSED] <= np.where(confirmed, s.lost_looks, 0)
        longest = np.where(parked, s.parked_gap_s, s.longest_gap_s)
        alive = (elapsed <= kept) | (missed_few & (elapsed <= longest))
        motion = Motion(state[PLACE], state[SPEED], state[SPREAD])
        ahead = np.where(away, s.lost_s, elapsed)
        predicted = predict(motion, ahead, s)
        penalty = s.lost_penalty * np.minimum(state[Column.MISSED], 5) + np.where(confirmed, 0.0, s.tentative_penalty)
        penalty[~alive] = np.inf
        signatures = state[LOOK] if found.signature is not None else None
        tracks = Side(look * GROUPS + state[Column.GROUP].astype(np.int64), predicted.place, signatures)
        floor = np.where(away, s.parked_iou, 0.0)
        pairs = candidates(predicted, ahead, penalty, floor, tracks, Side(found.band, found.place, found.signature), s)
        t, d = self._match(pairs.track, pairs.detection, pairs.affinity, found.score, confirmed)
        hit = Motion(predicted.place[:, t], predicted.speed[:, t], predicted.spread[:, t])
        seen = self._update(state.take(t, axis=1), hit, times[look[t]], found, d)
        self._draw_ids(seen, found.score[d], look[t], moment)
        live = self._table.live
        live[: len(seen), rows[t]] = seen
        live[Column.MISSED, rows] += 1
        alive[t] = True
        self._table.remove(rows[~alive])
        return _Seen(seen, d)

    def _match(
        self, track: Index, detection: Index, affinity: Array, score: Array, confirmed: NDArray[np.bool_]
    ) -> tuple[Index, Index]:
        """Both stages: indices of matched tracks and detections, by track ascending."""
        s = self._settings
        n_tracks, n_detections = len(confirmed), len(score)
        sure = score[detection] >= s.high_score
        first = np.flatnonzero(sure & (affinity >= s.min_affinity))
        chosen = first[assign(track[first], detection[first], affinity[first], n_tracks, n_detections)]
        if not sure.all():
            free = confirmed.copy()
            free[track[chosen]] = False
            second = np.flatnonzero(~sure & free[track] & (affinity >= s.min_affinity_low))
            more = second[assign(track[second], detection[second], affinity[second], n_tracks, n_detections)]
            chosen = np.sort(np.concatenate([chosen, more]))
        return track[chosen], detection[chosen]

    def _update(self, columns: Array, predicted: Motion, time: Array, found: Found, d: Index) -> Array:
        """The tracks' columns after detections `d` were seen at `time`; `columns` is changed in place."""
        s = self._settings
        place = found.place[:, d]
        columns[PLACE], columns[SPEED], columns[SPREAD] = correct(predicted, place, s)
        columns[Column.HITS] += 1
        columns[Column.LAST] = time
        columns[Column.MISSED] = -1  # the step counts one more for every track
        columns[VOTES.start + found.label[d], np.arange(len(d))] += found.score[d]
        moved = np.hypot(place[0] - columns[Column.ANCHOR_X], place[1] - columns[Column.ANCHOR_Y])
        left = moved > s.still_size * size_of(place)
        columns[Column.ANCHOR_X, left] = place[0, left]
        columns[Column.ANCHOR_Y, left] = place[1, left]
        columns[Column.STILL_SINCE, left] = time[left]
        if found.signature is not None:
            columns[LOOK] = _blend(columns[LOOK], found.signature[:, d], s.appearance_memory)
        return columns

    def _start(self, moment: _Moment, found: Found, taken: Index) -> _Seen:
        """New tracks for the sure detections that nobody took."""
        s = self._settings
        cameras, times = moment.cameras, moment.times
        free = found.score >= s.high_score
        free[taken] = False
        d = free.nonzero()[0]
        columns = np.zeros((ROWS, len(d)))
        if not len(d):
            return _Seen(columns, d)
        look, place = found.look[d], found.place[:, d]
        columns[Column.CAMERA] = np.array([camera.index for camera in cameras])[look]
        columns[Column.ID] = -1
        columns[Column.GROUP] = found.band[d] % GROUPS
        columns[Column.HITS] = 1
        columns[[Column.FIRST, Column.LAST, Column.STILL_SINCE]] = times[look]
        columns[[Column.ANCHOR_X, Column.ANCHOR_Y]] = place[:2]
        columns[PLACE], columns[SPEED], columns[SPREAD] = begin(place, s)
        columns[VOTES.start + found.label[d], np.arange(len(d))] = found.score[d]
        if found.signature is not None:
            columns[LOOK] = found.signature[:, d]
        for column, at in enumerate(look.tolist()):
            columns[Column.SERIAL, column] = cameras[at].next_serial
            cameras[at].next_serial += 1
        self._draw_ids(columns, found.score[d], look, moment)
        self._table.add(columns)
        return _Seen(columns, d)

    def _draw_ids(self, columns: Array, score: Array, look: Index, moment: _Moment) -> None:
        """Gives an id to every track that has just earned one."""
        s = self._settings
        sure = (score >= s.confirm_score) & (moment.gaps[look] >= s.confirm_gap_s)
        earned = sure | (columns[Column.HITS] >= s.confirm_hits)
        for column in np.flatnonzero(earned & (columns[Column.ID] < 0)).tolist():
            camera = moment.cameras[look[column]]
            columns[Column.ID, column] = camera.next_id
            camera.next_id += 1


def _blend(old: Array, new: Array, memory: float) -> Array:
    """Running mean of unit signatures [K, N], of unit length again; unknown ones (zeros) do not count."""
    mixed = np.where(new.any(axis=0), np.where(old.any(axis=0), memory * old + (1 - memory) * new, new), old)
    unit: Array = mixed / np.maximum(np.sqrt((mixed * mixed).sum(axis=0)), 1e-12)
    return unit


def _report(columns: Array, at: Index, found: Found, looks: Sequence[TrackerInput]) -> list[Tracks]:
    """The confirmed tracks of each look, by id."""
    shown = np.flatnonzero(columns[Column.ID] > 0)
    look = found.look[at[shown]]
    order = np.lexsort((columns[Column.ID, shown], look))
    shown, look = shown[order], look[order]
    columns, at = columns[:, shown], at[shown]
    ids = columns[Column.ID].astype(np.int64)
    classes = columns[VOTES].argmax(axis=0)
    velocity = columns[SPEED.start : SPEED.start + 2].T.astype(np.float32)
    velocity[:, 0] /= np.array([one.aspect for one in looks], np.float32)[look]
    first, boxes, scores = columns[Column.FIRST], found.box[at], found.score[at].astype(np.float32)
    signature = columns[LOOK].T.astype(np.float32) if found.signature is not None else None
    ends = np.searchsorted(look, np.arange(len(looks)), "right").tolist()
    result, start = [], 0
    for one, end in zip(looks, ends, strict=True):
        rows = slice(start, end)
        width = 0 if one.appearance is None else one.appearance.shape[1]
        signed = None if signature is None or not width else signature[rows, :width]
        result.append(Tracks(ids[rows], boxes[rows], scores[rows], classes[rows], first[rows], velocity[rows], signed))
        start = end
    return result
