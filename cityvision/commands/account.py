"""In whose name a command acts."""

from __future__ import annotations

import getpass

import click
from sqlalchemy import Connection

from contracts.errors import ConfigError, Forbidden
from governance.people import person
from governance.roles import RIGHTS, Right

AS = click.option("--as", "account", help="Account in whose name; by default whoever you are on this machine.")


def acting(connection: Connection, account: str | None, right: Right, option: str = "--as") -> str:
    """In whose name; whoever may run this on the city's machine may do everything, under their name there.

    Args:
        option: by which the account was given, for errors.

    Raises:
        ConfigError: there is no such account.
        Forbidden: it lacks the right.
    """
    if account is None:
        return f"{getpass.getuser()} on the machine"
    found = person(connection, account)
    if found is None or found.disabled:
        raise ConfigError(f"{option}: there is no account {account!r} that may log in", "see `cityvision admin people`")
    if right not in RIGHTS[found.role]:
        raise Forbidden(f"{account} may not: it takes the right {right.value}", "ask an administrator")
    return found.name
