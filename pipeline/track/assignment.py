"""Who is who: pairs of (track, detection) with affinities in, the best one-to-one choice out.

The sum of affinities is maximised, as by the Hungarian method over the whole matrix, but most pairs are settled
without it. A pair whose affinity exceeds the best alternative of its track plus the best alternative of its
detection belongs to every optimal choice (giving it up would free at most these two). Such pairs are taken for all
cameras at once, a few rounds long; what stays tangled is solved one connected group at a time by Jonker-Volgenant
(scipy; Crouse 2016).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Index = NDArray[np.int64]
Affinity = NDArray[np.float64]

_ROUNDS = 4


def assign(tracks: Index, detections: Index, affinity: Affinity, n_tracks: int, n_detections: int) -> Index:
    """Chooses among candidate pairs so that no track and no detection is used twice and the sum is greatest.

    Args:
        tracks, detections: int64 [P], the pairs; each pair at most once.
        affinity: float64 [P], above 0.
        n_tracks, n_detections: how many of each there are.

    Returns:
        int64 [K], indices of the chosen pairs, ascending.
    """
    open_pairs = np.arange(len(tracks), dtype=np.int64)
    chosen = [open_pairs[:0]]
    for _ in range(_ROUNDS):
        if not len(open_pairs):
            break
        rows, columns = tracks[open_pairs], detections[open_pairs]
        value = affinity[open_pairs]
        settled = value > _alternative(rows, value, n_tracks) + _alternative(columns, value, n_detections)
        if not settled.any():
            break
        chosen.append(open_pairs[settled])
        if settled.all():
            return np.sort(np.concatenate(chosen))
        used_row, used_column = np.zeros(n_tracks, np.bool_), np.zeros(n_detections, np.bool_)
        used_row[rows[settled]] = True
        used_column[columns[settled]] = True
        open_pairs = open_pairs[~(used_row[rows] | used_column[columns])]
    if len(open_pairs):
        chosen.append(_solve_groups(open_pairs, tracks, detections + n_tracks, affinity, n_tracks + n_detections))
    return np.sort(np.concatenate(chosen))


def _alternative(owner: Index, value: Affinity, n: int) -> Affinity:
    """For each pair, the best value its owner could have from another pair; 0 where there is none."""
    best = np.zeros(n)
    np.maximum.at(best, owner, value)
    best_of = best[owner]
    leads = value == best_of
    second = np.zeros(n)
    np.maximum.at(second, owner, np.where(leads, 0.0, value))
    shared = np.bincount(owner, weights=leads, minlength=n) > 1
    return np.where(leads & ~shared[owner], second[owner], best_of)


def _solve_groups(open_pairs: Index, tracks: Index, detections: Index, affinity: Affinity, n_nodes: int) -> Index:
    """Solves every connected group of the open pairs by itself."""
    rows, columns = tracks[open_pairs], detections[open_pairs]
    group = _connect(rows, columns, n_nodes)
    order = np.argsort(group, kind="stable")
    cuts = np.flatnonzero(np.diff(group[order])) + 1
    chosen: list[Index] = []
    for members in np.split(order, cuts):
        kept_rows, r = np.unique(rows[members], return_inverse=True)
        kept_columns, c = np.unique(columns[members], return_inverse=True)
        pair_at = np.full((len(kept_rows), len(kept_columns)), -1, np.int64)
        pair_at[r, c] = open_pairs[members]
        matrix = np.zeros(pair_at.shape)
        matrix[r, c] = affinity[open_pairs[members]]
        found = pair_at[linear_sum_assignment(matrix, maximize=True)]
        chosen.append(found[found >= 0])
    return np.concatenate(chosen)


def _connect(left: Index, right: Index, n_nodes: int) -> Index:
    """[P] the smallest node each pair is connected to, directly or through others."""
    label = np.arange(n_nodes, dtype=np.int64)
    while True:
        low = np.minimum(label[left], label[right])
        before = label.copy()
        np.minimum.at(label, left, low)
        np.minimum.at(label, right, low)
        label = label[label]
        if np.array_equal(label, before):
            return label[left]
