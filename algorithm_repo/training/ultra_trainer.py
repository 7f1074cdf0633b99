"""What ultralytics' trainers share here: checkpoints of ours. Import it after `ultra_setup.prepare`."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from ultralytics.engine.trainer import BaseTrainer

from algorithm_repo.training.checkpoints import Arrays, Checkpoint, under


class Resumable(BaseTrainer):
    """Goes before a trainer of ultralytics among the bases of a task's trainer, and says what that one does not.

    Args:
        folder: of the job.
        job: `job.json`.
        more: what this task tells ultralytics beside what every task does.

    Attributes:
        LOSSES: as ultralytics names them.
        FIGURES: of the val side: ultralytics' name to that of the curve.
    """

    LOSSES: ClassVar[tuple[str, ...]]
    FIGURES: ClassVar[Mapping[str, str]]

    def __init__(self, folder: Path, job: dict[str, Any], more: Mapping[str, Any]) -> None:
        self.folder = folder
        super().__init__(overrides=_overrides(folder, job) | dict(more))
        self.add_callback("on_train_epoch_start", _begin_epoch)
        torch.set_num_threads(job["threads"])  # ultralytics has just set its own

    def started(self, model: Any) -> Any:
        """The network with what fits of an earlier one, where the job has one."""
        if (self.folder / "start.npz").is_file():
            _take_over(model, self.folder / "start.npz")
        return model

    def resume_training(self, ckpt: Any) -> None:
        arrays = Checkpoint(self.folder).read()
        if arrays is None:
            return
        self.model.load_state_dict(under(arrays, "net/"))
        self.ema.ema.load_state_dict(under(arrays, "mean/"))
        self.ema.updates = int(arrays["updates"])
        state: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in under(arrays, "optimizer/").items():
            number, part = name.split("/")
            state.setdefault(int(number), {})[part] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
        self.start_epoch = int(arrays["epochs"])
        if self.start_epoch > self.epochs - self.args.close_mosaic:
            self._close_dataloader_mosaic()

    def save_model(self) -> bool:
        arrays: Arrays = {"epochs": np.array(self.epoch + 1), "updates": np.array(self.ema.updates)}
        arrays |= {f"net/{name}": value.cpu().numpy() for name, value in self.model.state_dict().items()}
        arrays |= {f"mean/{name}": value.cpu().numpy() for name, value in self.ema.ema.state_dict().items()}
        for number, moments in self.optimizer.state_dict()["state"].items():
            for name, value in moments.items():
                arrays[f"optimizer/{number}/{name}"] = value.cpu().numpy()
        Checkpoint(self.folder).write(arrays, self._line())
        return False

    def _line(self) -> dict[str, float]:
        figures = {name: float(self.tloss[name]) for name in self.LOSSES}
        figures |= {f"val_{name}": float(self.metrics[f"val/{name}"]) for name in self.LOSSES}
        figures |= {ours: float(self.metrics[theirs]) for theirs, ours in self.FIGURES.items()}
        figures["rate"] = float(self.optimizer.param_groups[0]["lr"])
        return {"step": self.epoch + 1, "of": self.epochs} | {k: round(v, 6) for k, v in figures.items()}

    def _handle_nan_recovery(self, epoch: int) -> bool:
        if not self.loss.isfinite():
            raise ValueError(f"epoch {epoch + 1}: the loss is no longer a number; lower the rate")
        return False

    def save_metrics(self, metrics: Any) -> None:
        """The curve tells them."""

    def final_eval(self) -> None:
        """The last epoch was measured like every other."""


def _overrides(folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    return {
        "task": job["task"],
        "mode": "train",
        "model": f"{job['network']}.yaml",
        "pretrained": False,
        "imgsz": job["size"],
        "epochs": job["epochs"],
        "batch": job["batch"],
        "nbs": job["batch"],  # a step each batch: gradients that wait for company would be lost with a kill
        "lr0": job["rate"],
        "optimizer": job["optimizer"],
        "seed": job["seed"],
        "workers": job["workers"],
        "device": job["device"],
        "amp": "bf16" if job["device"] != "cpu" else False,
        "deterministic": True,
        "patience": 0,
        "plots": False,
        "save_dir": str(folder / "ultralytics"),
        "exist_ok": True,
    }


def _begin_epoch(trainer: Any) -> None:
    """What an epoch draws follows from seed and epoch, whatever came before it in this process."""
    seed = (trainer.args.seed * 1_000_003 + trainer.epoch) % 2**32
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    trainer.train_loader.reset()
    trainer.train_loader.generator.manual_seed(seed)


def _take_over(model: Any, path: Path) -> None:
    """Weights of an earlier training wherever name and shape are the same: other classes have another last layer."""
    own = model.state_dict()
    with np.load(path, allow_pickle=False) as start:
        fitting = {
            name: torch.from_numpy(start[name])
            for name in start.files
            if name in own and own[name].shape == start[name].shape
        }
    if not fitting:
        raise ValueError("start.npz: nothing of it fits this network; take the .npz of one of the same kind")
    model.load_state_dict(fitting, strict=False)
