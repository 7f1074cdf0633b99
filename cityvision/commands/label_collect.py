"""`cityvision label collect`: what a project collects from running streams, what came of it, what recall it tells."""

from __future__ import annotations

import json
import time
from typing import Any

import click
from pydantic import ValidationError
from sqlalchemy import Connection

from algorithm_repo.collection import report, service
from algorithm_repo.collection.decide import quotas
from algorithm_repo.collection.types import CollectionPolicy, Reason, RecallEstimate, Standing
from algorithm_repo.labelling import projects
from algorithm_repo.labelling.types import Project
from cityvision.commands.account import acting
from cityvision.database import transaction
from cityvision.installation import reach
from cityvision.settings import Settings
from contracts.errors import ConfigError
from governance.roles import Right

_MISSING = {
    "no_moments": "no random moment is labelled and reviewed yet",
    "none_judged": "nobody has judged an event of it in that time",
    "nothing_there": "nothing of it was there, as far as is known",
}


@click.command(
    "collect",
    epilog="\b\nExample:\n  cityvision label collect litter\n"
    "  cityvision label collect litter --pictures 8 --share random=0.75 --share uncertain=0.25 \\\n"
    "    --department city --days 60 --who lin",
)
@click.argument("project")
@click.option("--pictures", type=int, help="Of each camera and day, at most.")
@click.option("--share", "shares", multiple=True, help="E.g. random=0.5, once a reason; they add up to 1.")
@click.option("--camera", "cameras", multiple=True, help="These alone; all of them: --camera all.")
@click.option("--department", "departments", multiple=True, help="All cameras of it and of those below it.")
@click.option("--near", type=float, help="The score around which a detection is uncertain, 0 to 1.")
@click.option("--within", type=float, help="How far away from it, 0 to 0.5.")
@click.option("--alike", type=float, help="A picture as alike as this to one of its camera is not taken again.")
@click.option("--days", type=int, help="They are kept for so many days.")
@click.option("--on/--off", "active", default=None, help="Whether anything is collected now.")
@click.option("--who", help="Account in whose name it is set; without it nothing is.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
@click.pass_obj
def collect_command(settings: Settings, /, project: str, who: str | None, as_json: bool, **asked: Any) -> None:
    """What PROJECT collects from running streams; with --who it is set, what is not named stays as it is."""
    change = _change(asked)
    if change and who is None:
        raise ConfigError("--who: a change needs an account in whose name it is made", "add --who NAME")
    with transaction(reach(settings)) as connection:
        one = projects.named(connection, project)
        standing = service.policy_of(connection, one.id)
        if who is not None:
            standing = _set(connection, one, standing, change, acting(connection, who, Right.LABEL, "--who"))
        recall = report.recall(connection, one, None)
        if as_json:
            click.echo(json.dumps(_plain(connection, one, standing, recall), ensure_ascii=False))
        else:
            _tell(connection, one, standing, recall)


def _change(asked: dict[str, Any]) -> dict[str, Any]:
    """The fields of the policy that were named.

    Raises:
        ConfigError: a share cannot be read.
    """
    change = {name: value for name, value in asked.items() if value is not None and value != ()}
    if "shares" in change:
        told = [text.partition("=") for text in change["shares"]]
        if any(sign == "" for _, sign, _ in told):
            raise ConfigError(f"shares: {' '.join(change['shares'])}", "write e.g. --share random=0.5")
        change["shares"] = {name: share for name, _, share in told}
    if change.get("cameras") == ("all",):
        change["cameras"] = ()
    return change


def _set(connection: Connection, one: Project, before: Standing | None, change: dict[str, Any], who: str) -> Standing:
    old = (CollectionPolicy() if before is None else before.policy).model_dump(mode="json")
    try:
        policy = CollectionPolicy.model_validate(old | change)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}".lstrip(": ") for one in error.errors())
        raise ConfigError(faults, "correct these options") from error
    return service.set_policy(connection, one.id, policy, who, time.time())


def _plain(
    connection: Connection, one: Project, standing: Standing | None, recall: list[RecallEstimate]
) -> dict[str, Any]:
    policy = CollectionPolicy() if standing is None else standing.policy
    return {
        "policy": None if standing is None else standing.model_dump(mode="json"),
        "cameras": 0 if standing is None else len(service.cameras_of(connection, standing)),
        "collected": report.collected(connection, one.id, policy, None).model_dump(mode="json"),
        "recall": [estimate.model_dump() for estimate in recall],
    }


def _tell(connection: Connection, one: Project, standing: Standing | None, recall: list[RecallEstimate]) -> None:
    if standing is None:
        click.echo(f"{one.name} collects nothing; set what it is to with --who")
        return
    policy, wanted = standing.policy, quotas(standing.policy)
    each = ", ".join(f"{reason.value} {wanted[reason]}" for reason in Reason)
    cameras = len(service.cameras_of(connection, standing))
    click.echo(
        f"{one.name}: {'on' if policy.active else 'off'}, {cameras} cameras, {policy.pictures} pictures each a day"
        f" ({each}), kept {policy.days} days; set by {standing.set_by}"
    )
    told = report.collected(connection, one.id, policy, None)
    reasons = ", ".join(f"{reason.value} {told.reasons.get(reason, 0)}" for reason in Reason)
    click.echo(f"collected {told.total} ({reasons}), {told.gone} of them deleted when their days were over")
    click.echo("by hour  " + " ".join(str(count) for count in told.hours))
    for estimate in recall:
        click.echo(f"recall of {estimate.type}: {_words(estimate)}")


def _words(one: RecallEstimate) -> str:
    if one.recall is None or one.low is None or one.high is None:
        return _MISSING.get(one.why, one.why)
    return (
        f"{one.recall:.3f} ({one.low:.3f} to {one.high:.3f} at 95 %): {one.missed} of {one.moments} silent moments"
        f" held it; {one.real} of {one.judged} judged events were real; {one.watched_h:.0f} camera-hours watched"
    )
