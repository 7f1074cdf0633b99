"""The three networks. All begin with the backbone of YOLOX-nano (Ge et al. 2021, arXiv:2107.08430; Apache-2.0), whose
folded weights are the start of training; nothing at run time knows this file: what runs is the exported ONNX.

Inputs are BGR bytes 0..255 as float32, as YOLOX takes them. Convolutions carry their bias and no normalisation (it is
folded into the weights we start from); parts that begin from nothing have batch normalisation, folded at export.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

STRIDES = (8, 16, 32)
# COCO's numbers of the classes that the detector keeps, in the order of its own labels.
COCO_LABELS = {0: "person", 1: "bicycle", 2: "car", 3: "motorcycle", 5: "bus", 7: "truck"}
STREET_LABELS = tuple(COCO_LABELS.values())
# Heads of the crop classifier and their labels.
CROP_HEADS = {"thing": ("litter", "leaves", "object", "ground"), "bin": ("ok", "overflowing")}
Weights = Mapping[str, NDArray[np.float32]]


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups), nn.SiLU())


def _separable(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3×3 in each channel, then 1×1 across them."""
    return nn.Sequential(_conv(inputs, inputs, 3, stride, inputs), _conv(inputs, outputs, 1))


def _fresh(inputs: int, outputs: int) -> nn.Sequential:
    """As `_separable`, for parts that begin from nothing."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, 1, 1, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.SiLU(),
    )


class _Bottleneck(nn.Module):
    def __init__(self, width: int, shortcut: bool) -> None:
        super().__init__()
        self.narrow, self.wide, self.shortcut = _conv(width, width, 1), _separable(width, width), shortcut

    def forward(self, x: Tensor) -> Tensor:
        y = self.wide(self.narrow(x))
        return x + y if self.shortcut else y


class _Csp(nn.Module):
    def __init__(self, inputs: int, outputs: int, depth: int, shortcut: bool = True) -> None:
        super().__init__()
        half = outputs // 2
        self.left, self.right = _conv(inputs, half, 1), _conv(inputs, half, 1)
        self.steps = nn.Sequential(*(_Bottleneck(half, shortcut) for _ in range(depth)))
        self.join = _conv(2 * half, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        left, right = self.left(x), self.right(x)
        return self.join(torch.cat((self.steps(left), right), 1))


class _Focus(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = _conv(12, 16, 3)

    def forward(self, x: Tensor) -> Tensor:
        parts = (x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2])
        return self.conv(torch.cat(parts, 1))


class _Pyramid(nn.Module):
    """Spatial pyramid pooling."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.narrow, self.join = _conv(width, width // 2, 1), _conv(width * 2, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.narrow(x)
        return self.join(torch.cat((x, *(functional.max_pool2d(x, k, 1, k // 2) for k in (5, 9, 13))), 1))


class Trunk(nn.Module):
    """The backbone up to stride 16: features at strides 4, 8 and 16 with 32, 64 and 128 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Focus()
        self.dark2 = nn.Sequential(_separable(16, 32, 2), _Csp(32, 32, 1))
        self.dark3 = nn.Sequential(_separable(32, 64, 2), _Csp(64, 64, 3))
        self.dark4 = nn.Sequential(_separable(64, 128, 2), _Csp(128, 128, 3))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine = self.dark2(self.stem(x))
        middle = self.dark3(fine)
        return fine, middle, self.dark4(middle)


class _Head(nn.Module):
    """One level's predictions: [B, 5 + C, h, w] as dx, dy, log w, log h, objectness and class logits."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.stem = _conv(inputs, 64, 1)
        self.classes = nn.Sequential(_separable(64, 64), _separable(64, 64))
        self.class_out = nn.Conv2d(64, classes, 1)
        self.boxes = nn.Sequential(_separable(64, 64), _separable(64, 64))
        self.box_out, self.object_out = nn.Conv2d(64, 4, 1), nn.Conv2d(64, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        classes = self.class_out(self.classes(x))
        boxes = self.boxes(x)
        box, objectness = self.box_out(boxes), self.object_out(boxes)
        return torch.cat((box, objectness, classes), 1)


class StreetNet(nn.Module):
    """YOLOX-nano with the classes of a street. Input [B, 3, H, W] (multiples of 32), output [B, cells, 5 + classes]:
    (dx, dy, log w, log h) in strides, then logits; `exported` applies the sigmoid, as the run-time reader expects."""

    def __init__(self, classes: int = len(STREET_LABELS)) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.dark5 = nn.Sequential(_separable(128, 256, 2), _Pyramid(256), _Csp(256, 256, 1, shortcut=False))
        self.lateral = _conv(256, 128, 1)
        self.down4 = _Csp(256, 128, 1, shortcut=False)
        self.reduce = _conv(128, 64, 1)
        self.down3 = _Csp(128, 64, 1, shortcut=False)
        self.grow3 = _separable(64, 64, 2)
        self.up4 = _Csp(128, 128, 1, shortcut=False)
        self.grow4 = _separable(128, 128, 2)
        self.up5 = _Csp(256, 256, 1, shortcut=False)
        self.heads = nn.ModuleList(_Head(width, classes) for width in (64, 128, 256))
        self.exported = False

    def forward(self, x: Tensor) -> Tensor:
        _, p3, p4 = self.trunk(x)
        p5 = self.lateral(self.dark5(p4))
        mid = self.reduce(self.down4(torch.cat((functional.interpolate(p5, scale_factor=2.0), p4), 1)))
        out3 = self.down3(torch.cat((functional.interpolate(mid, scale_factor=2.0), p3), 1))
        out4 = self.up4(torch.cat((self.grow3(out3), mid), 1))
        out5 = self.up5(torch.cat((self.grow4(out4), p5), 1))
        levels = [head(level).flatten(2) for head, level in zip(self.heads, (out3, out4, out5), strict=True)]
        cells = torch.cat(levels, 2).transpose(1, 2)
        return torch.cat((cells[..., :4], cells[..., 4:].sigmoid()), 2) if self.exported else cells


class WaterNet(nn.Module):
    """Trunk, a coarse view of the whole picture, and a light decoder. Input [B, 3, H, W] (multiples of 32), output
    [B, 1, H/2, W/2]: logits of water, probabilities when `exported`."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.coarse = nn.Sequential(nn.AvgPool2d(2), _fresh(128, 192), _fresh(192, 192), _fresh(192, 192))
        self.at16 = nn.Sequential(_fresh(320, 96), _fresh(96, 96))
        self.at8 = nn.Sequential(_fresh(160, 64), _fresh(64, 64))
        self.at4 = nn.Sequential(_fresh(96, 48), _fresh(48, 48))
        self.out = nn.Conv2d(48, 4, 1)
        self.exported = False

    def forward(self, x: Tensor) -> Tensor:
        return self.decoded(*self.trunk(x))

    def decoded(self, fine: Tensor, middle: Tensor, deep: Tensor) -> Tensor:
        """The output from the trunk's features."""
        coarse = self.coarse(deep)
        # What the whole picture is like (rain, night) is added to every cell of the coarse view.
        coarse = coarse + coarse.mean((2, 3), keepdim=True)
        x = self.at16(torch.cat((_double(coarse), deep), 1))
        x = self.at8(torch.cat((_double(x), middle), 1))
        x = self.at4(torch.cat((_double(x), fine), 1))
        x = functional.pixel_shuffle(self.out(x), 2)
        return x.sigmoid() if self.exported else x


class CropNet(nn.Module):
    """Trunk and one linear head a question. Input [B, 3, 64, 64], output a dict of logits [B, labels] by head; when
    `exported` a tuple of probabilities in the order of `CROP_HEADS`."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.mix = nn.Sequential(_fresh(128, 128), _fresh(128, 128))
        self.drop = nn.Dropout(0.2)
        self.heads = nn.ModuleDict({name: nn.Linear(256, len(labels)) for name, labels in CROP_HEADS.items()})
        self.exported = False

    def forward(self, x: Tensor) -> dict[str, Tensor] | tuple[Tensor, ...]:
        deep = self.mix(self.trunk(x)[2])
        summary = self.drop(torch.cat((deep.mean((2, 3)), deep.amax((2, 3))), 1))
        found = {name: head(summary) for name, head in self.heads.items()}
        return tuple(logits.softmax(1) for logits in found.values()) if self.exported else found


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the networks: how it is made, its input size (width, height), and names for the exported file."""

    make: type[StreetNet] | type[WaterNet] | type[CropNet]
    size: tuple[int, int]
    input: str
    outputs: tuple[str, ...]


KINDS: dict[str, Kind] = {
    "street": Kind(StreetNet, (416, 256), "images", ("output",)),
    "water": Kind(WaterNet, (320, 192), "images", ("water",)),
    "litter": Kind(CropNet, (64, 64), "crops", tuple(CROP_HEADS)),
}


def load_start(net: nn.Module, start: Weights) -> int:
    """Fills a network with YOLOX-nano's weights, as far as it has the same parts.

    Args:
        net: one of the three.
        start: "0.weight", "0.bias", "1.weight" …: the convolutions of YOLOX-nano in the order in which they run.

    Returns:
        How many convolutions were filled.

    Raises:
        ValueError: the weights are of another network.
    """
    convs = [module for module in _run_order(net) if isinstance(module, nn.Conv2d)]
    filled = 0
    with torch.no_grad():
        for number, conv in enumerate(convs):
            if f"{number}.weight" not in start or conv.bias is None:
                break
            weight, bias = (torch.from_numpy(start[f"{number}.{part}"]) for part in ("weight", "bias"))
            if conv.out_channels == len(STREET_LABELS) and len(weight) > conv.out_channels:
                weight, bias = weight[list(COCO_LABELS)], bias[list(COCO_LABELS)]
            if conv.weight.shape != weight.shape:
                raise ValueError(f"convolution {number}: {tuple(conv.weight.shape)} is not {tuple(weight.shape)}")
            conv.weight.copy_(weight)
            conv.bias.copy_(bias)
            filled += 1
    return filled


def _double(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0)


def _run_order(net: nn.Module) -> list[nn.Module]:
    """The network's convolutions in the order in which they run."""
    order: list[nn.Module] = []
    hooks = [
        module.register_forward_hook(lambda module, _inputs, _output: order.append(module))
        for module in net.modules()
        if isinstance(module, nn.Conv2d)
    ]
    training = net.training
    net.eval()
    with torch.no_grad():
        net(torch.zeros(1, 3, 64, 64))
    net.train(training)
    for hook in hooks:
        hook.remove()
    return order
