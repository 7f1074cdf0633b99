"""Training one network for a given time: the schedule follows the clock, so that a run ends when it should."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Say = Callable[[str], None]
# One batch: the loss of the network on it.
Step = Callable[[nn.Module, int], Tensor]


@dataclass(frozen=True, slots=True)
class Course:
    """How a network is trained.

    Attributes:
        seconds: how long.
        batch: samples a step.
        rate: highest learning rate of parts that begin from nothing; the trunk gets `trunk_share` of it.
        trunk_share: see `rate`.
        decay: weight decay.
    """

    seconds: float
    batch: int
    rate: float = 2e-3
    trunk_share: float = 0.4
    decay: float = 0.01


@dataclass(frozen=True, slots=True)
class Run:
    """What came of it: the averaged network, steps made, the loss over the last steps."""

    net: nn.Module
    steps: int
    loss: float


def train(net: nn.Module, course: Course, step: Step, between: Callable[[], None], say: Say) -> Run:
    """Trains until the time is up.

    Args:
        net: on its device.
        course: how.
        step: makes a batch of the given size and returns its loss.
        between: called now and then, e.g. to take in new samples.
        say: told how it goes.

    Raises:
        ValueError: the loss is not a number, many steps in a row.
    """
    device = next(net.parameters()).device
    if device.type == "cuda":
        net = net.to(memory_format=torch.channels_last)
        torch.backends.cudnn.benchmark = True
    average = copy.deepcopy(net).eval()
    optimizer = torch.optim.AdamW(_groups(net, course), weight_decay=course.decay)
    rates = [group["lr"] for group in optimizer.param_groups]
    started, steps, broken, shown, smooth = time.monotonic(), 0, 0, 0.0, math.nan
    net.train()
    while (passed := time.monotonic() - started) < course.seconds:
        share = min(1.0, passed / course.seconds)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * _schedule(share, steps)
        loss = step(net, course.batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        if not torch.isfinite(norm):
            broken += 1
            if broken > 50:
                raise ValueError("the loss is no longer a number; lower the rate")
            continue
        broken = 0
        optimizer.step()
        steps += 1
        _average(average, net, min(0.998, steps / (steps + 10)))
        if steps % 20 == 1:
            between()
            value = float(loss.detach())
            smooth = value if math.isnan(smooth) else smooth + 0.1 * (value - smooth)
            if passed - shown > course.seconds / 12:
                shown = passed
                say(f"{passed:6.0f} s  step {steps:6d}  loss {smooth:.3f}")
    return Run(average, steps, smooth)


def _schedule(share: float, steps: int) -> float:
    """Up over 200 steps, down along a cosine over the time there is, to a fiftieth."""
    return min(1.0, (steps + 1) / 200) * (0.02 + 0.98 * (1 + math.cos(math.pi * share)) / 2)


def _groups(net: nn.Module, course: Course) -> list[dict[str, object]]:
    """Trunk and rest apart, for their rates; biases and normalisation without decay."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in net.named_parameters():
        groups.setdefault((name.startswith("trunk."), parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": course.rate * (course.trunk_share if trunk else 1.0),
            "weight_decay": course.decay if matrix else 0.0,
        }
        for (trunk, matrix), parameters in groups.items()
    ]


@torch.no_grad()
def _average(average: nn.Module, net: nn.Module, keep: float) -> None:
    """Moves the averaged network towards the trained one; counters and statistics are taken over."""
    old, new = list(average.parameters()), list(net.parameters())
    torch._foreach_mul_(old, keep)
    torch._foreach_add_(old, new, alpha=1 - keep)
    for mine, theirs in zip(average.buffers(), net.buffers(), strict=True):
        mine.copy_(theirs)
