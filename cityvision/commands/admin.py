"""`cityvision admin`: accounts, the settings in force."""

from __future__ import annotations

import getpass
import json
import time
from pathlib import Path

import click

from cityvision.database import transaction
from cityvision.installation import reach
from cityvision.settings import Settings, load_settings
from contracts.errors import ConfigError
from governance import oidc_accounts, people, second_factor, service

_JSON = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")


@click.group(epilog="\b\nExample:\n  cityvision admin reset-password admin\n  cityvision admin --data demo-data users")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the running system.")
@click.pass_context
def command(context: click.Context, data: Path | None) -> None:
    """Accounts, the settings in force."""
    context.obj = load_settings(data=data)


@command.command("settings", epilog="\b\nExample:\n  cityvision admin settings")
@_JSON
@click.pass_obj
def settings_command(settings: Settings, as_json: bool) -> None:
    """Every setting in force, with what it does; passwords are not shown."""
    shown = settings.describe()
    if as_json:
        click.echo(json.dumps(shown))
        return
    meanings = {name: field.description for name, field in type(settings).model_fields.items()}
    for (variable, value), meaning in zip(shown.items(), meanings.values(), strict=True):
        click.echo(f"{variable:<33}{value:<32}{meaning}")


@command.command("users", epilog="\b\nExample:\n  cityvision admin users --json")
@_JSON
@click.pass_obj
def users_command(settings: Settings, as_json: bool) -> None:
    """Every account."""
    with transaction(reach(settings)) as connection:
        users = people.people(connection)
    if as_json:
        click.echo(json.dumps([{"name": u.name, "role": u.role, "must_change": u.must_change_password} for u in users]))
        return
    for user in users:
        click.echo(f"{user.name:<24}{user.role:<21}{'first password' if user.must_change_password else ''}".rstrip())


@command.command("reset-password", epilog="\b\nExample:\n  cityvision admin reset-password admin")
@click.argument("name")
@click.pass_obj
def reset_password_command(settings: Settings, name: str) -> None:
    """Give the account NAME a new first password, shown once; ends its logins."""
    with transaction(reach(settings)) as connection:
        password = service.reset_password(connection, name, f"{getpass.getuser()} on the machine")
    click.echo(password)


@command.command("reset-second-factor", epilog="\b\nExample:\n  cityvision admin reset-second-factor wang")
@click.argument("name")
@click.pass_obj
def reset_second_factor_command(settings: Settings, name: str) -> None:
    """Switch off the second factor of the account NAME, whose owner lost it; ends its logins."""
    with transaction(reach(settings)) as connection:
        had = second_factor.reset(connection, name, f"{getpass.getuser()} on the machine")
    click.echo(f"{name}: the second factor is off" if had else f"{name}: there was no second factor")


@command.command("bind-login", epilog="\b\nExample:\n  cityvision admin bind-login wang 8f14e45f-ceea-467f")
@click.argument("name")
@click.argument("subject")
@click.pass_obj
def bind_login_command(settings: Settings, name: str, subject: str) -> None:
    """Let whom the identity provider calls SUBJECT log in as the account NAME.

    A refused login leaves its SUBJECT in the audit log.
    """
    if settings.oidc_issuer is None:
        raise ConfigError("CITYVISION_OIDC_ISSUER is not set", "name the provider")
    who = f"{getpass.getuser()} on the machine"
    with transaction(reach(settings)) as connection:
        oidc_accounts.bind(connection, name, settings.oidc_issuer, subject, who, time.time())
    click.echo(f"{name}: bound to {subject}")
