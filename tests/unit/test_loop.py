"""The loop's pure parts: versions of data that differ by what people said, wrong labels, what falls short, the card."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from algorithm_repo.datasets.alike import signature
from algorithm_repo.datasets.photos import mask_of, outlines_of
from algorithm_repo.datasets.pictures import ByteArray, encode
from algorithm_repo.datasets.split import across
from algorithm_repo.datasets.types import Item, Manifest, Mask, Source
from algorithm_repo.judging.gate import Limits, judged
from algorithm_repo.judging.masks import Overlap
from algorithm_repo.judging.speed import Taken, speed
from algorithm_repo.training.headjob import Point
from cityvision.loop import card, data
from cityvision.loop.page import page
from cityvision.loop.types import LoopResult, Versions, fallen
from models.segmenter import load_segmenter
from models.zoo import Zoo

_CITY = Source(name="city cameras", licence="internal")


def lake(seed: int) -> tuple[ByteArray, ByteArray]:
    """A picture with its mask, 255 on a bright lake."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((120, 200), np.uint8)
    cv2.ellipse(mask, (int(rng.integers(60, 140)), int(rng.integers(50, 70))), (90, 50), 0, 0, 360, 255, -1)
    picture = np.asarray(cv2.resize(rng.integers(0, 160, (6, 8, 3), np.uint8), (200, 120)), np.uint8)
    picture[mask > 0] += 80
    return picture, mask


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("truth")
    for part in ("images", "masks"):
        (folder / "flood" / part).mkdir(parents=True)
    for number in range(40):
        picture, mask = lake(number)
        cv2.imwrite(str(folder / "flood" / "images" / f"{number}.jpg"), picture)
        cv2.imwrite(str(folder / "flood" / "masks" / f"{number}.png"), mask)
    return folder


@pytest.fixture(scope="module")
def photos(truth: Path) -> data.Photos:
    return data.load(truth, count=None, cameras=2, seed=1)


def contents(version: Manifest, side: str) -> set[str]:
    return {item.content for item in version.items if item.side == side}


def said_of(picture: ByteArray, mask: ByteArray | None) -> tuple[Manifest, str]:
    """What people made of one picture of a camera, and its hash."""
    content = hashlib.sha256(encode(picture)).hexdigest()
    labels = () if mask is None else outlines_of(mask, data.LABEL)
    item = Item(content=content, name="square", width=200, height=120, source=_CITY.name, labels=labels)
    version = Manifest(name="v", task="segment", classes=(data.LABEL,), sources={_CITY.name: _CITY}, items=(item,))
    return version, content


def test_nobody_trains_on_what_is_judged_on(photos: data.Photos) -> None:
    before = data.beginning(photos)
    grown, _ = data.grown(photos, before, None, {})
    assert contents(before, "test") == contents(grown, "test") == contents(photos.whole, "test")
    assert contents(before, "train") < contents(grown, "train")
    assert len(contents(before, "train")) == round(0.25 * len(contents(photos.whole, "train")))
    shown = {item.content for item in photos.shown}
    assert len(shown) == 2
    assert not shown & {item.content for item in grown.items}
    assert grown.parent == before.digest


def test_what_people_said_makes_another_version(photos: data.Photos) -> None:
    before, (picture, mask) = data.beginning(photos), lake(1000)
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    digests = {data.grown(photos, before, None, {})[0].digest}
    for said in (mask, None):
        brought, content = said_of(picture, said)
        grown, alike = data.grown(photos, before, brought, {content: signature(grey)})
        assert content in contents(grown, "train")
        assert across(grown, alike) == []
        digests.add(grown.digest)
    assert len(digests) == 3, "no verdict, a real one, and a false alarm"


def test_a_picture_that_nearly_is_one_of_the_test_side_stays_out(photos: data.Photos) -> None:
    held_out = next(item for item in photos.whole.items if item.side == "test")
    brought, content = said_of(*lake(1001))
    grown, alike = data.grown(photos, data.beginning(photos), brought, {content: photos.looks[held_out.content]})
    assert content not in {item.content for item in grown.items}
    assert held_out.content in contents(grown, "test")
    assert across(grown, alike) == []


def test_wrong_labels_are_as_many_as_asked_for_and_the_test_side_stays_right(photos: data.Photos) -> None:
    kept: dict[str, bytes] = {}

    def read(sha256: str) -> bytes:
        return kept[sha256] if sha256 in kept else photos.files[sha256].read_bytes()

    def keep(png: bytes) -> str:
        sha256 = hashlib.sha256(png).hexdigest()
        kept[sha256] = png
        return sha256

    right, _ = data.grown(photos, data.beginning(photos), None, {})
    wrong = data.spoilt(right, 0.3, 1, read, keep)
    assert (wrong.parent, contents(wrong, "train")) == (right.digest, contents(right, "train"))
    changed = [(old, new) for old, new in zip(right.items, wrong.items, strict=True) if old.labels != new.labels]
    assert {new.side for _, new in changed} == {"train"}
    assert len(changed) == round(0.3 * len(contents(right, "train")))
    for old, new in changed:
        before, after = mask_of(old, read), mask_of(new, read)
        assert before is not None
        assert after is not None
        assert np.array_equal(before, 255 - after)
    assert data.spoilt(right, 0.3, 1, read, keep).digest == wrong.digest


