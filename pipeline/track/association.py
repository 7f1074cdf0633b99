"""Which detection could be which track, and how well they fit: candidate pairs by a sweep, then one affinity each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.track.motion import Motion, size_of
from pipeline.track.settings import TrackerSettings

Array = NDArray[np.float64]
Index = NDArray[np.int64]

BAND = 64.0  # wider than any x and reach, so that bands (camera and class group) never meet on the sweep line


class Pairs(NamedTuple):
    """P candidate pairs: indices of tracks and of detections, and their affinity in 0..1."""

    track: Index
    detection: Index
    affinity: Array

    def select(self, keep: NDArray[np.bool_] | Index) -> Pairs:
        return Pairs(self.track[keep], self.detection[keep], self.affinity[keep])


class Side(NamedTuple):
    """What is matched, tracks or detections.

    Attributes:
        band: int64 [N]; only equal bands are ever paired (camera and class group).
        place: [4, N] centre x, centre y, width, height.
        signature: [K, N] unit colour signatures, zeros where unknown; None where nobody has one.
    """

    band: Index
    place: Array
    signature: Array | None


def sweep(track_band: Index, track_x: Array, reach: Array, band: Index, x: Array) -> tuple[Index, Index]:
    """All pairs of one band that lie within the track's reach along x; (band, x) of detections ascending.

    Every band is a stretch of one line, so that two binary searches serve all cameras at once and cameras with many
    objects do not make the others wait.
    """
    line = band * BAND + x
    middle = track_band * BAND + track_x
    first = np.searchsorted(line, middle - reach, "left")
    counts = np.searchsorted(line, middle + reach, "right") - first
    tracks = np.repeat(np.arange(len(middle)), counts)
    starts = np.cumsum(counts) - counts
    detections = np.arange(len(tracks)) + np.repeat(first - starts, counts)
    return tracks, detections


def candidates(
    predicted: Motion,
    elapsed: Array,
    penalty: Array,
    floor: Array,
    tracks: Side,
    found: Side,
    settings: TrackerSettings,
) -> Pairs:
    """Pairs near enough to be the same object, with affinities.

    The affinity is the overlap of prediction and detection mixed with their nearness, the distance of the centres
    measured in standard deviations of the prediction. Overlap tells neighbours apart while looks are frequent;
    nearness takes over where an object has moved farther than its own size since.

    Args:
        predicted: state of the T tracks at their cameras' looks.
        elapsed: [T] s since each was last seen.
        penalty: [T] taken off each track's affinities; inf for tracks out of the game.
        floor: [T] smallest overlap each track accepts.
        tracks: the same tracks' bands and signatures.
        found: the D detections, by (band, x) ascending.
    """
    size = size_of(predicted.place)
    error = np.sqrt(predicted.spread[0] + (settings.measure_size * size) ** 2)
    farthest = np.minimum((settings.reach_size + settings.reach_speed * elapsed) * size, BAND / 4)
    reach = np.minimum(settings.gate_sigma * error, farthest)
    t, d = sweep(tracks.band, predicted.place[0], reach, found.band, found.place[0])
    apart_y = np.abs(predicted.place[1][t] - found.place[1][d])
    near = np.flatnonzero(apart_y <= reach[t])
    t, d, apart_y = t[near], d[near], apart_y[near]
    a, b = predicted.place[:, t], found.place[:, d]
    apart_x = np.abs(a[0] - b[0])
    nearness = 1.0 - np.sqrt(apart_x * apart_x + apart_y * apart_y) / reach[t]
    width = np.minimum(a[2], b[2])
    height = np.minimum(a[3], b[3])
    shared = np.clip(0.5 * (a[2] + b[2]) - apart_x, 0.0, width) * np.clip(0.5 * (a[3] + b[3]) - apart_y, 0.0, height)
    overlap = shared / (a[2] * a[3] + b[2] * b[3] - shared)
    alike = height / np.maximum(a[3], b[3])
    weight = settings.overlap_weight
    affinity = weight * overlap + (1.0 - weight) * nearness * alike - penalty[t]
    if tracks.signature is not None and found.signature is not None:
        unlike = _unlike(tracks.signature[:, t], found.signature[:, d])
        affinity -= settings.appearance_weight * np.maximum(unlike - settings.appearance_slack, 0.0)
    keep = (nearness > 0.0) & (overlap >= floor[t]) & (alike >= settings.min_height_ratio) & (affinity > 0.0)
    return Pairs(t, d, affinity).select(np.flatnonzero(keep))


def _unlike(a: Array, b: Array) -> Array:
    """[P] half the squared distance of unit signatures, 0 where one of them is unknown (all zeros)."""
    known = a.any(axis=0) & b.any(axis=0)
    return np.where(known, 1.0 - np.einsum("kp,kp->p", a, b), 0.0)
