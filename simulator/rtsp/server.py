"""The RTSP server: many cameras behind one port."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence

from simulator.rtsp.camera import Pump, ServedCamera
from simulator.rtsp.faults import Faults
from simulator.rtsp.session import Session


class RtspServer:
    """Serves clips as cameras at `rtsp://HOST:PORT/<camera>`.

    Args:
        cameras: what to serve; names are unique.
        port: 0 picks a free one, see `port` after `start`.
        host: address to listen on.
        tls: serves rtsps with it instead (see `tls.self_signed`).

    Raises:
        ValueError: two cameras of one name.
    """

    def __init__(
        self,
        cameras: Sequence[ServedCamera],
        port: int = 0,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._cameras = {camera.name: camera for camera in cameras}
        if len(self._cameras) != len(cameras):
            raise ValueError("two served cameras have the same name")
        self._faults = {name: Faults() for name in self._cameras}
        self._pumps: dict[str, Pump] = {}
        self._solo: list[Pump] = []
        self._host = host
        self._tls = tls
        self._sessions: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = port
        self.connections = 0
        """Connections accepted since the start."""

    async def start(self) -> None:
        """Listens. Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._serve, self._host, self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Closes the port, every connection and every pump."""
        if self._server is not None:
            self._server.close()
        for pump in [*self._pumps.values(), *self._solo]:
            for sink in list(pump.sinks):
                sink.cut()
            pump.stop()
        for task in list(self._sessions):
            task.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    def url(self, name: str) -> str:
        """Address of a camera, without credentials. Raises KeyError for one that is not served."""
        camera = self._cameras[name]
        return f"{'rtsps' if self._tls else 'rtsp'}://{self._host}:{self.port}/{camera.name}"

    def find(self, path: str) -> ServedCamera | None:
        return self._cameras.get(path)

    def faults(self, name: str) -> Faults:
        """The camera's faults, to be set while it runs. Raises KeyError for one that is not served."""
        return self._faults[name]

    def loop_at(self, name: str, utc: float) -> int | None:
        """Which loop (0, 1, …) of its clip a camera shows at a moment, s since 1970 UTC; None before its first.

        For cameras with a live timeline that never switched to another clip. Raises KeyError for an unknown one.
        """
        clip = self._cameras[name].clip
        pump = self._pumps.get(name)
        if pump is None or pump.started_utc is None or utc < pump.started_utc:
            return None
        return clip.loop_of(utc - pump.started_utc)

    def pump(self, camera: ServedCamera) -> Pump:
        if camera.timeline == "clip":
            self._solo = [pump for pump in self._solo if pump.sinks]
            self._solo.append(Pump(camera, self._faults[camera.name]))
            return self._solo[-1]
        if camera.name not in self._pumps:
            self._pumps[camera.name] = Pump(camera, self._faults[camera.name])
        return self._pumps[camera.name]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._sessions.add(task)
        try:
            await Session(self, reader, writer).run()
        except asyncio.CancelledError:
            # `stop` ends sessions this way; asyncio's stream protocol would report it as an unhandled error.
            writer.close()
        finally:
            self._sessions.discard(task)
