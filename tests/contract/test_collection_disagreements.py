"""What a shadow and production disagree on becomes pictures to be labelled, on real Postgres and objects."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sqlalchemy import Engine, insert

from algorithm_repo.collection import service
from algorithm_repo.collection.types import CollectionPolicy, Reason
from algorithm_repo.labelling import projects
from algorithm_repo.labelling.types import NewProject
from algorithm_repo.rollout import lanes
from cityvision.collecting_apart import ApartCollector
from contracts.records import Event, EvidenceRef
from events.store import write_event
from governance.tables import camera_places
from store.beneath import ObjectsBeneath
from store.objects import DiskObjects, ObjectStore
from tests.contract.labelling_scene import ALL, picture
from tests.contract.test_rollout_lanes import NOW, at, in_shadow

pytest_plugins = ["tests.embedded"]

POLICY = CollectionPolicy(pictures=4, shares={Reason.DISAGREEMENT: 0.5, Reason.HOURLY: 0.5})


def seen(objects: ObjectStore, start: float, look: int) -> Event:
    """An event with the picture by which it was decided."""
    jpeg = picture(look)
    digest = hashlib.sha256(jpeg).hexdigest()
    key = f"evidence/{digest[:2]}/{digest}.jpg"
    objects.put(key, jpeg, "image/jpeg")
    ref = EvidenceRef(
        role="decision", key=key, sha256=digest, media_type="image/jpeg", size=len(jpeg), utc=NOW + start + 30
    )
    return at(start, evidence=(ref,))


def test_what_one_side_alone_saw_is_labelled_within_its_quota(engine: Engine, tmp_path: Path) -> None:
    objects = DiskObjects(tmp_path / "objects")
    with engine.begin() as connection:
        _, lane = in_shadow(connection)
        mine = ObjectsBeneath(objects, f"shadow/{lane.worker}")
        both, alone, late = (seen(mine, start, look) for start, look in ((10, 1), (500, 2), (2900, 3)))
        ends = [at(start, seq=1, closed=True) for start in (10, 500, 2900)]
        lanes.take_in(connection, lane.number, [both, alone, late, *ends], (1, 5))
        for start, look in ((12, 4), (900, 5), (1500, 6)):
            write_event(connection, "worker-1", seen(objects, start, look))
            write_event(connection, "worker-1", at(start, seq=1, closed=True))
        connection.execute(insert(camera_places).values(camera="a", department="city", grid="G-1"))
        puddles = projects.create(connection, NewProject(name="puddles", classes=("waterlogging",)), "lin").id
        crowds = projects.create(connection, NewProject(name="crowds", classes=("crowding",)), "lin").id
        for project in (puddles, crowds):
            service.set_policy(connection, project, POLICY, "lin", NOW)

    collector = ApartCollector(engine, objects)
    kept = collector.turn([lane], NOW + 3000)
    assert len(kept) == 2, "the quota; of three that have settled"
    assert collector.turn([lane], NOW + 3000) == [], "each once"
    with engine.connect() as connection:
        items = projects.items(connection, puddles, ALL)
        assert projects.items(connection, crowds, ALL) == [], "another matter"
    assert {one.content for one in items} < {hashlib.sha256(picture(look)).hexdigest() for look in (2, 5, 6)}
    for one in items:
        assert one.slices[0] == "collected disagreement"
        assert one.slices[2] in ("seen by candidate alone", "seen by production alone")
        assert (one.taken.camera, one.taken.zone, one.taken.type) == ("a", "road", "waterlogging")
        assert hashlib.sha256(objects.get(one.key)).hexdigest() == one.content
        assert one.key.startswith("collected/"), "its own copy, with days of its own"
