"""Credentials by name: out of the environment, or out of a secrets file that only its owner can read.

Every password resolved here is known to `contracts.redact` from then on, so that it never reaches a log or an answer.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import yaml

from contracts.errors import ConfigError
from contracts.pool import SLUG_PATTERN, StreamRef
from contracts.redact import register_secret

ENVIRONMENT_PREFIX = "CITYVISION_SECRET_"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and a password; neither shows in its repr.

    Attributes:
        hosts: whom they may be told, where others choose the address (`subscriptions.ways`).
    """

    user: str = field(repr=False)
    password: str = field(repr=False)
    hosts: frozenset[str] = frozenset()


def variable_name(name: str) -> str:
    """`CITYVISION_SECRET_VENDOR_A` for vendor-a."""
    return ENVIRONMENT_PREFIX + name.upper().replace("-", "_")


class Secrets:
    """Resolves names of credentials; an edit of the file counts from the next call on.

    Args:
        file: YAML, `NAME: user:password` or `NAME: {user: …, password: …, hosts: […]}`, mode 0600; None for none.
        environment: defaults to this process's; it goes before the file. Hosts stand in a variable of their own, whose
            name ends in _HOSTS, with commas between them.
    """

    def __init__(self, file: Path | None = None, environment: Mapping[str, str] | None = None) -> None:
        self._file = file
        self._environment = os.environ if environment is None else environment
        self._entries: dict[str, Credentials] = {}
        self._read: tuple[int, int, int] | None = None

    def resolve(self, name: str) -> Credentials:
        """The credentials called `name`.

        Raises:
            ConfigError: nobody knows them, or the file is open to others or not readable.
        """
        variable = variable_name(name)
        given = self._environment.get(variable)
        if given is not None:
            return _from_text(given, variable, self._environment.get(f"{variable}_HOSTS", "").split(","))
        entries = self._from_file()
        if name not in entries:
            place = f"or add {name}: to {self._file}" if self._file else "or name a secrets file"
            raise ConfigError(
                f"no credentials are called {name!r}", f"set {variable_name(name)} to user:password, {place}"
            )
        return entries[name]

    def address(self, stream: StreamRef) -> str:
        """The stream's address with its credentials, to be opened and never to be shown.

        Raises:
            ConfigError: see `resolve`.
        """
        if stream.credentials is None:
            return stream.url
        return with_credentials(stream.url, self.resolve(stream.credentials))

    def _from_file(self) -> dict[str, Credentials]:
        if self._file is None:
            return {}
        try:
            found = self._file.stat()
            signature = (found.st_mtime_ns, found.st_size, found.st_ino)
            if signature == self._read:
                return self._entries
            if stat.S_IMODE(found.st_mode) & 0o077:
                mode = f"{stat.S_IMODE(found.st_mode):04o}"
                raise ConfigError(
                    f"the secrets file {self._file} can be read by others (mode {mode})", f"chmod 600 {self._file}"
                )
            text = self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise ConfigError(f"there is no secrets file {self._file}", "create it with mode 0600") from None
        except (OSError, UnicodeDecodeError):
            fix = "make it a UTF-8 text that this user may read"
            raise ConfigError(f"the secrets file {self._file} cannot be read", fix) from None
        self._entries = _parse(text, self._file)
        self._read = signature
        return self._entries


def with_credentials(url: str, credentials: Credentials) -> str:
    """`url` with user and password: in place of {user} and {password}, else before the host. Percent-encoded."""
    user, password = quote(credentials.user, safe=""), quote(credentials.password, safe="")
    if "{user}" in url or "{password}" in url:
        return url.replace("{user}", user).replace("{password}", password)
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{parts.netloc}"))


def _parse(text: str, file: Path) -> dict[str, Credentials]:
    fix = "write NAME: user:password, one a line"
    try:
        data = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"{file}:{mark.line + 1}" if mark is not None else str(file)
        # The parser's own text quotes the file, so it is not passed on.
        raise ConfigError(f"{line}: the secrets file is not YAML", fix) from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{file}: the secrets file is not a mapping", fix)
    return {_name(key, file): _entry(key, value, file) for key, value in data.items()}


def _name(key: object, file: Path) -> str:
    if not isinstance(key, str) or not re.fullmatch(SLUG_PATTERN, key):
        raise ConfigError(f"{file}: a name is not one of lower-case letters, digits, - and _", "rename the entry")
    return key


def _entry(key: str, value: object, file: Path) -> Credentials:
    if isinstance(value, dict) and {"user", "password"} <= set(value) <= {"user", "password", "hosts"}:
        hosts = value.get("hosts", [])
        if not isinstance(hosts, list) or not all(isinstance(one, str) for one in hosts):
            raise ConfigError(f"{file}: the hosts of {key} are no list of names", "write hosts: [mq.example.cn]")
        return _registered(str(value["user"]), str(value["password"]), hosts)
    if isinstance(value, str):
        return _from_text(value, f"{file}: {key}")
    fix = "write user:password in quotes, or {user: …, password: …, hosts: […]}"
    raise ConfigError(f"{file}: {key} is not credentials", fix)


def _from_text(text: str, where: str, hosts: Iterable[str] = ()) -> Credentials:
    user, colon, password = text.partition(":")
    if not colon or not user:
        raise ConfigError(f"{where} does not hold user:password", "write the user, a colon, and the password")
    return _registered(user, password, hosts)


def _registered(user: str, password: str, hosts: Iterable[str]) -> Credentials:
    register_secret(password)
    return Credentials(user, password, frozenset(one.strip().lower() for one in hosts if one.strip()))
