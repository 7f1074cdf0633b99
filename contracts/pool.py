"""The shared video resource pool: departments, cameras, zones, and which algorithm watches what.

Only the shape and what one camera can know of itself live here. What needs the whole file (duplicate ids,
references between cameras and departments, line numbers) is in `pool`.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails

from contracts.algorithms import ALGORITHMS, AlgorithmParameters
from contracts.polygons import polygon_problem, quadrilateral_problem
from contracts.problems import Problem, as_validation_error, below, unfit
from contracts.records import Contract
from contracts.relations import (
    CameraOutline,
    WatchOutline,
    ZoneOutline,
    did_you_mean,
    listed,
    relation_problems,
)

SLUG_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"
MODEL_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
TEXT_PATTERN = r"^[^\x00-\x1f\x7f]*$"  # one line, no control characters
_DIGITS = re.compile(r"^\d{6,}$")
_SCHEMES = ("rtsp", "rtsps", "file")
_SECRET_PARAMETER = re.compile(r"(?i)\b(user|username|pass|passwd|password|pwd|token|secret)=(?!\{)")
_DEVICE_TYPES = range(111, 200)  # GB/T 28181 annex D, digits 11 to 13: front-end devices


# Validation context for data that was checked by these very types before (a cache, a snapshot): shapes, types and
# ranges are still checked, the geometry, the addresses and how parts fit are not checked again.
CHECKED_BEFORE: Final = {"checked_before": True}


def _checked_before(info: ValidationInfo) -> bool:
    return info.context is CHECKED_BEFORE


def _check_camera_id(value: str) -> str:
    """A slug, or a code of GB/T 28181 annex D: 8 digits place, 2 trade, 3 device type, 1 network, 6 serial number."""
    if not _DIGITS.match(value):
        return value
    if len(value) != 20:
        fix = "write all 20 digits in quotes, or a slug with a letter in it"
        raise unfit(f"a GB/T 28181 code has 20 digits, this has {len(value)}", fix)
    if int(value[10:13]) not in _DEVICE_TYPES:
        fix = "write a camera's own code (132 is an IP camera, 131 an analogue one), not a platform's or group's"
        raise unfit(f"the digits 11 to 13 of this GB/T 28181 code, {value[10:13]}, are no device type", fix)
    return value


Text = Annotated[str, Field(pattern=TEXT_PATTERN)]
Slug = Annotated[str, Field(pattern=SLUG_PATTERN)]
CameraId = Annotated[str, Field(pattern=SLUG_PATTERN), AfterValidator(_check_camera_id)]
Coordinate = Annotated[float, Field(ge=0, le=1)]
Point = Annotated[tuple[Coordinate, Coordinate], Field(description="[x, y], 0..1 of the picture")]
Metres = Annotated[float, Field(ge=-100_000, le=100_000)]
GroundPoint = Annotated[tuple[Metres, Metres], Field(description="[x, y] in metres")]


class PoolContract(Contract):
    """Base of the pool's types: error texts never show the input, which may hold a mistyped secret."""

    model_config = ConfigDict(hide_input_in_errors=True, allow_inf_nan=False)


class ZoneKind(StrEnum):
    NO_PARKING = "no_parking"
    ROAD = "road"
    SQUARE = "square"
    SIDEWALK = "sidewalk"
    PLATFORM = "platform"
    BIN = "bin"
    AREA = "area"


class Department(PoolContract):
    """Who owns cameras, and whose people handle what they show."""

    id: Slug = Field(description="an id, unique among the departments")
    name: Text = Field(min_length=1, max_length=120, description="a name as people read it")
    parent: Slug | None = Field(None, description="the id of the department above it")


