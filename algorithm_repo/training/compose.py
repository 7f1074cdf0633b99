"""Pictures put together from two: real water on a dry ground, real litter on a clean one. Pure but for a generator."""

from __future__ import annotations

import cv2
import numpy as np

from algorithm_repo.datasets.pictures import ByteArray

Box = tuple[float, float, float, float]


def blob(rng: np.random.Generator, width: int, height: int) -> ByteArray:
    """A random puddle outline, uint8 [height, width] 0..255, soft at the rim; it touches all four sides roughly."""
    count = 24
    angle = np.arange(count) * 2 * np.pi / count
    radius = np.ones(count)
    for wave in range(2, 6):
        radius += rng.normal(0, 0.22 / wave) * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    radius = np.clip(radius / radius.max(), 0.3, 1.0)
    points = np.stack([(1 + radius * np.cos(angle)) * width / 2, (1 + radius * np.sin(angle)) * height / 2], axis=1)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], 255)
    side = int(max(1, min(width, height) * rng.uniform(0.01, 0.06))) * 2 + 1
    return cv2.GaussianBlur(mask, (side, side), 0)  # type: ignore[return-value]


def water_texture(
    rng: np.random.Generator, photo: ByteArray, mask: ByteArray, width: int, height: int
) -> ByteArray | None:
    """A part of a flood photo that is nearly all water, scaled to [height, width]; None where none is found."""
    rows, columns = photo.shape[:2]
    for _ in range(12):
        w = int(rng.integers(32, columns // 2))
        h = int(rng.integers(20, rows // 2))
        x, y = int(rng.integers(0, columns - w)), int(rng.integers(0, rows - h))
        if (mask[y : y + h, x : x + w] > 127).mean() > 0.95:
            return cv2.resize(photo[y : y + h, x : x + w], (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]
    return None


def add_puddle(
    rng: np.random.Generator, ground: ByteArray, photo: ByteArray, mask: ByteArray
) -> tuple[ByteArray, ByteArray] | None:
    """Lays real water onto the lower part of a picture.

    Args:
        ground: uint8 [H, W, 3], a dry place.
        photo, mask: a flood photo and where its water is (255).

    Returns:
        The picture and its water mask, uint8 [H, W] 0 or 255; None where the photo has no usable water.
    """
    height, width = ground.shape[:2]
    w = int(width * rng.uniform(0.12, 0.7))
    h = int(np.clip(w * rng.uniform(0.15, 0.6), height * 0.05, height * 0.5))
    texture = water_texture(rng, photo, mask, w, h)
    if texture is None:
        return None
    x = int(rng.integers(0, width - w + 1))
    y = int(rng.integers(int(height * 0.35), max(int(height * 0.35) + 1, height - h + 1)))
    y = min(y, height - h)
    under = ground[y : y + h, x : x + w]
    above = ground[max(0, y - h) : y, x : x + w]
    mirrored = cv2.resize(above[::-1], (w, h)) if len(above) else under
    mirrored = cv2.blur(mirrored, (1, 2 * (h // 12) + 1))
    own, sky = rng.uniform(0.45, 0.9), rng.uniform(0.1, 0.5)
    # Brightness of the place, so that water from a bright day does not glow at night.
    level = np.clip((ground.mean() + 20) / (texture.mean() + 20), 0.4, 1.6)
    water = own * (texture * level) + (1 - own) * ((1 - sky) * under + sky * mirrored)
    outline = blob(rng, w, h)
    alpha = outline[..., None] / 255.0
    picture = ground.copy()
    picture[y : y + h, x : x + w] = np.clip(alpha * water + (1 - alpha) * under, 0, 255).astype(np.uint8)
    found = np.zeros((height, width), np.uint8)
    found[y : y + h, x : x + w] = np.where(outline > 127, 255, 0)
    return picture, found


def add_piece(
    rng: np.random.Generator, ground: ByteArray, piece: ByteArray, mask: ByteArray
) -> tuple[ByteArray, Box] | None:
    """Lays one real piece of litter onto a picture, with a contact shadow.

    Args:
        ground: uint8 [H, W, 3].
        piece, mask: the piece's photo and where it is (255).

    Returns:
        The picture and the piece's box, normalised; None where the piece is too thin to show.
    """
    height, width = ground.shape[:2]
    ys, xs = np.nonzero(mask > 127)
    piece, mask = (a[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1] for a in (piece, mask))
    turn = int(rng.integers(4))
    piece, mask = np.rot90(piece, turn), np.rot90(mask, turn)
    longer = float(np.exp(rng.uniform(np.log(9), np.log(64))))
    scale = longer / max(piece.shape[:2])
    w, h = max(4, round(piece.shape[1] * scale)), max(4, round(piece.shape[0] * scale * rng.uniform(0.5, 1.0)))
    if w >= width or h >= height:
        return None
    small = cv2.resize(piece, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32)
    alpha = cv2.resize(mask, (w, h), interpolation=cv2.INTER_AREA)[..., None] / 255.0
    x, y = int(rng.integers(0, width - w)), int(rng.integers(int((height - h) * 0.3), height - h))
    around = ground[max(0, y - h) : y + 2 * h, max(0, x - w) : x + 2 * w]
    level = np.clip((float(around.mean()) + 30) / 150, 0.35, 1.25)
    picture = ground.astype(np.float32)
    shadow = cv2.GaussianBlur(np.pad(alpha[..., 0], 6), (0, 0), 2.0)[6:-6, 6:-6, None] * rng.uniform(0.1, 0.5)
    down = min(2, height - h - y)
    picture[y + down : y + h + down, x : x + w] *= 1 - shadow
    part = picture[y : y + h, x : x + w]
    picture[y : y + h, x : x + w] = alpha * small * level + (1 - alpha) * part
    box = (x / width, y / height, (x + w) / width, (y + h) / height)
    return np.clip(picture, 0, 255).astype(np.uint8), box
