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
_FEW = 60


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
    """Solves every connected group of the open pairs by itself. Tracks and detections are distinct nodes here."""
    rows, columns, value = tracks[open_pairs], detections[open_pairs], affinity[open_pairs]
    if len(open_pairs) <= _FEW:  # finding the groups would cost more than it saves
        _, r = np.unique(rows, return_inverse=True)
        _, c = np.unique(columns, return_inverse=True)
        return open_pairs[_solve(r, c, value)]
    group = _connect(rows, columns, n_nodes)
    order = np.argsort(group, kind="stable")
    row_in_group, column_in_group = _rank(rows, group, n_nodes), _rank(columns, group, n_nodes)
    chosen = [
        members[_solve(row_in_group[members], column_in_group[members], value[members])]
        for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    ]
    return open_pairs[np.concatenate(chosen)]


def _solve(row: Index, column: Index, value: Affinity) -> NDArray[np.bool_]:
    """[P] which pairs are in the best choice; rows and columns numbered from 0."""
    matrix = np.zeros((row.max() + 1, column.max() + 1))
    matrix[row, column] = value
    column_of = np.full(len(matrix), -1)
    matched = linear_sum_assignment(matrix, maximize=True)
    column_of[matched[0]] = matched[1]
    chosen: NDArray[np.bool_] = column_of[row] == column
    return chosen


def _rank(node: Index, group: Index, n_nodes: int) -> Index:
    """[P] place of each pair's node among the nodes of its group, counted from 0."""
    group_of = np.full(n_nodes, n_nodes, np.int64)
    group_of[node] = group
    ordered = np.argsort(group_of, kind="stable")
    sorted_groups = group_of[ordered]
    rank = np.empty(n_nodes, np.int64)
    rank[ordered] = np.arange(n_nodes) - np.searchsorted(sorted_groups, sorted_groups)
    return rank[node]


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
