"""The demo's cameras: real RTSP, from unedited clips of the zoo, looped."""

from __future__ import annotations

import argparse
import asyncio
import errno

from cityvision.processes.base import Process, run
from contracts.errors import PortTaken
from models.zoo import Zoo
from simulator.rtsp import RtspServer, ServedCamera
from simulator.rtsp.clips import servable
from simulator.rtsp.media import load_clip

NAME = "demo-cameras"

# camera of streams.yaml -> clip of the zoo
CLIPS = {
    "residential-junction": "residential_street",
    "high-street": "oxford_street_1080p",
    "car-park": "car-detection",
    "motorway": "motorway",
    "service-hall": "one-by-one-person-detection",
    "crossing": "person-bicycle-car-detection",
}


async def _serve(process: Process, port: int) -> None:
    zoo = Zoo(mirror=process.settings.mirror)
    cameras = []
    for camera, clip in CLIPS.items():
        file = servable(zoo.fetch(clip)[0], zoo.cache / "servable")
        cameras.append(ServedCamera(camera, load_clip(file)))
    server = RtspServer(cameras, port)
    try:
        await server.start()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortTaken(f"port {port} of the demo's cameras is taken", "stop what listens there") from error
    process.ready()
    await asyncio.to_thread(process.stop.wait)
    await server.stop()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    run(NAME, lambda process: asyncio.run(_serve(process, port)))


if __name__ == "__main__":
    main()
