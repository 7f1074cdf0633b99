"""Painting projected faces, limbs and shadows into a picture with soft edges."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.vision import ByteArray
from simulator.street.light import Light
from simulator.street.meshes import Mesh
from simulator.street.motion import Pose
from simulator.street.optics import NEAR, Optics
from simulator.street.types import FloatArray

_SHIFT = 4
_ONE = 1 << _SHIFT
_FAR = 30_000.0  # pixels: fixed point numbers beyond it overflow in OpenCV


def fixed(pixels: FloatArray) -> NDArray[np.int32]:
    """Pixels as the fixed point numbers OpenCV draws with (pixel centres at .5)."""
    return np.asarray(np.rint((np.clip(pixels, -_FAR, _FAR) - 0.5) * _ONE), np.int32)


def fill(picture: ByteArray, pixels: FloatArray, colour: tuple[float, ...] | float, smooth: bool = True) -> None:
    """Fills a polygon [N, 2], pixels."""
    lines = cv2.LINE_AA if smooth else cv2.LINE_8
    cv2.fillPoly(picture, [fixed(pixels)], colour, lines, _SHIFT)


def turn(points: FloatArray, pose: Pose) -> FloatArray:
    """Local points [..., 3] as world points."""
    sine, cosine = math.sin(pose.heading), math.cos(pose.heading)
    world = np.empty_like(points)
    world[..., 0] = points[..., 0] * cosine + points[..., 1] * sine + pose.x
    world[..., 1] = points[..., 1] * cosine - points[..., 0] * sine + pose.y
    world[..., 2] = points[..., 2]
    return world


def turn_directions(vectors: FloatArray, heading: float) -> FloatArray:
    sine, cosine = math.sin(heading), math.cos(heading)
    world = np.empty_like(vectors)
    world[..., 0] = vectors[..., 0] * cosine + vectors[..., 1] * sine
    world[..., 1] = vectors[..., 1] * cosine - vectors[..., 0] * sine
    world[..., 2] = vectors[..., 2]
    return world


def paint_mesh(
    picture: ByteArray,
    optics: Optics,
    mesh: Mesh,
    pose: Pose,
    light: Light,
    in_sun: float,
    lamp: float,
    mirrored: bool = False,
) -> FloatArray | None:
    """Draws a mesh; the convex outline in pixels [N, 2], or None when it is not in front of the camera.

    Args:
        in_sun: 0 in a shadow, 1 in the sun.
        lamp: light of street lamps that arrives there, 0..1.
        mirrored: draw it below the ground, as water shows it.
    """
    world = turn(mesh.corners, pose)
    normals = turn_directions(mesh.normals, pose.heading)
    factors = light.on_faces(normals, in_sun, lamp)
    if mirrored:
        world[..., 2] *= -1
        normals = normals * (1, 1, -1)
    pixels, depth = optics.project(world.reshape(-1, 3))
    if depth.min() < NEAR:
        return None
    faces, corners = mesh.corners.shape[:2]
    pixels = pixels.reshape(faces, corners, 2)
    outline = np.asarray(cv2.convexHull(pixels.reshape(-1, 2).astype(np.float32))[:, 0], np.float64)
    width, height = optics.size
    low, high = outline.min(axis=0), outline.max(axis=0)
    if high[0] < 0 or high[1] < 0 or low[0] > width or low[1] > height:
        return outline
    middles = world.mean(axis=1)
    towards = np.asarray(optics.position) - middles
    facing = (normals * towards).sum(axis=1) > 0
    distance = np.linalg.norm(towards, axis=1)
    glow = (mesh.glow if light.headlights else 0.35 * mesh.glow)[:, None]
    colours = np.minimum(mesh.colours * np.maximum(factors, glow), 255)
    order = np.lexsort((-distance, mesh.layer))
    points = fixed(pixels)
    for index in order[facing[order]]:
        cv2.fillConvexPoly(picture, points[index], colours[index].tolist(), cv2.LINE_AA, _SHIFT)
    return outline


def ground_shadow(optics: Optics, world: FloatArray, light: Light) -> FloatArray | None:
    """Outline in pixels of the shadow that world points [N, 3] throw along the sun, or None."""
    x, y, z = light.sun_to
    reach = world[:, 2:3] / max(z, 0.12)
    feet = world[:, :2] - reach * np.array([[x, y]])
    hull = cv2.convexHull(feet.astype(np.float32))[:, 0]
    return optics.polygon(hull)


def limb(picture: ByteArray, a: FloatArray, b: FloatArray, wide_a: float, wide_b: float, colour: list[float]) -> None:
    """A tapered limb from pixel a to pixel b, as wide as given at its ends (pixels)."""
    dx, dy = float(b[0] - a[0]), float(b[1] - a[1])
    length = math.hypot(dx, dy)
    if length < 1e-6:
        dx, dy, length = 0.0, 1.0, 1.0
    nx, ny = -dy / length / 2, dx / length / 2
    quad = np.array(
        [
            (a[0] + nx * wide_a, a[1] + ny * wide_a),
            (b[0] + nx * wide_b, b[1] + ny * wide_b),
            (b[0] - nx * wide_b, b[1] - ny * wide_b),
            (a[0] - nx * wide_a, a[1] - ny * wide_a),
        ]
    )
    cv2.fillConvexPoly(picture, fixed(quad), colour, cv2.LINE_AA, _SHIFT)


def disc(picture: ByteArray, centre: FloatArray, radius: float, colour: list[float]) -> None:
    """A filled circle, pixels."""
    at = (round((float(centre[0]) - 0.5) * _ONE), round((float(centre[1]) - 0.5) * _ONE))
    cv2.circle(picture, at, max(1, round(radius * _ONE)), colour, -1, cv2.LINE_AA, _SHIFT)


def blend(picture: ByteArray, mask: ByteArray, at: tuple[int, int], factor: float) -> None:
    """Darkens a part of the picture: by `factor` where the mask [h, w] is 255, unchanged where it is 0.

    Args:
        at: x, y of the mask's corner in the picture; the mask must fit inside.
    """
    x, y = at
    part = picture[y : y + mask.shape[0], x : x + mask.shape[1]]
    keep = cv2.merge([cv2.convertScaleAbs(mask, alpha=-(1 - factor), beta=255)] * 3)
    cv2.multiply(part, keep, part, 1 / 255)
