"""Valkey/Redis: what the roll-out of networks tells workers and the placement of cameras, and what workers answer.

Live state as the rest of it: the roll-out says it again each second.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from contracts.rollout import Served, Serving
from store.client import translated
from store.keys import LANE_TTL_S
from store.state import LiveState


class LaneState(LiveState):
    """See the module."""

    def hold_lane(self, worker: str, cameras: Sequence[str]) -> None:
        """This worker is to run these cameras and no others, until `LANE_TTL_S` from now."""
        with translated():
            pipe = self._redis.pipeline(transaction=True)
            pipe.sadd(self._keys.lanes, worker)
            pipe.set(self._keys.lane(worker), json.dumps(list(cameras)), px=int(LANE_TTL_S * 1000))
            pipe.execute()

    def drop_lane(self, worker: str) -> None:
        """Its cameras go back to the others."""
        with translated():
            pipe = self._redis.pipeline(transaction=True)
            pipe.delete(self._keys.lane(worker))
            pipe.srem(self._keys.lanes, worker)
            pipe.execute()

    def lanes(self) -> dict[str, list[str]]:
        """Worker -> the cameras that are its own, of all lanes that are held now."""
        with translated():
            members: Any = self._redis.smembers(self._keys.lanes)
            names = sorted(name.decode() for name in members)
            texts: Any = self._redis.mget([self._keys.lane(name) for name in names]) if names else []
        return {name: json.loads(text) for name, text in zip(names, texts, strict=True) if text is not None}

    def set_serving(self, serving: Serving) -> None:
        """What every worker of this space is to run."""
        with translated():
            self._redis.set(self._keys.serving, serving.model_dump_json())

    def serving(self) -> Serving | None:
        """The same; None while nobody has said it, or where another version said it."""
        with translated():
            found: Any = self._redis.get(self._keys.serving)
        try:
            return None if found is None else Serving.model_validate_json(found)
        except ValidationError:
            return None

    def set_served(self, served: Served) -> None:
        """What a worker runs."""
        with translated():
            self._redis.hset(self._keys.served, served.worker, served.model_dump_json())

    def served(self) -> dict[str, Served]:
        """What workers last said of what they run; of those of another version nothing."""
        with translated():
            found: Any = self._redis.hgetall(self._keys.served)
        told: dict[str, Served] = {}
        for name, text in found.items():
            try:
                told[name.decode()] = Served.model_validate_json(text)
            except ValidationError:
                continue
        return told

    def forget_served(self, worker: str) -> None:
        """A worker that is gone runs nothing."""
        with translated():
            self._redis.hdel(self._keys.served, worker)

    def forget_worker(self, worker: str) -> None:
        """Takes a worker that is gone, and whose records are consumed, off the bus.

        Its mark stays: should it come again with an empty spool, that tells it which numbers were used.
        """
        with translated():
            pipe = self._redis.pipeline(transaction=True)
            pipe.srem(self._keys.workers, worker)
            pipe.delete(self._keys.records(worker), self._keys.assignment(worker))
            pipe.hdel(self._keys.served, worker)
            pipe.execute()

    def forget_space(self) -> None:
        """Removes everything of this space. Raises ConfigError for the city's."""
        pattern = self._keys.everything()
        with translated():
            for name in self._redis.scan_iter(match=pattern, count=500):
                self._redis.delete(name)
