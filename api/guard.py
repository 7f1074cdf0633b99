"""What every response and every unsafe request passes: security headers, the same-origin check, size limit."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem
from governance.api_keys import PREFIX

MAX_BODY = 1 << 20
MAX_TRIAL = 24 << 20  # of the gallery: a clip
MAX_UPLOAD = (128 << 20) + MAX_BODY  # a network, with the form around it
# By address and beginning of the media type: what is no form is read before it is known who sends it.
_LARGER = (
    (re.compile(r"/api/gallery/[^/]+/trials"), "", MAX_TRIAL),
    (re.compile(r"/api/algorithms/uploads"), "multipart/form-data", MAX_UPLOAD),
)
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})

# Ant Design writes its styles into the page, hence the inline styles; scripts come from our own files alone.
# Pictures come from one more server where the map has tiles.
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' blob: data:{pictures}",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # The field worker's page asks where it is, to say how far the place is; the position never leaves the browser.
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(self)",
}


def same_origin(headers: Headers, trusted: frozenset[str]) -> bool:
    """Whether a request may have come from our own page, or from no page at all (a program).

    A browser always sends `Origin` with an unsafe request or a WebSocket; what names another host is refused.
    """
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
    return origin in trusted or urlsplit(origin).netloc == headers.get("host", "")


def bears_key_alone(headers: Headers) -> bool:
    """Whether a request shows an API key and no cookie: no page can have made a browser do that without our leave.

    With a cookie beside it the request is checked as any other: a door that takes no key may look at the cookie.
    """
    return headers.get("authorization", "").lower().startswith(f"bearer {PREFIX}") and "cookie" not in headers


class Guard:
    """ASGI middleware; see the module's docstring.

    Args:
        picture_source: a server that the page may load pictures from besides ours, scheme://host[:port].
    """

    def __init__(
        self, app: ASGIApp, trusted_origins: frozenset[str] = frozenset(), picture_source: str | None = None
    ) -> None:
        self._app = app
        self._trusted = trusted_origins
        policy = _POLICY.format(pictures=f" {picture_source}" if picture_source else "")
        self._headers = _HEADERS | {"Content-Security-Policy": policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            if not same_origin(Headers(scope=scope), self._trusted):
                await send({"type": "websocket.close", "code": 1008, "reason": "cross_site"})
                return
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await (self._refusal(scope) or self._app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        if scope["method"] not in _UNSAFE:
            return None
        headers = Headers(scope=scope)
        if not bears_key_alone(headers) and not same_origin(headers, self._trusted):
            return problem(403, "cross_site", "the request comes from another site", "open the console itself")
        length = headers.get("content-length", "")
        if "transfer-encoding" in headers or not length.isdigit():
            # Doors take small JSON, or one picture, clip or network; a body of unstated length could not be bounded.
            has_body = "transfer-encoding" in headers or "content-type" in headers
            return problem(411, "length_required", "the body's length is not stated") if has_body else None
        limit = _limit(scope["path"], headers.get("content-type", ""))
        if int(length) > limit:
            return problem(413, "too_large", f"more than {limit} bytes")
        return None


def _limit(path: str, media_type: str) -> int:
    fitting = (most for place, kind, most in _LARGER if place.fullmatch(path) and media_type.startswith(kind))
    return next(fitting, MAX_BODY)
