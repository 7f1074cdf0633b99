"""Small MP4 for tests: each is another one."""

from __future__ import annotations

import io

import av
import numpy as np
from av.video.frame import VideoFrame


def small_clip(
    number: int = 0, seconds: float = 3.0, fps: int = 10, size: tuple[int, int] = (160, 90), start: float = 0.0
) -> bytes:
    """A square that goes to the right over a grey ground, H.264; players show nothing before `start` s."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as sink:
        stream = sink.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        count = round(seconds * fps)
        for n in range(count):
            picture = np.full((size[1], size[0], 3), 60 + 9 * (number % 15), np.uint8)
            x = round(n / count * (size[0] - 20))
            picture[30:50, x : x + 20] = (240, 200, 40)
            frame = VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = round(start * fps) + n
            sink.mux(stream.encode(frame))
        sink.mux(stream.encode(None))
    return target.getvalue()
