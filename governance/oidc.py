"""Logins by another system's word (OpenID Connect): authorization code with PKCE, state and nonce.

Endpoints and keys come from the issuer's own discovery document; what it says of a person is believed only where it is
signed with one of these keys, for us, for this very attempt, and still in force.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from contracts.errors import ConfigError, NotAuthenticated
from store.sealing import Sealer

ATTEMPT_S = 600.0
"""So long somebody may take at the provider."""
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_LEEWAY_S = 30
_KNOWN_FOR_S = 3600.0
_TIMEOUT_S = 5.0
_ABOUT = "oidc attempt"
_SUBJECT = re.compile(r"[^\x00-\x1f\ud800-\udfff]{1,255}")
# Whoever calls up a login makes us ask the provider: so many may wait for it at once.
_TALKS = threading.BoundedSemaphore(8)


class OidcRefused(NotAuthenticated):
    """No login came of it.

    Args:
        why: for programs and the login page: cancelled, expired, invalid, unavailable, unknown, taken.
        subject: whom the provider named, where it came so far.
    """

    def __init__(self, why: str, message: str, fix: str = "", subject: str | None = None) -> None:
        super().__init__(message, fix)
        self.why = why
        self.subject = subject


class OidcSettings(BaseModel):
    """Which provider, who we are to it, and what becomes of people it vouches for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(description="https://…, as its discovery document says it")
    client_id: str
    client_secret: SecretStr | None = Field(None, description="None: a public client")
    callback: str = Field(description="our own https://…/api/oidc/callback, as registered there")
    label: str = Field(description="what the login page calls it")
    create_accounts: bool = Field(False, description="make an account at somebody's first login")
    name_claim: str = Field("preferred_username", description="claim of the ID token that names a new account")


class Attempt(BaseModel):
    """What we know of a login under way; the browser keeps it sealed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: str
    nonce: str
    verifier: str
    until: float


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the provider vouches for.

    Attributes:
        subject: theirs for good.
        name: what they are called there; None: it does not say.
    """

    subject: str
    name: str | None


