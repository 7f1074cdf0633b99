"""How boxes move between looks: a Kalman filter with fading velocity, written out for whole arrays of tracks.

The axes are independent and share their noise, so that a track needs two covariances of 2 x 2 (one for the centre,
one for width and height), kept as their three numbers and updated in closed form: no matrix is ever built.
The state stays at the last sighting; every look predicts from there, so that looks may be any time apart and the
answer does not depend on how many empty looks lay between.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.track.settings import TrackerSettings

Array = NDArray[np.float64]


class Motion(NamedTuple):
    """Where tracks are and how fast they go. N tracks; x is stretched by the aspect ratio.

    Attributes:
        place: [4, N] centre x, centre y, width, height.
        speed: [4, N] the same per s.
        spread: [6, N] covariance (place, place-speed, speed) of each centre axis, then of each size axis.
    """

    place: Array
    speed: Array
    spread: Array


def size_of(place: Array) -> Array:
    """[N] the mean of width and height: the yardstick of everything that is said "in sizes"."""
    size: Array = np.maximum(0.5 * (place[2] + place[3]), 1e-6)
    return size


def begin(place: Array, settings: TrackerSettings) -> Motion:
    """Tracks seen for the first time: standing, with all speeds open."""
    size = size_of(place)
    measure = (settings.measure_size * size) ** 2
    speed = (settings.speed_size * size) ** 2
    zero = np.zeros_like(size)
    spread = np.stack([measure, zero, speed, measure, zero, speed * settings.resize**2])
    return Motion(place, np.zeros_like(place), spread)


def predict(motion: Motion, elapsed: Array, settings: TrackerSettings) -> Motion:
    """The state `elapsed` [N] s later.

    The velocity is an Ornstein-Uhlenbeck process with time constant `coast_s`, its noise that of white
    acceleration of the same strength while `elapsed` is short.
    """
    fade = np.exp(-elapsed / settings.coast_s)
    path = settings.coast_s * (1.0 - fade)
    place = motion.place + motion.speed * path
    np.maximum(place[2:], 0.2 * motion.place[2:], out=place[2:])  # a shrinking box never turns inside out
    drift = (settings.accelerate_size * size_of(motion.place)) ** 2
    noise = (drift * path**2 * elapsed / 3, drift * path**2 / 2, drift * path)
    share = settings.resize**2
    a, b, c, d, e, f = motion.spread
    spread = np.stack(
        [
            a + path * (2 * b + path * c) + noise[0],
            fade * (b + path * c) + noise[1],
            fade * fade * c + noise[2],
            d + path * (2 * e + path * f) + share * noise[0],
            fade * (e + path * f) + share * noise[1],
            fade * fade * f + share * noise[2],
        ]
    )
    return Motion(place, motion.speed * fade, spread)


def correct(predicted: Motion, seen: Array, settings: TrackerSettings) -> Motion:
    """The state after boxes `seen` [4, N] were measured at the predicted moment."""
    measure = (settings.measure_size * size_of(seen)) ** 2
    a, b, c, d, e, f = predicted.spread
    total, total_size = a + measure, d + measure
    gain = np.stack([a / total, a / total, d / total_size, d / total_size])
    gain_speed = np.stack([b / total, b / total, e / total_size, e / total_size])
    surprise = seen - predicted.place
    keep, keep_size = measure / total, measure / total_size
    spread = np.stack([a * keep, b * keep, c - b * b / total, d * keep_size, e * keep_size, f - e * e / total_size])
    return Motion(predicted.place + gain * surprise, predicted.speed + gain_speed * surprise, spread)
