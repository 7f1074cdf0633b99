"""The gate: a gain counts when it is sure, a slice that surely fell refuses, and the reasons say so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithm_repo.judging.gate import Limits, judged
from algorithm_repo.judging.int8 import ByClass, Int8Limits, judged_int8, settle_int8, settled_int8
from algorithm_repo.judging.masks import Overlap, gain, iou
from algorithm_repo.judging.tags import int8_limits


def photos(shares: list[float], *slices: str, either: int = 1000) -> list[Overlap]:
    return [Overlap(f"{n:064x}", round(share * either), either, slices) for n, share in enumerate(shares)]


def spread(mean: float, seed: int, count: int = 60) -> list[float]:
    return list(np.clip(np.random.default_rng(seed).normal(mean, 0.08, count), 0, 1))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(0, 1000))
def test_nothing_is_gained_over_oneself(shares: list[float], seed: int) -> None:
    found = photos(shares)
    grown = gain(found, found, seed, draws=50)
    assert (grown.gain, grown.low, grown.high) == (0, 0, 0)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30))
def test_the_interval_turns_around_with_the_order(pairs: list[tuple[float, float]]) -> None:
    before, after = (photos([pair[side] for pair in pairs]) for side in (0, 1))
    there, back = gain(before, after, draws=200), gain(after, before, draws=200)
    assert there.gain == pytest.approx(-back.gain)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert there.low <= there.high


def test_iou_is_of_all_pixels_together() -> None:
    assert iou([Overlap("a", 10, 100, ()), Overlap("b", 900, 900, ())]) == pytest.approx(0.91)
    assert iou([Overlap("a", 0, 0, ())]) == 1.0


def test_a_sure_gain_passes() -> None:
    before = spread(0.65, 1)
    verdict = judged(photos(before, "light"), photos([one + 0.05 for one in before], "light"), Limits())
    assert verdict.passed
    assert verdict.reasons == ()
    assert verdict.gain_ci95[0] > 0


def test_a_gain_by_luck_does_not() -> None:
    verdict = judged(photos(spread(0.65, 1, 20)), photos(spread(0.66, 2, 20)), Limits())
    assert not verdict.passed
    assert "is not surely above 0.00" in verdict.reasons[0]


def test_a_slice_that_fell_refuses_though_the_whole_grew() -> None:
    light, dark = spread(0.6, 1, 80), spread(0.7, 2, 12)
    before = photos(light, "light") + photos(dark, "dark")
    after = photos([one + 0.15 for one in light], "light") + photos([one - 0.1 for one in dark], "dark")
    verdict = judged(before, after, Limits())
    assert verdict.gain_ci95[0] > 0
    (reason,) = verdict.reasons
    assert reason.startswith("slice dark fell from 0.7")
    few = Limits(slice_photos=13)
    assert judged(before, after, few).passed


def test_too_bad_is_too_bad() -> None:
    before = spread(0.4, 1)
    verdict = judged(photos(before), photos([one + 0.1 for one in before]), Limits())
    assert [reason.partition(" is")[0] for reason in verdict.reasons] == [f"IoU {verdict.after:.3f}"]


def test_only_the_same_photos_are_compared() -> None:
    for before, after in (([0.5], [0.5, 0.6]), ([], [])):
        with pytest.raises(ValueError, match="same photos"):
            judged(photos(before), photos(after), Limits())


def of(pictures: int = 8, **classes: float) -> ByClass:
    return ByClass(figure="precision", classes=classes, pictures=pictures)


def test_int8_is_kept_when_it_costs_next_to_nothing() -> None:
    verdict = judged_int8(of(person=0.60, car=0.50), of(person=0.59, car=0.505), Int8Limits())
    assert (verdict.kept, verdict.reasons) == (True, ())


def test_int8_is_refused_for_what_it_costs_over_all_or_in_one_class() -> None:
    whole = judged_int8(of(person=0.60, car=0.50), of(person=0.58, car=0.48), Int8Limits())
    assert whole.reasons == ("precision fell from 0.550 to 0.530",)
    one = judged_int8(of(person=0.60, car=0.50), of(person=0.64, car=0.46), Int8Limits())
    assert one.reasons == ("car fell from 0.500 to 0.460",)


def test_int8_of_a_network_that_has_learnt_nothing_is_refused() -> None:
    assert "own precision of 0.000" in judged_int8(of(person=0.0), of(person=0.0), Int8Limits()).reasons[0]
    assert not judged_int8(of(), of(), Int8Limits()).kept
    with pytest.raises(ValueError, match="same pictures"):
        judged_int8(of(person=0.5), of(car=0.5), Int8Limits())
    with pytest.raises(ValueError, match="same pictures"):
        judged_int8(of(8, person=0.5), of(9, person=0.5), Int8Limits())


def test_a_classifier_that_always_says_the_same_has_no_small_form() -> None:
    guessed = ByClass(figure="accuracy", classes={"day": 1.0, "night": 0.0}, pictures=8)
    verdict = judged_int8(guessed, guessed, int8_limits(guessed))
    assert verdict.reasons == ("the network's own accuracy of 0.500 is below 0.55",)
    learnt = ByClass(figure="accuracy", classes={"day": 1.0, "night": 0.5}, pictures=8)
    assert judged_int8(learnt, learnt, int8_limits(learnt)).kept


def test_int8_that_computes_no_number_is_refused() -> None:
    for before, after in ((0.6, float("nan")), (float("nan"), 0.6)):
        assert not judged_int8(of(car=before), of(car=after), Int8Limits()).kept


def test_a_refused_int8_form_is_gone_before_its_verdict_is_there(tmp_path: Path) -> None:
    for suffix in (".xml", ".bin"):
        (tmp_path / f"detector-int8{suffix}").write_bytes(b"int8")
    refused = judged_int8(of(car=0.6), of(car=0.2), Int8Limits())
    (tmp_path / "int8.json.part").mkdir()  # where the verdict is written: what comes after that step never happens
    with pytest.raises(OSError, match=r"int8\.json\.part"):
        settle_int8(tmp_path, "detector", refused)
    assert [*tmp_path.glob("detector-int8*")] == []


def test_a_verdict_that_was_half_written_is_none_and_half_an_int8_form_goes(tmp_path: Path) -> None:
    verdict = judged_int8(of(car=0.6), of(car=0.6), Int8Limits())
    settle_int8(tmp_path, "detector", verdict)
    assert settled_int8(tmp_path, "detector") == verdict
    (tmp_path / "int8.json").write_text(verdict.model_dump_json()[:40])
    assert settled_int8(tmp_path, "detector") is None
    (tmp_path / "detector-int8.bin").write_bytes(b"its .xml was deleted before a worker was killed")
    assert settled_int8(tmp_path, "detector") is None
    assert [*tmp_path.glob("detector-int8*")] == []


def test_whoever_goes_on_after_a_kill_drops_what_was_refused(tmp_path: Path) -> None:
    refused = judged_int8(of(car=0.6), of(car=0.2), Int8Limits())
    settle_int8(tmp_path, "detector", refused)
    for suffix in (".xml", ".bin"):
        (tmp_path / f"detector-int8{suffix}").write_bytes(b"left by a worker of an earlier release")
    assert settled_int8(tmp_path, "detector") == refused
    assert [*tmp_path.glob("detector-int8*")] == []
