"""`cityvision evidence`: signed packages of an event's evidence: take one out, check one anywhere."""

from __future__ import annotations

import getpass
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import click

from cityvision.commands.evidence_retention import retention_command
from cityvision.database import transaction
from cityvision.installation import reach
from cityvision.object_store import object_store
from cityvision.sealing import existing_seal_key, seal_key
from cityvision.settings import load_settings
from contracts.errors import ConfigError
from governance import package
from governance.signing import Ed25519Signer

_EVENT = re.compile(r"[0-9a-f]{32}")
_BY, _PURPOSE = (1, 120), (4, 500)  # characters
_DATA = click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the running system.")


@click.group(epilog='\b\nExample:\n  cityvision evidence verify evidence-5f0c….zip --key "$(cat city.pub)"')
def command() -> None:
    """Signed packages: take one out, check one anywhere, the key they are signed with. How long evidence is kept."""


command.add_command(retention_command)


@command.command(
    "export",
    epilog='\b\nExample:\n  cityvision evidence export 5f0c… --out evidence.zip --by wang --purpose "复议 2026-17"',
)
@click.argument("event_id")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The ZIP to write; must not exist yet.")
@click.option("--by", required=True, help="Who takes it out; stands in the package and the audit log.")
@click.option("--purpose", required=True, help="What for, 4 to 500 characters; stands there too.")
@_DATA
def export_command(event_id: str, out: Path, by: str, purpose: str, data: Path | None) -> None:
    """Take the evidence of EVENT_ID out: the same package as the event's page makes.

    Everybody who may run this on the city's machine may take everything; the audit log names their account too.
    """
    from api import packaging  # slow to load, and only this needs it

    if not _EVENT.fullmatch(event_id):
        raise ConfigError(f"EVENT_ID: {event_id!r} is no id of an event", "write the 32 hex digits its page shows")
    for name, text, (least, most) in (("--by", by, _BY), ("--purpose", purpose, _PURPOSE)):
        if not least <= len(text.strip()) <= most:
            raise ConfigError(f"{name}: {len(text.strip())} characters", f"write {least} to {most}")
    settings = reach(load_settings(data=data))
    objects, signer = object_store(settings), Ed25519Signer(existing_seal_key(settings))
    via = f"command line of {getpass.getuser()}"
    with _appearing(out) as target, transaction(settings) as connection:
        taker = packaging.Taker(by.strip(), purpose.strip(), via=via)
        packed = packaging.export(connection, objects, signer, event_id, taker, target)
    for missing in packed.manifest.absent:
        click.echo(f"  absent: {missing.sha256[:16]}… {missing.role}: {missing.why}")
    click.echo(f"{out}: {len(packed.manifest.files)} files; SHA-256 of what is signed {packed.sha256}")


@contextmanager
def _appearing(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears whole under its name when the block ends well, and otherwise not at all.

    Raises:
        ConfigError: it is there already, or cannot be written.
    """
    if path.exists():
        raise ConfigError(f"--out: {path} is there already", "name a file that is not")
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with fresh.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(fresh)  # unlike a rename this never replaces what somebody put there meanwhile
    except OSError as error:
        raise ConfigError(f"--out: {path} cannot be written: {error.strerror}", "name a folder that can") from error
    finally:
        fresh.unlink(missing_ok=True)


@command.command("verify", epilog="\b\nExample:\n  cityvision evidence verify evidence-5f0c….zip")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", help="Public key it has to be signed with, as `evidence key` prints it on the city's machine.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def verify_command(file: Path, key: str | None, as_json: bool) -> None:
    """Check a package: needs nothing but the file. Exit status 0: it is what was signed; 2: names what is not.

    Without --key it shows that nothing was changed since it was signed, not by whom.
    """
    manifest = package.check(file, key)
    if as_json:
        click.echo(json.dumps({"holds": True, "key_checked": key is not None, **manifest.model_dump(mode="json")}))
        return
    for missing in manifest.absent:
        click.echo(f"  {missing.sha256[:16]}… {'absent':>10} {missing.role}: {missing.why}")
    at = datetime.fromtimestamp(manifest.exported_utc, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    for one in manifest.files:
        click.echo(f"  {one.sha256[:16]}… {one.size:>10} {one.name}  {one.what}")
    click.echo(f"event {manifest.event}, exported {at} by {manifest.exported_by} for: {manifest.purpose}")
    whose = "signed with that key" if key is not None else f"signed with {manifest.algorithm} key {manifest.public_key}"
    click.echo(f"{len(manifest.files)} files as they were signed; {whose}")


@command.command("key", epilog="\b\nExample:\n  cityvision evidence key > city.pub")
@_DATA
def key_command(data: Path | None) -> None:
    """Print the public key that this installation signs packages with."""
    click.echo(Ed25519Signer(seal_key(load_settings(data=data))).public)
