"""Evidence packages: what leaves the system as proof, and how anybody can check it without the system.

A ZIP of the pictures and clips byte for byte as they were hashed when they were captured, what the event said, who
touched it, and a signed manifest that names every file with its SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
import zlib
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from pydantic import Field, TypeAdapter, ValidationError

from contracts.errors import StoreError
from contracts.records import Contract
from governance.proofs import ProofFault, SignedProof
from governance.proofs import check as check_proof
from governance.signing import Signer, verify

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
DELETIONS = "deletions.json"
"""Where it is there: `SignedProof`s of what was deleted by policy, as a JSON list."""
_MAX_MANIFEST = 4 << 20
_PIECE = 1 << 20
# Bytes of a ZIP (APPNOTE 4.3) besides names and contents: before each entry, of each in the list, and of its end.
_ENTRY, _LISTED, _END = 30, 46, 22
_PROOFS = TypeAdapter(list[SignedProof])


class PackageFault(StoreError):
    """The package is not what was signed; the message names the first file that does not fit."""


class Absent(Contract):
    """Evidence that the event refers to and whose bytes are not in the package."""

    sha256: str
    role: str
    why: str


class PackedFile(Contract):
    """One file of a package."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$", max_length=200)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0)
    what: str = ""


class Manifest(Contract):
    """What is signed.

    Attributes:
        exported_by, exported_utc, purpose: who took it out, when (s since 1970) and what for.
        public_key: base64, of the installation that signed.
    """

    version: Literal[1] = 1
    event: str
    exported_by: str
    exported_utc: float
    purpose: str
    algorithm: str
    public_key: str
    files: tuple[PackedFile, ...]
    absent: tuple[Absent, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """A file to be packed.

    Attributes:
        pieces: its bytes, in order; read once, one at a time.
        what: is said of it in the manifest.
        sha256: what it was hashed to at capture; None: it was made for this package.
    """

    name: str
    pieces: Iterable[bytes]
    what: str = ""
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Packed:
    """A package that was written: what was signed, and the SHA-256 of the signed bytes (`manifest.json`)."""

    manifest: Manifest
    sha256: str


def write(
    target: IO[bytes],
    event: str,
    contents: Iterable[Content],
    who: str,
    purpose: str,
    now: float,
    signer: Signer,
    absent: Sequence[Absent] = (),
) -> Packed:
    """Packs and signs. Pictures and clips are compressed already, so nothing is again.

    Args:
        target: can be sought in; worthless where this raises.
        now: s since 1970 UTC.

    Raises:
        PackageFault: bytes are not those that were hashed at capture: nothing is signed that was altered since.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        files = tuple(_pack(packed, content, now) for content in contents)
        manifest = Manifest(
            event=event,
            exported_by=who,
            exported_utc=now,
            purpose=purpose,
            algorithm=signer.algorithm,
            public_key=signer.public,
            files=files,
            absent=tuple(absent),
        )
        told = json.dumps(manifest.model_dump(mode="json"), ensure_ascii=False, indent=1, sort_keys=True).encode()
        packed.writestr(_entry(MANIFEST, now), told)
        packed.writestr(_entry(SIGNATURE, now), signer.sign(told))
    return Packed(manifest, hashlib.sha256(told).hexdigest())


def _pack(packed: zipfile.ZipFile, content: Content, now: float) -> PackedFile:
    digest, size = hashlib.sha256(), 0
    with packed.open(_entry(content.name, now), "w") as file:
        for piece in content.pieces:
            file.write(piece)
            digest.update(piece)
            size += len(piece)
    if content.sha256 not in (None, digest.hexdigest()):
        raise PackageFault(f"{content.name} is not what was captured: its bytes were altered in the object store")
    return PackedFile(name=content.name, sha256=digest.hexdigest(), size=size, what=content.what)


def _entry(name: str, now: float) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, time.gmtime(now)[:6])


def check(package: Path, key: str | None = None) -> Manifest:
    """Whether a package is what was signed.

    Args:
        key: public key (base64) that it has to be signed with; None: with the one that it names, which shows that
            nothing was changed since, but not by whom it was made.

    Raises:
        PackageFault: names the first file that was altered, is missing or was added, or what else does not fit.
        ConfigError: the signature's algorithm is not known here, or `key` is no key.
    """
    try:
        with zipfile.ZipFile(package) as packed:
            _require_nothing_beside(packed, package.stat().st_size)
            manifest = _check(packed, key)
            if any(file.name == DELETIONS for file in manifest.files):
                _check_deletions(packed, {one.sha256 for one in manifest.absent})
            return manifest
    except (OSError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error) as error:
        raise PackageFault(f"{package.name} cannot be read as a package: {error}") from error


def _require_nothing_beside(packed: zipfile.ZipFile, size: int) -> None:
    """Raises PackageFault: the file of `size` bytes is more than its entries one behind the other, and their list."""
    entries = sorted(packed.infolist(), key=lambda entry: entry.header_offset)
    plain = not packed.comment and all(
        entry.compress_type == zipfile.ZIP_STORED and not entry.extra and not entry.comment for entry in entries
    )
    end = 0
    for entry in entries:
        plain = plain and entry.header_offset == end
        end += _ENTRY + len(entry.orig_filename.encode()) + entry.compress_size
    listed = sum(_LISTED + len(entry.orig_filename.encode()) for entry in entries) + _END
    if not plain or size != end + listed:
        raise PackageFault("something that is not signed stands beside the files")


def _check(packed: zipfile.ZipFile, key: str | None) -> Manifest:
    names = packed.namelist()
    for needed in (MANIFEST, SIGNATURE):
        if names.count(needed) != 1 or packed.getinfo(needed).file_size > _MAX_MANIFEST:
            raise PackageFault(f"{needed} is missing, doubled or too large")
    told, signature = packed.read(MANIFEST), packed.read(SIGNATURE)
    try:
        manifest = Manifest.model_validate_json(told)
    except ValidationError as error:
        raise PackageFault(f"{MANIFEST} cannot be read: {error.errors()[0]['msg']}") from error
    if key is not None and key != manifest.public_key:
        raise PackageFault("it is signed by another key than the one it was checked against")
    if not verify(manifest.algorithm, manifest.public_key, signature, told):
        raise PackageFault(f"{MANIFEST} was altered: its signature does not fit")
    listed = [file.name for file in manifest.files]
    for name in names:
        if name not in (*listed, MANIFEST, SIGNATURE) or names.count(name) != 1:
            raise PackageFault(f"{name} was added")
    for file in manifest.files:
        if file.name not in names:
            raise PackageFault(f"{file.name} is missing")
        if packed.getinfo(file.name).file_size != file.size or _hashed(packed, file.name) != file.sha256:
            raise PackageFault(f"{file.name} was altered")
    return manifest


def _check_deletions(packed: zipfile.ZipFile, absent: Set[str]) -> None:
    """Raises PackageFault: a proof does not hold, or is of something that is not named as absent."""
    if packed.getinfo(DELETIONS).file_size > _MAX_MANIFEST:
        raise PackageFault(f"{DELETIONS} is too large")
    try:
        proofs = [check_proof(one) for one in _PROOFS.validate_json(packed.read(DELETIONS))]
    except ValidationError as error:
        raise PackageFault(f"{DELETIONS} cannot be read: {error.errors()[0]['msg']}") from error
    except ProofFault as error:
        raise PackageFault(f"{DELETIONS}: {error.message}") from error
    if strange := [proof.key for proof in proofs if proof.sha256 not in absent]:
        raise PackageFault(f"{DELETIONS}: {strange[0]} is not named as absent")


def _hashed(packed: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with packed.open(name) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
