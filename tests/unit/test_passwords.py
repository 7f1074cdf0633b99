"""How passwords are kept, and which are good enough."""

from __future__ import annotations

import runpy

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from contracts.errors import ConfigError
from governance import passwords


def test_it_costs_what_rfc_9106_recommends() -> None:
    # Read anew: tests that log in make it cheap in this process.
    shipped = runpy.run_path(str(passwords.__file__))["HASHER"]
    costs = extract_parameters(shipped.hash("correct horse battery staple"))
    assert costs.type is Type.ID
    assert (costs.time_cost, costs.memory_cost, costs.parallelism) == (3, 64 * 1024, 1)
    assert (costs.salt_len, costs.hash_len) == (16, 32)


def test_what_was_hashed_at_other_costs_is_outdated() -> None:
    today = passwords.hash_password("correct horse battery staple")
    assert not passwords.outdated(today)
    assert passwords.outdated(today.replace(",p=1$", ",p=2$"))


@pytest.mark.parametrize("new", ["short", "the old one!", "aaaaaaaaaaaa", "admin123456", "x" * 1025, "wang2026202620"])
def test_what_is_no_good_is_refused_with_its_reason(new: str) -> None:
    with pytest.raises(ConfigError) as caught:
        passwords.require_good("wang", "the old one!", new)
    assert caught.value.fix
    passwords.require_good("wang", "the old one!", "quiet harbour 71")
