"""Every setting of the system, in one tree, read from the environment (`CITYVISION_<NAME>`) and checked at start.

A service that is not named is started embedded; naming it is all it takes to use a real one.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from cases.exchange.mapping import DEFAULT as EXCHANGE_DEFAULT
from cityvision.map_links import MapLink, MapSearchLink
from cityvision.map_tiles import TilesAddress
from contracts.errors import ConfigError
from contracts.signing import is_secret
from governance.oidc import is_safe
from governance.roles import Role
from store.guard import networks

PREFIX = "CITYVISION_"

# Passwords that ship in examples and images; whoever has one of these has not chosen a password.
DEFAULT_SECRETS = frozenset(
    {
        "admin", "administrator", "changeme", "changethis", "change-me", "default", "example", "guest", "minio",
        "minioadmin", "minio123", "passwd", "password", "postgres", "redis", "root", "secret", "test", "valkey",
        "12345", "123456", "12345678", "admin123", "cityvision",
    }
)  # fmt: skip

# Names with our prefix that are not settings of the tree: of tests, and families with a free tail.
_NOT_SETTINGS = frozenset({"REQUIRE_MEDIA"})
_FAMILIES = ("SECRET_", "TEST_")


class Settings(BaseSettings):
    """Frozen. Addresses may hold passwords: they are `SecretStr` and never shown (`describe` masks them)."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    data: Path = Field(Path("data"), description="folder for everything that is kept: databases, objects, spools, logs")
    streams: Path = Field(Path("streams.yaml"), description="pool file; `streams.d/*.yaml` beside it is read too")
    secrets: Path | None = Field(None, description="file with the cameras' credentials, `name: user:password` a line")
    mirror: Path | None = Field(None, description="folder with models/ and footage/, asked before the internet")
    cache: Path | None = Field(None, description="folder of fetched models and clips; by default the user's own cache")

    database_url: SecretStr | None = Field(None, description="postgresql://user:password@host:5432/name; else embedded")
    redis_url: SecretStr | None = Field(None, description="redis[s]://:password@host:6379/0; else embedded Valkey")
    s3_url: SecretStr | None = Field(
        None, description="s3://key:secret@host:9000/bucket, s3+http:// without TLS; else a folder below data"
    )
    triton_url: str | None = Field(None, description="host:port of Triton's gRPC; else models run in the worker")
    triton_repository: Path | None = Field(
        None, description="folder of that Triton's model repository; else what is promoted is not switched to there"
    )

    mlflow_url: SecretStr | None = Field(
        None, description="MLflow server (https://…) or database that trainings are told to; else a store below data"
    )

    case_book: Path | None = Field(None, description="rule book of cases (YAML); else the one that ships")

    retention: Path | None = Field(None, description="how long evidence is kept (YAML); else for good")

    map_link: MapLink = Field(
        "geo:{lat},{lon}?q={lat},{lon}({name})",
        description="link to a map application, with {lat}, {lon} (WGS 84) and {name} of a place in it",
    )
    map_search_link: MapSearchLink = Field(
        "geo:0,0?q={name}",
        description="link by which a map application looks for an address, {name}, where no position is known",
    )

    map_tiles: TilesAddress | None = Field(
        None, description="pictures under the map, https://…/{z}/{x}/{y}.png (Web Mercator); else none"
    )
    map_tiles_datum: Literal["wgs84", "gcj02"] = Field("wgs84", description="of these tiles; gcj02: maps made in China")
    map_tiles_credit: str = Field("", max_length=200, description="whom the map is to name as their maker")

    exchange_url: str | None = Field(None, description="the city's existing platform, https://…; else no exchange")
    exchange_mapping: Path | None = Field(None, description="what is told to it, and what its words mean (YAML)")
    exchange_secret: SecretStr | None = Field(None, description="what we sign with to it, whsec_…")
    exchange_callback_secret: SecretStr | None = Field(
        None, description="what it signs call-backs with, whsec_…; two, separated by a comma, while it is changed"
    )

    delivery_networks: str = Field(
        "", description="private networks that subscribers' receivers stand in, e.g. 10.20.0.0/16,192.168.7.0/24"
    )
    seal_key: SecretStr | None = Field(
        None, min_length=16, description="key that kept secrets are sealed with; else a file of the data folder"
    )

    api_host: str = Field("127.0.0.1", min_length=1, description="address the web page and API listen on")
    api_port: int = Field(8600, ge=0, le=65535, description="their port; 0: any free one")
    postgres_port: int = Field(0, ge=0, le=65535, description="port of the embedded Postgres; 0: any free one")
    valkey_port: int = Field(0, ge=0, le=65535, description="port of the embedded Valkey; 0: any free one")
    cookie_secure: bool = Field(False, description="session cookie over HTTPS only; set it behind a TLS proxy")
    session_hours: float = Field(12, gt=0, le=24 * 30, description="a login ends after so many hours")
    session_idle_minutes: float = Field(120, ge=2, description="a login ends after so many minutes without a request")
    second_factor_roles: str = Field("", description="roles that must have a second factor, e.g. admin,auditor")
    oidc_issuer: str | None = Field(None, description="identity provider people may log in by, https://…")
    oidc_client_id: str | None = Field(None, min_length=1, description="who we are to it")
    oidc_client_secret: SecretStr | None = Field(None, min_length=1, description="and by what it knows us; else public")
    oidc_callback: str | None = Field(None, description="our https://…/api/oidc/callback, as registered there")
    oidc_label: str = Field("统一身份认证", min_length=1, description="what the login page calls it")
    oidc_create_accounts: bool = Field(False, description="make an account, which sees nothing, at a first login by it")
    oidc_name_claim: str = Field("preferred_username", min_length=1, description="what names such an account")
    metrics_token: SecretStr | None = Field(None, description="bearer token of /metrics; else only this machine may")

    model: str = Field("yolox_nano", min_length=1, description="detector, one of `cityvision models list`")
    gate: bool = Field(True, description="let cameras whose picture does not change be looked at less")
    hardware_decoding: Literal["cuda"] | None = Field(None, description="decode on the GPU (NVDEC); else in software")
    workers: int | None = Field(None, ge=1, le=1024, description="worker processes; by default one less than cores")
    disk_low_mb: int = Field(1024, ge=64, description="refuse to start with less free space than this, MB")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="what is worth a log line")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the command line says, then the environment; nothing else, so that there is one place to look."""
        return (init_settings, env_settings)

    @field_validator("database_url", "redis_url", "s3_url")
    @classmethod
    def _check_url(cls, value: SecretStr | None, info: Any) -> SecretStr | None:
        if value is not None:
            check_url(str(info.field_name), value.get_secret_value())
        return value

    @field_validator("metrics_token")
    @classmethod
    def _check_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and (len(value.get_secret_value()) < 16 or is_default(value.get_secret_value())):
            raise ValueError("too easy to guess; write 16 characters or more, e.g. from `openssl rand -hex 16`")
        return value

    @field_validator("delivery_networks")
    @classmethod
    def _check_networks(cls, value: str) -> str:
        try:
            networks(value)
        except ConfigError as error:
            raise ValueError(f"{error.message}; {error.fix}") from error
        return value

    @field_validator("exchange_url")
    @classmethod
    def _check_exchange(cls, value: str | None) -> str | None:
        if value is not None and not _is_server(value):
            raise ValueError("not an address of a server; write e.g. https://cg.example or https://cg.example/open")
        return value

    @field_validator("exchange_secret", "exchange_callback_secret")
    @classmethod
    def _check_exchange_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not all(is_secret(one) for one in listed(value.get_secret_value()) or [""]):
            raise ValueError("not a secret of 24 bytes or more; write whsec_ and base64, e.g. of `openssl rand`")
        return value

    @field_validator("oidc_issuer", "oidc_callback")
    @classmethod
    def _check_oidc(cls, value: str | None, info: Any) -> str | None:
        if value is not None and not is_safe(value):
            raise ValueError("not an address by TLS; write https://…")
        if value is not None and info.field_name == "oidc_callback" and urlsplit(value).path != "/api/oidc/callback":
            raise ValueError("its path is not ours; write https://HOST/api/oidc/callback")
        return value

    @field_validator("second_factor_roles")
    @classmethod
    def _check_roles(cls, value: str) -> str:
        for name in listed(value):
            if name not in set(Role):
                raise ValueError(f"there is no role {name!r}; write some of {','.join(Role)}")
        return value

    @field_validator("triton_url")
    @classmethod
    def _check_triton(cls, value: str | None) -> str | None:
        if value is not None:
            host, _, port = value.rpartition(":")
            if "://" in value or not host or not port.isdigit():
                raise ValueError("not host:port; write e.g. 127.0.0.1:8001 (gRPC, no scheme)")
        return value

    @model_validator(mode="after")
    def _cross_check(self) -> Settings:
        taken = [p for p in (self.api_port, self.postgres_port, self.valkey_port) if p]
        if len(taken) != len(set(taken)):
            raise ValueError(
                f"{PREFIX}API_PORT, {PREFIX}POSTGRES_PORT and {PREFIX}VALKEY_PORT name one port twice; "
                "give each its own, or 0"
            )
        if self.triton_repository is not None and self.triton_url is None:
            raise ValueError(f"{PREFIX}TRITON_REPOSITORY needs {PREFIX}TRITON_URL beside it")
        if self.oidc_issuer is not None and not (self.oidc_client_id and self.oidc_callback):
            raise ValueError(f"{PREFIX}OIDC_ISSUER needs {PREFIX}OIDC_CLIENT_ID and {PREFIX}OIDC_CALLBACK beside it")
        secrets = (self.exchange_secret, self.exchange_callback_secret)
        if self.exchange_url is not None and None in secrets:
            raise ValueError(
                f"{PREFIX}EXCHANGE_URL needs {PREFIX}EXCHANGE_SECRET and {PREFIX}EXCHANGE_CALLBACK_SECRET beside it"
            )
        ours, theirs = (set() if one is None else set(listed(one.get_secret_value())) for one in secrets)
        if ours & theirs:
            raise ValueError(
                f"{PREFIX}EXCHANGE_SECRET and {PREFIX}EXCHANGE_CALLBACK_SECRET are one: what we say could come back "
                "as theirs; agree on two"
            )
        if self.metrics_token is None and self.cookie_secure and self.api_host not in ("127.0.0.1", "::1"):
            raise ValueError(
                f"behind a proxy every caller looks local, so /metrics would be open; set {PREFIX}METRICS_TOKEN"
            )
        return self

    @property
    def database(self) -> str:
        """SQLAlchemy URL of Postgres; holds the password. Raises ConfigError where nothing is set or started."""
        url = self._started("database_url")
        return url if "+" in url.split("://")[0] else url.replace("://", "+psycopg://", 1)

    @property
    def redis(self) -> str:
        """URL of Redis or Valkey; holds the password. Raises ConfigError where nothing is set or started."""
        scheme, rest = self._started("redis_url").split("://", 1)
        return f"{scheme.replace('valkey', 'redis')}://{rest}"

    def _started(self, name: str) -> str:
        value: SecretStr | None = getattr(self, name)
        if value is None:
            raise ConfigError(f"{PREFIX}{name.upper()} is not set", "`cityvision up` starts one and sets it")
        return value.get_secret_value()

    @property
    def exchange(self) -> Path | None:
        """The mapping of the exchange; None where there is none."""
        return None if self.exchange_url is None else self.exchange_mapping or EXCHANGE_DEFAULT

    @property
    def objects_dir(self) -> Path:
        """Folder of the local object store."""
        return self.data / "objects"

    @property
    def worker_count(self) -> int:
        return self.workers or max(1, (os.cpu_count() or 2) - 1)

    def child_environment(self) -> dict[str, str]:
        """This tree as environment variables for the processes we start; holds secrets, so never log it."""
        out: dict[str, str] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, SecretStr):
                value = value.get_secret_value()
            elif isinstance(value, Path):
                value = value.absolute()
            if value is not None:
                out[PREFIX + name.upper()] = str(value)
        return out

    def describe(self) -> dict[str, str]:
        """Every setting in force, secrets masked; for `cityvision admin settings`."""
        return {PREFIX + name.upper(): _shown(getattr(self, name)) for name in type(self).model_fields}


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, SecretStr):
        parts = urlsplit(value.get_secret_value())
        return f"{parts.scheme}://{parts.hostname}{parts.path}" if parts.hostname else "********"
    return str(value)


def listed(value: str) -> list[str]:
    """The parts of a setting that are separated by commas."""
    return [part.strip() for part in value.split(",") if part.strip()]


def is_default(secret: str) -> bool:
    """Whether a password is one of those that everybody tries first."""
    return secret.lower() in DEFAULT_SECRETS


def _is_server(url: str) -> bool:
    """Whether this is http(s)://host[:port][/path], and nothing more."""
    try:
        parts = urlsplit(url)
        good = parts.port != 0 and bool(parts.hostname)
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or parts.username) and not url.endswith("/")
    return (
        good and plain and parts.scheme in ("http", "https") and url.isascii() and url.isprintable() and " " not in url
    )


