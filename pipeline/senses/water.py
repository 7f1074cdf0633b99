"""Standing water in whole pictures: one segmentation a batch, whatever number of cameras ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contracts.senses import WaterMap
from contracts.vision import Frame
from models.detector import Batch
from models.segmenter import WaterSegmenter, load_segmenter
from models.zoo import Zoo
from pipeline.senses.lazy import Lazy

MODEL = "water"


class WaterSense:
    """Stateless but for the model and its batch; what is water for how long is the rule's to judge.

    Args:
        load: gives the network; called when a picture first has to be segmented.
    """

    def __init__(self, load: Callable[[], WaterSegmenter]) -> None:
        self._segmenter: Lazy[WaterSegmenter] = Lazy(load)
        self._slots: Batch | None = None

    @classmethod
    def of(cls, zoo: Zoo, triton_url: str | None = None, name: str = MODEL) -> WaterSense:
        """With a network of the zoo, in process or at a Triton server ("host:port" of its gRPC endpoint)."""
        return cls(lambda: load_segmenter(name, zoo, triton_url=triton_url))

    @property
    def loaded(self) -> WaterSegmenter | None:
        """The network, once something has asked for it."""
        return self._segmenter.loaded

    def put(self, segmenter: WaterSegmenter) -> WaterSegmenter | None:
        """See `Lazy.put`."""
        self._slots = None  # another network may want pictures of another size
        return self._segmenter.put(segmenter)

    def sense(self, frames: Sequence[Frame]) -> list[WaterMap]:
        """A map a frame, in their order.

        Raises:
            RunnerError: the model cannot be had, or inference failed.
        """
        if not frames:
            return []
        segmenter = self._segmenter.get()
        if self._slots is None or len(self._slots) < len(frames):
            self._slots = segmenter.slots(len(frames))
        batch = self._slots[: len(frames)]
        prepared = [segmenter.prepare(frame, slot) for frame, slot in zip(frames, batch, strict=True)]
        return [WaterMap(probability) for probability in segmenter.segment(batch, prepared)]
