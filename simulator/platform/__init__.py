"""A small 城管 platform that misbehaves: a real HTTP server that takes cases, works on them and calls back."""

from simulator.platform.faults import CALM, TROUBLED, Faults
from simulator.platform.server import SimulatedPlatform

__all__ = ["CALM", "TROUBLED", "Faults", "SimulatedPlatform"]
