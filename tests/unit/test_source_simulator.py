"""The parts of the RTSP server that need no network: packets, authentication, damage."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.rtsp import auth
from simulator.rtsp.camera import damage, rtp_packet
from simulator.rtsp.faults import Faults
from simulator.rtsp.packetise import Codec, Payload, packetise, split_annex_b


def unpack(codec: Codec, payloads: list[Payload]) -> list[bytes]:
    """The NAL units in RTP payloads, by RFC 6184 and RFC 7798 (independent of the packetiser's own code)."""
    header = 1 if codec == "h264" else 2
    units: list[bytes] = []
    for payload in payloads:
        data = payload.data
        kind = data[0] & 0x1F if codec == "h264" else data[0] >> 1 & 0x3F
        if kind == (24 if codec == "h264" else 48):
            at = header
            while at < len(data):
                size = int.from_bytes(data[at : at + 2], "big")
                units.append(data[at + 2 : at + 2 + size])
                at += 2 + size
        elif kind == (28 if codec == "h264" else 49):
            flags = data[header]
            if flags & 0x80:
                if codec == "h264":
                    units.append(bytes([data[0] & 0xE0 | flags & 0x1F]))
                else:
                    units.append(bytes([data[0] & 0x81 | (flags & 0x3F) << 1, data[1]]))
            units[-1] += data[header + 1 :]
        else:
            units.append(data)
    return units


@given(
    st.sampled_from(["h264", "hevc"]),
    st.lists(st.tuples(st.integers(1, 23), st.integers(0, 5000)), min_size=1, max_size=8),
)
def test_packets_hold_the_units_and_fit(codec: Codec, shape: list[tuple[int, int]]) -> None:
    units = [
        (bytes([0x60 | kind]) if codec == "h264" else bytes([kind << 1, 1])) + b"\xab" * size for kind, size in shape
    ]
    payloads = packetise(codec, units)
    assert unpack(codec, payloads) == units
    assert max(len(p.data) for p in payloads) <= 1400
    assert [p.marker for p in payloads] == [False] * (len(payloads) - 1) + [True]


def test_annex_b_is_split_at_either_start_code() -> None:
    assert split_annex_b(b"\x00\x00\x00\x01\x67\x01\x00\x00\x01\x68\x02\x00\x00\x00\x01\x65") == [
        b"\x67\x01",
        b"\x68\x02",
        b"\x65",
    ]


def test_rtp_header() -> None:
    packet = rtp_packet(96, True, 0xFFFF, 0x01020304, 0xA0B0C0D0, b"xy")
    assert packet.hex() == "80e0ffff01020304a0b0c0d07879"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(("password", "accepted"), [("right", True), ("wrong", False)])
def test_digest(password: str, accepted: bool) -> None:
    answer = _md5(f"{_md5(f'u:{auth.REALM}:{password}')}:n1:{_md5('DESCRIBE:rtsp://h/x')}")
    header = f'Digest username="u", realm="{auth.REALM}", nonce="n1", uri="rtsp://h/x", response="{answer}"'
    assert auth.accepts(header, "DESCRIBE", "n1", "u", "right") is accepted
    assert not auth.accepts(header, "SETUP", "n1", "u", "right")
    assert not auth.accepts(header, "DESCRIBE", "n2", "u", "right")
    assert not auth.accepts("Basic dTpyaWdodA==", "DESCRIBE", "n1", "u", "right")


def test_damage_keeps_what_it_does_not_touch() -> None:
    payloads = [Payload(bytes(100), False), Payload(bytes(100), True)]
    assert damage(payloads, Faults(), lambda: 0.5) == payloads
    assert damage(payloads, Faults(lose=1.0), lambda: 0.5) == []
    broken = damage(payloads, Faults(corrupt=1.0), lambda: 0.5)
    assert [p.marker for p in broken] == [False, True]
    assert all(p.data != bytes(100) and len(p.data) == 100 for p in broken)
