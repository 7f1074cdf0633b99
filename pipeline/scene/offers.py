"""What is offered to the person who draws a camera's zones: new ones, or its own where the view has moved to."""

from __future__ import annotations

from collections.abc import Iterator

from shapely import Polygon, box, unary_union

from contracts.polygons import polygon_problem
from contracts.pool import Camera, Zone
from contracts.proposals import ZoneProposal, ZoneProposals
from pipeline.scene.propose import propose_zones
from pipeline.senses.memory import SceneMemory
from pipeline.senses.register import Registration

_LEFT = 0.5  # of a zone must still be in the picture
_MOST_CORNERS = 64
_KNOWN = 0.6  # of a proposal covered by zones of its kind: it is there already


def offers(camera: Camera, memory: SceneMemory, utc: float) -> ZoneProposals:
    """Zones to be confirmed. While the view is another one nothing new is proposed, but the zones that would fit it.

    Args:
        camera: its entry in the pool.
        memory: what its senses remember.
        utc: now, s since 1970 UTC.
    """
    moved, traffic = memory.health.registration, memory.traffic
    if memory.health.elsewhere:
        found = () if moved is None else tuple(_moved(camera.zones, moved))
    else:
        found = tuple(one for one in propose_zones(traffic) if not _known(one, camera.zones))
    return ZoneProposals(camera=camera.id, watched_s=round(traffic.watched_s, 1), updated_utc=utc, proposals=found)


def _moved(zones: tuple[Zone, ...], registration: Registration) -> Iterator[ZoneProposal]:
    for zone in zones:
        corners = _inside(registration.moved(zone.polygon))
        if corners is None:
            continue
        now = _as_it_stands(zone, corners, registration)
        before, after = Polygon(zone.polygon).centroid, Polygon(registration.moved(zone.polygon)).centroid
        x, y = 100 * (after.x - before.x), 100 * (after.y - before.y)
        why = {
            "zh": f"摄像机已移位，区域随之移动 {x:+.1f} %（宽）、{y:+.1f} %（高）",
            "en": f"the camera has moved: the zone with it, {x:+.1f} % of the width, {y:+.1f} % of the height",
        }
        if zone.calibration is not None and now.calibration is None:
            why = {"zh": why["zh"] + "；标定点已在画面外", "en": why["en"] + "; its calibration is out of the picture"}
        yield ZoneProposal(kind=zone.kind, polygon=corners, why=why, support=registration.matches, replaces=now)


def _inside(polygon: list[tuple[float, float]]) -> tuple[tuple[float, float], ...] | None:
    """The part of it in the picture; None where too little of it is, or it is no zone any more."""
    shape = Polygon(polygon)
    if not shape.is_valid or not shape.area:
        return None
    seen = shape.intersection(box(0, 0, 1, 1))
    if not isinstance(seen, Polygon) or seen.area < _LEFT * shape.area:
        return None
    corners = tuple((round(x, 4), round(y, 4)) for x, y in list(seen.exterior.coords)[:-1])
    return None if len(corners) > _MOST_CORNERS or polygon_problem(corners) is not None else corners


def _as_it_stands(zone: Zone, corners: tuple[tuple[float, float], ...], registration: Registration) -> Zone:
    """The zone with everything that is drawn in the picture moved along."""
    calibration = None
    if zone.calibration is not None:
        image = [(round(x, 5), round(y, 5)) for x, y in registration.moved(zone.calibration.image)]
        if all(0 <= x <= 1 and 0 <= y <= 1 for x, y in image):
            calibration = {"image": image, "ground_m": zone.calibration.ground_m}
    marks = [(mark, _inside(registration.moved(mark.polygon))) for mark in zone.depth_marks]
    kept = [mark.model_dump() | {"polygon": polygon} for mark, polygon in marks if polygon is not None]
    return Zone.model_validate(
        zone.model_dump() | {"polygon": corners, "calibration": calibration, "depth_marks": kept}
    )


def _known(proposal: ZoneProposal, zones: tuple[Zone, ...]) -> bool:
    drawn = unary_union([Polygon(zone.polygon).buffer(0) for zone in zones if zone.kind == proposal.kind])
    shape = Polygon(proposal.polygon)
    return bool(shape.intersection(drawn).area >= _KNOWN * shape.area)
