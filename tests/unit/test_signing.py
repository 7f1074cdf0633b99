"""Signatures that come in: written by the official package, and by those who do not know the secret."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from contracts.errors import NotAuthenticated
from contracts.signing import TOLERANCE_S, is_secret, new_secret, signed, verified

NOW = 1_780_000_000
OURS, OLD = new_secret(), new_secret()


def official(id_: str, body: str, key: str = OURS) -> dict[str, str]:
    signature = Webhook(key).sign(id_, datetime.fromtimestamp(NOW, UTC), body)
    return {"webhook-id": id_, "webhook-timestamp": str(NOW), "webhook-signature": signature}


def test_what_the_official_package_signs_is_taken() -> None:
    assert verified(official("m1", '{"a":1}'), b'{"a":1}', [OURS], NOW + 10) == ("m1", NOW)
    assert verified(official("m1", "x", OLD), b"x", [OURS, OLD], NOW)[0] == "m1", "while secrets are rotated"
    both = signed("m2", NOW, b"x", [new_secret(), OURS])
    assert verified(both, b"x", [OURS], NOW)[0] == "m2"


@pytest.mark.parametrize(
    ("change", "body", "now", "field"),
    [
        ({}, b"y", NOW, "webhook-signature"),
        ({"webhook-id": "m9"}, b"x", NOW, "webhook-signature"),
        ({"webhook-timestamp": str(NOW + 1)}, b"x", NOW, "webhook-signature"),
        ({"webhook-signature": "v1,AAAA v1a,\u00e9"}, b"x", NOW, "webhook-signature"),
        ({"webhook-signature": ""}, b"x", NOW, "webhook-signature"),
        ({}, b"x", NOW + TOLERANCE_S + 1, "webhook-timestamp"),
        ({}, b"x", NOW - TOLERANCE_S - 1, "webhook-timestamp"),
        ({"webhook-timestamp": "now"}, b"x", NOW, "webhook-timestamp"),
        ({"webhook-id": ""}, b"x", NOW, "webhook-id"),
        ({"webhook-id": "x" * 201}, b"x", NOW, "webhook-id"),
    ],
)
def test_what_is_refused_and_which_header_is_named(change: dict[str, str], body: bytes, now: float, field: str) -> None:
    with pytest.raises(NotAuthenticated, match=field):
        verified(official("m1", "x") | change, body, [OURS], now)


def test_secrets_that_are_none() -> None:
    assert is_secret(new_secret())
    assert not any(is_secret(text) for text in ("", "whsec_", "whsec_???", "whsec_c2hvcnQ=", new_secret()[6:]))
