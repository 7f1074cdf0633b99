"""The little of H.264 and H.265 that must be read without decoding: parameter sets and the picture's size. Pure."""

from __future__ import annotations

import re
from typing import Final

from contracts.errors import StreamCorrupt
from pipeline.source.types import StreamParameters

_START_CODE: Final = re.compile(rb"\x00\x00\x01")
_START: Final = b"\x00\x00\x00\x01"
_SPS: Final = {"h264": 7, "hevc": 33}
_PARAMETER_SETS: Final = {"h264": frozenset({7, 8}), "hevc": frozenset({32, 33, 34})}
# First NAL unit types that carry picture data; parameter sets stand before them.
_FIRST_SLICE: Final = {"h264": range(1, 6), "hevc": range(32)}
# Profiles of H.264 whose SPS has chroma and scaling fields (Rec. H.264, 7.3.2.1.1).
_HIGH_PROFILES: Final = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})


def nal_type(codec: str, header: int) -> int:
    """Type of a NAL unit from its first byte."""
    return header & 0x1F if codec == "h264" else header >> 1 & 0x3F


def parameter_sets(codec: str, data: bytes) -> bytes:
    """The parameter sets in front of the first slice, each once, as Annex B with 4-byte start codes.

    Args:
        codec: "h264" or "hevc"; anything else has none.
        data: Annex B, an access unit or extradata.

    Returns:
        Empty where there is no SPS among them: a lone PPS does not describe a stream.
    """
    kinds = _PARAMETER_SETS.get(codec)
    if kinds is None:
        return b""
    found: list[bytes] = []
    has_sps = False
    begin = -1
    kind = -1
    for match in _START_CODE.finditer(data):
        if kind in kinds:
            unit = data[begin : match.start()].rstrip(b"\x00")
            if unit not in found:
                found.append(unit)
        begin = match.end()
        if begin >= len(data):
            kind = -1
            break
        kind = nal_type(codec, data[begin])
        has_sps = has_sps or kind == _SPS[codec]
        if kind in _FIRST_SLICE[codec]:
            break
    if kind in kinds and (unit := data[begin:].rstrip(b"\x00")) not in found:
        found.append(unit)
    return b"".join(_START + unit for unit in found) if has_sps else b""


def picture_size(codec: str, sets: bytes) -> tuple[int, int]:
    """Width and height in pixels, after cropping, from parameter sets as `parameter_sets` returns them.

    Raises:
        StreamCorrupt: no SPS, or it ends too early.
    """
    for unit in sets.split(_START)[1:]:
        if nal_type(codec, unit[0]) == _SPS[codec]:
            bits = _Bits(unit.replace(b"\x00\x00\x03", b"\x00\x00"))
            try:
                return _h264_size(bits) if codec == "h264" else _h265_size(bits)
            except IndexError:
                raise StreamCorrupt(f"{codec}: the sequence parameter set ends too early") from None
    raise StreamCorrupt(f"{codec}: no sequence parameter set")


def starts_intra(codec: str, data: bytes) -> bool:
    """Whether a picture flagged as keyframe can really be decoded alone.

    libav also flags H.264 pictures with a recovery point: with periodic intra refresh these are P pictures, and the
    picture is only whole when the next such point is reached.

    Args:
        codec: anything but "h264" is taken at libav's word.
        data: Annex B, an access unit.
    """
    if codec != "h264":
        return True
    for match in _START_CODE.finditer(data):
        at = match.end()
        kind = data[at] & 0x1F if at < len(data) else 0
        if kind in _FIRST_SLICE["h264"]:
            return kind == 5 or _is_intra_slice(data[at + 1 : at + 17])
    return False


def _is_intra_slice(header: bytes) -> bool:
    """Rec. H.264, 7.3.3: first_mb_in_slice, slice_type (2 and 7: I, 4 and 9: SI)."""
    bits = _Bits(header)
    try:
        bits.ue()
        return bits.ue() % 5 in (2, 4)
    except IndexError:
        return False