class StreamRef(PoolContract):
    """Where one stream comes from. Credentials are named, never written here.

    `credentials` names an entry of the secrets file, or the environment variable `CITYVISION_SECRET_<NAME>` holding
    `user:password`. A camera that wants them elsewhere in its address says so with {user} and {password}.
    """

    url: str = Field(
        min_length=1,
        max_length=2000,
        description="an address rtsp://HOST[:PORT]/PATH, rtsps://… or file:///PATH, no credentials",
    )
    transport: Literal["tcp", "udp"] = Field("tcp", description="of RTP under rtsp://; rtsps:// is always tcp")
    credentials: str | None = Field(None, description="the name of an entry of the secrets file, e.g. vendor-a")

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str, info: ValidationInfo) -> str:
        if _checked_before(info):
            return value
        scheme, separator, rest = value.partition("://")
        if not separator or scheme.lower() not in _SCHEMES:
            fix = "write an address such as rtsp://10.0.0.8:554/main, rtsps://… or file:///videos/gate.mp4"
            raise unfit("the address does not begin with rtsp://, rtsps:// or file://", fix)
        if "@" in re.split(r"[/?#]", rest, maxsplit=1)[0] or re.match(r"[^/@]*:[^/@]*/?[^/@]*@", rest):
            raise unfit("credentials stand in the address", "take them out and name them with credentials: NAME")
        if _SECRET_PARAMETER.search(rest):
            fix = "write {user} and {password} in their place and name them with credentials: NAME"
            raise unfit("credentials stand in the address's parameters", fix)
        if re.search(r"[\s\x00-\x1f\x7f]", value):
            raise unfit("a space or control character stands in the address", "write %20 where a space is meant")
        if scheme.lower() != "file":
            _check_authority(value)
        elif not rest.strip("/"):
            raise unfit("the address names no file", "write e.g. file:///videos/gate.mp4")
        return value

    @field_validator("credentials")
    @classmethod
    def _check_credentials(cls, value: str | None) -> str | None:
        # Somebody may have put the secret itself here, so the value is never repeated.
        if value is not None and not re.fullmatch(SLUG_PATTERN, value):
            fix = "write the name of an entry of the secrets file (lower-case letters, digits, - and _)"
            raise unfit("this is not a name of credentials", fix)
        return value

    @model_validator(mode="after")
    def _placeholders_have_credentials(self) -> Self:
        if self.credentials is None and ("{user}" in self.url or "{password}" in self.url):
            fix = "add credentials: with the name of an entry of the secrets file"
            raise as_validation_error("StreamRef", [Problem((), "the address asks for {user} or {password}", fix)])
        return self


