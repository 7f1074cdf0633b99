"""ultralytics' own `.streams` tracking of cameras; runs in an environment of its own.

usage: python ultralytics_track.py STREAMS.streams LOOKS

STREAMS.streams holds an address a line. Prints one JSON line like `bench.camera_subject`, counted over LOOKS pictures
a camera after a quarter as many. The network is yolo11n with random weights, exported to OpenVINO at 416 pixels: its
time does not depend on what it learnt. A CPU build of torch beside a CUDA build of torchvision lacks `nms`; ours is
registered in its place before ultralytics imports it.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.update(YOLO_OFFLINE="1", YOLO_VERBOSE="0", OPENCV_FFMPEG_CAPTURE_OPTIONS="rtsp_transport;tcp")


def give_torchvision_nms() -> None:
    import torch

    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

    def nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
        order, keep = scores.argsort(descending=True).tolist(), []
        while order:
            best = order.pop(0)
            keep.append(best)
            if not order:
                break
            rest = boxes[order]
            size = (torch.minimum(boxes[best, 2:], rest[:, 2:]) - torch.maximum(boxes[best, :2], rest[:, :2])).clamp(0)
            area = size[:, 0] * size[:, 1]
            whole = (boxes[best, 2:] - boxes[best, :2]).prod() + (rest[:, 2:] - rest[:, :2]).prod(1) - area
            overlap = (area / whole).tolist()
            order = [index for index, value in zip(order, overlap, strict=True) if value <= iou_threshold]
        return torch.tensor(keep, dtype=torch.long)

    library.impl("nms", nms, "CPU")
    give_torchvision_nms.library = library  # type: ignore[attr-defined]
    import torchvision.extension

    torchvision.extension._has_ops = lambda: True


def main() -> None:
    streams, wanted = sys.argv[1], int(sys.argv[2])
    give_torchvision_nms()
    import torch
    from ultralytics import YOLO

    torch.set_num_threads(1)
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    YOLO("yolo11n.yaml").save("yolo11n.pt")
    exported = YOLO("yolo11n.pt").export(format="openvino", imgsz=416)
    model = YOLO(exported, task="detect")
    cameras = len(Path(streams).read_text().split())
    warm, before, began = wanted * cameras // 4, 0.0, 0.0
    tracked = model.track(streams, stream=True, imgsz=416, verbose=False, conf=0.35, persist=True)
    for looks, _ in enumerate(tracked, 1):
        if looks == warm:
            before, began = time.process_time(), time.monotonic()
        if looks == warm + wanted * cameras:
            break
    measured = {
        "cpu_s": time.process_time() - before,
        "seconds": time.monotonic() - began,
        "looks": wanted * cameras,
        "cameras": cameras,
    }
    sys.stdout.write("\n" + json.dumps(measured) + "\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
