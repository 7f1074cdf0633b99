"""A small real RTSP server that loops clips as many cameras, with faults on demand."""

from simulator.rtsp.camera import ServedCamera
from simulator.rtsp.faults import Faults
from simulator.rtsp.process import ServerProcess
from simulator.rtsp.server import RtspServer
from simulator.rtsp.thread import ServerThread

__all__ = ["Faults", "RtspServer", "ServedCamera", "ServerProcess", "ServerThread"]
