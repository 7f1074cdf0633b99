"""Pictures of a folder and of a labels' file: by path, by name where that can mean one alone, else refused."""

from __future__ import annotations

import unicodedata

import pytest

from algorithm_repo.datasets.types import Tag
from algorithm_repo.formats.matching import matched
from algorithm_repo.formats.types import FormatFaults, Picture


def said(*files: str) -> list[Picture]:
    return [Picture(file, (Tag(label=file),)) for file in files]


@pytest.mark.parametrize(
    ("files", "paths", "expected"),
    [
        (["train/1.jpg", "val/1.jpg"], ["train/1.jpg", "val/1.jpg"], {"train/1.jpg": 0, "val/1.jpg": 1}),
        (["train/1.jpg"], ["train/1.jpg", "val/1.jpg"], {"train/1.jpg": 0}),
        (["1.jpg", "a/1.jpg"], ["a/1.jpg", "1.jpg"], {"1.jpg": 0, "a/1.jpg": 1}),
        (["images/train/1.jpg", "images/val/1.jpg"], ["val/1.jpg"], {"val/1.jpg": 1}),
        (["photos/1.jpg", "other/1.jpg"], ["1.jpg"], {"1.jpg": 0}),
        (["1.jpg"], ["deep/down/1.jpg"], {"deep/down/1.jpg": 0}),
        (["1.jpg"], ["11.jpg"], {}),
        ([unicodedata.normalize("NFC", "é.jpg")], [unicodedata.normalize("NFD", "é.jpg")], {"e\u0301.jpg": 0}),
    ],
)
def test_the_longest_common_ending_counts(files: list[str], paths: list[str], expected: dict[str, int]) -> None:
    found = matched(said(*files), paths, above="/home/lin/photos")
    assert {path: one.file for path, one in found.said.items()} == {path: files[n] for path, n in expected.items()}
    assert sorted(found.without) == sorted(set(files) - {files[n] for n in expected.values()})


def test_what_may_be_one_of_two_is_refused_and_all_of_it_is_named() -> None:
    with pytest.raises(FormatFaults) as told:
        matched(said("1.jpg", "2.jpg"), ["a/1.jpg", "b/1.jpg", "a/2.jpg", "b/2.jpg"])
    assert [one.partition(";")[0] for one in told.value.faults] == [
        "1.jpg: a/1.jpg and b/1.jpg may both be meant",
        "2.jpg: a/2.jpg and b/2.jpg may both be meant",
    ]
    with pytest.raises(FormatFaults, match=r"c/1\.jpg: labels of a/1\.jpg and b/1\.jpg may both be meant"):
        matched(said("a/1.jpg", "b/1.jpg"), ["c/1.jpg"])


def test_a_name_alone_is_told_where_the_folders_differ() -> None:
    found = matched(said("train/1.jpg", "2.jpg"), ["val/1.jpg", "val/2.jpg"])
    assert found.by_name == (("train/1.jpg", "val/1.jpg"),)
    assert set(found.said) == {"val/1.jpg", "val/2.jpg"}


def test_many_pictures_of_one_name_are_told_apart() -> None:
    files = [f"{n}/frame.jpg" for n in range(5_000)]
    assert len(matched(said(*files), files, above="/data").said) == 5_000
    assert len(matched(said(*(f"images/{one}" for one in files)), files, above="/data").said) == 5_000
