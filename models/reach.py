"""Whether what is missing can be had at all, found out quickly: a closed network must not cost minutes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

import httpx

from models.zoo import Zoo, ZooFile

PROBE_S = 4.0


def within_reach(zoo: Zoo, names: Iterable[str], *, timeout: float = PROBE_S) -> bool:
    """Whether all files of these artefacts are at hand, or somebody answers at one of their addresses.

    Every host is asked once, all at the same time. That one answers does not mean that it has the file.

    Args:
        zoo: where they would come from.
        names: of artefacts.
        timeout: a host that has said nothing for so long, s, is out of reach, whatever holds it up.

    Raises:
        ModelMissing: there is no artefact of that name.
    """
    missing = [file for name in names if not zoo.at_hand(name) for file in zoo.artefact(name).files]
    addresses = {_host(url): url for file in missing for url in file.urls}
    answering = _answering(addresses, timeout)
    return all(_has_answering(file, answering) for file in missing if not zoo.has(file))


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _has_answering(file: ZooFile, answering: set[str]) -> bool:
    return any(_host(url) in answering for url in file.urls)


def _answering(addresses: dict[str, str], timeout: float) -> set[str]:
    """The hosts that say anything at all."""
    found: set[str] = set()

    def ask(host: str, url: str) -> None:
        try:
            with httpx.Client(timeout=timeout) as client, client.stream("GET", url):
                found.add(host)
        except httpx.HTTPError:
            return

    # Looking up a name has no time limit of its own: such a thread is left behind.
    threads = [threading.Thread(target=ask, args=pair, daemon=True) for pair in addresses.items()]
    for thread in threads:
        thread.start()
    end = time.monotonic() + timeout
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return set(found)
