"""Where deliveries may go. An address that somebody typed into a form must not reach our own network through us.

A name is resolved, every address it has is checked, and the connection is made to the very address that was checked:
between the check and the use there is nothing that a changed DNS answer could slip into.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from contracts.errors import CityVisionError, ConfigError

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

_LOWEST_PORT = 1024
_WELL_KNOWN = frozenset({80, 443})
# Never, whatever is named: cloud metadata, this host as "any", groups, and IPv6 forms that carry an IPv4 address.
_NEVER = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.100.100.200/32",
        "169.254.0.0/16",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/32",
        "2002::/16",
        "fd00:ec2::/64",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)


class Refused(CityVisionError):
    """An address that deliveries may not go to."""


def networks(text: str) -> tuple[Network, ...]:
    """The networks of a setting, separated by commas.

    Raises:
        ConfigError: one of them is none.
    """
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ConfigError(str(error), "write e.g. 10.20.0.0/16,192.168.7.0/24") from error


class Guard:
    """Checks addresses.

    Args:
        named: private networks in which receivers stand; everything else has to be public.
        resolver: host and port to addresses; for tests.
    """

    def __init__(self, named: Iterable[Network] = (), resolver: Resolver | None = None) -> None:
        self._named = tuple(named)
        self._resolve = resolver or _resolved

    async def address(self, host: str, port: int, *, private_only: bool = False) -> str:
        """The address to connect to.

        Args:
            private_only: the protocol is not encrypted, which is fine inside the named networks alone.

        Raises:
            Refused: one of the host's addresses, or the port, is not allowed.
            OSError: the name cannot be resolved.
        """
        found = [_plain(ip_address(text.partition("%")[0])) for text in await self._resolve(host, port)]
        if not found:
            raise Refused(f"{host} has no address")
        for address in found:
            self._check(address, port, private_only=private_only)
        return str(found[0])

    def _check(self, address: Address, port: int, *, private_only: bool) -> None:
        fix = "name its network under CITYVISION_DELIVERY_NETWORKS if it is meant"
        if any(address in network for network in _NEVER):
            raise Refused(f"{address} is never delivered to")
        named = any(address in network for network in self._named)
        if named:
            return
        if not address.is_global:
            raise Refused(f"{address} is not a public address", fix)
        if private_only:
            raise Refused(f"{address} would be told without encryption", "use TLS (https, mqtts, rediss)")
        if port < _LOWEST_PORT and port not in _WELL_KNOWN:
            raise Refused(f"port {port} is one of a system service", "use 443, or 1024 and above")


async def _resolved(host: str, port: int) -> Sequence[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # no OSError, so nobody who asks would expect it
        raise Refused(f"{host} is no name of a host", "write labels of 1 to 63 letters") from error
    return [str(entry[4][0]) for entry in found]


def _plain(address: Address) -> Address:
    """An IPv4 address that came in IPv6 clothes, as itself."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped
