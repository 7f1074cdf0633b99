"""Following objects from look to look: one tracker for all cameras of a worker, in seconds of stream time."""

from pipeline.track.fleet import FleetTracker
from pipeline.track.looks import TrackerInput
from pipeline.track.settings import TrackerSettings

__all__ = ["FleetTracker", "TrackerInput", "TrackerSettings"]
