"""The tables of this room. Times are timestamptz."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from store.database import metadata

_UTC = DateTime(timezone=True)

users = Table(
    "users",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False, unique=True, comment="lower case"),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False, comment="argon2id, with its salt and cost"),
    Column("must_change_password", Boolean, nullable=False),
    Column("created", _UTC, nullable=False, server_default=func.now()),
    Column("department", Text, comment="whose eyes they have; null: nobody's"),
    Column("disabled", _UTC, comment="since when nobody can log in with it"),
    Column("display_name", Text, nullable=False, server_default="", comment="what people call them"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", Text, primary_key=True, comment="SHA-256 of the token, hex"),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created", _UTC, nullable=False),
    Column("expires", _UTC, nullable=False, index=True),
    Column("last_seen", _UTC, nullable=False, comment="to the minute"),
    Column("second_factor", Text, nullable=False, comment="none, due, done, provider"),
)

user_totp = Table(
    "user_totp",
    metadata,
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("secret", Text, nullable=False, comment="base32, sealed"),
    Column("created", _UTC, nullable=False),
    Column("confirmed", _UTC, comment="in force since; null: no code has shown yet that the owner has it"),
    Column("last_step", BigInteger, comment="newest step of 30 s whose code was used: no code counts twice"),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("code_hash", Text, primary_key=True, comment="SHA-256, hex"),
    Column("used", _UTC),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("department", Text, comment="with whose eyes it sees; null: everybody's"),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("start", Text, nullable=False, comment="first characters, to tell it apart"),
    Column("key_hash", Text, nullable=False, unique=True, comment="SHA-256 of the key, hex"),
    Column("owner", Text, nullable=False, comment="who made it"),
    Column("created", _UTC, nullable=False),
    Column("expires", _UTC, nullable=False),
    Column("last_used", _UTC, comment="to the minute"),
    Column("revoked", _UTC),
    Column("revoked_by", Text),
)

oidc_identities = Table(
    "oidc_identities",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True, comment="who it is there, for good"),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created", _UTC, nullable=False),
    Column("last_login", _UTC),
)

# Also for names nobody has: whether an account exists must not show in how failures are answered.
login_failures = Table(
    "login_failures",
    metadata,
    Column(
        "name_hash", Text, primary_key=True, comment="SHA-256 of the lower-case name: it may be a mistyped password"
    ),
    Column("failures", Integer, nullable=False, comment="in a row"),
    Column("last", _UTC, nullable=False),
    Index("ix_login_failures_last", "last"),
)

# Append-only by trigger; see migration 0003.
audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", _UTC, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("what", JSONB, nullable=False),
    Column("previous_hash", Text, nullable=False, comment="of the line before; 64 zeros for the first"),
    Column("hash", Text, nullable=False, comment="SHA-256, see governance.audit.line_hash"),
    Index("ix_audit_log_at", "at"),
)

# Append-only by trigger; see migrations 0014 and 0024. Events and evidence may go; what was done with them stays.
evidence_custody = Table(
    "evidence_custody",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", _UTC, nullable=False),
    Column("event_id", Text, comment="null of pictures that belong to a case"),
    Column("case_id", BigInteger, comment="of pictures that belong to a case"),
    Column("verdict_id", BigInteger, comment="of the picture on which a missed event was drawn"),
    Column("item_id", BigInteger, comment="of a picture collected from a stream"),
    Column("sha256", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("act", Text, nullable=False, comment="captured, viewed, exported, held, released or deleted"),
    Column("kind", Text, nullable=False, comment="which form of it was viewed"),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("audit_id", BigInteger, comment="its line in audit_log; captured: null"),
    Index("ix_evidence_custody_event", "event_id", "id"),
    Index("ix_evidence_custody_case", "case_id", "id"),
    Index("ix_evidence_custody_verdict", "verdict_id", "id"),
    Index("ix_evidence_custody_item", "item_id", "id"),
    Index("ix_evidence_custody_audit", "audit_id"),
    CheckConstraint("num_nonnulls(event_id, case_id, verdict_id, item_id) = 1", name="of_one"),
    Index(
        "uq_evidence_custody_captured",
        "event_id",
        "sha256",
        "role",
        unique=True,
        postgresql_where=text("act = 'captured'"),
    ),
    Index(
        "uq_evidence_custody_case_captured",
        "case_id",
        "sha256",
        "role",
        unique=True,
        postgresql_where=text("act = 'captured' AND case_id IS NOT NULL"),
    ),
    Index(
        "uq_evidence_custody_verdict_captured",
        "verdict_id",
        "sha256",
        "role",
        unique=True,
        postgresql_where=text("act = 'captured' AND verdict_id IS NOT NULL"),
    ),
    Index(
        "uq_evidence_custody_item_captured",
        "item_id",
        "sha256",
        "role",
        unique=True,
        postgresql_where=text("act = 'captured' AND item_id IS NOT NULL"),
    ),
)

evidence_holds = Table(
    "evidence_holds",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", Text, comment="of one event"),
    Column("case_id", BigInteger, comment="of all events of a case"),
    Column("reason", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set", _UTC, nullable=False),
    Column("released_by", Text),
    Column("released", _UTC, comment="null while it stands"),
    Column("release_reason", Text, nullable=False, server_default=""),
    CheckConstraint("num_nonnulls(event_id, case_id) = 1", name="of_one"),
    Index("ix_evidence_holds_event", "event_id"),
    Index("ix_evidence_holds_case", "case_id"),
)

# Rows with a proof cannot be changed, by trigger; see migration 0015.
evidence_deletions = Table(
    "evidence_deletions",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("key", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("class", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("policy_sha256", Text, nullable=False),
    Column("kept_from", _UTC, nullable=False),
    Column("marked", _UTC, nullable=False),
    Column("deleted", _UTC, comment="null: the object may still be there"),
    Column("proof", Text, comment="governance.proofs.Proof as it was signed"),
    Column("signature", Text, comment="base64"),
    Column("proof_sha256", Text, comment="by which the audit chain names it"),
    Index("ix_evidence_deletions_key", "key"),
    Index("uq_evidence_deletions_marked", "key", unique=True, postgresql_where=text("deleted IS NULL")),
)

# Access of one department to what another one's cameras show; see `governance.access`.
grants = Table(
    "grants",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("grantee", Text, nullable=False, comment="department it is given to"),
    Column("owner", Text, nullable=False, comment="department whose cameras it speaks of"),
    Column("cameras", ARRAY(Text), nullable=False, comment="empty: any of the owner's"),
    Column("zones", ARRAY(Text), nullable=False, comment="camera/zone; empty: any"),
    Column("grids", ARRAY(Text), nullable=False, comment="empty: any"),
    Column("types", ARRAY(Text), nullable=False, comment="of events; empty: any"),
    Column("hours", JSONB, comment="working calendar; null: always"),
    Column("actions", ARRAY(Text), nullable=False, comment="event, evidence, live"),
    Column("purpose", Text, nullable=False),
    Column("starts", _UTC, nullable=False),
    Column("expires", _UTC, nullable=False),
    Column("state", Text, nullable=False, comment="asked, approved, refused, revoked"),
    Column("asked_by", Text, nullable=False),
    Column("asked", _UTC, nullable=False),
    Column("decided_by", Text, comment="who approved or refused it"),
    Column("decided", _UTC),
    Column("note", Text, nullable=False, comment="of the decision, or of its end"),
    Column("ended_by", Text, comment="who revoked it"),
    Column("ended", _UTC),
    Index("ix_grants_grantee", "grantee", postgresql_where=text("state = 'approved'")),
    Index("ix_grants_owner", "owner"),
)

# The pool as it stands, kept by triggers on its items (migration 0008), so that these are never behind it.
department_paths = Table(
    "department_paths",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("path", ARRAY(Text), nullable=False, comment="from the highest department down to itself"),
)
camera_places = Table(
    "camera_places",
    metadata,
    Column("camera", Text, primary_key=True),
    Column("department", Text, nullable=False),
    Column("grid", Text, nullable=False),
    Index("ix_camera_places_department", "department"),
)
