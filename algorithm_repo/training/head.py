"""A decoder on frozen features: quick work on two cores. The trunk stays as it is and sees each picture once.

    python -m algorithm_repo.training.head FOLDER

FOLDER holds what `algorithm_repo.training.headjob` laid down: `job.json`, `samples.npz`, `start.npz`. Each `every`
steps a line is added to `curve.jsonl` and `checkpoint.npz` is replaced; a run that was killed goes on from there. Its
curve and weights are to the last bit those of an unbroken one on the same machine: a step's batch follows from seed and
step alone. At the end there are `water.npz` and `water.onnx`.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from algorithm_repo.training.alone import alone
from algorithm_repo.training.augment import colours, move_pictures, moves
from algorithm_repo.training.checkpoints import Arrays, Checkpoint, under
from algorithm_repo.training.courses import move_masks
from algorithm_repo.training.export import export, save_weights
from algorithm_repo.training.head_settings import FEATURES
from algorithm_repo.training.losses import water_loss
from algorithm_repo.training.nets import WaterNet, load_start
from algorithm_repo.training.provenance import say_start
from algorithm_repo.training.samples import WATER_SIZE

_KIND = "water"
_TRUNK_BATCH = 16
_WARM = 30  # steps


@dataclass(frozen=True, slots=True)
class Job:
    """`job.json`.

    Attributes:
        seed: of variations, first weights and batches.
        steps: to make.
        batch: samples a step.
        rate: highest learning rate.
        variations: how often each picture is shown to the trunk, moved and coloured in another way.
        every: steps between checkpoints.
        threads: of the processor.
    """

    seed: int
    steps: int
    batch: int
    rate: float
    variations: int
    every: int
    threads: int


Features = tuple[Tensor, Tensor, Tensor]


class Training:
    """One run: network, optimizer and how far it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._job = Job(**json.loads((folder / "job.json").read_text()))
        say_start(folder, asdict(self._job))
        self._checkpoint = Checkpoint(folder)
        torch.set_num_threads(self._job.threads)
        torch.use_deterministic_algorithms(True)
        torch.manual_seed(self._job.seed)
        self.net = WaterNet()
        with np.load(folder / "start.npz") as start:
            load_start(self.net, {name: start[name] for name in start.files})
        for parameter in self.net.trunk.parameters():
            parameter.requires_grad_(False)
        learnt = [parameter for parameter in self.net.parameters() if parameter.requires_grad]
        self._optimizer = torch.optim.AdamW(learnt, lr=self._job.rate, weight_decay=0.01)
        self._steps, self._loss = 0, math.nan
        self._resume()

    def run(self) -> None:
        """Trains what is left of the steps, and exports."""
        features, masks = self._shown()
        while self._steps < self._job.steps:
            self._step(features, masks)
            if self._steps % self._job.every == 0 or self._steps == self._job.steps:
                self._keep()
        self.net.eval()
        save_weights(self.net, self._folder / f"{_KIND}.npz")
        export(_KIND, self._folder / f"{_KIND}.npz", self._folder / f"{_KIND}.onnx")

    @torch.no_grad()
    def _shown(self) -> tuple[Features, Tensor]:
        """What the trunk makes of every picture in every variation (half precision), and the masks moved along."""
        with np.load(self._folder / "samples.npz") as samples:
            pictures, masks = (torch.from_numpy(samples[name]) for name in ("pictures", "masks"))
        count = len(pictures) * self._job.variations
        shown = [_on_disk(self._folder, (count, *shape)) for shape in FEATURES]
        moved = torch.empty((count, *masks.shape[1:]), dtype=masks.dtype)
        self.net.trunk.eval()
        row = 0
        for variation in range(self._job.variations):
            torch.manual_seed(self._job.seed + 7919 * (variation + 1))
            for start in range(0, len(pictures), _TRUNK_BATCH):
                some = pictures[start : start + _TRUNK_BATCH]
                move = moves(len(some), WATER_SIZE, some.device, scale=(0.9, 2.6), still=0.15, squeeze=0.2)
                seen = colours(move_pictures(some, move, WATER_SIZE))
                rows = slice(row, row + len(some))
                for whole, level in zip(shown, self.net.trunk(seen), strict=True):
                    whole[rows] = level.half()
                moved[rows] = move_masks(masks[start : start + _TRUNK_BATCH], move)
                row += len(some)
        return (shown[0], shown[1], shown[2]), moved

    def _step(self, features: Features, masks: Tensor) -> None:
        draw = np.random.default_rng([self._job.seed, self._steps])
        rows = torch.from_numpy(draw.integers(0, len(masks), self._job.batch))
        share = self._steps / self._job.steps
        rate = self._job.rate * min(1.0, (self._steps + 1) / _WARM) * (1 + math.cos(math.pi * share)) / 2
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self.net.train()
        fine, middle, deep = (level[rows].float() for level in features)
        loss = water_loss(self.net.decoded(fine, middle, deep), masks[rows])
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self._optimizer.step()
        value = float(loss.detach())
        if not math.isfinite(value):
            raise ValueError(f"step {self._steps}: the loss is no longer a number; lower the rate")
        self._loss = value if math.isnan(self._loss) else self._loss + 0.1 * (value - self._loss)
        self._steps += 1

    def _keep(self) -> None:
        arrays: Arrays = {"steps": np.array(self._steps), "loss": np.array(self._loss)}
        arrays |= {f"net/{name}": value.numpy() for name, value in self.net.state_dict().items()}
        for number, name, value in self._moments():
            arrays[f"optimizer/{number}/{name}"] = value.numpy()
        line = {"step": self._steps, "of": self._job.steps, "loss": round(self._loss, 6)}
        self._checkpoint.write(arrays, line)

    def _resume(self) -> None:
        """Goes on from the checkpoint, if there is one; the curve ends where it does."""
        arrays = self._checkpoint.read()
        if arrays is None:
            return
        self._steps, self._loss = int(arrays["steps"]), float(arrays["loss"])
        self.net.load_state_dict(under(arrays, "net/"))
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in under(arrays, "optimizer/").items():
            number, part = name.split("/")
            state.setdefault(int(number), {})[part] = value
        whole = self._optimizer.state_dict()
        self._optimizer.load_state_dict({"state": state, "param_groups": whole["param_groups"]})

    def _moments(self) -> Iterator[tuple[int, str, Tensor]]:
        for number, moments in self._optimizer.state_dict()["state"].items():
            for name, value in moments.items():
                yield number, name, value


def _on_disk(folder: Path, shape: tuple[int, ...]) -> Tensor:
    """Halves in a file without a name: larger than the memory if need be, and gone with the process."""
    with tempfile.TemporaryFile(dir=folder) as file:
        return torch.from_numpy(np.asarray(np.memmap(file, np.float16, "w+", shape=shape)))


if __name__ == "__main__":
    _folder = Path(sys.argv[1])
    with alone(_folder):
        Training(_folder).run()
