"""The command and the process of collection, on real Postgres, Valkey and objects."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr
from sqlalchemy import Engine, func, insert

from algorithm_repo.collection import service
from algorithm_repo.collection.picture import new_item
from algorithm_repo.collection.tables import collected_frames
from algorithm_repo.collection.types import Reason
from algorithm_repo.labelling import projects
from algorithm_repo.labelling.types import NewProject
from cityvision.cli import cli
from cityvision.settings import Settings
from store.bus import Bus
from store.objects import DiskObjects, is_there
from store.valkey import EmbeddedValkey
from tests.contract.collection_scene import RANDOM, collecting, moment_of, runs
from tests.contract.labelling_scene import labellers, picture
from tests.contract.retention_scene import DAY
from tests.contract.test_collection import cameras, rows_of  # noqa: F401

pytest_plugins = ["tests.embedded"]


@pytest.mark.usefixtures("cameras")
def test_the_command_sets_and_shows_a_policy(
    engine: Engine, database_url: str, valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYVISION_DATABASE_URL", database_url)
    monkeypatch.setenv("CITYVISION_REDIS_URL", valkey.url)
    with engine.begin() as connection:
        labellers(connection)
        projects.create(connection, NewProject(name="streets", classes=("litter",)), "lin")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["label", "--data", str(tmp_path), "collect", "streets", *arguments])

    assert run().output == "streets collects nothing; set what it is to with --who\n"
    assert "--who: a change needs an account" in run("--pictures", "4").output
    shares = ("--share", "random=0.75", "--share", "hourly=0.25")
    told = run("--pictures", "4", *shares, "--camera", "square", "--who", "lin").output
    assert "on, 1 cameras, 4 pictures each a day" in told
    assert "(random 3, hourly 1, weather 0, uncertain 0, disagreement 0), kept 90 days; set by lin" in told
    again = json.loads(run("--off", "--who", "lin", "--json").output)
    assert (again["policy"]["policy"]["active"], again["policy"]["policy"]["pictures"]) == (False, 4), "the rest stays"
    for wrong, field in (
        (("--share", "random=0.5"), "shares: they add up to 0.5"),
        (("--share", "random"), "shares: random"),
        (("--days", "0"), "days: "),
        (("--camera", "north"), "cameras[0]: there is no camera 'north'"),
    ):
        refused = run(*wrong, "--who", "lin")
        assert refused.exit_code != 0
        assert field in refused.output, refused.output


@pytest.mark.usefixtures("cameras")
def test_the_process_takes_back_what_is_half_deletes_what_is_past_its_days_and_ends_when_asked(
    engine: Engine, bus: Bus, valkey: EmbeddedValkey, database_url: str, tmp_path: Path
) -> None:
    objects = DiskObjects(tmp_path / "objects")
    project = collecting(engine, RANDOM)
    utc = moment_of(RANDOM, project, "north-gate") - 12 * DAY
    runs(bus, "north-gate")
    with engine.connect() as connection:
        one, standing = projects.get(connection, project), service.policy_of(connection, project)
        assert standing is not None
        (place,) = service.cameras_of(connection, standing)
    old = service.Frame("north-gate", utc, Reason.RANDOM, picture(7))
    looks = projects.looks(old.jpeg)
    new = new_item(one, RANDOM, place, old, looks, (), "street")
    assert service.keep(engine, objects, project, old, new, looks.signature, "collector") is not None
    half = service.Frame("north-gate", utc, Reason.RANDOM, picture(8))
    objects.put(half.key, half.jpeg, "image/jpeg")
    with engine.begin() as connection:
        row = {"project": project, "camera": half.camera, "reason": "random", "at": func.now(), "size": 1}
        connection.execute(insert(collected_frames).values(row | {"key": half.key, "sha256": half.sha256}))

    settings = Settings(
        data=tmp_path,
        database_url=SecretStr(database_url),
        redis_url=SecretStr(valkey.url),
        seal_key=SecretStr("k" * 16),
    )
    command = [sys.executable, "-m", "cityvision.processes.collector"]
    with subprocess.Popen(command, env=settings.child_environment()) as process:
        end = time.monotonic() + 120
        while is_there(objects, old.key) or is_there(objects, half.key):
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.1)
        process.terminate()
        assert process.wait(30) == 0
    assert rows_of(engine) == 1, "of the one that was whole"