_SCHEMES = {
    "database_url": ("postgresql", "postgresql+psycopg"),
    "redis_url": ("redis", "rediss", "valkey", "valkeys"),
}
_EXAMPLES = {
    "database_url": "postgresql://cityvision:PASSWORD@db.example:5432/cityvision",
    "redis_url": "redis://:PASSWORD@redis.example:6379/0",
    "s3_url": "s3://KEY:SECRET@s3.example:9000/cityvision",
}


def _schemes(name: str) -> tuple[str, ...]:
    if name != "s3_url":
        return _SCHEMES[name]
    from store.s3 import SCHEMES  # imported where it is asked for: the S3 client is slow to load

    return tuple(SCHEMES)


_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


def check_url(name: str, url: str) -> None:
    """Refuses an address of a service that cannot work or is not protected.

    Args:
        name: `database_url`, `redis_url` or `s3_url`.

    Raises:
        ValueError: what is wrong and what to write; never the address itself.
    """
    example = f"write e.g. {_EXAMPLES[name]}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"not an address; {example}") from error
    if parts.scheme not in _schemes(name):
        raise ValueError(f"the scheme is not one of {', '.join(_schemes(name))}; {example}")
    if not parts.hostname or port == 0:
        raise ValueError(f"it names no host; {example}")
    if name != "redis_url" and not parts.path.strip("/"):
        raise ValueError(f"it names no {'bucket' if name == 's3_url' else 'database'}; {example}")
    secret = unquote(parts.password or "")
    if is_default(secret):
        raise ValueError("it holds a default password; choose a real one on that server and write it here")
    if not secret and name != "database_url" and parts.hostname not in _LOCAL:
        raise ValueError(f"it holds no password, though the service is on another machine; {example}")


