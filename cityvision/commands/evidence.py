"""`cityvision evidence`: take a signed package of an event's evidence out, and check one anywhere."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from cityvision.sealing import seal_key
from cityvision.settings import load_settings
from governance import package
from governance.signing import Ed25519Signer


@click.group(epilog='\b\nExample:\n  cityvision evidence verify evidence-5f0c….zip --key "$(cat city.pub)"')
def command() -> None:
    """Evidence packages: check one anywhere, and the key that this installation signs them with."""


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
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the running system.")
def key_command(data: Path | None) -> None:
    """Print the public key that this installation signs packages with."""
    click.echo(Ed25519Signer(seal_key(load_settings(data=data))).public)
