"""A live picture: one look, made small, with the boxes that were found in exactly it."""

from __future__ import annotations

from contracts.live import LiveBox, LiveHeader, encode_live
from contracts.vision import Frame, ObjectClass, Tracks
from pipeline.pictures import to_jpeg

LIVE_WIDTH = 854
_LIVE_QUALITY = 75


def live_picture(camera: str, frame: Frame, tracks: Tracks, alarmed: frozenset[int]) -> bytes:
    """The message a viewer gets (`contracts.live.encode_live`); tracks of open events are marked."""
    width = min(LIVE_WIDTH, frame.width)
    header = LiveHeader(
        camera=camera,
        utc=round(frame.utc, 3),
        width=width,
        height=round(width / frame.aspect),
        boxes=tuple(
            LiveBox(
                track=track,
                object_class=ObjectClass(label).name.lower(),
                score=round(score, 3),
                box=(round(box[0], 4), round(box[1], 4), round(box[2], 4), round(box[3], 4)),
                alarm=track in alarmed,
            )
            for track, label, score, box in zip(
                tracks.ids.tolist(),
                tracks.classes.tolist(),
                tracks.scores.tolist(),
                tracks.boxes.tolist(),
                strict=True,
            )
        ),
    )
    return encode_live(header, to_jpeg(frame, width=width, quality=_LIVE_QUALITY))
