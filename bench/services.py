"""The servers that a measurement runs on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cityvision.ports import free_port
from store.postgres import EmbeddedPostgres
from store.valkey import EmbeddedValkey


@contextmanager
def servers(folder: Path) -> Iterator[tuple[EmbeddedPostgres, EmbeddedValkey]]:
    """Postgres and Valkey in a folder of their own."""
    with ExitStack() as stack:
        postgres = EmbeddedPostgres(folder / "postgres", free_port(), folder / "postgres.log")
        valkey = EmbeddedValkey(folder / "valkey", free_port(), folder / "valkey.log")
        for server in (postgres, valkey):
            server.start()
            stack.callback(server.stop)
        yield postgres, valkey
