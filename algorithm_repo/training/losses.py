"""What the networks are to learn, as losses.

The detector's assignment is SimOTA (YOLOX, arXiv:2107.08430): each object takes as many cells as its best overlaps add
up to, the cheapest ones near its centre.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from algorithm_repo.training.nets import STRIDES
from algorithm_repo.training.samples import IGNORED, NO_LABEL, WATER_FULL, WATER_UNKNOWN

_NEAR = 1.8
_BEST = 10


@lru_cache(maxsize=8)
def cells(width: int, height: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Left top corners [A, 2] in pixels and strides [A] of a canvas' cells, in the order of the output's rows."""
    corners, strides = [], []
    for stride in STRIDES:
        y, x = torch.meshgrid(
            torch.arange(height // stride, device=device), torch.arange(width // stride, device=device), indexing="ij"
        )
        corners.append(torch.stack((x.flatten(), y.flatten()), 1) * stride)
        strides.append(torch.full((x.numel(),), stride, device=device))
    return torch.cat(corners).float(), torch.cat(strides).float()


def decode_boxes(output: Tensor, width: int, height: int) -> Tensor:
    """[B, A, 4] x1 y1 x2 y2 in pixels from the detector's output [B, A, 5 + C]."""
    corners, strides = cells(width, height, output.device)
    centre = output[..., :2] * strides[:, None] + corners
    half = output[..., 2:4].clamp(max=8).exp() * strides[:, None] / 2
    return torch.cat((centre - half, centre + half), -1)


def pairwise_iou(a: Tensor, b: Tensor) -> Tensor:
    """[B, N, M] from [B, N, 4] and [B, M, 4]."""
    top = torch.maximum(a[:, :, None, :2], b[:, None, :, :2])
    end = torch.minimum(a[:, :, None, 2:], b[:, None, :, 2:])
    shared = (end - top).clamp_min(0).prod(-1)
    area_a, area_b = (area(boxes) for boxes in (a, b))
    return shared / (area_a[:, :, None] + area_b[:, None, :] - shared + 1e-6)


def area(boxes: Tensor) -> Tensor:
    """Of [..., 4]."""
    return (boxes[..., 2:] - boxes[..., :2]).clamp_min(0).prod(-1)


@torch.no_grad()
def assign(output: Tensor, boxes: Tensor, rows: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Which object each cell is to show.

    Args:
        output: [B, A, 5 + C], float32.
        boxes: [B, A, 4] decoded.
        rows: [B, G, 5] truth.
        size: width and height of the canvas.

    Returns:
        [B, A] index of the object or -1; [B, A] overlap with it; [B, A] true where a cell is not judged.
    """
    corners, strides = cells(*size, output.device)
    middle = corners + strides[:, None] / 2
    real = rows[..., 4] >= 0
    centre = (rows[..., :2] + rows[..., 2:4]) / 2
    near = ((middle[None, None] - centre[:, :, None]).abs() < _NEAR * strides[:, None]).all(-1) & real[..., None]
    iou = pairwise_iou(rows[..., :4], boxes) * near
    label = rows[..., 4].long().clamp_min(0)
    logits = output[..., 5:].transpose(1, 2).gather(1, label[..., None].expand(-1, -1, output.shape[1]))
    chance = (logits.sigmoid() * output[..., 4].sigmoid()[:, None]).sqrt()
    cost = -(chance.clamp_min(1e-6)).log() - 3 * iou.clamp_min(1e-6).log() + 1e5 * ~near
    wanted = iou.topk(_BEST, dim=2).values.sum(2).int().clamp_min(1)
    cheapest = cost.topk(_BEST, dim=2, largest=False).indices
    take = torch.arange(_BEST, device=cost.device) < wanted[..., None]
    chosen = torch.zeros_like(near).scatter_(2, cheapest, take) & near
    # A cell that several objects want goes to the one it costs least.
    winner = torch.where(chosen, cost, torch.inf).min(1)
    index = torch.where(winner.values.isfinite(), winner.indices, -1)
    overlap = iou.gather(1, index.clamp_min(0)[:, None]).squeeze(1)
    unsure = rows[..., 4] == IGNORED
    inside = ((middle[None, None] > rows[:, :, None, :2]) & (middle[None, None] < rows[:, :, None, 2:4])).all(-1)
    unjudged = (inside & unsure[..., None]).any(1) & (index < 0)
    return index, overlap, unjudged


def street_loss(output: Tensor, rows: Tensor, size: tuple[int, int]) -> Tensor:
    """Of the detector's output [B, A, 5 + C] against box rows [B, G, 5]."""
    output = output.float()
    boxes = decode_boxes(output, *size)
    index, overlap, unjudged = assign(output.detach(), boxes.detach(), rows, size)
    shown = index >= 0
    count = shown.sum().clamp_min(1)
    target = rows.gather(1, index.clamp_min(0)[..., None].expand(-1, -1, 5))
    seen = functional.binary_cross_entropy_with_logits(output[..., 4], shown.float(), reduction="none")
    seen = (seen * ~unjudged).sum() / count
    wanted = functional.one_hot(target[..., 4].long().clamp_min(0), output.shape[2] - 5) * overlap[..., None]
    named = functional.binary_cross_entropy_with_logits(output[..., 5:], wanted, reduction="none").sum(-1)
    placed = 1 - _matching_iou(boxes, target[..., :4])
    return seen + ((named + 5 * placed) * shown).sum() / count


def _matching_iou(a: Tensor, b: Tensor) -> Tensor:
    """Generalised IoU of boxes one to one."""
    top, end = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    shared = (end - top).clamp_min(0).prod(-1)
    union = area(a) + area(b) - shared + 1e-6
    hull = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).prod(-1) + 1e-6
    return shared / union - (hull - union).clamp_min(0) / hull


def water_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross entropy and soft Dice of [B, 1, h, w] against byte masks [B, h, w]."""
    logits = logits.float()[:, 0]
    known = masks != WATER_UNKNOWN
    wanted = (masks.float() / WATER_FULL).clamp(0, 1)
    entropy = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    entropy = (entropy * known).sum() / known.sum().clamp_min(1)
    found = logits.sigmoid() * known
    wanted = wanted * known
    both = (found * wanted).sum((1, 2))
    dice = 1 - (2 * both + 20) / (found.sum((1, 2)) + wanted.sum((1, 2)) + 20)
    return entropy + dice.mean()


def crop_loss(found: dict[str, Tensor], labels: dict[str, Tensor]) -> Tensor:
    """Cross entropy of each head over the crops that have a label for it."""
    total = torch.zeros((), device=next(iter(found.values())).device)
    for head, logits in found.items():
        wanted = labels[head].long()
        each = functional.cross_entropy(
            logits.float(), wanted, ignore_index=NO_LABEL, reduction="sum", label_smoothing=0.03
        )
        total = total + each / (wanted != NO_LABEL).sum().clamp_min(1)
    return total
