"""The demo's cameras: real RTSP, from unedited clips of the zoo and from simulated streets, looped."""

from __future__ import annotations

import argparse
import asyncio
import errno

from cityvision.demo_media import Cast, real_cast, simulated_cast
from cityvision.processes.base import Process, run
from contracts.errors import PortTaken
from models.zoo import Zoo
from simulator.rtsp import RtspServer, ServedCamera
from simulator.rtsp.media import load_clip

NAME = "demo-cameras"
ONLY_SIMULATED = "--only-simulated"


async def _serve(process: Process, port: int, cast: Cast, zoo: Zoo) -> None:
    server = RtspServer([ServedCamera(camera, load_clip(file)) for camera, file in cast.files(zoo).items()], port)
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
    parser.add_argument(ONLY_SIMULATED, action="store_true", dest="simulated")
    given = parser.parse_args()

    def body(process: Process) -> None:
        settings = process.settings
        zoo = Zoo(cache=settings.cache, mirror=settings.mirror)
        cast = simulated_cast() if given.simulated else real_cast(settings.model)
        asyncio.run(_serve(process, given.port, cast, zoo))

    run(NAME, body)


if __name__ == "__main__":
    main()
