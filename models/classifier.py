"""What a small part of a picture shows: the reader of crop classifiers, e.g. litter or not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contracts.errors import ConfigError
from contracts.vision import ByteArray, FloatArray, Frame
from models.crops import crop_bgr, crop_frame
from models.detector import open_runner
from models.runner import Runner
from models.zoo import Artefact, ClassifierSpec, Zoo


class CropClassifier:
    """One version of a crop classifier behind a runner. Stateless but for the runner, so safe to share.

    Input [N, 3, S, S] of BGR bytes 0..255 as float32; each output ("head") is [N, labels] of probabilities.

    Attributes:
        name: the version's name, as provenance records it.
        sha256: of the weights.
        size: S, pixels.
        heads: a head's labels in order.

    Raises:
        ConfigError: the model's shapes are not of this kind, or it lacks a head.
    """

    def __init__(self, runner: Runner, spec: ClassifierSpec) -> None:
        self.name = runner.name
        self.sha256 = runner.sha256
        self.heads = dict(spec.heads)
        self._margin = spec.margin
        self._runner = runner
        image = runner.inputs[0]
        if len(image.shape) != 4 or image.shape[1] != 3 or image.shape[2] != image.shape[3]:
            raise ConfigError(f"{runner.name}: input {image.name} {image.shape} is not [N, 3, S, S]")
        self._input, self.size = image.name, image.shape[2]
        shapes = {output.name: output.shape[1:] for output in runner.outputs}
        for head, labels in self.heads.items():
            if shapes.get(head) != (len(labels),):
                raise ConfigError(f"{runner.name}: no output {head!r} [N, {len(labels)}] among {shapes}")

    def cut(self, picture: Frame | ByteArray, box: Sequence[float]) -> ByteArray:
        """The crop for a box (x1 y1 x2 y2, normalised) with the margin the network was trained with.

        Args:
            picture: a decoded frame, or uint8 [H, W, 3] BGR; the more pixels it has, the better.
            box: the thing itself, without margin.

        Returns:
            uint8 [S, S, 3] BGR.
        """
        if isinstance(picture, Frame):
            return crop_frame(picture, box, self.size, self._margin)
        return crop_bgr(picture, box, self.size, self._margin)

    def classify(self, crops: Sequence[ByteArray]) -> dict[str, FloatArray]:
        """Probabilities of crops that `cut` made.

        Returns:
            By head float32 [N, labels], 0..1, rows in the order of `crops`.

        Raises:
            RunnerError: inference failed.
        """
        if not crops:
            return {head: np.zeros((0, len(labels)), np.float32) for head, labels in self.heads.items()}
        batch = np.stack(crops).transpose(0, 3, 1, 2).astype(np.float32)
        found = self._runner.infer({self._input: np.ascontiguousarray(batch)})
        return {head: found[head].astype(np.float32) for head in self.heads}

    def probability(self, crops: Sequence[ByteArray], head: str, label: str) -> FloatArray:
        """float32 [N]: how likely each crop shows `label`, by one head."""
        column = self.heads[head].index(label)
        chosen: FloatArray = self.classify(crops)[head][:, column]
        return chosen

    def close(self) -> None:
        """Closes the runner."""
        self._runner.close()


def load_classifier(
    name: str, zoo: Zoo, *, triton_url: str | None = None, threads: int = 1, precision: str = "auto"
) -> CropClassifier:
    """A crop classifier of the zoo, ready to run; arguments and errors as of `models.detector.load_detector`."""
    artefact = zoo.artefact(name)
    if artefact.classifier is None:
        names = ", ".join(one for one in zoo.names() if zoo.artefact(one).classifier)
        raise ConfigError(f"{name} is no classifier", f"take one of {names or 'none: this zoo has no classifier'}")
    path = zoo.fetch(name)[0]
    runner = open_runner(name, artefact, path, triton_url=triton_url, threads=threads, precision=precision)
    return build_classifier(artefact, runner)


def build_classifier(artefact: Artefact, runner: Runner) -> CropClassifier:
    """The reader around a runner that is already there.

    Raises:
        ConfigError: the artefact has no classifier entry, or the model's shapes do not fit.
    """
    if artefact.classifier is None:
        raise ConfigError(f"{runner.name} is no classifier")
    return CropClassifier(runner, artefact.classifier)
