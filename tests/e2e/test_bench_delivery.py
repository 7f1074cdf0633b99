"""`cityvision bench delivery` in short: the real deliverer and real receivers; nothing lost, nothing out of order."""

from __future__ import annotations

import pytest

from bench.delivery import measure_delivery


@pytest.mark.thorough
def test_everything_arrives_in_order() -> None:
    figures, peers = measure_delivery(seconds=0.6, burst=30, subscribers=6, per_s=60, caught_up=40)
    assert (figures["lost"], figures["out_of_order"]) == (0, 0)
    assert {"p50_ms", "p99_ms", "per_s", "behind_s", "burst_s", "rss_growth", "catch_up_per_s"} <= set(figures)
    assert set(peers) == {"plain_p99_ms", "plain_per_s"}
