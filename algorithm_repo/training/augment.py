"""Variation of batches on the training device: place, size and mirror, colour, sharpness, noise."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from algorithm_repo.training.samples import EMPTY, IGNORED

_PAD = 114.0


def moves(
    count: int, size: tuple[int, int], device: torch.device, *, scale: tuple[float, float], still: float, squeeze: float
) -> Tensor:
    """Random moves as [count, 4]: x_in = a·x_out + b, y_in = c·y_out + d, in pixels of a (width, height) canvas.

    Args:
        count: pictures.
        size: width and height.
        device: where.
        scale: least and largest magnification.
        still: share of pictures that stay as they are (but for mirroring).
        squeeze: largest change of proportions, as a share.
    """
    width, height = size
    low, high = torch.tensor(scale, device=device).log()
    grow = (low + (high - low) * torch.rand(count, device=device)).exp()
    stretch = 1 + squeeze * (2 * torch.rand(count, device=device) - 1)
    quiet = torch.rand(count, device=device) < still
    sx, sy = torch.where(quiet, 1.0, grow * stretch), torch.where(quiet, 1.0, grow / stretch)
    # The magnified picture is shifted within what it has to spare, either way.
    tx = torch.where(quiet, 0.0, (width - width * sx) * torch.rand(count, device=device))
    ty = torch.where(quiet, 0.0, (height - height * sy) * torch.rand(count, device=device))
    mirror = torch.rand(count, device=device) < 0.5
    a, b = 1 / sx, -tx / sx
    b = torch.where(mirror, width - b, b)
    a = torch.where(mirror, -a, a)
    return torch.stack((a, b, 1 / sy, -ty / sy), 1)


def sample(pictures: Tensor, move: Tensor, size: tuple[int, int], mode: str = "bilinear") -> Tensor:
    """Moves [B, C, H, W] float pictures; what lies outside is 0.

    Args:
        pictures: their canvas is what `move` refers to.
        move: from `moves`; given for a canvas of another resolution, scale b and d first.
        size: (width, height) of the result, the same canvas unless `move` says otherwise.
        mode: of `grid_sample`.
    """
    height_in, width_in = pictures.shape[2:]
    width, height = size
    a, b, c, d = move.unbind(1)
    zero = torch.zeros_like(a)
    row_x = torch.stack((a * width / width_in, zero, (a * width + 2 * b) / width_in - 1), 1)
    row_y = torch.stack((zero, c * height / height_in, (c * height + 2 * d) / height_in - 1), 1)
    grid = functional.affine_grid(
        torch.stack((row_x, row_y), 1), [len(pictures), 1, height, width], align_corners=False
    )
    return functional.grid_sample(pictures, grid, mode=mode, padding_mode="zeros", align_corners=False)


def move_pictures(pictures: Tensor, move: Tensor, size: tuple[int, int]) -> Tensor:
    """uint8 [B, H, W, 3] moved, as float [B, 3, h, w] 0..255; outside is the letterbox grey."""
    planes = pictures.permute(0, 3, 1, 2).float() - _PAD
    return sample(planes, move, size) + _PAD


def move_boxes(rows: Tensor, move: Tensor, size: tuple[int, int]) -> Tensor:
    """Box rows [B, G, 5] moved and clipped; what is mostly cut off or becomes tiny is no longer judged."""
    a, b, c, d = (part[:, None] for part in move.unbind(1))
    x = torch.stack(((rows[..., 0] - b) / a, (rows[..., 2] - b) / a), 2).sort(2).values
    y = torch.stack(((rows[..., 1] - d) / c, (rows[..., 3] - d) / c), 2)
    whole = (x[..., 1] - x[..., 0]) * (y[..., 1] - y[..., 0])
    x, y = x.clamp(0, size[0]), y.clamp(0, size[1])
    w, h = x[..., 1] - x[..., 0], y[..., 1] - y[..., 0]
    label = rows[..., 4]
    poor = (w * h < 0.35 * whole) | (torch.minimum(w, h) < 3) | (torch.maximum(w, h) < 7)
    label = torch.where(poor & (label >= 0), float(IGNORED), label)
    label = torch.where((w <= 0) | (h <= 0) | (label == EMPTY), float(EMPTY), label)
    return torch.stack((x[..., 0], y[..., 0], x[..., 1], y[..., 1], label), 2)


def colours(pictures: Tensor, strength: float = 1.0) -> Tensor:
    """Light, contrast, gamma, white balance, saturation, sharpness and noise of [B, 3, H, W], 0..255."""
    count, device = len(pictures), pictures.device

    def draw(low: float, high: float, *shape: int) -> Tensor:
        middle = 1.0 if low > 0 else 0.0
        value = low + (high - low) * torch.rand(count, *shape, device=device)
        return middle + (value - middle) * strength

    x = pictures.clamp(0, 255) / 255
    x = x.clamp_min(1e-4) ** draw(0.65, 1.5, 1, 1, 1)
    x = x * draw(0.65, 1.35, 1, 1, 1) * draw(0.88, 1.12, 3, 1, 1)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * draw(0.65, 1.35, 1, 1, 1)
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * draw(0.25, 1.6, 1, 1, 1)
    soft = functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    share = (draw(-0.6, 0.9, 1, 1, 1)).clamp(-0.4, 0.9)
    x = x + (soft - x) * share
    noise = torch.rand(count, 1, 1, 1, device=device) ** 2 * 0.05 * strength
    x = x + torch.randn_like(x) * noise
    return x.clamp(0, 1) * 255
