"""A real detector's boxes and tracks as suggestions, by the command, on a real Postgres and real pictures."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import av
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, true

from algorithm_repo.datasets.tracks import Track
from algorithm_repo.labelling import answers, projects
from algorithm_repo.labelling.types import Item, NewAnswer, NewProject
from cityvision.cli import cli
from store.valkey import EmbeddedValkey
from tests.contract.labelling_scene import labellers

pytest_plugins = ["tests.embedded"]
pytestmark = pytest.mark.media

STREETS = NewProject(name="streets", classes=("car", "person", "bus"), kinds=("box", "track"))


def beginning(path: Path, seconds: float) -> bytes:
    """The first seconds of a clip, as they were encoded."""
    target = io.BytesIO()
    with av.open(str(path)) as source, av.open(target, "w", format="mp4") as sink:
        taken = source.streams.video[0]
        stream = sink.add_stream_from_template(taken)
        for packet in source.demux(taken):
            if packet.dts is None or float(packet.dts * packet.time_base) > seconds:
                break
            packet.stream = stream
            sink.mux(packet)
    return target.getvalue()


def items_of(engine: Engine) -> dict[str, Item]:
    with engine.connect() as connection:
        found = projects.items(connection, projects.named(connection, "streets").id, true())
    return {one.name: one for one in found}


def test_pictures_get_boxes_and_clips_tracks_until_somebody_has_labelled_them(
    engine: Engine,
    database_url: str,
    valkey: EmbeddedValkey,
    tmp_path: Path,
    mirror: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("DATABASE_URL", database_url), ("REDIS_URL", valkey.url), ("DATA", str(tmp_path))):
        monkeypatch.setenv(f"CITYVISION_{name}", value)

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(cli, ["label", *map(str, arguments), "--who", "lin"])

    with engine.begin() as connection:
        labellers(connection)
        projects.create(connection, STREETS, "lin")
        projects.create(connection, NewProject(name="water", classes=("water",), kinds=("polygon",)), "lin")
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("bus.jpg", "truck.jpg"):
        (folder / name).write_bytes((mirror / "images" / name).read_bytes())
    (folder / "cars.mp4").write_bytes(beginning(mirror / "footage" / "residential_street.mp4", 4.0))
    taken = run("import", "streets", folder, "--source", "street", "--licence", "CC0-1.0", "--public")
    assert "3 added" in taken.output, taken.output

    first = run("suggest", "streets", "--json")
    assert first.exit_code == 0, first.output
    told: dict[str, Any] = json.loads(first.output)
    assert (told["looked_at"], told["left"]) == (3, {})
    found = items_of(engine)
    bus = [one.label.label for one in found["bus.jpg"].suggested]
    assert bus.count("bus") == 1
    assert bus.count("person") >= 3
    tracks = [one.label for one in found["cars.mp4"].suggested if isinstance(one.label, Track)]
    assert len(tracks) == len(found["cars.mp4"].suggested) >= 3
    assert {one.label for one in tracks} == {"car"}
    longest = max(tracks, key=lambda one: one.keys[-1].at)
    assert longest.keys[-1].at > 3
    looks = sum(5 * (one.keys[-1].at - one.keys[0].at) for one in tracks)
    assert sum(len(one.keys) for one in tracks) < 0.7 * looks, "less than a box a look"
    assert {one.by for one in found["bus.jpg"].suggested} == {"detector yolox_nano"}

    with engine.begin() as connection:
        said = NewAnswer(labels=(), key="nothing-to-see-here")
        answers.submit(connection, found["bus.jpg"].id, said, "wang")
    again = json.loads(run("suggest", "streets", "--score", "0.9", "--json").output)
    assert again["looked_at"] == 2, "of what somebody has labelled nothing is suggested any more"
    assert again["suggested"] < told["suggested"]
    after = items_of(engine)
    assert after["bus.jpg"].suggested == found["bus.jpg"].suggested
    assert len(after["truck.jpg"].suggested) <= len(found["truck.jpg"].suggested), "replaced, not added"
    assert "detectors know nothing of what water labels" in run("suggest", "water").output
