"""A stock MQTT broker of one's own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contracts.errors import ServiceError
from store.service import wait_ready

ANYBODY = "allow_anonymous true\n"


@contextmanager
def mosquitto(folder: Path, port: int, settings: str = ANYBODY) -> Iterator[None]:
    """Listens on 127.0.0.1 while the context is open.

    Args:
        settings: further lines of its configuration.

    Raises:
        ServiceError: there is none on this machine, or it does not start.
    """
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise ServiceError("there is no mosquitto", "`make install` as root, or apt-get install mosquitto")
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\n{settings}user root\nmax_queued_messages 0\n")
    process = subprocess.Popen([program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_ready(process, listens, name="mosquitto", log=config, timeout=20)
        yield
    finally:
        process.kill()
        process.wait()
