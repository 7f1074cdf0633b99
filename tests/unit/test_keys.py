"""Names on the bus: what one space calls its own is never another's."""

from __future__ import annotations

import pytest

from contracts.errors import ConfigError
from store.keys import Keys


def _names(keys: Keys) -> list[str]:
    plain = [value for name, value in vars(keys).items() if not name.startswith("_")]
    of = [keys.records, keys.watch, keys.live, keys.trace, keys.proposals, keys.assignment, keys.lane, keys.state]
    return [*plain, *(name("x") for name in of), keys.subscription(1)]


def test_a_name_in_one_space_is_in_no_other() -> None:
    spaces = [_names(Keys(space)) for space in ("", "lane-1", "lane-12", "pool")]
    every = [name for names in spaces for name in names]
    assert len(set(every)) == len(every)
    assert all(name.startswith(Keys("lane-1").everything()[:-1]) for name in spaces[1])
    assert not any(
        name.startswith(Keys("lane-1").everything()[:-1]) for names in (spaces[0], *spaces[2:]) for name in names
    )


def test_the_citys_names_are_those_of_every_release() -> None:
    assert (Keys().records("worker-1"), Keys().events, Keys().pool) == ("cv:records:worker-1", "cv:events", "cv:pool")


@pytest.mark.parametrize("space", ["Lane", "lane:1", "1", "a" * 33, "lane*", "-a"])
def test_a_space_that_could_mean_another_name_is_refused(space: str) -> None:
    with pytest.raises(ConfigError, match="space"):
        Keys(space)


def test_the_city_is_never_given_up_as_a_whole() -> None:
    with pytest.raises(ConfigError, match="never given up"):
        Keys().everything()
