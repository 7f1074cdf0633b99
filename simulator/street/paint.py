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
Pixel = tuple[float, float]
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
    world = turn(mesh.points, pose)
    normals = turn_directions(mesh.normals, pose.heading)
    factors = light.on_faces(normals, in_sun, lamp)
    if mirrored:
        world[..., 2] *= -1
        normals = normals * (1, 1, -1)
    count = len(world) - len(mesh.faces)
    pixels, depth = optics.project(world[:count])
    if depth.min() < NEAR:
        return None
    outline = np.asarray(cv2.convexHull(pixels.astype(np.float32))[:, 0], np.float64)
    width, height = optics.size
    low, high = outline.min(axis=0), outline.max(axis=0)
    if high[0] < 0 or high[1] < 0 or low[0] > width or low[1] > height:
        return outline
    towards = optics.eye - world[count:]
    facing = np.einsum("ij,ij->i", normals, towards) > 0
    distance = np.einsum("ij,ij->i", towards, towards)
    glow = (mesh.glow if light.headlights else 0.35 * mesh.glow)[:, None]
    colours = np.minimum(mesh.colours * np.maximum(factors, glow), 255)
    order = np.lexsort((-distance, mesh.layer))
    points = fixed(pixels)[mesh.faces]
    tones = colours.tolist()
    for index in order[facing[order]].tolist():
        cv2.fillConvexPoly(picture, points[index], tones[index], cv2.LINE_AA, _SHIFT)
    return outline


def ground_shadow(optics: Optics, world: FloatArray, light: Light) -> FloatArray | None:
    """Outline in pixels of the shadow that world points [N, 3] throw along the sun, or None."""
    x, y, z = light.sun_to
    reach = world[:, 2:3] / max(z, 0.12)
    feet = world[:, :2] - reach * np.array([[x, y]])
    hull = cv2.convexHull(feet.astype(np.float32))[:, 0]
    return optics.polygon(hull)


def limb(picture: ByteArray, a: Pixel, b: Pixel, wide_a: float, wide_b: float, colour: list[float]) -> None:
    """A tapered limb from pixel a to pixel b, as wide as given at its ends (pixels)."""
    (ax, ay), (bx, by) = a, b
    if max(abs(ax), abs(ay), abs(bx), abs(by)) > _FAR:
        return
    dx, dy = bx - ax, by - ay
    length = math.hypot(dx, dy)
    if length < 1e-6:
        dx, dy, length = 0.0, 1.0, 1.0
    half = _ONE / 2 / length
    px, py, qx, qy = -dy * half * wide_a, dx * half * wide_a, -dy * half * wide_b, dx * half * wide_b
    ax, ay, bx, by = (ax - 0.5) * _ONE, (ay - 0.5) * _ONE, (bx - 0.5) * _ONE, (by - 0.5) * _ONE
    quad = np.array([(ax + px, ay + py), (bx + qx, by + qy), (bx - qx, by - qy), (ax - px, ay - py)], np.int32)
    cv2.fillConvexPoly(picture, quad, colour, cv2.LINE_AA, _SHIFT)


def disc(picture: ByteArray, centre: Pixel, radius: float, colour: list[float]) -> None:
    """A filled circle, pixels."""
    if max(abs(centre[0]), abs(centre[1])) > _FAR:
        return
    at = (round((centre[0] - 0.5) * _ONE), round((centre[1] - 0.5) * _ONE))
    cv2.circle(picture, at, max(1, round(radius * _ONE)), colour, -1, cv2.LINE_AA, _SHIFT)
