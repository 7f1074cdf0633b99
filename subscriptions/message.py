"""What a subscriber gets: CloudEvents 1.0 in structured JSON mode, several of them as a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import orjson

SOURCE = "urn:cityvision:events"
ONE = "application/cloudevents+json; charset=utf-8"
MANY = "application/cloudevents-batch+json; charset=utf-8"


class Told(NamedTuple):
    """One transition on its way.

    Attributes:
        id: of the delivery, the same at every attempt.
        number: place in the subscriber's order; the next one has a higher number.
        event: the JSON of `contracts.records.Event`.
        utc: when it happened, s since 1970 UTC.
    """

    id: str
    number: int
    event_id: str
    transition: str
    utc: float
    event: bytes


class Message(NamedTuple):
    """Ready to be sent. `number` is that of its first transition."""

    id: str
    number: int
    content_type: str
    body: bytes


def message(subscription: int, told: Sequence[Told], *, grouped: bool) -> Message:
    """The message for one transition, or for a group (always a batch, also with one in it).

    Its id is the delivery's; a group's is a function of those in it.
    """
    bodies = [_event(subscription, one) for one in told]
    if not grouped:
        return Message(told[0].id, told[0].number, ONE, bodies[0])
    digest = hashlib.sha256("/".join(one.id for one in told).encode()).hexdigest()[:32]
    return Message(f"grp_{digest}", told[0].number, MANY, b"[%s]" % b",".join(bodies))


def test_message(subscription: int, id_: str, utc: float) -> Message:
    """A message that says nothing but that it is a test."""
    body = {
        "specversion": "1.0",
        "id": id_,
        "source": SOURCE,
        "type": "cityvision.test",
        "time": _time(utc),
        "datacontenttype": "application/json",
        "subscription": str(subscription),
        "data": {"zh": "这是一条测试消息。", "en": "This is a test."},
    }
    return Message(id_, 0, ONE, orjson.dumps(body))


def _event(subscription: int, told: Told) -> bytes:
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": told.id,
            "source": SOURCE,
            "type": f"cityvision.event.{told.transition}",
            "subject": told.event_id,
            "time": _time(told.utc),
            "datacontenttype": "application/json",
            "subscription": str(subscription),
            # The extension `sequence` is compared as text, hence the zeros.
            "sequence": f"{told.number:019d}",
            "data": orjson.Fragment(told.event),
        }
    )


def _time(utc: float) -> str:
    return datetime.fromtimestamp(utc, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
