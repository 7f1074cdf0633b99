"""Where deliveries may go."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from store.guard import Guard, Refused, networks


def guard(*addresses: str, named: str = "") -> Guard:
    async def resolve(_host: str, _port: int) -> list[str]:
        return list(addresses)

    return Guard(networks(named), resolve)


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example"])
async def test_a_name_that_no_dns_can_hold_is_refused(host: str) -> None:
    with pytest.raises(Refused, match="is no name of a host"):
        await Guard().address(host, 443)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:0:0:0:0:0:1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
    ],
)
async def test_no_way_inside(address: str) -> None:
    with pytest.raises(Refused):
        await guard(address).address("h", 443)
    with pytest.raises(Refused):
        await guard("203.0.114.1", address).address("h", 443)


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("169.254.169.254", "0.0.0.0/0"),
        ("::ffff:169.254.169.254", "0.0.0.0/0,::/0"),
        ("fe80::1", "::/0"),
        ("64:ff9b::a9fe:a9fe", "::/0"),
        ("100.100.100.200", "100.64.0.0/10"),
    ],
)
async def test_some_are_never_told_whatever_is_named(address: str, named: str) -> None:
    with pytest.raises(Refused, match="is never delivered to"):
        await guard(address, named=named).address("h", 443)


async def test_public_addresses_by_tls_on_usual_ports() -> None:
    public = guard("203.0.114.1", "2606:4700::1")
    assert await public.address("h", 443) == "203.0.114.1"
    assert await public.address("h", 8883) == "203.0.114.1"
    with pytest.raises(Refused, match="port 22"):
        await public.address("h", 22)
    with pytest.raises(Refused, match="without encryption"):
        await public.address("h", 80, private_only=True)


async def test_named_networks() -> None:
    named = guard("10.20.3.4", named="10.20.0.0/16, fd12::/16")
    assert await named.address("h", 81, private_only=True) == "10.20.3.4"
    assert await guard("::ffff:10.20.3.4", named="10.20.0.0/16").address("h", 80) == "10.20.3.4"
    with pytest.raises(Refused, match=r"10\.21\.0\.1 is not a public address; name its network under CITYVISION_"):
        await guard("10.21.0.1", named="10.20.0.0/16").address("h", 443)
    with pytest.raises(ConfigError, match=r"write e\.g\."):
        networks("10.20.0.0/8")
    with pytest.raises(Refused, match="has no address"):
        await guard().address("h", 443)


@given(st.ip_addresses(v=4))
async def test_a_mapped_address_is_judged_as_itself(address: IPv4Address) -> None:
    async def verdict(text: str) -> bool:
        try:
            await guard(text).address("h", 443)
        except Refused:
            return False
        return True

    assert await verdict(str(address)) == await verdict(f"::ffff:{address}")
