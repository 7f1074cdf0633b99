"""Proofs of deletion: what was deleted, by which rule, when, signed by the installation."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Literal

from pydantic import Field, ValidationError

from contracts.errors import StoreError
from contracts.records import Contract
from governance.signing import Signer, verify


class ProofFault(StoreError):
    """A proof of deletion is not what was signed, or does not fit what is kept of it."""


class Proof(Contract):
    """What is signed. Times are s since 1970 UTC.

    Attributes:
        key, sha256, size, media_type: of the object; the SHA-256 is that of its capture.
        events: whose evidence it was.
        cases: whose picture it was.
        verdicts: on what was missed, whose picture it was.
        items: of labelling projects, for which it was collected.
        retention_class, rule, policy_sha256: by what, in one line, and of which policy (`Policy.sha256`).
        kept_from_utc: from when its days counted.
        deleted_utc: when it was gone for certain.
        public_key: base64, of the installation that signed.
    """

    version: Literal[1] = 1
    key: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0)
    media_type: str
    events: tuple[str, ...]
    cases: tuple[int, ...] = ()
    verdicts: tuple[int, ...] = ()
    items: tuple[int, ...] = ()
    retention_class: str
    rule: str
    policy_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    kept_from_utc: float
    deleted_utc: float
    algorithm: str
    public_key: str


class SignedProof(Contract):
    """A proof as text, byte for byte as it was signed, and the signature in base64."""

    proof: str = Field(max_length=100_000)
    signature: str = Field(max_length=1000)

    @property
    def sha256(self) -> str:
        """Of the signed bytes, hex: by this the audit chain names it."""
        return hashlib.sha256(self.proof.encode()).hexdigest()


def sign(proof: Proof, signer: Signer) -> SignedProof:
    """Signs; `proof` names the signer's own algorithm and key."""
    told = json.dumps(proof.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
    return SignedProof(proof=told, signature=base64.b64encode(signer.sign(told.encode())).decode())


def check(signed: SignedProof) -> Proof:
    """What was signed.

    Raises:
        ProofFault: it cannot be read, or its signature does not fit the key that it names.
        ConfigError: the signature's algorithm is not known here.
    """
    try:
        proof = Proof.model_validate_json(signed.proof)
        signature = base64.b64decode(signed.signature, validate=True)
    except (ValidationError, ValueError) as error:
        raise ProofFault(f"a proof of deletion cannot be read: {signed.sha256[:16]}…") from error
    if not verify(proof.algorithm, proof.public_key, signature, signed.proof.encode()):
        raise ProofFault(f"the proof that {proof.key} was deleted was altered: its signature does not fit")
    return proof
