"""`python -m simulator.rtsp gate=clip.mp4 street=other.avi --port 8554`: clips as RTSP cameras.

Prints one JSON line with the addresses, then serves until its standard input ends or it is told to stop. Each line
on standard input is a command (see `process.ServerProcess`, which speaks this).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

from simulator.rtsp.camera import ServedCamera
from simulator.rtsp.clips import servable
from simulator.rtsp.faults import Faults
from simulator.rtsp.media import LoopedClip, load_clip
from simulator.rtsp.server import RtspServer

_SETTABLE = {field.name for field in fields(Faults) if not field.name.startswith("_")}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m simulator.rtsp",
        description="Serves clips as RTSP cameras, looped.",
        epilog="example: python -m simulator.rtsp gate=clip.mp4 --port 8554, then play rtsp://127.0.0.1:8554/gate",
    )
    parser.add_argument("cameras", nargs="+", metavar="NAME=FILE")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "cityvision-clips")
    parser.add_argument("--user", default="", help="asks for this user; the password is read from CAMERA_PASSWORD")
    parser.add_argument("--keep-running", action="store_true", help="serve on when standard input ends")
    return parser.parse_args()


def _load(pairs: list[str], cache: Path) -> dict[str, LoopedClip]:
    """Clips by camera name; a file served by several cameras is read once."""
    by_file: dict[str, LoopedClip] = {}
    clips: dict[str, LoopedClip] = {}
    for pair in pairs:
        name, _, file = pair.partition("=")
        if file not in by_file:
            by_file[file] = load_clip(servable(Path(file), cache))
        clips[name] = by_file[file]
    return clips


def obey(server: RtspServer, command: dict[str, Any], cache: Path) -> None:
    """Carries out one command; "loop_at" answers with a line on standard output.

    Raises:
        KeyError, ValueError: it makes no sense.
    """
    faults = server.faults(command["camera"])
    for name, value in command.get("set", {}).items():
        if name not in _SETTABLE:
            raise ValueError(f"no fault is called {name!r}")
        setattr(faults, name, value)
    match command.get("do"):
        case "drop":
            faults.drop()
        case "jump":
            faults.jump(float(command["seconds"]))
        case "switch":
            faults.switch(load_clip(servable(Path(command["file"]), cache)))
        case "loop_at":
            loop = server.loop_at(command["camera"], float(command["utc"]))
            sys.stdout.write(json.dumps({"loop": loop}) + "\n")
            sys.stdout.flush()
        case None:
            pass
        case other:
            raise ValueError(f"cannot do {other!r}")


async def _serve(arguments: argparse.Namespace, password: str) -> None:
    clips = _load(arguments.cameras, arguments.cache)
    cameras = [ServedCamera(name, clip, user=arguments.user, password=password) for name, clip in clips.items()]
    server = RtspServer(cameras, arguments.port, arguments.host)
    await server.start()
    about = {name: {"url": server.url(name), "loop_s": clip.duration} for name, clip in clips.items()}
    sys.stdout.write(json.dumps({"port": server.port, "cameras": about}) + "\n")
    sys.stdout.flush()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    commands = loop.create_task(_commands(server, arguments.cache, None if arguments.keep_running else ended))
    await ended.wait()
    commands.cancel()
    await server.stop()


async def _commands(server: RtspServer, cache: Path, at_end: asyncio.Event | None) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        try:
            obey(server, json.loads(line), cache)
        except (KeyError, ValueError) as error:
            sys.stderr.write(f"not done: {error}\n")
    if at_end is not None:
        at_end.set()


def main() -> None:
    asyncio.run(_serve(_arguments(), os.environ.get("CAMERA_PASSWORD", "")))


if __name__ == "__main__":
    main()
