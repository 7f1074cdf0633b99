"""Tracks between key frames, in CVAT's XML and back; intervals and tracks of two people; what fits a clip."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from algorithm_repo.datasets.tracks import KeyFrame, Track
from algorithm_repo.datasets.types import Box, Interval, Item, Tag
from algorithm_repo.formats import cvat_tracks, cvat_video
from algorithm_repo.formats.types import GRID
from algorithm_repo.labelling.agreement import compare, iou
from algorithm_repo.labelling.clips import ClipFacts
from algorithm_repo.labelling.types import NewProject, Shape
from contracts.errors import ConfigError
from tests.unit.formats_scene import content

SHARES = st.integers(0, 10**6).map(lambda n: n / 10**6)
FRAMES = 250
FPS = 25.0
CLIP = ClipFacts(duration_s=10.0, fps=FPS, frames=FRAMES)
LEFT, RIGHT = (0.1, 0.2, 0.3, 0.6), (0.5, 0.2, 0.7, 0.6)


def key(at: float, box: tuple[float, float, float, float] = LEFT, outside: bool = False) -> KeyFrame:
    return KeyFrame(at=at, box=box, outside=outside)


def track(*keys: KeyFrame, label: str = "car") -> Track:
    return Track(label=label, keys=keys)


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    frames = sorted(draw(st.sets(st.integers(0, FRAMES - 1), min_size=1, max_size=6)))
    keys = []
    for place, frame in enumerate(frames):
        x1, x2 = sorted(draw(st.lists(SHARES, min_size=2, max_size=2, unique=True)))
        y1, y2 = sorted(draw(st.lists(SHARES, min_size=2, max_size=2, unique=True)))
        # One frame after the last key frame is where CVAT ends a track by itself.
        ends = place == len(frames) - 1 and place > 0 and frame == frames[place - 1] + 1
        outside = place > 0 and not ends and draw(st.booleans())
        keys.append(key(round(frame / FPS, GRID), (x1, y1, x2, y2), outside))
    return track(*keys, label=draw(st.sampled_from(("car", "bus"))))


@given(tracks(), st.data())
def test_a_box_lies_between_its_key_frames_and_is_exact_at_them(one: Track, data: st.DataObject) -> None:
    for place, now in enumerate(one.keys):
        assert one.at(now.at) == (None if now.outside else now.box)
        if place + 1 == len(one.keys):
            continue
        after = one.keys[place + 1]
        moment = data.draw(st.floats(now.at, after.at, exclude_min=True, exclude_max=True))
        found = one.at(moment)
        if now.outside:
            assert found is None
        else:
            assert found is not None
            for a, between, b in zip(now.box, found, after.box, strict=True):
                assert min(a, b) <= between <= max(a, b)


@given(tracks(), st.floats(1e-6, 100))
def test_a_thing_is_not_to_be_seen_before_its_track_nor_after_it(one: Track, far: float) -> None:
    assert one.at(one.keys[0].at - far) is None
    assert one.at(one.keys[-1].at + far) is None


def test_a_box_moves_in_a_straight_line_and_not_while_it_is_outside() -> None:
    one = track(key(1), key(3, RIGHT, outside=True), key(5, RIGHT), key(7, RIGHT))
    assert one.at(2) == pytest.approx((0.3, 0.2, 0.5, 0.6))
    assert one.at(3) is None
    assert one.at(4) is None
    assert one.at(6) == RIGHT


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ([{"at": 1, "box": LEFT}, {"at": 1, "box": RIGHT}], r"keys\[1\]\.at: two key frames at 1 s"),
        ([{"at": 2, "box": LEFT}, {"at": 1, "box": RIGHT}], r"keys\[1\]\.at: 1 s comes after 2 s"),
        ([{"at": 2, "box": LEFT, "outside": True}], r"keys\[0\]\.outside: a track begins"),
        ([{"at": 2, "box": (0.5, 0.1, 0.2, 0.3)}], r"box: it goes from its left upper"),
        ([{"at": float("nan"), "box": LEFT}], "at"),
        ([], "keys"),
    ],
)
def test_a_track_that_cannot_be_is_refused(keys: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Track(label="car", keys=keys)


@pytest.mark.parametrize(
    ("label", "told"),
    [
        (Interval(label="car", start=2, end=10.5), r"labels\[0\]\.end: 10\.5 s lies past the clip's end at 10 s"),
        (Interval(label="car", start=10), r"labels\[0\]\.start: the clip ends at 10 s"),
        (track(key(1), key(11)), r"labels\[0\]\.keys\[1\]\.at: 11 s lies past"),
        (Box(label="car", box=LEFT), r"labels\[0\]\.kind: a box does not fit"),
    ],
)
def test_what_does_not_fit_a_clip_is_refused(label: Any, told: str) -> None:
    project = NewProject(name="p", kinds=("interval", "track", "box", "tag"), classes=("car",))
    assert (project.of_clips, project.of_pictures) == (True, True)
    project.check([Tag(label="car"), Interval(label="car", start=0, end=10), track(key(10))], CLIP)
    with pytest.raises(ConfigError, match=told):
        project.check([label], CLIP)
    with pytest.raises(ConfigError, match=r"labels\[1\]\.kind: a track does not fit"):
        project.check([Tag(label="car"), track(key(1))])


def test_an_interval_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValidationError, match="end: an interval ends after it has begun"):
        Interval(label="car", start=3, end=2)


# --- CVAT -------------------------------------------------------------------------------------------------------


def clip(*labels: Any) -> Item:
    return Item(
        content=content(1), name="a.mp4", media="clip", width=640, height=360, source="city", labels=tuple(labels)
    )


@settings(deadline=None)
@given(st.lists(tracks(), max_size=4))
def test_tracks_read_back_equal_from_cvat(drawn: list[Track]) -> None:
    files = cvat_tracks.written(clip(), drawn, ("car", "bus"), FPS, FRAMES)
    assert files.warnings == ()
    found = cvat_tracks.read(files.texts["annotations.xml"], FPS)
    assert found.tracks == tuple(drawn)
    assert (found.path, found.size, found.classes, found.warnings) == ("a.mp4", (640, 360), ("car", "bus"), ())


def test_cvat_sees_a_box_where_we_see_it() -> None:
    one = track(key(1), key(3, RIGHT, outside=True), key(5, RIGHT), key(7, LEFT))
    files = cvat_tracks.written(clip(), [one], ("car",), FPS, FRAMES)
    (picture,) = cvat_video.read(files.texts["annotations.xml"], FPS, between=True).pictures
    theirs = {label.at: label.box for label in picture.labels if isinstance(label, Box)}
    ours = {round(frame / FPS, GRID): one.at(round(frame / FPS, GRID)) for frame in range(FRAMES)}
    shown = {at: box for at, box in ours.items() if box is not None}
    assert theirs.keys() == shown.keys()
    for at, box in shown.items():
        assert theirs[at] == pytest.approx(box, abs=2e-6)


def test_what_cvat_has_no_room_for_is_told() -> None:
    files = cvat_tracks.written(clip(Interval(label="car", start=1)), [track(key(1))], ("car",), FPS, FRAMES)
    assert files.warnings == ("a.mp4: intervals left out of CVAT's XML (1)",)


def test_other_peoples_track_without_an_end_goes_on_to_the_clips_end() -> None:
    files = cvat_tracks.written(clip(), [track(key(1))], ("car",), FPS, FRAMES)
    xml = files.texts["annotations.xml"].decode()
    ended = next(line for line in xml.splitlines() if 'outside="1"' in line)
    (found,) = cvat_tracks.read(xml.replace(ended, "").encode(), FPS).tracks
    assert [one.at for one in found.keys] == [1.0, round((FRAMES - 1) / FPS, GRID)]
    assert found.at(8) == LEFT


# --- agreement --------------------------------------------------------------------------------------------------


def test_intervals_agree_by_their_time_in_one_zone() -> None:
    one = Interval(label="car", zone="lane", start=2, end=6)
    assert iou(one, Interval(label="car", zone="lane", start=4, end=8)) == pytest.approx(2 / 6)
    assert iou(one, Interval(label="car", zone="kerb", start=2, end=6)) == 0
    assert iou(one, Interval(label="car", zone="lane", start=7, end=8)) == 0
    assert iou(Interval(label="car", start=5), Interval(label="car", start=5, end=9), 10.0) == pytest.approx(4 / 5)
    assert iou(one, track(key(2), key(6))) == 0, "another kind"


def test_tracks_agree_over_the_time_in_which_either_is_to_be_seen() -> None:
    one = track(key(0), key(4))
    assert iou(one, one) == pytest.approx(1)
    assert iou(one, track(key(0), key(2))) == pytest.approx(0.5, abs=0.01)
    assert iou(one, track(key(0, RIGHT), key(4, RIGHT))) == 0
    assert iou(track(key(1)), track(key(1))) == 1
    assert iou(track(key(1)), track(key(2))) == 0


@given(tracks(), tracks())
def test_agreement_of_tracks_is_a_share_and_the_same_both_ways(one: Track, other: Track) -> None:
    assert 0 <= iou(one, other) <= 1
    assert iou(one, other) == pytest.approx(iou(other, one))


def test_labels_of_a_clip_are_paired_kind_by_kind() -> None:
    ours: list[Shape] = [Interval(label="car", start=1, end=5), track(key(1), key(5))]
    theirs: list[Shape] = [track(key(1), key(5), label="bus"), Interval(label="car", start=1, end=4)]
    found = compare(ours, theirs, ("car", "bus"), False, 10.0)
    assert sorted(found.ious) == pytest.approx([0.75, 1.0])
    assert sorted(found.pairs) == [("car", "bus"), ("car", "car")]
