"""Pictures shown of late: masked once, at hand for whoever saw them, forgotten in time."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Literal

import pytest

from api.masked_copies import Box, MaskedBytes, MaskedCopies
from api.problems import MaskingFailed, MaskingLater
from api.snapshots import KEPT_S, Snapshots
from store.objects import DiskObjects


class Counting:
    """Masks, slowly enough that others come meanwhile; late the first `late` times."""

    def __init__(self, late: int = 0) -> None:
        self.asked, self.late = 0, late

    def __call__(self, kind: Literal["picture", "clip"], data: bytes, own_vehicle: Box | None) -> MaskedBytes:
        self.asked += 1
        assert (kind, own_vehicle) == ("picture", None), "nobody's plate stays"
        if self.asked <= self.late:
            raise TimeoutError("busy")
        threading.Event().wait(0.05)
        return MaskedBytes(b"masked " + data, "fine")


def snapshots(folder: Path, mask: Counting | None) -> Snapshots:
    return Snapshots(MaskedCopies(DiskObjects(folder), mask))


def test_a_picture_is_masked_once_however_many_see_it(tmp_path: Path) -> None:
    mask = Counting()
    known = snapshots(tmp_path, mask)
    shown = [known.add(f"one-{n}", "gate", 5.0, b"now") for n in range(4)]
    told: list[bytes] = []
    threads = [threading.Thread(target=lambda one=one: told.append(one.masking.get().data)) for one in shown]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [b"masked now"] * 4
    assert mask.asked == 1
    assert known.add("one-0", "gate", 6.0, b"then").masking.get().data == b"masked then"
    assert list(tmp_path.rglob("*.jpg")) == [], "it is no evidence: nothing is kept"


def test_what_cannot_be_masked_is_not_shown_and_tried_again(tmp_path: Path) -> None:
    with pytest.raises(MaskingFailed):
        snapshots(tmp_path, None).add("li", "gate", 5.0, b"now").masking.get()
    shown = snapshots(tmp_path, Counting(late=1)).add("li", "gate", 5.0, b"now")
    with pytest.raises(MaskingLater):
        shown.masking.get()
    assert shown.masking.get().data == b"masked now"


def test_it_is_at_hand_for_who_saw_it_alone_and_for_a_while(tmp_path: Path) -> None:
    known = snapshots(tmp_path, Counting())
    digest = hashlib.sha256(b"now").hexdigest()
    assert known.add("li", "gate", 5.0, b"now", now=100.0).sha256 == digest
    found = known.find("li", digest, now=100.0 + KEPT_S - 1)
    assert found is not None
    assert (found.camera, found.utc, found.jpeg) == ("gate", 5.0, b"now")
    assert known.find("wang", digest, now=101.0) is None
    assert known.find("li", digest, now=100.0 + KEPT_S) is None


def test_who_asks_again_and_again_takes_nobody_elses_place(tmp_path: Path) -> None:
    known = snapshots(tmp_path, Counting())
    first = known.add("li", "gate", 5.0, b"first").sha256
    many = [known.add("wang", "gate", 5.0, b"%d" % n).sha256 for n in range(500)]
    assert known.find("li", first) is not None
    assert known.find("wang", many[-1]) is not None
    assert known.find("wang", many[0]) is None
