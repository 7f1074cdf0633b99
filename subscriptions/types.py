"""Subscriptions as people write them, and what the log shows. Times are s since 1970 UTC."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from pydantic import Field, field_validator, model_validator

from contracts.hours import Hours
from contracts.records import Contract, Severity, Transition

_LINE = r"^[^\x00-\x1f\x7f]+$"
Ids = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=160, pattern=_LINE)], ...], Field(max_length=500)]
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=_LINE)]
Utc = Annotated[float, Field(ge=0, le=1e11)]
Note = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
# Whoever may write a subscription must not get at the cameras' passwords by naming them.
Credential = Annotated[
    str, Field(pattern=r"^delivery-[a-z0-9_-]{1,50}$", description="entry of the secrets file; its name begins so")
]
Kind = Literal["webhook", "mqtt", "stream", "sse"]


class State(StrEnum):
    """Of one delivery. All but `PENDING` are ends; replay and redrive make it pending again."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"  # given up: see the retry policy
    WITHHELD = "withheld"  # the department may not see the event (any more)
    SILENCED = "silenced"  # a silence was in force
    SUPPRESSED = "suppressed"  # within the cooldown of one that was delivered


class Wanted(Contract):
    """Which events; an empty list means any.

    Attributes:
        zones: zone ids, or camera/zone where only that one is meant.
        hours: when the transition happened; None: round the clock.
    """

    types: Ids = ()
    zones: Ids = ()
    grids: Ids = ()
    cameras: Ids = ()
    severities: tuple[Severity, ...] = ()
    transitions: tuple[Transition, ...] = ()
    hours: Hours | None = None


class Webhook(Contract):
    """HTTP POST, signed as Standard Webhooks says. `credentials` names a user and password for HTTP Basic."""

    kind: Literal["webhook"] = "webhook"
    url: str = Field(max_length=2000)
    credentials: Credential | None = None

    @field_validator("url")
    @classmethod
    def _check(cls, value: str) -> str:
        return checked_url(value, ("https", "http"))


class Mqtt(Contract):
    """MQTT 5, QoS 1."""

    kind: Literal["mqtt"] = "mqtt"
    url: str = Field(max_length=2000, description="mqtt[s]://host:port")
    topic: str = Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f+#]+$")
    credentials: Credential | None = None

    @field_validator("url")
    @classmethod
    def _check(cls, value: str) -> str:
        return checked_url(value, ("mqtts", "mqtt"))


class Stream(Contract):
    """XADD to a Redis Stream of bounded length; `url` None: the installation's own server, under a key of ours."""

    kind: Literal["stream"] = "stream"
    url: str | None = Field(None, max_length=2000, description="redis[s]://host:port/db")
    key: str | None = Field(None, min_length=1, max_length=200, pattern=r"^[^\x00-\x20\x7f]+$")
    length: int = Field(10_000, ge=1, le=1_000_000, description="about how many entries it keeps")
    credentials: Credential | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.url is None:
            if self.key is not None or self.credentials is not None:
                raise ValueError("key and credentials go with an url; the installation's own server needs neither")
            return self
        checked_url(self.url, ("rediss", "redis"))
        if self.key is None:
            raise ValueError("an url needs a key to append to")
        return self


class Sse(Contract):
    """Fetched by the subscriber as server-sent events, from the place where it left off."""

    kind: Literal["sse"] = "sse"


Channel = Annotated[Webhook | Mqtt | Stream | Sse, Field(discriminator="kind")]


class Grouping(Contract):
    """Events of `window_s` seconds in one message (CloudEvents batch), those with the same `by` together."""

    by: Literal["all", "type", "camera", "grid"] = "all"
    window_s: float = Field(gt=0, le=3600)


class RetryPolicy(Contract):
    """What happens to a delivery that failed.

    Attributes:
        delays_s: before the second attempt, the third, …; the last one is repeated.
        jitter: each delay is longer by a random share of up to this.
        max_attempts, max_age_s: after either of them it is dead (it has been tried once in any case).
        permanent: HTTP statuses that mean "never this one": dead at once, and on with the next.
    """

    delays_s: tuple[Annotated[float, Field(ge=0.05, le=86_400)], ...] = Field(
        (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0), min_length=1, max_length=30
    )
    jitter: float = Field(0.2, ge=0, le=1)
    max_attempts: int = Field(1000, ge=1, le=100_000)
    max_age_s: float = Field(3 * 86_400.0, gt=0, le=30 * 86_400)
    permanent: tuple[Annotated[int, Field(ge=400, le=599)], ...] = (400, 413, 415, 422)


