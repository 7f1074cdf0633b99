"""The shared video resource pool: departments, cameras, zones, and which algorithm watches what.

Only the shape and each value's own rules live here. What needs the whole file (duplicate ids, references, line
numbers) is in `pool`.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SerializeAsAny, field_validator, model_validator

from contracts.algorithms import ALGORITHMS, AlgorithmParameters
from contracts.records import Contract

_SLUG = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")
_GB28181 = re.compile(r"^\d{20}$")
_URL = re.compile(r"^(rtsps?|file)://", re.IGNORECASE)


def _check_slug(value: str) -> str:
    if not _SLUG.match(value):
        raise ValueError(
            f"{value!r} is not an id; write lower-case letters, digits, - and _ (64 at most, first a letter or digit)"
        )
    return value


def _check_camera_id(value: str) -> str:
    if not (_SLUG.match(value) or _GB28181.match(value)):
        raise ValueError(
            f"{value!r} is not a camera id; write a slug (lower-case letters, digits, - and _) "
            "or a 20-digit GB/T 28181 code"
        )
    return value


Slug = Annotated[str, AfterValidator(_check_slug)]
CameraId = Annotated[str, AfterValidator(_check_camera_id)]
Coordinate = Annotated[float, Field(ge=0, le=1)]
Point = tuple[Coordinate, Coordinate]


class ZoneKind(StrEnum):
    NO_PARKING = "no_parking"
    ROAD = "road"
    SQUARE = "square"
    SIDEWALK = "sidewalk"
    PLATFORM = "platform"
    BIN = "bin"
    AREA = "area"


class Department(Contract):
    id: Slug
    name: str = Field(min_length=1, max_length=120)
    parent: Slug | None = None


class StreamRef(Contract):
    """Where one stream comes from. Credentials are named, never written here.

    `credentials` names an entry of the secrets file (or the environment variable
    `CITYVISION_SECRET_<NAME>` holding `user:password`).
    """

    url: str = Field(max_length=2000)
    transport: Literal["tcp", "udp"] = "tcp"
    credentials: Slug | None = None

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        if not _URL.match(value):
            raise ValueError("the scheme is not one of rtsp://, rtsps://, file://; write e.g. rtsp://10.0.0.8:554/main")
        authority = value.split("://", 1)[1].split("/", 1)[0]
        if "@" in authority:
            raise ValueError("credentials stand in the address; take them out and name them with `credentials:`")
        return value


class Position(Contract):
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)


class Preset(Contract):
    id: Slug
    name: str = Field(min_length=1, max_length=120)
    token: str = ""


class GroundCalibration(Contract):
    """Four points of the picture and where they lie on the ground, in metres (any local origin)."""

    image: tuple[Point, Point, Point, Point]
    ground_m: tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]


class Zone(Contract):
    id: Slug
    name: str = Field("", max_length=120)
    kind: ZoneKind
    polygon: tuple[Point, ...] = Field(min_length=3, max_length=64)
    preset: Slug | None = None
    capacity: int | None = Field(None, ge=1, le=100_000)
    calibration: GroundCalibration | None = None


class Camera(Contract):
    id: CameraId
    name: str = Field(min_length=1, max_length=120)
    department: Slug
    camera_class: Literal[1, 2, 3] = Field(1, alias="class")
    mounting: Literal["high", "low"] = "high"
    kind: Literal["fixed", "ptz"] = "fixed"
    presets: tuple[Preset, ...] = ()
    main: StreamRef
    sub: StreamRef | None = None
    position: Position | None = None
    grid: str = Field("", max_length=40)
    enabled: bool = True
    zones: tuple[Zone, ...] = ()
    algorithms: dict[str, SerializeAsAny[AlgorithmParameters]] = Field(default_factory=dict)

    @field_validator("algorithms", mode="before")
    @classmethod
    def _typed_parameters(cls, value: Any) -> Any:
        """Each algorithm's parameters by that algorithm's own model (`illegal_parking: {dwell: 3min}`)."""
        if not isinstance(value, dict):
            return value
        typed: dict[str, Any] = {}
        for name, parameters in value.items():
            model = ALGORITHMS.get(name)
            if model is None:
                known = ", ".join(sorted(ALGORITHMS))
                raise ValueError(f"unknown algorithm {name!r}; write one of: {known}")
            typed[name] = model.model_validate(parameters if parameters is not None else {})
        return typed

    @model_validator(mode="after")
    def _unique_inside(self) -> Camera:
        for what, ids in (("zones", [z.id for z in self.zones]), ("presets", [p.id for p in self.presets])):
            twice = sorted({i for i in ids if ids.count(i) > 1})
            if twice:
                raise ValueError(f"{what}: id {twice[0]!r} stands twice; give each its own")
        return self


class Pool(Contract):
    """Everything, after the files are joined."""

    version: Literal[1] = 1
    departments: tuple[Department, ...] = ()
    cameras: tuple[Camera, ...] = ()
