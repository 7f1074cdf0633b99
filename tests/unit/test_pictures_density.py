"""The density picture: red where people stand close, untouched where nobody does."""

from __future__ import annotations

import cv2
import numpy as np

from models.picture import frame_from_bgr
from pipeline.pictures import density_jpeg


def test_heat_lies_where_people_stand() -> None:
    grey = np.full((360, 640, 3), 90, np.uint8)
    crowd = tuple((0.25 + 0.01 * (i % 3), 0.7 + 0.01 * (i // 3), 0.2) for i in range(9))
    jpeg = density_jpeg(frame_from_bgr(grey), (*crowd, (0.8, 0.7, 0.2)))
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (360, 640, 3)
    blue, _, red = (int(v) for v in picture[254, 166])
    assert red > blue + 60
    assert np.abs(picture[20:60].astype(int) - 90).max() < 12  # the sky is left as it was
    lone = picture[250, 512].astype(int)
    assert lone[0] > lone[2]  # one alone is blue where nine are red
