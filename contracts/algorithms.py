"""The event algorithms a camera can be given, and their parameters with units.

Only parameters live here, because the pool names them; the rules themselves are in `pipeline.rules`.
An algorithm that a city adds is one file in `extensions`, parameters and rule together.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, ClassVar, Final, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, PlainSerializer
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from contracts.problems import unfit
from contracts.records import Contract, Severity

_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(ms|s|min|h)\s*$")


def parse_duration(value: object) -> object:
    """Seconds from "90s", "3min", "500ms", "1h" or a plain number of seconds.

    Raises:
        PydanticCustomError: the value is none of these.
    """
    if isinstance(value, bool):
        raise unfit("true/false is not a duration", "write e.g. 90s, 3min, 500ms, 1h, or a number of seconds")
    if isinstance(value, str):
        match = _DURATION.match(value)
        if match is None:
            raise unfit("not a duration", "write e.g. 90s, 3min, 500ms, 1h, or a number of seconds")
        # Rounded to whole microseconds so that 100ms is .1 and goes through JSON unchanged.
        return round(float(match[1]) * _UNITS[match[2]], 6)
    return value


class _DurationSchema:
    """Editors may write a number or a text with a unit; the bounds are those of the number."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        number = handler(core)
        described = {key: number.pop(key) for key in ("title", "default", "description") if key in number}
        text = {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(ms|s|min|h)\s*$", "examples": ["90s", "3min"]}
        return described | {"anyOf": [number, text]}


Duration = Annotated[float, BeforeValidator(parse_duration), PlainSerializer(float), _DurationSchema()]


# Of T: how far the beginning of a matter may be dated too late on a camera that has long been calm.
_PATIENCE_SHARE = 0.1


# What ails a picture so that nothing can be judged in it; a blurred one still serves what needs no detail.
BLINDING: Final = frozenset({"frozen", "black", "overexposed", "covered", "moved", "off_preset"})
HEALTH: Final = "camera_health"


class AlgorithmParameters(Contract):
    """What every algorithm has."""

    model_config = ConfigDict(hide_input_in_errors=True, allow_inf_nan=False)

    zone_kinds: ClassVar[frozenset[str]] = frozenset()
    rule_version: ClassVar[str] = "1.0.0"
    # While one of these ails the camera, the algorithm cannot judge and pauses.
    blinded_by: ClassVar[frozenset[str]] = BLINDING | {"blurred"}

    look_every: Duration = Field(2.0, ge=0.04, le=60, description="stream time between looks, s")
    min_score: float = Field(0.35, ge=0.05, le=0.99, description="detections below it are ignored, 0..1")
    severity: Severity = Field(Severity.MINOR, description="of the events it raises")
    zones: tuple[str, ...] | None = Field(
        None, min_length=1, description="ids of the zones to watch; by default every zone of a fitting kind"
    )
    max_false_alarms: float | None = Field(
        None,
        gt=0,
        le=1000,
        description="the operating point: false alarms a camera-day at most, as measured; unset: the rule decides",
    )

    @property
    def patience(self) -> float:
        """How much later than promised the beginning of a matter may be noticed on a calm camera, s."""
        return 0.0


ParametersT = TypeVar("ParametersT", bound=AlgorithmParameters)


class Algorithms(Mapping[str, type[AlgorithmParameters]]):
    """Event type -> its parameters.

    Those that are a file of their own in `extensions` are imported when somebody first looks, so that such a file may
    itself import whatever it needs.
    """

    def __init__(self) -> None:
        self._known: dict[str, type[AlgorithmParameters]] = {}
        self._complete = False

    def enter(self, name: str, parameters: type[AlgorithmParameters]) -> None:
        """Makes an algorithm known."""
        self._known[name] = parameters

    def __getitem__(self, name: str) -> type[AlgorithmParameters]:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, type[AlgorithmParameters]]:
        if not self._complete:
            self._complete = True
            found = importlib.util.find_spec("extensions")
            for module in pkgutil.iter_modules(found.submodule_search_locations if found is not None else []):
                importlib.import_module(f"extensions.{module.name}")
        return self._known


ALGORITHMS = Algorithms()


def algorithm(name: str) -> Callable[[type[ParametersT]], type[ParametersT]]:
    """Class decorator: these are the parameters of the event algorithm `name`."""

    def enter(parameters: type[ParametersT]) -> type[ParametersT]:
        ALGORITHMS.enter(name, parameters)
        return parameters

    return enter


@algorithm("illegal_parking")
class IllegalParking(AlgorithmParameters):
    """违停: a vehicle still for `dwell` inside a no-parking zone."""

    zone_kinds: ClassVar[frozenset[str]] = frozenset({"no_parking"})

    dwell: Duration = Field(180.0, ge=2, le=86_400, description="T: standing this long is an event, s")
    max_move: float = Field(
        0.25, gt=0, le=2, description="still = moved less than this many body lengths since it stopped"
    )
    leave_after: Duration = Field(
        10.0, ge=1, le=3600, description="not seen at its place for this long: it has left, s"
    )
    min_seen: float = Field(
        0.5, gt=0, le=1, description="share of looks in which it must have been seen while standing"
    )
    ignore_queues: bool = Field(
        True, description="hold the event back while the vehicles around it stand in a queue or a jam too"
    )
    read_plates: bool = Field(
        True, description="read the number plate of a vehicle that is about to be reported (personal data)"
    )

    @property
    def patience(self) -> float:
        """A tenth of T: the clock of an arrival is never wrong by more."""
        return self.dwell * _PATIENCE_SHARE


