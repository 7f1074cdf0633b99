"""Workers, consumer, Valkey and Postgres killed again and again under load: 0 lost, 0 doubled, compared by id."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.faults.city import KINDS, City
from tests.faults.script import PER_EVENT, expected

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

WORKERS = 2
PER_SECOND = 60.0


def test_nothing_is_lost_and_nothing_is_doubled(tmp_path: Path, kills: int, kill_seed: int) -> None:
    chance = random.Random(kill_seed)
    plan = [kind for kind in KINDS for _ in range(kills)] + ["wipe"]
    chance.shuffle(plan)
    city = City(tmp_path, WORKERS, per_second=PER_SECOND)
    city.start()
    try:
        for kind in plan:
            city.await_progress()
            time.sleep(chance.uniform(0.0, 0.3))
            if kind == "wipe":
                city.wipe_valkey()
            else:
                city.kill(kind, chance.randrange(WORKERS), pause_s=chance.choice((0.0, 0.0, 0.4)))
        city.finish(120)
        _compare(city)
    finally:
        city.stop()


def _compare(city: City) -> None:
    said = {pair for worker in city.workers for pair in expected(worker, city.steps)}
    engine = city.engine()
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT event_id, seq, position FROM event_transitions")).all()
        outbox = Counter((row.id, row.seq) for row in connection.execute(text("SELECT id, seq FROM outbox")))
        rejected = connection.execute(text("SELECT error FROM rejected_record")).scalars().all()
        stale = connection.execute(
            text(
                "SELECT count(*) FROM events e WHERE seq <> "
                "(SELECT max(t.seq) FROM event_transitions t WHERE t.event_id = e.id)"
            )
        ).scalar_one()
    engine.dispose()
    kept = Counter((row.event_id, row.seq) for row in rows)
    assert not rejected
    assert said - set(kept) == set(), f"{len(said - set(kept))} of {len(said)} lost"
    assert set(kept) - said == set(), "something nobody said"
    assert all(count == 1 for count in kept.values())
    assert set(outbox) == said
    assert all(count == 1 for count in outbox.values()), "a hook saw a transition twice"
    assert stale == 0
    by_event: dict[str, list[int]] = {}
    for row in sorted(rows, key=lambda r: r.position):
        by_event.setdefault(row.event_id, []).append(row.seq)
    assert all(seqs == list(range(len(seqs))) and len(seqs) <= PER_EVENT for seqs in by_event.values())
