"""`cityvision evaluate pictures`: a candidate beside production, by boxes or masks on labelled pictures."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cityvision.commands.evaluate_ledger import both, comparing, ledger, tell
from cityvision.settings import Settings, load_settings

if TYPE_CHECKING:
    from algorithm_repo.datasets.pictures import Read
    from algorithm_repo.datasets.types import Item, Manifest, Side


@click.command(
    "pictures",
    epilog="\b\nExample:\n  cityvision evaluate pictures --dataset DIGEST --candidate waterlogging@1.1.0 --record\n"
    "  cityvision evaluate pictures --dataset DIGEST --candidate street --production yolox_nano --card street.html",
)
@click.option("--dataset", required=True, help="Digest of a frozen version of data: boxes (detect) or masks (segment).")
@comparing
@click.option("--side", type=click.Choice(["val", "test", "train"]), default="val", show_default=True)
@click.option("--fall", type=click.FloatRange(0, 1), help="AP or IoU may surely fall so much. [default: 0.02]")
@click.option("--least-gain", type=click.FloatRange(-1, 1), help="AP or IoU of all has to gain surely more than this.")
@click.option("--least-pictures", type=click.IntRange(min=1), help="On fewer, rows are only told. [default: 8]")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the running system.")
def pictures(
    dataset: str,
    candidate: str,
    production: str | None,
    candidate_card: Path | None,
    production_card: Path | None,
    side: Side,
    json_file: Path | None,
    card_file: Path | None,
    record: bool,
    account: str | None,
    fall: float | None,
    least_gain: float | None,
    least_pictures: int | None,
    data: Path | None,
) -> None:
    """Compare a candidate with the network in production on labelled pictures: boxes by COCO's AP, masks by IoU.

    Exit status 0: the gate lets it go on; 1: no picture could be run with both; 2: the version, a network or a setting
    is wrong; 3: the gate refuses it, with the reasons.
    """
    from algorithm_repo.judging.picture_card import picture_card, picture_text
    from algorithm_repo.judging.picture_comparison import compared_pictures
    from algorithm_repo.judging.picture_gate import PictureLimits

    given = {"fall": fall, "least_gain": least_gain, "pictures": least_pictures}
    limits = PictureLimits.model_validate({name: value for name, value in given.items() if value is not None})
    settings = load_settings(data=data)
    write = ledger(candidate, account, settings) if record else None
    manifest, read = _kept(dataset, settings)
    networks = both(candidate, candidate_card, production, production_card, settings)
    try:
        found = compared_pictures(manifest, side, networks, read, limits, _shown)
    except ValueError as error:
        click.echo(f"cityvision: {error}", err=True)
        raise SystemExit(1) from None
    card, report = picture_card(found), found.report
    tell(picture_text(report), report, report.verdict, card, json_file, card_file)
    if write is not None:
        write(report, report.verdict, card)
    if not report.verdict.passed:
        raise SystemExit(3)


def _kept(digest: str, settings: Settings) -> tuple[Manifest, Read]:
    """A version of the running system, and what reads its pictures and masks."""
    from algorithm_repo.archive import media
    from algorithm_repo.archive import service as archive
    from cityvision.database import transaction
    from cityvision.installation import reach
    from cityvision.object_store import object_store

    reached = reach(settings)
    objects = object_store(reached)
    with transaction(reached) as connection:
        manifest = archive.load(connection, objects, digest)
    return manifest, lambda content: media.read(objects, content)


def _shown(items: Sequence[Item]) -> Iterator[Item]:
    with click.progressbar(items, label="pictures, both networks", file=sys.stderr) as bar:
        yield from bar
