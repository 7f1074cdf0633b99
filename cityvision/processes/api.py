"""The web page and API."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import uvicorn
from pydantic import SecretStr

from algorithm_repo.entering.service import enter_training, enter_upload
from api.app import create_app
from api.bringing import Bring
from api.settings import ApiSettings, Tiles
from cityvision.clip_looks import look
from cityvision.masking import MaskingProcess
from cityvision.object_store import object_store
from cityvision.ports import listen_on
from cityvision.processes.base import Process, run
from cityvision.sealing import seal_key
from cityvision.settings import Settings, listed
from cityvision.trying import TrialProcess
from cityvision.turns import one_at_a_time
from cityvision.viewing_copy import convert
from governance.oidc import OidcSettings
from governance.roles import Role

BRING = Bring(enter_training, one_at_a_time(enter_upload))  # an upload may hold 128 MiB here, and 2 GiB in its child
_CONSOLE = Path(__file__).resolve().parents[2] / "console" / "dist"


def oidc_settings(settings: Settings) -> OidcSettings | None:
    """The identity provider, where one is set."""
    if settings.oidc_issuer is None or settings.oidc_client_id is None or settings.oidc_callback is None:
        return None
    return OidcSettings(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        callback=settings.oidc_callback,
        label=settings.oidc_label,
        create_accounts=settings.oidc_create_accounts,
        name_claim=settings.oidc_name_claim,
    )


def api_settings(settings: Settings) -> ApiSettings:
    """What the API needs to be told, out of the whole tree."""
    return ApiSettings(
        database_url=settings.database,
        redis_url=settings.redis,
        console_dist=_CONSOLE if (_CONSOLE / "index.html").is_file() else None,
        cookie_secure=settings.cookie_secure,
        metrics_token=settings.metrics_token,
        session_s=settings.session_hours * 3600,
        session_idle_s=settings.session_idle_minutes * 60,
        second_factor_roles=frozenset(Role(name) for name in listed(settings.second_factor_roles)),
        oidc=oidc_settings(settings),
        map_link=settings.map_link,
        map_search_link=settings.map_search_link,
        tiles=None
        if settings.map_tiles is None
        else Tiles(url=settings.map_tiles, datum=settings.map_tiles_datum, credit=settings.map_tiles_credit),
        case_book=settings.case_book,
        exchange=settings.exchange,
        exchange_url=settings.exchange_url,
        exchange_secret=settings.exchange_secret,
        exchange_callback_secret=settings.exchange_callback_secret,
        seal_key=SecretStr(seal_key(settings)),
        secrets=settings.secrets,
        delivery_networks=settings.delivery_networks,
    )


class _Server(uvicorn.Server):
    """Says when it is ready."""

    def __init__(self, config: uvicorn.Config, process: Process) -> None:
        super().__init__(config)
        self._process = process

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._process.ready()


def body(process: Process) -> None:
    """Serves until asked to stop; connections that stay open (event streams) are cut after a second."""
    settings = process.settings
    objects = object_store(settings)
    with (
        listen_on(settings.api_host, settings.api_port) as listener,
        closing(MaskingProcess(settings)) as masking,
        closing(TrialProcess(settings, objects)) as trials,
    ):
        config = uvicorn.Config(
            create_app(api_settings(settings), objects, convert, masking.mask, trials.attempt, look, BRING),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=settings.cookie_secure,  # it says that a TLS proxy stands before us
            timeout_graceful_shutdown=1,
        )
        _Server(config, process).run(sockets=[listener])


if __name__ == "__main__":
    run("api", body)
