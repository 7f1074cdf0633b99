"""Deletions of evidence: marked first, then the object goes, then the proof is written. Rows that are proven stay.

A mark without a proof says that its object may be gone already: whoever sweeps next ends what was begun.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, func, insert, select, update

from governance import audit, custody
from governance.custody import Act, Piece
from governance.proofs import Proof, ProofFault, SignedProof, check, sign
from governance.signing import Signer
from governance.tables import audit_log, evidence_deletions
from store.database import at

WHO = "retention"
_d, _a = evidence_deletions.c, audit_log.c


@dataclass(frozen=True, slots=True)
class Mark:
    """An object that is to go.

    Attributes:
        rule: in one line.
        policy_sha256: of which policy.
        kept_from_utc: from when its days counted, s since 1970.
    """

    key: str
    sha256: str
    size: int
    media_type: str
    retention_class: str
    rule: str
    policy_sha256: str
    kept_from_utc: float


def mark(connection: Connection, marks: Iterable[Mark], now: float) -> None:
    """Says what is to go; in the transaction that decided it."""
    rows = [
        {
            "key": one.key,
            "sha256": one.sha256,
            "size": one.size,
            "media_type": one.media_type,
            "class": one.retention_class,
            "rule": one.rule,
            "policy_sha256": one.policy_sha256,
            "kept_from": at(one.kept_from_utc),
            "marked": at(now),
        }
        for one in marks
    ]
    if rows:
        connection.execute(insert(evidence_deletions), rows)


def marked(connection: Connection, keys: Collection[str] | None = None) -> list[Mark]:
    """What is marked and not proven; of these keys, or all."""
    query = select(evidence_deletions).where(_d.deleted.is_(None)).order_by(_d.id)
    if keys is not None:
        query = query.where(_d.key.in_(keys))
    return [_mark(row) for row in connection.execute(query)]


def unmark(connection: Connection, key: str) -> None:
    """It stays after all; its object has to be there."""
    connection.execute(delete(evidence_deletions).where(_d.key == key, _d.deleted.is_(None)))


def prove(connection: Connection, one: Mark, pieces: Collection[Piece], signer: Signer, now: float) -> SignedProof:
    """Writes the proof that the object is gone, with its lines of audit chain and custody.

    Args:
        pieces: whose it was: of whichever events, cases and verdicts.
    """
    events = tuple(sorted({piece.event_id for piece in pieces if piece.event_id}))
    cases = tuple(sorted({piece.case_id for piece in pieces if piece.case_id is not None}))
    verdicts = tuple(sorted({piece.verdict_id for piece in pieces if piece.verdict_id is not None}))
    items = tuple(sorted({piece.item_id for piece in pieces if piece.item_id is not None}))
    proof = Proof(
        key=one.key,
        sha256=one.sha256,
        size=one.size,
        media_type=one.media_type,
        events=events,
        cases=cases,
        verdicts=verdicts,
        items=items,
        retention_class=one.retention_class,
        rule=one.rule,
        policy_sha256=one.policy_sha256,
        kept_from_utc=one.kept_from_utc,
        deleted_utc=now,
        algorithm=signer.algorithm,
        public_key=signer.public,
    )
    signed = sign(proof, signer)
    values = {"deleted": at(now), "proof": signed.proof, "signature": signed.signature, "proof_sha256": signed.sha256}
    change = update(evidence_deletions).where(_d.key == one.key, _d.deleted.is_(None))
    connection.execute(change.values(values))
    for owner in sorted({piece.owner for piece in pieces}, key=str):
        mine = [piece for piece in pieces if piece.owner == owner]
        what: dict[str, object] = {owner[0]: owner[1], "key": one.key, "sha256": one.sha256, "size": one.size}
        what |= {"class": one.retention_class, "rule": one.rule, "policy": one.policy_sha256, "proof": signed.sha256}
        told = audit.record(connection, WHO, custody.AUDITED[Act.DELETED], what, now)
        custody.note(connection, told, Act.DELETED, mine, one.rule)
    return signed


def proofs_of(connection: Connection, keys: Collection[str]) -> dict[str, SignedProof]:
    """The newest proof of each of these keys that was deleted."""
    query = select(_d.key, _d.proof, _d.signature).where(_d.key.in_(keys), _d.deleted.is_not(None)).order_by(_d.id)
    return {row.key: SignedProof(proof=row.proof, signature=row.signature) for row in connection.execute(query)}


def verify(connection: Connection) -> int:
    """Checks every proof's signature, that it says what its row says, and that the audit chain tells of it.

    Returns:
        How many there are.

    Raises:
        ProofFault: names the first object whose proof does not hold.
    """
    told = exists().where(_a.action == custody.AUDITED[Act.DELETED], _a.what["proof"].astext == _d.proof_sha256)
    query = select(evidence_deletions, told.label("told")).where(_d.deleted.is_not(None)).order_by(_d.id)
    count = 0
    for row in connection.execute(query):
        signed = SignedProof(proof=row.proof, signature=row.signature)
        proof = check(signed)
        same = (proof.key, proof.sha256, proof.size, at(proof.deleted_utc)) == (
            row.key,
            row.sha256,
            row.size,
            row.deleted,
        )
        if not same or signed.sha256 != row.proof_sha256 or not row.told:
            raise ProofFault(f"the proof that {row.key} was deleted does not fit its row or the audit chain")
        count += 1
    _none_removed(connection)
    return count


def _none_removed(connection: Connection) -> None:
    kept = exists().where(_d.proof_sha256 == _a.what["proof"].astext)
    query = select(func.min(_a.id)).where(_a.action == custody.AUDITED[Act.DELETED], ~kept)
    if (line := connection.execute(query).scalar_one()) is not None:
        raise ProofFault(f"the proof of deletion that audit line {line} names was removed")


def _mark(row: Row[Any]) -> Mark:
    return Mark(
        row.key,
        row.sha256,
        row.size,
        row.media_type,
        row._mapping["class"],
        row.rule,
        row.policy_sha256,
        row.kept_from.timestamp(),
    )
