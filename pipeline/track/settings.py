"""What can be set on the tracker: everything in seconds and in the object's own size, nothing in frames or pixels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Settings of `FleetTracker`; how they were chosen: docs/decisions/0003-tracker.md.

    "Size" is the mean of a box's width and height, with x stretched by the aspect ratio so that both count alike.

    Attributes:
        high_score: detections at least this sure are matched first and may start a track, 0..1.
        low_score: less sure ones than this are ignored; those in between may only continue a track, 0..1.
        confirm_score: a first sighting at least this sure is a confirmed track at once, 0..1, ...
        confirm_gap_s: ... where looks are at least this far apart, so that waiting for a second one would be long, s.
        confirm_hits: sightings after which any track is confirmed.
        tentative_s: an unconfirmed track not seen again within this many s is dropped. Where looks are rarer than
            that, the next look still counts as "again".
        lost_s: a confirmed track that is out of sight is kept this long, s.
        lost_looks: it is kept for at least so many missed looks, however far apart they are.
        longest_gap_s: but after this long without any look only parked tracks are kept, s, ...
        parked_gap_s: ... and these for this long, s (a stream that was away, a restart).
        parked_after_s: a track that stayed in place this long counts as parked.
        parked_lost_s: a parked track that is out of sight is kept this long, s.
        parked_iou: overlap with which a parked, long lost track is taken up again, 0..1.
        still_size: how far a centre may move and still be "in place", sizes.
        measure_size: standard deviation of a detector's box edges, sizes.
        speed_size: standard deviation of the speed of an object never seen before, sizes/s.
        accelerate_size: how fast a velocity drifts (white noise acceleration), sizes/s^1.5.
        resize: the same for width and height, as a share of `speed_size` and `accelerate_size`.
        coast_s: time constant with which a velocity fades while its object is out of sight, s.
        gate_sigma: the farthest detection considered, standard deviations of the prediction's error.
        reach_size: the farthest detection considered whatever the error, sizes, ...
        reach_speed: ... and how much farther for each second since the last sighting, sizes/s.
        min_height_ratio: the smallest ratio between the heights of prediction and detection considered, 0..1.
        overlap_weight: share of the overlap (IoU) in the affinity; the rest is nearness in standard deviations.
        min_affinity: pairs below this are never matched, 0..1.
        min_affinity_low: the same for detections below `high_score`.
        lost_penalty: taken off the affinity of a track for each look (up to 5) that missed it.
        tentative_penalty: taken off the affinity of an unconfirmed track.
        appearance_weight: how much a dissimilar signature takes off the affinity; matters only where both are known.
        appearance_slack: dissimilarity (1 - cosine) that the same object shows from look to look, and costs nothing.
        appearance_memory: share of the old signature kept at each sighting, 0..1.
    """

    high_score: float = 0.35
    low_score: float = 0.1
    confirm_score: float = 0.6
    confirm_gap_s: float = 0.3
    confirm_hits: int = 2
    tentative_s: float = 0.5
    lost_s: float = 2.5
    lost_looks: int = 1
    longest_gap_s: float = 8.0
    parked_gap_s: float = 900.0
    parked_after_s: float = 8.0
    parked_lost_s: float = 90.0
    parked_iou: float = 0.5
    still_size: float = 0.3
    measure_size: float = 0.12
    speed_size: float = 1.0
    accelerate_size: float = 0.6
    resize: float = 0.3
    coast_s: float = 4.0
    gate_sigma: float = 4.6
    reach_size: float = 1.5
    reach_speed: float = 1.5
    min_height_ratio: float = 0.5
    overlap_weight: float = 0.6
    min_affinity: float = 0.18
    min_affinity_low: float = 0.3
    lost_penalty: float = 0.025
    tentative_penalty: float = 0.025
    appearance_weight: float = 0.5
    appearance_slack: float = 0.2
    appearance_memory: float = 0.9

    def __post_init__(self) -> None:
        if not 0 <= self.low_score <= self.high_score <= 1:
            raise ValueError(
                f"TrackerSettings: 0 <= low_score <= high_score <= 1, not {self.low_score}, {self.high_score}"
            )
        if self.confirm_hits < 1:
            raise ValueError(f"TrackerSettings: confirm_hits is at least 1, not {self.confirm_hits}")
        for name in ("tentative_s", "lost_s", "measure_size", "speed_size", "coast_s", "gate_sigma", "reach_size"):
            if getattr(self, name) <= 0:
                raise ValueError(f"TrackerSettings: {name} must be above 0, not {getattr(self, name)}")
