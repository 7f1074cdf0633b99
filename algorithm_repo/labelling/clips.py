"""Clips to be labelled: what is known of one, and which labels fit it. Pure; clips are opened elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import Field

from algorithm_repo.datasets.alike import Signature
from algorithm_repo.datasets.tracks import Track
from algorithm_repo.datasets.types import Interval
from contracts.errors import ConfigError
from contracts.records import Contract

MOST_SECONDS = 300.0  # what is longer takes too long to mask
MOST_FRAMES = 30_000
MOST_BYTES = 256 << 20  # what is larger could not be masked, so nobody would ever see it
MOST_PIXELS = 8192 * 4320
CLIP_TYPE = "video/mp4"


class ClipFacts(Contract):
    """What a clip's bytes say of its time.

    Attributes:
        duration_s: from its first picture to the end of its last.
        fps: pictures a second, by the usual step between two.
        frames: how many it has at that rate.
        start_s: when players show the first picture; labels count from that picture on.
    """

    duration_s: float = Field(gt=0, le=MOST_SECONDS, allow_inf_nan=False)
    fps: float = Field(gt=0, le=1000, allow_inf_nan=False)
    frames: int = Field(ge=1, le=MOST_FRAMES)
    start_s: float = Field(0.0, ge=0, le=MOST_SECONDS, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class ClipLooks:
    """What a clip's bytes say: px, its time, and what its first picture looks like from afar."""

    width: int
    height: int
    facts: ClipFacts
    signature: Signature


LookAtClip = Callable[[bytes], ClipLooks]
"""Opens an MP4, in a process of its own. Raises ValueError, which says why: it is no clip, or more than is taken."""


def check_time(number: int, label: Track | Interval, clip: ClipFacts) -> None:
    """Raises:
    ConfigError: the label lies outside its clip; names it as `labels[number]`.
    """
    end = clip.duration_s
    for field, seconds in _times(label):
        if seconds > end:
            raise ConfigError(
                f"labels[{number}].{field}: {seconds:g} s lies past the clip's end at {end:g} s", "keep it in the clip"
            )
    if isinstance(label, Interval) and label.start >= end:
        raise ConfigError(f"labels[{number}].start: the clip ends at {end:g} s", "begin it in the clip")


def _times(label: Track | Interval) -> Sequence[tuple[str, float]]:
    if isinstance(label, Track):
        return [(f"keys[{place}].at", one.at) for place, one in enumerate(label.keys)]
    return [("start", label.start)] + ([] if label.end is None else [("end", label.end)])
