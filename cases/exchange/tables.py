"""The tables of the exchange with the city's existing platform. Times are timestamptz."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from store.database import metadata

_UTC = DateTime(timezone=True)

exchange_cases = Table(
    "exchange_cases",
    metadata,
    Column("case_id", BigInteger, ForeignKey("cases.id"), primary_key=True),
    Column("theirs", Text, nullable=False, server_default="", comment="their own number of it"),
    Column("seq", BigInteger, nullable=False, server_default="0", comment="the newest of their changes taken"),
)

exchange_outbox = Table(
    "exchange_outbox",
    metadata,
    Column("case_id", BigInteger, ForeignKey("exchange_cases.case_id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("again", Integer, nullable=False, server_default="0", comment="told once more by a repair"),
    Column("body", JSONB, nullable=False, comment="in their words"),
    Column("created", _UTC, nullable=False),
    Column("due", _UTC, nullable=False, comment="of the next attempt"),
    Column("state", Text, nullable=False, server_default="waiting", comment="waiting, told or refused"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("done", _UTC),
    Column("error", Text, nullable=False, server_default="", comment="of the newest attempt"),
    Index("ix_exchange_outbox_waiting", "case_id", "revision", postgresql_where="state = 'waiting'"),
)

exchange_callbacks = Table(
    "exchange_callbacks",
    metadata,
    Column("message", Text, primary_key=True, comment="webhook-id"),
    Column("case_id", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("stamp", BigInteger, nullable=False, comment="newest webhook-timestamp it came with"),
    Column("sha256", Text, nullable=False, comment="of its body"),
    Column("outcome", Text, nullable=False, comment="done, nothing or older"),
    Column("at", _UTC, nullable=False),
    Index("ix_exchange_callbacks_case", "case_id"),
)
