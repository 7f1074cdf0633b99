"""A small OpenID provider over real HTTP, with real RS256 signatures: it keeps to the standard until told not to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "cityvision", "a secret between the two"


def new_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig", "alg": "RS256"})


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@dataclass
class OpenIdProvider:
    """What it is, and what it does wrong.

    Attributes:
        person: claims of whoever logs in.
        wrong: claims of the ID token that are replaced; None: left out.
        algorithm: that it signs with.
        refuse: sends the browser back with an error instead of a code.
        metadata: entries of the discovery document that are replaced.
        asked: the paths that were asked for, in order.
        waits: cleared, the token endpoint takes its time until it is set again.
    """

    url: str = ""
    callback: str = ""
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "u-17", "preferred_username": "Wang"})
    wrong: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    refuse: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=new_key)
    signs_with: RSAKey | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    waits: threading.Event = field(default_factory=threading.Event)

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        } | self.metadata

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to."""
        assert (asked["response_type"], asked["client_id"], asked["redirect_uri"]) == ("code", CLIENT, self.callback)
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        if self.refuse:
            return f"{self.callback}?{urlencode({'error': 'access_denied', 'state': asked['state']})}"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{self.callback}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, asked: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """The answer of the token endpoint: a code counts once, for whoever knows the secret and the verifier."""
        name, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        if (name, unquote(password.replace("+", " "))) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client"}
        begun = self.codes.pop(asked.get("code", ""), None)
        challenge = _base64(hashlib.sha256(asked.get("code_verifier", "").encode()).digest()).decode()
        if begun is None or begun["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "opaque", "token_type": "Bearer", "id_token": self.id_token(begun["nonce"])}

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce} | self.person
        claims = {name: value for name, value in (claims | self.wrong).items() if value is not None}
        header = {"alg": self.algorithm, "kid": self.key.kid}
        if self.algorithm in ("none", "HS256"):
            # HS256 with the public key as its secret is the classic confusion; no good library makes such a token.
            signed = b".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
            mac = hmac.digest(self.key.as_pem(private=False), signed, "sha256")
            return b".".join((signed, _base64(mac) if self.algorithm == "HS256" else b"")).decode()
        return jwt.encode(header, claims, self.signs_with or self.key)


@contextmanager
def serving() -> Iterator[OpenIdProvider]:
    """One of them on a free port of this machine."""
    provider = OpenIdProvider()
    provider.waits.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            if parts.path == "/authorize":
                asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self.send_response(302)
                self.send_header("Location", provider.authorize(asked))
                self.end_headers()
            elif parts.path == "/keys":
                self._json(200, KeySet([provider.key]).as_dict(private=False))
            elif parts.path == "/.well-known/openid-configuration":
                self._json(200, provider.discovery())
            else:
                self._json(404, {})

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            asked = {name: values[0] for name, values in form.items()}
            provider.waits.wait(60)
            self._json(*provider.token(asked, self.headers.get("Authorization", "")))

        def _json(self, status: int, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
