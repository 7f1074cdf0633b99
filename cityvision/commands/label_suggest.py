"""`cityvision label suggest`: what a detector would say of pictures and clips that nobody has labelled yet."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field

import click
from rich.console import Console
from rich.progress import track

from algorithm_repo.labelling import projects, suggestions
from algorithm_repo.labelling.types import Item, Project
from cityvision.commands.account import acting
from cityvision.database import transaction
from cityvision.installation import reach
from cityvision.object_store import object_store
from cityvision.settings import Settings
from contracts.errors import CityVisionError, ConfigError
from contracts.vision import ObjectClass
from governance import audit
from governance.roles import Right


@dataclass(slots=True)
class Told:
    """What came of it; `left`: pictures and clips that could not be looked at, and why."""

    looked_at: int = 0
    suggested: int = 0
    left: dict[str, str] = field(default_factory=dict)


@click.command("suggest", epilog="\b\nExample:\n  cityvision label suggest cars --model yolox_nano --who lin")
@click.argument("project")
@click.option("--model", default="yolox_nano", show_default=True, help="A detector of the zoo: cityvision models list.")
@click.option("--score", type=click.FloatRange(0.01, 0.99), default=0.3, show_default=True, help="The least.")
@click.option("--rate", type=click.FloatRange(0.1, 60), default=5.0, show_default=True, help="Looks a second at clips.")
@click.option("--who", required=True, help="Account in whose name it is done.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
@click.pass_obj
def suggest_command(
    settings: Settings, project: str, model: str, score: float, rate: float, who: str, as_json: bool
) -> None:
    """Boxes of pictures and tracks of clips that nobody has labelled yet, as suggestions: they count for nothing until
    somebody takes them over. Run again, they replace those of the same network."""
    from cityvision.prelabels import Prelabeller
    from models.detector import load_detector
    from models.zoo import Zoo

    engine, objects = reach(settings), object_store(settings)
    with transaction(engine) as connection:
        who = acting(connection, who, Right.LABEL, "--who")
        into = projects.named(connection, project)
        items = [one for one in suggestions.unsaid(connection, into.id) if _kind(one) in into.kinds]
    _require_detected(into)
    detector = load_detector(model, Zoo())
    asked, told = Prelabeller(into, detector, f"detector {model}", score, rate), Told()
    for item in track(items, "looking", console=Console(stderr=True), disable=not sys.stderr.isatty()):
        try:
            data = objects.get(item.key)
            found = asked.of_picture(data) if item.clip is None else asked.of_clip(data)
            with transaction(engine) as connection:
                told.suggested += suggestions.suggest(connection, into.id, item.id, asked.by, found)
            told.looked_at += 1
        except (CityVisionError, ValueError) as error:
            told.left[item.name] = str(error)
    detector.close()
    what = {"project": into.id, "model": asked.by, "looked_at": told.looked_at, "suggested": told.suggested}
    with transaction(engine) as connection:
        audit.record(connection, who, "labels.suggested", what)
    if as_json:
        click.echo(json.dumps(asdict(told), ensure_ascii=False))
        return
    click.echo(f"{told.suggested} suggestions of {asked.by} for {told.looked_at} pictures and clips of {into.name}")
    for name, why in told.left.items():
        click.echo(f"  left out: {name}: {why}")


def _kind(item: Item) -> str:
    """What a detector says of it."""
    return "box" if item.clip is None else "track"


def _require_detected(project: Project) -> None:
    """Raises ConfigError: no detector knows anything of what the project labels."""
    known = sorted(kind.name.lower() for kind in ObjectClass)
    if set(project.classes).isdisjoint(known) or set(project.kinds).isdisjoint({"box", "track"}):
        fix = f"a project with boxes or tracks of one of {', '.join(known)}"
        raise ConfigError(f"project: detectors know nothing of what {project.name} labels", fix)
