"""Fixtures with the real embedded services, one of each a test session: a fresh database and a flushed bus a test.

A pytest plugin: name it in `pytest_plugins` of the test module.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, text

from governance import passwords
from store.bus import Bus
from store.database import make_engine
from store.migrate import upgrade
from store.postgres import EmbeddedPostgres
from store.valkey import EmbeddedValkey
from tests.ports import unused_port

_numbers = itertools.count()


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """argon2 at its least costs, in this process alone: hundreds of tests log in, and one tests what it costs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="session")
def services_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the session's services."""
    return tmp_path_factory.mktemp("services")


@pytest.fixture(scope="session")
def postgres(services_dir: Path) -> Iterator[EmbeddedPostgres]:
    """A running Postgres with a migrated template database (`cityvision`)."""
    server = EmbeddedPostgres(services_dir / "postgres", unused_port(), services_dir / "postgres.log")
    server.start()
    engine = make_engine(server.url)
    upgrade(engine)
    engine.dispose()
    yield server
    server.stop()


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """URL of a database of this test's own, at the newest revision."""
    name = f"test_{next(_numbers)}"
    admin = make_engine(postgres.url.rsplit("/", 1)[0] + "/postgres").execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE cityvision"))
    yield postgres.url.rsplit("/", 1)[0] + f"/{name}"
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def valkey(services_dir: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(services_dir / "valkey", unused_port(), services_dir / "valkey.log")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def bus(valkey: EmbeddedValkey) -> Iterator[Bus]:
    """A client of an empty bus."""
    client = Bus(valkey.url)
    client.flush()
    yield client
    client.close()
