"""Rules register themselves and are built for the zones they fit."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.algorithms import ALGORITHMS
from contracts.errors import ConfigError
from pipeline.rules import registry
from pipeline.rules.registry import build_rules, zones_for
from tests.unit.scenes import camera, rectangle

ZONES = (
    {"id": "a", "kind": "no_parking", "polygon": rectangle(0, 0, 0.5, 1)},
    {"id": "b", "kind": "no_parking", "polygon": rectangle(0.5, 0, 1, 1)},
    {"id": "c", "kind": "square", "polygon": rectangle(0, 0, 1, 1), "capacity": 3},
)


def test_every_algorithm_has_its_rule() -> None:
    """Those of the project; an extension's parameters may have no defaults."""
    own: dict[str, Any] = {name: {} for name, model in ALGORITHMS.items() if model.__module__ == "contracts.algorithms"}
    cam = camera(*ZONES, **own)
    assert [rule.type for rule in build_rules(cam)] == sorted(own)
    assert build_rules(camera(*ZONES)) == []


def test_zones_by_kind_or_by_name() -> None:
    cam = camera(*ZONES, illegal_parking={})
    assert [z.id for z in zones_for(cam, cam.algorithms["illegal_parking"])] == ["a", "b"]
    cam = camera(*ZONES, illegal_parking={"zones": ["b"]})
    assert [z.id for z in zones_for(cam, cam.algorithms["illegal_parking"])] == ["b"]


def test_an_algorithm_without_a_rule_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    cam = camera(*ZONES, illegal_parking={})
    build_rules(cam)
    monkeypatch.delitem(registry._RULES, "illegal_parking")
    with pytest.raises(ConfigError, match="illegal_parking"):
        build_rules(cam)
