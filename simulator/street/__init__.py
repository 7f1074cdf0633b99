"""The simulated street: seeded, deterministic pictures of streets, squares and kerbs with exact truth.

Needs only NumPy and OpenCV; `write_clip` and backdrops of clips also PyAV.
"""

from simulator.street.kinds import KINDS, Kind
from simulator.street.scenario import SLICES, Scenario, as_frame, frames, scenario, write_clip
from simulator.street.types import LITTER_KINDS, Picture, TruthBin, TruthBox, TruthEvent, TruthItem, TruthMeasure

__all__ = [
    "KINDS",
    "LITTER_KINDS",
    "SLICES",
    "Kind",
    "Picture",
    "Scenario",
    "TruthBin",
    "TruthBox",
    "TruthEvent",
    "TruthItem",
    "TruthMeasure",
    "as_frame",
    "frames",
    "scenario",
    "write_clip",
]
