"""The pure parts of the supervisor: order, back-off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityvision.supervisor import in_order, layers, start_limit
from cityvision.supervisor_child import ChildSpec, Managed, RestartPolicy
from contracts.errors import ConfigError


def _none() -> Managed:
    raise AssertionError("not started in these tests")


def _spec(name: str, *depends_on: str) -> ChildSpec:
    return ChildSpec(name, _none, depends_on=depends_on)


def test_layers_follow_dependencies() -> None:
    specs = [_spec("api", "postgres", "valkey"), _spec("worker", "valkey"), _spec("valkey"), _spec("postgres")]
    assert [[s.name for s in layer] for layer in layers(specs)] == [["valkey", "postgres"], ["api", "worker"]]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30))
def test_every_child_comes_after_those_it_depends_on(edges: list[tuple[int, int]]) -> None:
    specs = [_spec(str(i), *sorted({str(b) for a, b in edges if a == i and b < i})) for i in range(10)]
    names = [spec.name for spec in in_order(list(reversed(specs)))]
    assert all(names.index(dep) < names.index(spec.name) for spec in specs for dep in spec.depends_on)


def test_a_circle_is_refused() -> None:
    with pytest.raises(ConfigError, match="circle: a, b"):
        layers([_spec("a", "b"), _spec("b", "a"), _spec("c")])


def test_an_unknown_dependency_is_refused() -> None:
    with pytest.raises(ConfigError, match="'postgers'"):
        layers([_spec("api", "postgers")])


@given(st.integers(1, 200), st.floats(0, 1))
def test_waits_grow_and_stay_bounded(failures: int, draw: float) -> None:
    policy = RestartPolicy(initial_s=0.2, longest_s=30, jitter=0.25)
    wait = policy.wait(failures, draw)
    middle = policy.wait(failures, 0.5)
    assert 0.15 <= wait <= 37.5
    assert policy.wait(failures + 1, 0.5) >= middle
    assert abs(wait - middle) <= 0.25 * middle + 1e-9


def test_a_start_may_take_as_long_as_the_children_that_wait_for_each_other() -> None:
    cameras = ChildSpec("cameras", _none, ready_timeout_s=180)
    worker = ChildSpec("worker", _none, depends_on=("cameras",), ready_timeout_s=120)
    assert 300 <= start_limit([cameras, worker, _spec("valkey")]) <= 360
