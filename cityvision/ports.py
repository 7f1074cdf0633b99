"""Ports: a free one, and one that is taken, said clearly."""

from __future__ import annotations

import socket

from contracts.errors import PortTaken


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port nothing listens on now. Somebody else may take it before it is used; then `listen_on` says so."""
    with socket.socket(_family(host)) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether nothing listens on the port now."""
    try:
        listen_on(host, port).close()
    except PortTaken:
        return False
    return True


def listen_on(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        PortTaken: another process listens there, or the address is not of this machine.
    """
    listener = socket.socket(_family(host))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # left-over connections of a last run do not count
    try:
        listener.bind((host, port))
        listener.listen(256)
    except OSError as error:
        listener.close()
        raise PortTaken(
            f"cannot listen on {host} port {port} ({error.strerror})",
            "end what listens there, or set CITYVISION_API_PORT to another port (0: any free one)",
        ) from error
    return listener


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