class _Metadata(BaseModel):
    """What we need of the discovery document."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


def is_safe(url: str) -> bool:
    """Whether an address is one by TLS, or of this machine."""
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and local))


class Provider:
    """One provider. Thread-safe; asks for its document and keys when they are needed, and keeps them for an hour."""

    def __init__(self, settings: OidcSettings, sealer: Sealer) -> None:
        self.settings = settings
        self._sealer = sealer
        self._lock = threading.Lock()
        self._metadata: tuple[float, _Metadata] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def begin(self, now: float) -> tuple[str, str]:
        """Where to send the browser, and the sealed attempt that it has to bring back.

        Args:
            now: s since 1970 UTC.

        Raises:
            OidcRefused: unavailable.
        """
        state, nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        metadata = self._known_metadata()
        with self._client(metadata) as client:
            address, _ = client.create_authorization_url(
                metadata.authorization_endpoint, state=state, nonce=nonce, code_verifier=verifier
            )
        attempt = Attempt(state=state, nonce=nonce, verifier=verifier, until=now + ATTEMPT_S)
        return str(address), self._sealer.seal(attempt.model_dump_json(), _ABOUT)

    def finish(self, sealed: str | None, state: str | None, code: str | None, now: float) -> Person:
        """Whom the provider vouches for, with the code that the browser brought back.

        Args:
            sealed: of `begin`.
            now: s since 1970 UTC.

        Raises:
            OidcRefused: expired, cancelled, invalid, unavailable.
        """
        attempt = self._opened(sealed)
        if attempt is None or now >= attempt.until or not _same(state, attempt.state):
            raise OidcRefused("expired", "this login was not begun here, or too long ago", "begin again")
        if not code:
            raise OidcRefused("cancelled", "the provider did not let anybody in", "begin again")
        return self._person(self._exchange(code, attempt), attempt, now)

    def _opened(self, sealed: str | None) -> Attempt | None:
        if not sealed:
            return None
        try:
            return Attempt.model_validate_json(self._sealer.open(sealed, _ABOUT))
        except (ConfigError, ValidationError):
            return None

    def _exchange(self, code: str, attempt: Attempt) -> dict[str, Any]:
        """The provider's answer to the code; it takes each code once."""
        metadata = self._known_metadata()
        try:
            with _one_of_few(), self._client(metadata) as client:
                token: dict[str, Any] = client.fetch_token(
                    metadata.token_endpoint,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=attempt.verifier,
                    redirect_uri=self.settings.callback,
                )
        except OAuthError as error:
            raise OidcRefused(
                "invalid", f"the provider does not take the code: {error.error}", "begin again"
            ) from error
        except (httpx2.HTTPError, ValueError) as error:
            raise self._away(error) from error
        return token

    def _person(self, token: dict[str, Any], attempt: Attempt, now: float) -> Person:
        text = token.get("id_token")
        if not isinstance(text, str):
            raise OidcRefused("invalid", "the provider sent no ID token", "ask whoever looks after it")
        try:
            signed = self._verified(text)
            claims = CodeIDToken(
                signed.claims,
                signed.header,
                options={
                    "iss": {"essential": True, "value": self._known_metadata().issuer},
                    "aud": {"essential": True, "value": self.settings.client_id},
                    "sub": {"essential": True},
                },
                params={
                    "nonce": attempt.nonce,
                    "client_id": self.settings.client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(now=int(now), leeway=_LEEWAY_S)
        except (JoseError, ValueError, TypeError) as error:
            why = getattr(error, "error", type(error).__name__)
            raise OidcRefused("invalid", f"the ID token does not hold: {why}", "ask whoever looks after it") from error
        name, subject = claims.get(self.settings.name_claim), claims["sub"]
        if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
            raise OidcRefused(
                "invalid", "the ID token's sub is no text of 1 to 255 letters", "ask whoever looks after it"
            )
        return Person(subject, name if isinstance(name, str) else None)

    def _verified(self, text: str) -> jwt.Token:
        try:
            return jwt.decode(text, self._known_keys(), algorithms=_ALGORITHMS)
        except InvalidKeyIdError:  # the provider may have changed its keys since
            return jwt.decode(text, self._known_keys(again=True), algorithms=_ALGORITHMS)

    def _known_metadata(self) -> _Metadata:
        with self._lock:
            kept = self._metadata
            if kept is not None and time.monotonic() - kept[0] < _KNOWN_FOR_S:
                return kept[1]
        try:
            found = _Metadata.model_validate(_fetched(get_well_known_url(self.settings.issuer, external=True)))
        except (httpx2.HTTPError, ValueError) as error:
            raise self._away(error) from error
        # A document of another issuer could send our codes anywhere.
        ways = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
        if found.issuer != self.settings.issuer or not all(is_safe(way) for way in ways):
            raise OidcRefused(
                "unavailable", "the provider's discovery document is another's, or not by TLS", "see to it"
            )
        with self._lock:
            self._metadata = (time.monotonic(), found)
        return found

    def _known_keys(self, *, again: bool = False) -> KeySet:
        with self._lock:
            kept = self._keys
            if kept is not None and not again and time.monotonic() - kept[0] < _KNOWN_FOR_S:
                return kept[1]
        try:
            found = KeySet.import_key_set(_fetched(self._known_metadata().jwks_uri))
        except (httpx2.HTTPError, JoseError, ValueError, KeyError, TypeError) as error:
            raise self._away(error) from error
        with self._lock:
            self._keys = (time.monotonic(), found)
        return found

    def _client(self, metadata: _Metadata) -> OAuth2Client:
        settings = self.settings
        secret = None if settings.client_secret is None else settings.client_secret.get_secret_value()
        basic = "client_secret_basic" in metadata.token_endpoint_auth_methods_supported
        way = "none" if secret is None else "client_secret_basic" if basic else "client_secret_post"
        return OAuth2Client(
            settings.client_id,
            secret,
            token_endpoint_auth_method=way,
            scope="openid profile",
            redirect_uri=settings.callback,
            code_challenge_method="S256",
            timeout=_TIMEOUT_S,
        )

    def _away(self, error: Exception) -> OidcRefused:
        return OidcRefused("unavailable", f"the provider does not answer: {type(error).__name__}", "try again later")


@contextmanager
def _one_of_few() -> Iterator[None]:
    if not _TALKS.acquire(timeout=1.0):
        raise OidcRefused("unavailable", "too many logins wait for the provider", "try again later")
    try:
        yield
    finally:
        _TALKS.release()


def _fetched(url: str) -> Any:
    with _one_of_few():
        answer = httpx2.get(url, timeout=_TIMEOUT_S)
    answer.raise_for_status()
    return answer.json()


def _same(given: str | None, wanted: str) -> bool:
    return given is not None and secrets.compare_digest(given.encode(), wanted.encode())