def test_an_outline_is_the_mask_again() -> None:
    _, mask = lake(5)
    item = Item(content="0" * 64, name="a", width=200, height=120, source="s", labels=outlines_of(mask, data.LABEL))
    again = mask_of(item, lambda _sha256: b"")
    assert again is not None
    assert ((again > 0) & (mask > 0)).sum() / ((again > 0) | (mask > 0)).sum() > 0.97
    both = item.model_copy(update={"labels": (*item.labels, Mask(label=data.LABEL, sha256="1" * 64))})
    whole = mask_of(both, lambda _sha256: encode(np.full((120, 200), 255, np.uint8), ".png"))
    assert whole is not None
    assert whole.min() == 255


def overlapping(shares: list[float], *slices: str) -> list[Overlap]:
    return [Overlap(f"{n:064x}", round(share * 1000), 1000, slices) for n, share in enumerate(shares)]


def test_the_slices_that_fell_are_named() -> None:
    before, after = overlapping([0.8] * 20, "light"), overlapping([0.6] * 20, "light")
    assert fallen(judged(before, after, Limits()), Limits()) == ("light",)
    assert fallen(judged(before, before, Limits()), Limits()) == ()


_VERSIONS = Versions(
    parent="a" * 64,
    candidate="b" * 64,
    spoilt="c" * 64,
    without_verdicts="d" * 64,
    parent_photos=41,
    candidate_photos=165,
    test_photos=71,
    wrong_labels=50,
)
_SHOWN = LoopResult(
    promoted=True,
    spoilt_refused=True,
    before=0.68,
    after=0.72,
    gain_ci95=(0.01, 0.05),
    reasons=(),
    spoilt_after=0.5,
    spoilt_slices=("light",),
    spoilt_reasons=("slice light fell",),
    verdicts=2,
    versions=_VERSIONS,
    ledger_lines=20,
    steps=400,
    limits=Limits(),
    seconds=900,
    card="loop.html",
)


def test_a_loop_that_shows_everything_does_not_fall_short() -> None:
    assert _SHOWN.fell_short() == ()
    assert "it shows" in page(_SHOWN, ["one"], ["a line"], [("candidate", "candidate.html")])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"before": 0.59}, "the parent's IoU of 0.590"),
        ({"gain_ci95": (0.0, 0.04)}, "not surely above 0"),
        ({"verdicts": 0}, "no verdict changed"),
        ({"versions": _VERSIONS.model_copy(update={"without_verdicts": "b" * 64})}, "no verdict changed"),
        ({"promoted": False}, "was not promoted"),
        ({"spoilt_refused": False}, "was not refused"),
        ({"spoilt_slices": ()}, "no slice"),
    ],
)
def test_whatever_is_not_there_is_said(changed: dict[str, object], words: str) -> None:
    result = _SHOWN.model_copy(update=changed)
    (short,) = result.fell_short()
    assert words in short
    assert "falls" not in page(result, [], [], [])
    assert f'class="no"><li>{short[:10]}' in page(result, [], [], [])


def test_the_card_shows_what_got_better_and_what_got_worse() -> None:
    items = [
        Item(content=f"{n:064x}", name=f"<{n}>.jpg", width=200, height=120, source="s", slices=("light",))
        for n in range(4)
    ]
    before, after = overlapping([0.5, 0.5, 0.5, 0.5], "light"), overlapping([0.9, 0.5, 0.6, 0.1], "light")
    found = card.changes(items, before, after, 2)
    assert [one.item.name for one in found] == ["<0>.jpg", "<2>.jpg", "<3>.jpg"]
    told = card.card(
        "spoilt 2.3.0",
        {"data": "<b>"},
        judged(before, after, Limits()),
        {"parent": [Point(10, 20, 0.8), Point(20, 20, 0.4)], "spoilt": []},
        {"parent": speed([Taken(4.25, 3.0)]), "spoilt": speed([])},
        [(one, b"jpeg") for one in found],
    ).decode()
    assert "The gate refuses it" in told
    assert "&lt;3&gt;.jpg: 0.50 → 0.10" in told
    assert "<b>" not in told
    assert "0.400 at step 20" in told
    assert "<td>4.25</td>" in told
    assert "whole chain" not in told, "photos are no looks of a chain"


def test_both_networks_are_timed_on_the_photos(photos: data.Photos) -> None:
    network = load_segmenter("water", Zoo())
    paces = card.paced(photos.whole.items, network, network, lambda sha256: photos.files[sha256].read_bytes())
    assert [pace.inferences for pace in paces] == [24, 24]
    assert all(pace.cpu_ms_p50 for pace in paces)
    assert card.paced((), network, network, lambda _sha256: b"")[0].ms_p50 is None