def _check_authority(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise unfit(
            "the host or port of the address cannot be read", "write e.g. rtsp://10.0.0.8:554/main (port 1 to 65535)"
        ) from None
    if not host:
        raise unfit("the address has no host", "write e.g. rtsp://10.0.0.8:554/main")
    if port == 0:
        raise unfit("port 0 cannot be reached", "write a port from 1 to 65535")


class Position(PoolContract):
    """WGS 84."""

    lon: float = Field(ge=-180, le=180, description="degrees east")
    lat: float = Field(ge=-90, le=90, description="degrees north")


class Preset(PoolContract):
    """One place a PTZ camera can look at."""

    id: Slug = Field(description="an id, unique inside the camera")
    name: Text = Field(min_length=1, max_length=120, description="a name as people read it")
    token: Text = Field("", max_length=64, description="the preset's token in the camera (ONVIF), or its number")


class GroundCalibration(PoolContract):
    """Four points of the picture and where they lie on the ground, in metres (any local origin)."""

    image: tuple[Point, Point, Point, Point] = Field(description="in the picture, 0..1, around a quadrilateral")
    ground_m: tuple[GroundPoint, GroundPoint, GroundPoint, GroundPoint] = Field(
        description="the same four points on the ground, metres, in the same order"
    )

    @field_validator("image", "ground_m")
    @classmethod
    def _check_points(
        cls, value: tuple[Point, Point, Point, Point], info: ValidationInfo
    ) -> tuple[Point, Point, Point, Point]:
        problem = None if _checked_before(info) else quadrilateral_problem(value)
        if problem is not None:
            raise unfit(*problem)
        return value


class DepthMark(PoolContract):
    """A part of the picture that stands at a known height above the road, so that water over it tells a depth."""

    name: Text = Field("", max_length=120, description="as people read it, e.g. kerb, bollard")
    polygon: tuple[Point, ...] = Field(
        min_length=3, max_length=16, description="corners [x, y] in order, 0..1 of the picture, tight around it"
    )
    height_cm: float = Field(gt=0, le=200, description="the water's depth once it is covered, cm")

    @field_validator("polygon")
    @classmethod
    def _check_polygon(cls, value: tuple[Point, ...], info: ValidationInfo) -> tuple[Point, ...]:
        problem = None if _checked_before(info) else polygon_problem(value)
        if problem is not None:
            raise unfit(*problem)
        return value


class Zone(PoolContract):
    """A polygon of the picture in which algorithms watch."""

    id: Slug = Field(description="an id, unique inside the camera")
    name: Text = Field("", max_length=120, description="a name as people read it")
    kind: ZoneKind = Field(description="decides which algorithms can watch it")
    polygon: tuple[Point, ...] = Field(
        min_length=3, max_length=64, description="corners [x, y] in order, 0..1 of the picture, x right, y down"
    )
    preset: Slug | None = Field(None, description="the preset of a PTZ camera at which the polygon holds")
    capacity: int | None = Field(None, ge=1, le=100_000, description="people it takes")
    calibration: GroundCalibration | None = None
    depth_marks: tuple[DepthMark, ...] = Field(
        (), max_length=8, description="what water is measured by: kerbs, bollards, bands of a wall, and their heights"
    )

    @field_validator("polygon")
    @classmethod
    def _check_polygon(cls, value: tuple[Point, ...], info: ValidationInfo) -> tuple[Point, ...]:
        problem = None if _checked_before(info) else polygon_problem(value)
        if problem is not None:
            raise unfit(*problem)
        return value

    @model_validator(mode="after")
    def _marks_are_of_use(self, info: ValidationInfo) -> Self:
        kinds = ALGORITHMS["waterlogging"].zone_kinds
        if self.depth_marks and not _checked_before(info) and self.kind not in kinds:
            what = f"waterlogging does not watch a zone of kind {self.kind}, so nothing reads its depth marks"
            fix = f"move them to a zone of kind {listed(kinds)}, or leave them out"
            raise as_validation_error("Zone", [Problem(("depth_marks",), what, fix)])
        return self


class Camera(PoolContract):
    """One camera, its zones, and which algorithm watches them with which parameters."""

    id: CameraId = Field(description="a slug, or the 20-digit GB/T 28181 code in quotes; unique in the whole pool")
    name: Text = Field(min_length=1, max_length=120, description="a name as people read it")
    department: Slug = Field(description="the id of the department that owns it")
    camera_class: Literal[1, 2, 3] = Field(1, alias="class", description="1 is shed last when capacity runs short")
    mounting: Literal["high", "low"] = Field(
        "high", description="high looks down on a scene, low sees faces and plates"
    )
    kind: Literal["fixed", "ptz"] = "fixed"
    presets: tuple[Preset, ...] = Field((), max_length=255)
    main: StreamRef = Field(description="the stream that is analysed and kept as evidence")
    model: str | None = Field(
        None,
        pattern=MODEL_PATTERN,
        description="the detector, one of `cityvision models list`; by default the installation's (CITYVISION_MODEL)",
    )
    sub: StreamRef | None = Field(None, description="a smaller stream for live pictures")
    position: Position | None = None
    grid: Text = Field("", max_length=40, description="the city grid cell it stands in")
    enabled: bool = True
    zones: tuple[Zone, ...] = Field((), max_length=64)
    algorithms: dict[str, SerializeAsAny[AlgorithmParameters]] = Field(
        default_factory=dict, description="algorithm: its parameters, {} for the defaults"
    )

    @field_validator("algorithms", mode="before")
    @classmethod
    def _typed_parameters(cls, value: Any, info: ValidationInfo) -> Any:
        """Each algorithm's parameters by that algorithm's own model (`illegal_parking: {dwell: 3min}`), by name."""
        if not isinstance(value, dict):
            return value
        typed: dict[str, Any] = {}
        wrong: list[InitErrorDetails] = []
        for name, parameters in sorted(value.items(), key=lambda entry: str(entry[0])):
            model = ALGORITHMS.get(name)
            if model is None:
                what = f"there is no algorithm {name!r}{did_you_mean(str(name), ALGORITHMS)}"
                error = unfit(what, f"write one of {listed(ALGORITHMS)}")
                wrong.append(InitErrorDetails(type=error, loc=(name,), input=None))
                continue
            try:
                typed[name] = model.model_validate({} if parameters is None else parameters)
            except ValidationError as error:
                wrong.extend(below((name,), error))
        if wrong:
            raise ValidationError.from_exception_data(cls.__name__, wrong, hide_input=True)
        return typed

    @model_validator(mode="after")
    def _parts_fit(self, info: ValidationInfo) -> Self:
        problems = [] if _checked_before(info) else relation_problems(self._outline())
        if problems:
            raise as_validation_error("Camera", problems)
        return self

    def _outline(self) -> CameraOutline:
        return CameraOutline(
            kind=self.kind,
            presets=[(index, preset.id) for index, preset in enumerate(self.presets)],
            zones=[
                ZoneOutline(index, zone.id, zone.kind, zone.preset, zone.calibration is not None, zone.capacity)
                for index, zone in enumerate(self.zones)
            ],
            zones_complete=True,
            watches=[
                WatchOutline(name, parameters.zones, getattr(parameters, "max_people", None))
                for name, parameters in self.algorithms.items()
            ],
        )


class Pool(PoolContract):
    """Everything, after the files are joined."""

    version: Literal[1] = 1
    departments: tuple[Department, ...] = ()
    cameras: tuple[Camera, ...] = ()