@algorithm("crowding")
class Crowding(AlgorithmParameters):
    """拥挤: more people than the zone takes, for `hold`. Density where the zone is calibrated, else its capacity."""

    zone_kinds: ClassVar[frozenset[str]] = frozenset({"square", "sidewalk", "platform", "road", "area"})

    max_density: float = Field(2.0, gt=0, le=12, description="people per square metre (calibrated zones)")
    max_people: int | None = Field(
        None, ge=1, le=10_000, description="people in the zone; overrides the zone's capacity"
    )
    hold: Duration = Field(30.0, ge=1, le=86_400, description="T: crowded this long is an event, s")
    clear: float = Field(0.8, gt=0, le=1, description="closes below this share of the limit (hysteresis)")
    clear_hold: Duration = Field(10.0, ge=1, le=3600, description="below it for this long: closed, s")
    linger: Duration = Field(
        2.0,
        ge=0,
        le=600,
        description="a person counts after this long in the zone, s; below 1.5 s walkers count too",
    )

    @property
    def patience(self) -> float:
        """A tenth of T: the clock of a crowd is never wrong by more."""
        return self.hold * _PATIENCE_SHARE


@algorithm("waterlogging")
class Waterlogging(AlgorithmParameters):
    """积水: standing water over a share of a road zone, for `hold`."""

    zone_kinds: ClassVar[frozenset[str]] = frozenset({"road", "square", "sidewalk", "area"})

    blinded_by: ClassVar[frozenset[str]] = BLINDING

    look_every: Duration = Field(5.0, ge=0.04, le=300, description="stream time between looks, s")
    min_share: float = Field(0.08, gt=0, le=1, description="share of the zone under water that is too much")
    min_water: float = Field(0.5, gt=0, lt=1, description="probability from which a place is taken for water")
    hold: Duration = Field(60.0, ge=1, le=86_400, description="T: that much water for this long is an event, s")
    clear: float = Field(0.5, gt=0, le=1, description="closes below this share of `min_share` (hysteresis)")
    clear_hold: Duration = Field(60.0, ge=1, le=86_400, description="below it for this long: closed, s")

    @property
    def patience(self) -> float:
        """A tenth of T: the clock of a flood is never wrong by more."""
        return self.hold * _PATIENCE_SHARE


@algorithm("litter")
class Litter(AlgorithmParameters):
    """垃圾暴露: a thing left on the ground for `dwell` after whoever left it has gone, or a bin that overflows."""

    zone_kinds: ClassVar[frozenset[str]] = frozenset({"sidewalk", "square", "road", "platform", "area", "bin"})

    dwell: Duration = Field(120.0, ge=2, le=86_400, description="T: lying this long unattended is an event, s")
    min_litter: float = Field(0.55, gt=0, lt=1, description="probability from which a thing is taken for litter")
    attended: float = Field(1.5, ge=0, le=10, description="somebody this close attends to it, body heights")
    leave_after: Duration = Field(10.0, ge=1, le=3600, description="not seen at its place for this long: gone, s")

    @property
    def patience(self) -> float:
        """A tenth of T: the clock of a thing left behind is never wrong by more."""
        return self.dwell * _PATIENCE_SHARE


@algorithm(HEALTH)
class CameraHealth(AlgorithmParameters):
    """摄像机健康: offline, frozen, black, overexposed, blurred, covered, moved, off its preset.

    It watches the whole picture, no zone. Every camera that any other algorithm watches has it with these defaults,
    unless it says `enabled: false`.
    """

    blinded_by: ClassVar[frozenset[str]] = frozenset()

    enabled: bool = Field(True, description="false: nobody watches this camera's health, and no rule ever pauses")
    hold: Duration = Field(10.0, ge=1, le=3600, description="T: an ailment that lasts this long is an event, s")
    clear_hold: Duration = Field(5.0, ge=1, le=3600, description="well for this long: closed, s")
    offline_after: Duration = Field(30.0, ge=5, le=86_400, description="nothing arrives for this long: offline, s")
    max_shift: float = Field(
        0.02, gt=0, le=0.5, description="the whole scene may shift by this share of the picture's width before it moved"
    )
    view: int = Field(
        0, ge=0, description="raise it when the camera was turned on purpose: what it shows from then on is right"
    )

    @property
    def patience(self) -> float:
        """It notices what makes the picture change; what stops it from changing shows with the heartbeat."""
        return self.hold


def running(given: Mapping[str, AlgorithmParameters]) -> dict[str, AlgorithmParameters]:
    """What really runs on a camera that is given these: with its health, unless that is switched off."""
    health = given.get(HEALTH)
    others = {name: parameters for name, parameters in given.items() if name != HEALTH}
    if isinstance(health, CameraHealth):
        return {HEALTH: health, **others} if health.enabled else others
    return {HEALTH: CameraHealth.model_validate({}), **others} if others else {}