def load_settings(**given: Any) -> Settings:
    """The settings in force: what is given (command line), then the environment, then the defaults.

    Raises:
        ConfigError: every wrong value, each with its variable's name and the fix, in one line.
    """
    refuse_misspelt(os.environ)
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise ConfigError("; ".join(_tell(e["loc"], e["msg"], e["type"]) for e in error.errors())) from None


def refuse_misspelt(environment: Mapping[str, str]) -> None:
    """A variable that looks like a setting, and is none, is a setting that somebody believes is in force.

    Raises:
        ConfigError: names the variable and the one that was probably meant.
    """
    known = {name.upper() for name in Settings.model_fields}
    for variable in environment:
        if not variable.startswith(PREFIX):
            continue
        name = variable[len(PREFIX) :]
        if name in known or name in _NOT_SETTINGS or name.startswith(_FAMILIES):
            continue
        if close := difflib.get_close_matches(name, known, n=1, cutoff=0.8):
            raise ConfigError(f"{variable} is not a setting", f"did you mean {PREFIX}{close[0]}?")


def _tell(location: tuple[int | str, ...], message: str, kind: str) -> str:
    text = message.removeprefix("Value error, ")
    if not location:
        return text
    variable = f"{PREFIX}{str(location[0]).upper()}"
    if kind == "extra_forbidden":
        return f"{variable} is not a setting"
    hint = Settings.model_fields[str(location[0])].description or ""
    return f"{variable}: {text}" + ("" if kind == "value_error" else f" ({hint})")