class ParameterTracker:
    """Notices when a stream's parameters change.

    Args:
        codec, extradata, size: as the container announced them; extradata may be empty and the size 0.
    """

    def __init__(self, codec: str, extradata: bytes, size: tuple[int, int], generation: int = 0) -> None:
        sets = parameter_sets(codec, extradata) or (b"" if codec in _SPS else extradata)
        width, height = self._size(codec, sets, size)
        self.current = StreamParameters(generation, codec, sets, width, height)

    @staticmethod
    def _size(codec: str, sets: bytes, fallback: tuple[int, int]) -> tuple[int, int]:
        if codec not in _SPS or not sets:
            return fallback
        try:
            return picture_size(codec, sets)
        except StreamCorrupt:
            return fallback

    def keyframe(self, data: bytes) -> StreamParameters:
        """The parameters in force from this keyframe on; a new generation where its own sets differ."""
        now = self.current
        sets = parameter_sets(now.codec, data)
        if sets and sets != now.extradata:
            width, height = self._size(now.codec, sets, (now.width, now.height))
            # Sets that only became known now describe what was announced without them.
            generation = now.generation + 1 if now.extradata else now.generation
            self.current = StreamParameters(generation, now.codec, sets, width, height)
        return self.current


class _Bits:
    """Reads bits, most significant first. IndexError past the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def u(self, count: int) -> int:
        """An unsigned number of `count` bits."""
        value = 0
        for _ in range(count):
            value = value << 1 | self._data[self._at >> 3] >> (7 - (self._at & 7)) & 1
            self._at += 1
        return value

    def ue(self) -> int:
        """An unsigned Exp-Golomb number."""
        zeros = 0
        while not self.u(1):
            zeros += 1
            if zeros > 32:
                raise IndexError
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """A signed Exp-Golomb number."""
        code = self.ue()
        return (code + 1) // 2 if code & 1 else -(code // 2)


def _h264_size(bits: _Bits) -> tuple[int, int]:
    """Rec. H.264, 7.3.2.1.1."""
    bits.u(8)
    profile = bits.u(8)
    bits.u(16)
    bits.ue()
    chroma, separate = 1, 0
    if profile in _HIGH_PROFILES:
        chroma = bits.ue()
        if chroma == 3:
            separate = bits.u(1)
        bits.ue()
        bits.ue()
        bits.u(1)
        if bits.u(1):
            _skip_scaling_lists(bits, 8 if chroma != 3 else 12)
    bits.ue()
    _skip_picture_order(bits)
    bits.ue()
    bits.u(1)
    width = (bits.ue() + 1) * 16
    map_units = bits.ue() + 1
    frames_only = bits.u(1)
    if not frames_only:
        bits.u(1)
    height = map_units * 16 * (2 - frames_only)
    bits.u(1)
    if bits.u(1):
        left, right, top, bottom = bits.ue(), bits.ue(), bits.ue(), bits.ue()
        crop_x, crop_y = _crop_units(0 if separate else chroma)
        width -= (left + right) * crop_x
        height -= (top + bottom) * crop_y * (2 - frames_only)
    return width, height


def _crop_units(chroma: int) -> tuple[int, int]:
    return (2 if chroma in (1, 2) else 1), (2 if chroma == 1 else 1)


def _skip_scaling_lists(bits: _Bits, count: int) -> None:
    for i in range(count):
        if not bits.u(1):
            continue
        last = following = 8
        for _ in range(16 if i < 6 else 64):
            if following:
                following = (last + bits.se()) % 256
            last = following or last


def _skip_picture_order(bits: _Bits) -> None:
    order = bits.ue()
    if order == 0:
        bits.ue()
    elif order == 1:
        bits.u(1)
        bits.se()
        bits.se()
        for _ in range(bits.ue()):
            bits.se()


def _h265_size(bits: _Bits) -> tuple[int, int]:
    """Rec. H.265, 7.3.2.2.1."""
    bits.u(16)
    bits.u(4)
    layers = bits.u(3)
    bits.u(1)
    _skip_profile_tier_level(bits, layers)
    bits.ue()
    chroma = bits.ue()
    if chroma == 3:
        chroma = 0 if bits.u(1) else 3
    width, height = bits.ue(), bits.ue()
    if bits.u(1):
        left, right, top, bottom = bits.ue(), bits.ue(), bits.ue(), bits.ue()
        crop_x, crop_y = _crop_units(chroma)
        width -= (left + right) * crop_x
        height -= (top + bottom) * crop_y
    return width, height


def _skip_profile_tier_level(bits: _Bits, layers: int) -> None:
    bits.u(88)
    bits.u(8)
    present = [(bits.u(1), bits.u(1)) for _ in range(layers)]
    if layers:
        for _ in range(layers, 8):
            bits.u(2)
    for profile, level in present:
        bits.u(88 * profile + 8 * level)