class NewSubscription(Contract):
    """What its owner writes.

    Attributes:
        cooldown_s: after a delivery, other events of the same type at the same camera and zone are not told for so
            long; what goes on of an event already told always is.
        enabled: off: nothing is collected. To collect and hold, pause it.
    """

    department: str = Field(min_length=1, max_length=64, pattern=_LINE)
    name: Name
    wanted: Wanted = Wanted()
    channel: Channel
    retry: RetryPolicy = RetryPolicy()
    cooldown_s: float = Field(0.0, ge=0, le=7 * 86_400)
    grouping: Grouping | None = None
    enabled: bool = True

    @model_validator(mode="after")
    def _sent(self) -> Self:
        if self.channel.kind == "sse" and (self.cooldown_s or self.grouping is not None):
            raise ValueError("cooldown_s and grouping are for what is sent; this is fetched by the subscriber")
        return self


class Subscription(NewSubscription):
    """As it stands.

    Attributes:
        paused: why nothing is sent at present; what comes meanwhile waits.
        failing_since: since when each attempt failed; None: the last one succeeded.
        failures: attempts that failed in a row.
        last_error: of the newest failure.
        waiting: deliveries not made yet.
        secrets: how many signing secrets are in force.
    """

    id: int
    owner: str
    revision: int
    created_utc: float
    updated_utc: float
    paused: str | None = None
    failing_since: float | None = None
    failures: int = 0
    last_error: str = ""
    waiting: int = 0
    secrets: int = 0


class Delivery(Contract):
    """One line of the log: one transition for one subscriber. `number` is its place in the subscriber's order."""

    id: str
    number: int
    event_id: str
    seq: int
    state: State
    attempts: int
    created_utc: float
    done_utc: float | None


class Attempt(Contract):
    """One attempt: how long it took, the status where the channel has one, and what was said. No delivery: a test."""

    delivery: str | None
    utc: float
    took_ms: float
    outcome: Literal["delivered", "failed", "dead", "test_delivered", "test_failed"]
    status: int | None
    detail: str


class Acknowledgement(Contract):
    """Somebody of a department has seen an event. It is no silence: what follows is told all the same."""

    department: str
    who: str
    note: str
    utc: float


class NewSilence(Contract):
    """Events that begin from `from_utc` until `until_utc` and match are not delivered, but counted.

    `subscription` None: for all of the department's own.
    """

    department: str = Field(min_length=1, max_length=64, pattern=_LINE)
    subscription: int | None = Field(None, ge=1, le=2**62)
    wanted: Wanted = Wanted()
    note: Note = ""
    from_utc: Utc
    until_utc: Utc

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if not 1 <= self.until_utc - self.from_utc <= 90 * 86_400:
            raise ValueError("a silence lasts a second at least, and 90 days at most")
        return self


class Silence(NewSilence):
    """`hidden`: how many deliveries it has held back."""

    id: int
    who: str
    hidden: int = 0


def checked_url(value: str, schemes: tuple[str, ...]) -> str:
    """`value`, in ASCII, if it is an address of one of `schemes` with a host and without credentials; raises
    ValueError."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise ValueError("not an address") from error
    if parts.scheme not in schemes:
        raise ValueError(f"the scheme is not one of {', '.join(schemes)}")
    if not parts.hostname or port == 0 or re.search(r"[\x00-\x20\x7f]", value):
        raise ValueError("it names no host")
    if "@" in parts.netloc:
        raise ValueError("user and password do not stand in the address; name them under credentials")
    try:
        host = parts.hostname.encode("idna").decode()
    except UnicodeError as error:
        raise ValueError("its host is no name; write labels of 1 to 63 letters") from error
    return value if value.isascii() else _in_ascii(parts, host, port)


def _in_ascii(parts: SplitResult, host: str, port: int | None) -> str:
    """An address as it can be sent: what is escaped already stays."""
    netloc = (f"[{host}]" if ":" in host else host) + ("" if port is None else f":{port}")
    path, query = (quote(one, safe="/%:@!$&'()*+,;=?") for one in (parts.path, parts.query))
    return urlunsplit((parts.scheme, netloc, path, query, ""))
