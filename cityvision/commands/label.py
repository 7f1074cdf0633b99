"""`cityvision label`: projects of labelling; pictures, clips and labels in and out; agreement; versions of data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, get_args

import click
from sqlalchemy import Connection, true

from algorithm_repo.datasets.types import Source
from algorithm_repo.formats.types import Written
from algorithm_repo.labelling import clip_exchange, exchange, freeze, measured, projects
from algorithm_repo.labelling.exchange import Format, Import
from algorithm_repo.labelling.types import Kind, NewProject
from cityvision import label_suite
from cityvision.commands.account import acting
from cityvision.commands.label_clips import clip_files, take_clips
from cityvision.commands.label_collect import collect_command
from cityvision.commands.label_pictures import pictures_in, places, take_pictures
from cityvision.commands.label_suggest import suggest_command
from cityvision.database import transaction
from cityvision.installation import reach
from cityvision.object_store import object_store
from cityvision.settings import Settings, load_settings
from contracts.errors import ConfigError
from governance import audit
from governance.roles import Right
from pool import store as pool_store
from store.objects import ObjectStore

_JSON = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
_WHO = click.option("--who", required=True, help="Account in whose name it is done.")
_FORMAT = click.option("--format", "form", type=click.Choice(["coco", "cvat", "yolo", "cvat-video"]), default="coco")
_OUT = click.option(
    "--format", "form", type=click.Choice(["coco", "cvat", "yolo", "cvat-video", "suite"]), default="coco"
)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
LabelFormat = Literal[Format, "cvat-video"]
OutFormat = Literal[LabelFormat, "suite"]


@click.group(epilog="\b\nExample:\n  cityvision label list\n  cityvision label export cars labels/ --who lin")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the running system.")
@click.pass_context
def command(context: click.Context, data: Path | None) -> None:
    """Labelling: projects, pictures and labels in and out, agreement, freezing. Drawing is done in the console."""
    context.obj = load_settings(data=data)


command.add_command(collect_command)
command.add_command(suggest_command)


@command.command("list", epilog="\b\nExample:\n  cityvision label list")
@_JSON
@click.pass_obj
def list_command(settings: Settings, as_json: bool) -> None:
    """All projects, and how far each is."""
    with transaction(reach(settings)) as connection:
        found = [(one, projects.counts(connection, one.id, true())) for one in projects.listed(connection)]
    if as_json:
        told = [{**one.model_dump(mode="json"), "counts": counts} for one, counts in found]
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for one, counts in found:
        far = "  ".join(f"{state} {count}" for state, count in counts.items())
        click.echo(f"{one.name:<24}{one.task:<10}{', '.join(one.classes):<32}{far}")


@command.command("new", epilog="\b\nExample:\n  cityvision label new cars --class car --class bus --who lin")
@click.argument("name")
@click.option("--class", "classes", multiple=True, required=True, help="Once for each, in order.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(get_args(Kind)), default=("box",))
@click.option("--task", type=click.Choice(["detect", "segment", "classify"]), default="detect")
@click.option("--people", type=click.IntRange(1, 5), default=1, help="Who label each picture on their own.")
@_WHO
@click.pass_obj
def new_command(
    settings: Settings, name: str, classes: tuple[str, ...], kinds: tuple[str, ...], task: str, people: int, who: str
) -> None:
    """A new project NAME."""
    fields = {"name": name, "classes": classes, "kinds": kinds, "task": task, "people": people}
    with transaction(reach(settings)) as connection:
        who = acting(connection, who, Right.LABEL, "--who")
        made = projects.create(connection, NewProject.model_validate(fields), who)
        audit.record(connection, who, "labels.project", {"project": made.id, "name": made.name})
    click.echo(f"project {made.id}: {made.name}")


@command.command(
    "import",
    epilog="\b\nExample:\n  cityvision label import cars photos/ --labels photos/instances.json --who lin \\\n"
    "    --source photos --licence CC-BY-4.0",
)
@click.argument("project")
@click.argument("pictures", type=_FOLDER)
@click.option("--labels", type=_FILE, help="COCO, CVAT's XML, or data.yaml of YOLO; none: pictures and clips alone.")
@_FORMAT
@click.option("--source", required=True, help="Name of where the pictures come from.")
@click.option("--licence", required=True, help="On what terms: an SPDX expression, or words.")
@click.option(
    "--personal/--public", default=True, help="Faces and plates may be in them: masked before they are shown."
)
@click.option("--suggested-by", help="What made the labels: they are suggestions, to be taken over one by one.")
@_WHO
@click.pass_obj
def import_command(
    settings: Settings,
    project: str,
    pictures: Path,
    labels: Path | None,
    form: LabelFormat,
    source: str,
    licence: str,
    personal: bool,
    suggested_by: str | None,
    who: str,
) -> None:
    """The JPEG, PNG and MP4 below the folder PICTURES, with labels, into PROJECT. Labels of people wait for a review.

    Tracks of clips (--format cvat-video) are read from an annotations.xml beside each MP4.
    """
    if labels is not None and form == "cvat-video":
        raise ConfigError("labels: of clips they lie beside each as annotations.xml", "leave --labels out")
    with transaction(reach(settings)) as connection:
        who = acting(connection, who, Right.LABEL, "--who")
        into, place_of = projects.named(connection, project), places(connection)
    media = pictures_in(pictures, "coco" if form == "cvat-video" else form, labels, into.kinds)
    clips = clip_files(pictures, form == "cvat-video")
    said = media.labels
    how = Import(
        source=Source(name=source, licence=licence, personal=personal),
        who=who,
        by=suggested_by,
        masks={} if said is None else said.masks,
        sources={} if said is None else said.sources,
        place_of=place_of,
    )
    objects = object_store(settings)
    with transaction(reach(settings)) as connection:
        added, known = take_pictures(connection, objects, into, media, how)
        more, there = take_clips(connection, objects, into, clips, how)
        added, known = added + more, known + there
        what = {"project": into.id, "added": added, "labelled": how.told.labelled}
        audit.record(connection, who, "labels.imported", what)
    for warning in (*media.warnings, *how.told.notes.lines):
        click.echo(f"warning: {warning}", err=True)
    said_of = known and (labels is not None or form == "cvat-video")
    labelled = f", {how.told.labelled} of them labelled" if said_of else ""
    click.echo(f"{added} added, {known} there already{labelled}")


@command.command(
    "export",
    epilog="\b\nExample:\n  cityvision label export cars labels/ --format cvat --who lin\n"
    "  cityvision label export parking suite/ --format suite --who lin",
)
@click.argument("project")
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@_OUT
@click.option("--pictures", is_flag=True, help="With the pictures as they are: faces and plates can be seen.")
@click.option("--camera", help="Of a suite: whose zones clips show that belong to no camera.")
@_WHO
@click.pass_obj
def export_command(
    settings: Settings, project: str, target: Path, form: OutFormat, pictures: bool, camera: str | None, who: str
) -> None:
    """What is accepted of PROJECT, into the folder TARGET.

    A suite (intervals, for `cityvision evaluate events --suite TARGET`) comes with its clips as they are.
    """
    objects = object_store(settings)
    pictures = pictures or form == "suite"
    with transaction(reach(settings)) as connection:
        who = acting(connection, who, Right.LABEL, "--who")
        one = projects.named(connection, project)
        files = _exported(connection, objects, one.id, form, camera)
        keys = projects.keys(connection, one.id)
        audit.record(connection, who, "labels.exported", {"project": one.id, "format": form, "pictures": pictures})
    parts = files.files(lambda content: objects.get(keys[content])) if pictures else iter(files.texts.items())
    count = 0
    for path, data in parts:
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        count += 1
    for warning in files.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(f"{count} files in {target}")


def _exported(
    connection: Connection, objects: ObjectStore, number: int, form: OutFormat, camera: str | None
) -> Written:
    if form == "suite":
        pool = pool_store.current(connection)
        cameras = {} if pool is None else {one.id: one for one in pool.pool.cameras}
        return label_suite.exported(connection, objects, number, true(), cameras.get, camera)
    if form == "cvat-video":
        return clip_exchange.exported(connection, number, true())
    return exchange.exported(connection, number, true(), form)


@command.command("agreement", epilog="\b\nExample:\n  cityvision label agreement cars")
@click.argument("project")
@_JSON
@click.pass_obj
def agreement_command(settings: Settings, project: str, as_json: bool) -> None:
    """How far people agree: with each other, with hidden tests, with what a review made of their labels."""
    with transaction(reach(settings)) as connection:
        found = measured.measured(connection, projects.named(connection, project).id, true())
    if as_json:
        click.echo(json.dumps([one.model_dump() for one in found], ensure_ascii=False))
        return
    click.echo(f"{'of':<8}{'who':<28}{'pictures':>9}{'IoU':>7}{'F1':>7}{'kappa':>7}{'tags':>7}")
    for one in found:
        figures = (one.iou, one.f1, one.kappa, one.tag_kappa)
        told = "".join(f"{'–' if value is None else f'{value:.2f}':>7}" for value in figures)
        click.echo(f"{one.of:<8}{' / '.join(filter(None, (one.one, one.other))):<28}{one.pictures:>9}{told}")


@command.command("freeze", epilog="\b\nExample:\n  cityvision label freeze cars --note 'winter added' --who lin")
@click.argument("project")
@click.option("--note", default="", help="What is new in it.")
@click.option("--seed", type=click.IntRange(0), default=1, help="Of drawing the sides.")
@_WHO
@_JSON
@click.pass_obj
def freeze_command(settings: Settings, project: str, note: str, seed: int, who: str, as_json: bool) -> None:
    """What is accepted of PROJECT becomes a version of training data, a child of the one before."""
    objects = object_store(settings)
    with transaction(reach(settings)) as connection:
        who = acting(connection, who, Right.LABEL, "--who")
        number = projects.named(connection, project).id
        done = freeze.freeze(connection, objects, number, true(), who, note=note, seed=seed)
        what = {"project": number, "version": done.version.digest, "items": done.version.items}
        audit.record(connection, who, "labels.frozen", what)
    if as_json:
        left_out = [{"name": one.item.name, "why": one.why} for one in done.left_out]
        click.echo(json.dumps({**done.version.model_dump(mode="json"), "left_out": left_out}, ensure_ascii=False))
        return
    click.echo(f"{done.version.digest}: {done.version.items} pictures")
    for one in done.left_out:
        click.echo(f"left out {one.item.name}: {one.why}")
