"""Whether a drawn shape can be used: simple polygons, and the four points of a ground calibration.

Pure Python on purpose: a zone has a handful of corners, and every process that reads the pool runs this.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

Corner = tuple[float, float]

MIN_AREA = 1e-6  # of the picture: less than one pixel of 720p
_MIN_SINE = 0.02  # corners of a calibration whose sides enclose less than about 1 degree count as collinear


def signed_area(corners: Sequence[Corner]) -> float:
    """Area of the polygon by the shoelace formula, negative when it runs counter-clockwise in picture coordinates."""
    following = [*corners[1:], *corners[:1]]
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(corners, following, strict=True)) / 2


def _turn(a: Corner, b: Corner, c: Corner) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _within(a: Corner, b: Corner, p: Corner) -> bool:
    """Whether `p`, known to lie on the line through a and b, lies between them."""
    return min(a[0], b[0]) <= p[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= p[1] <= max(a[1], b[1])


def _touch(a: Corner, b: Corner, c: Corner, d: Corner) -> bool:
    """Whether the edges a-b and c-d share a point."""
    abc, abd, cda, cdb = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if abc * abd < 0 and cda * cdb < 0:
        return True
    return (
        (abc == 0 and _within(a, b, c))
        or (abd == 0 and _within(a, b, d))
        or (cda == 0 and _within(c, d, a))
        or (cdb == 0 and _within(c, d, b))
    )


def crossing_edges(corners: Sequence[Corner]) -> tuple[int, int] | None:
    """Numbers of the first two edges that cross or touch where they must not; edge i runs from corner i to i + 1."""
    count = len(corners)
    edges = [(corners[i], corners[(i + 1) % count]) for i in range(count)]
    for first, second in combinations(range(count), 2):
        if second - first == 1 or (first == 0 and second == count - 1):
            shared = second if second - first == 1 else 0
            before, here, after = (
                corners[shared - 1],
                corners[shared],
                corners[(shared + 1) % count],
            )
            if _turn(before, here, after) == 0 and _folds_back(before, here, after):
                return first, second
        elif _touch(*edges[first], *edges[second]):
            return first, second
    return None


def _folds_back(before: Corner, here: Corner, after: Corner) -> bool:
    along = (before[0] - here[0]) * (after[0] - here[0]) + (before[1] - here[1]) * (after[1] - here[1])
    return along > 0


def polygon_problem(corners: Sequence[Corner]) -> tuple[str, str] | None:
    """What is wrong with a zone's polygon and how to mend it, or None.

    Args:
        corners: at least three, normalised, not closed.
    """
    count = len(corners)
    for index in range(count):
        if corners[index] == corners[(index + 1) % count]:
            if index == count - 1:
                return "the last corner repeats the first", "leave the last one out, the polygon closes by itself"
            return f"corners {index} and {index + 1} are the same point", "leave one of them out"
    if abs(signed_area(corners)) < MIN_AREA and len({round(_turn(corners[0], corners[1], c), 9) for c in corners}) == 1:
        return "the corners lie on one line, so it has no area", "move a corner so that the polygon encloses the zone"
    crossing = crossing_edges(corners)
    if crossing is not None:
        one, other = crossing
        return (
            f"it crosses itself: the edge from corner {one} to {(one + 1) % count} meets the edge "
            f"from corner {other} to {(other + 1) % count}",
            "write the corners in the order in which one walks around the zone",
        )
    if abs(signed_area(corners)) < MIN_AREA:
        return "it has next to no area", "move the corners so that the polygon encloses the zone"
    return None


def quadrilateral_problem(corners: Sequence[Corner]) -> tuple[str, str] | None:
    """What makes four points useless for a ground calibration, or None: they must form a convex quadrilateral.

    A homography exists for any four points of which no three lie on one line; seen from in front of the camera it
    keeps convexity, so a concave or crossing set means a point was mistyped or the order differs.
    """
    turns = []
    for index in range(4):
        a, b, c = corners[index - 1], corners[index], corners[(index + 1) % 4]
        turn = _turn(a, b, c)
        scale = _distance(a, b) * _distance(b, c)
        if scale == 0:
            return f"point {index} coincides with its neighbour", "give four different points"
        if abs(turn) < _MIN_SINE * scale:
            return (
                f"points {(index - 1) % 4}, {index} and {(index + 1) % 4} lie on one line",
                "choose four points that form a quadrilateral",
            )
        turns.append(turn > 0)
    if any(turns) and not all(turns):
        return (
            "the four points do not go around a convex quadrilateral",
            "write them in the order in which one walks around it, the same order in image and ground_m",
        )
    return None


def _distance(a: Corner, b: Corner) -> float:
    return float(((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5)
