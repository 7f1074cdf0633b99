"""What the API needs to be told; `cityvision` fills it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from governance.logins import IDLE_S, SESSION_S
from governance.oidc import OidcSettings
from governance.roles import Role
from governance.types import SecondFactor, User


class Tiles(BaseModel):
    """Pictures of the ground for the map, from a server of tiles (Web Mercator, 256 pixels)."""

    model_config = ConfigDict(frozen=True)

    url: str = Field(description="address with {z}, {x} and {y}")
    datum: Literal["wgs84", "gcj02"] = Field("wgs84", description="gcj02: shifted, as maps made in China are")
    credit: str = Field("", description="whom the map is to name")

    @property
    def source(self) -> str:
        """The server, as a content security policy names it."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


class ApiSettings(BaseModel):
    """Frozen. Secrets are `SecretStr` where they stand alone; the URLs are never logged or shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: str = Field(repr=False, description="postgresql+psycopg://…")
    redis_url: str = Field(repr=False, description="redis://host:port/0")
    console_dist: Path | None = Field(None, description="built console to serve; None: API only")
    cookie_secure: bool = Field(False, description="send the session cookie over HTTPS only")
    trusted_origins: frozenset[str] = Field(
        frozenset(), description="origins besides our own that may call, e.g. https://city.example"
    )
    metrics_token: SecretStr | None = Field(
        None, description="bearer token of /metrics; without one it answers this machine only"
    )
    map_link: str = Field(
        "geo:{lat},{lon}?q={lat},{lon}({name})", description="link that opens a map application at a place"
    )
    map_search_link: str = Field("geo:0,0?q={name}", description="link that lets a map application look for an address")
    tiles: Tiles | None = Field(None, description="pictures of the ground for the map; None: none")
    case_book: Path | None = Field(None, description="rule book of cases; None: the one that ships")
    exchange: Path | None = Field(
        None, description="mapping of the exchange with the city's platform; None: there is none"
    )
    exchange_url: str | None = Field(None, description="where that platform is; None: it is asked for nothing")
    exchange_secret: SecretStr | None = Field(None, description="secrets that we sign with to it, comma between them")
    exchange_callback_secret: SecretStr | None = Field(
        None, description="secrets that it signs with, comma between them"
    )
    seal_key: SecretStr | None = Field(
        None, description="key that kept secrets are sealed with; None: one that ends with this process"
    )
    secrets: Path | None = Field(None, description="file with credentials by name")
    delivery_networks: str = Field("", description="private networks that subscribers' receivers stand in")
    session_s: float = Field(SESSION_S, gt=0, description="a login ends after this long, s")
    session_idle_s: float = Field(IDLE_S, gt=0, description="a login ends after this long without a request, s")
    second_factor_roles: frozenset[Role] = Field(frozenset(), description="roles that must have a second factor")
    oidc: OidcSettings | None = Field(None, description="identity provider that people may log in by")
    status_stale_s: float = Field(15.0, gt=0, description="a camera's status older than this is shown as unknown, s")
    watch_ttl_s: float = Field(6.0, gt=1, description="how long a worker goes on publishing after the last viewer, s")
    session_check_s: float = Field(30.0, gt=0, description="how often a long connection checks its session, s")
    keep_alive_s: float = Field(15.0, gt=0, description="comment line on a quiet event stream, s")
    database_pool: int = Field(10, ge=1, description="connections kept open to Postgres")

    @property
    def callback_keys(self) -> list[str]:
        """Secrets in force that call-backs of the city's platform are signed with."""
        return _listed(self.exchange_callback_secret)

    @property
    def exchange_keys(self) -> list[str]:
        """Secrets that what we ask of that platform is signed with, the newest first."""
        return _listed(self.exchange_secret)

    def asks_for_setup(self, user: User) -> bool:
        """Whether somebody must set up a second factor before anything else."""
        return user.second_factor is SecondFactor.NONE and user.role in self.second_factor_roles


def _listed(secret: SecretStr | None) -> list[str]:
    text = "" if secret is None else secret.get_secret_value()
    return [one.strip() for one in text.split(",") if one.strip()]
