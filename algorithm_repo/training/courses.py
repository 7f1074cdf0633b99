"""The three courses: which samples, which variation, which loss, and how a trained network is judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from algorithm_repo.training import figures
from algorithm_repo.training.augment import colours, move_boxes, move_pictures, moves, sample
from algorithm_repo.training.losses import crop_loss, decode_boxes, street_loss, water_loss
from algorithm_repo.training.nets import CROP_HEADS, STREET_LABELS
from algorithm_repo.training.pool import Pool
from algorithm_repo.training.samples import (
    CROP_MARGIN,
    CROP_SIDE,
    IGNORED,
    NO_LABEL,
    STREET_SIZE,
    WATER_FULL,
    WATER_SIZE,
    WATER_UNKNOWN,
)

Pools = Mapping[str, Pool]
# Share of a batch that is real photos.
_REAL_STREET, _REAL_WATER = 0.2, 0.4
_LYING = 0.6  # of crops: what the litter sense puts forward
_BATCH = 64
# People; two-wheelers apart; cars, buses and trucks suppress each other, as at run time.
_NMS_GROUPS = np.array([0, 1, 2, 3, 2, 2])


def street_step(net: nn.Module, count: int, simulated: Pool, real: Pool) -> Tensor:
    """A batch of streets, most of them simulated."""
    parts = []
    share = round(count * _REAL_STREET)
    for pool, size, scale, still in ((simulated, count - share, (0.7, 1.5), 0.4), (real, share, (0.5, 2.2), 0.1)):
        pictures, rows = pool.draw(size)
        move = moves(size, STREET_SIZE, pictures.device, scale=scale, still=still, squeeze=0.1)
        parts.append((move_pictures(pictures, move, STREET_SIZE), move_boxes(rows, move, STREET_SIZE)))
    pictures, rows = (torch.cat(part) for part in zip(*parts, strict=True))
    # Rows are sorted largest first and padded: a batch needs only as many columns as its fullest picture.
    most = max(1, int((rows[..., 4] != -2).any(0).nonzero().amax()) + 1) if (rows[..., 4] != -2).any() else 1
    return street_loss(_through(net, colours(pictures, 0.8)), rows[:, :most], STREET_SIZE)


def water_step(net: nn.Module, count: int, simulated: Pool, real: Pool) -> Tensor:
    """A batch of water and of what only looks like it."""
    parts = []
    share = round(count * _REAL_WATER)
    for pool, size, scale, still in ((simulated, count - share, (0.8, 2.0), 0.4), (real, share, (0.9, 2.6), 0.15)):
        pictures, masks = pool.draw(size)
        move = moves(size, WATER_SIZE, pictures.device, scale=scale, still=still, squeeze=0.2)
        parts.append((move_pictures(pictures, move, WATER_SIZE), move_masks(masks, move)))
    pictures, masks = (torch.cat(part) for part in zip(*parts, strict=True))
    return water_loss(_through(net, colours(pictures)), masks)


def crop_step(net: nn.Module, count: int, pool: Pool, lying: Pool) -> Tensor:
    """A batch of crops, labels drawn evenly enough: half of it is litter or bins.

    Args:
        pool: crops of known places, and of real things.
        lying: crops of what the litter sense puts forward; may be empty.
    """
    share = round(3 * count * _LYING) if len(lying) else 0
    drawn = [pool.draw(3 * count - share), *([lying.draw(share)] if share else [])]
    crops, things, bins = (torch.cat(part) for part in zip(*drawn, strict=True))
    wanted = torch.where(things == 0, 2.0, torch.where(bins != NO_LABEL, 2.0, torch.where(things == 1, 2.0, 1.0)))
    rows = torch.multinomial(wanted, count)
    crops, things, bins = crops[rows], things[rows], bins[rows]
    size = (CROP_SIDE, CROP_SIDE)
    move = moves(count, size, crops.device, scale=(0.85, 1.25), still=0.2, squeeze=0.15)
    side = round(CROP_SIDE * 2.0 / (1 + 2 * CROP_MARGIN))
    off = (CROP_SIDE - side) / 2 + (torch.rand(count, 2, device=crops.device) - 0.5) * 12
    pictures = _cut(move_pictures(crops, move, size), off, side)
    return crop_loss(_through(net, colours(pictures)), {"thing": things, "bin": bins})


@torch.no_grad()
def judge_street(net: nn.Module, pool: Pool) -> dict[str, float]:
    """AP50 of every label that occurs, and their mean."""
    pictures, rows = pool.all()
    found, truth = [], []
    for start in range(0, len(pictures), _BATCH):
        batch = _shaped(pictures[start : start + _BATCH].permute(0, 3, 1, 2).float())
        output = net(batch).float()
        boxes = decode_boxes(output, *STREET_SIZE)
        scores, labels = (output[..., 4:5].sigmoid() * output[..., 5:].sigmoid()).max(-1)
        for one in range(len(output)):
            best = scores[one].topk(200)
            keep = best.indices[best.values > 0.02]
            arrays = (boxes[one, keep], scores[one, keep], labels[one, keep])
            found.append(figures.suppress(figures.Boxes(*(a.cpu().numpy() for a in arrays)), _NMS_GROUPS))
            real = rows[start + one][rows[start + one][:, 4] >= IGNORED].cpu().numpy()
            truth.append(figures.Boxes(real[:, :4], np.ones(len(real)), real[:, 4].astype(int)))
    results = {}
    for number, name in enumerate(STREET_LABELS):
        value, count = figures.average_precision(found, truth, number)
        if count >= 20:
            results[f"ap50_{name}"] = round(value, 4)
    return results | {"ap50": round(float(np.mean(list(results.values()) or [0.0])), 4), "pictures": len(pictures)}


@torch.no_grad()
def judge_water(net: nn.Module, pool: Pool) -> dict[str, float]:
    """IoU over all pictures, and the share of dry pictures' cells that are called water."""
    pictures, masks = pool.all()
    found, truth, dry = [], [], []
    for start in range(0, len(pictures), _BATCH):
        batch = _shaped(pictures[start : start + _BATCH].permute(0, 3, 1, 2).float())
        wet = (net(batch)[:, 0] > 0).cpu().numpy()
        for one, cells in zip(wet, masks[start : start + _BATCH].cpu().numpy(), strict=True):
            known = cells != WATER_UNKNOWN
            real = (cells > WATER_FULL // 2) & known
            found.append(one & known)
            truth.append(real)
            if not real.any():
                dry.append(float((one & known).sum() / known.sum()))
    wrong = float(np.mean(dry)) if dry else 0.0
    return {
        "iou": round(figures.mask_iou(found, truth), 4),
        "dry_called_water": round(wrong, 5),
        "pictures": len(pictures),
    }


@torch.no_grad()
def judge_crops(net: nn.Module, pool: Pool) -> dict[str, float]:
    """Precision and recall of "litter" and "overflowing", and accuracy of each head."""
    crops, things, bins = pool.all()
    side = round(CROP_SIDE * 2.0 / (1 + 2 * CROP_MARGIN))
    off = (CROP_SIDE - side) // 2
    answers: dict[str, list[Tensor]] = {head: [] for head in CROP_HEADS}
    for start in range(0, len(crops), 4 * _BATCH):
        batch = crops[start : start + 4 * _BATCH, off : off + side, off : off + side].permute(0, 3, 1, 2).float()
        for head, logits in net(_shaped(batch)).items():
            answers[head].append(logits.argmax(1).cpu())
    results: dict[str, float] = {}
    for head, labels, positive in (("thing", things, "litter"), ("bin", bins, "overflowing")):
        known = (labels != NO_LABEL).cpu().numpy()
        mine, real = torch.cat(answers[head]).numpy()[known], labels.cpu().numpy()[known]
        for name, value in figures.accuracy(mine, real, CROP_HEADS[head].index(positive)).items():
            results[f"{head}_{name}"] = round(value, 4)
    return results


def move_masks(masks: Tensor, move: Tensor) -> Tensor:
    """Byte masks [B, h, w] moved as their pictures were; what comes from outside is unknown."""
    known = (masks != WATER_UNKNOWN).float()
    planes = torch.stack((masks.float() * known, known), 1)
    scaled = move * torch.tensor([1, 0.5, 1, 0.5], device=move.device)
    value, sure = sample(planes, scaled, (masks.shape[2], masks.shape[1])).unbind(1)
    return torch.where(sure > 0.98, value.round().clamp(0, WATER_FULL), float(WATER_UNKNOWN)).to(torch.uint8)


def _cut(pictures: Tensor, off: Tensor, side: int) -> Tensor:
    """Squares of `side` pixels at fractional offsets [B, 2] (x, y)."""
    one = torch.ones(len(pictures), device=pictures.device)
    move = torch.stack((one, off[:, 0], one, off[:, 1]), 1)
    return sample(pictures, move, (side, side))


def _through(net: nn.Module, pictures: Tensor) -> Any:
    """The network's output, in half precision on a GPU; moving pictures would suffer from that, so only the network."""
    with torch.autocast(pictures.device.type, torch.bfloat16, enabled=pictures.is_cuda):
        return net(_shaped(pictures))


def _shaped(pictures: Tensor) -> Tensor:
    """In the memory order that convolutions on a GPU like best."""
    return pictures.contiguous(memory_format=torch.channels_last) if pictures.is_cuda else pictures.contiguous()
