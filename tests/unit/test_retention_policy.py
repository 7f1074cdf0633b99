"""The policy of retention: read from a file, every fault with its field and its fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.errors import ConfigError
from governance.retention import EXAMPLE, read_policy

GOOD = "rules: [{class: a, case: [void], days: 7}, {class: b, days: forever}]"


def refused(folder: Path, text: str) -> str:
    path = folder / "retention.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as found:
        read_policy(path)
    return str(found.value).replace(str(path), "FILE")


def test_the_example_is_good_and_says_what_it_does() -> None:
    policy = read_policy(EXAMPLE)
    assert [rule.text for rule in policy.rules] == [
        "false_alarm: any event, case void: 7 days",
        "case_evidence: any event, case closed: 365 days",
        "judged_false: any event, case any, verdict false_alarm: 7 days",
        "missed: any event, case any, verdict missed: 90 days",
        "camera_health: camera_health, case any: 14 days",
        "unconfirmed: any event, case any: 30 days",
    ]
    assert [rule.text for rule in policy.case_pictures] == [
        "struck_out_pictures: pictures of a case, case void: 30 days",
        "case_pictures: pictures of a case, case any: 365 days",
    ]


def test_its_hash_is_of_what_it_means(tmp_path: Path) -> None:
    first, again, other = (tmp_path / name for name in "abc")
    first.write_text(GOOD)
    again.write_text(f"# a remark\n{GOOD}")
    other.write_text(GOOD.replace("7", "8"))
    assert read_policy(first).sha256 == read_policy(again).sha256 != read_policy(other).sha256


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rules: []", "rules: 0 of them: write 1 to 200"),
        (
            "rules: [{class: a, days: 0}]",
            "FILE: rules[a].days: Value error, 0: write whole days, 1 to 36500, or forever; correct",
        ),
        ("rules: [{class: a, days: soon}]", "rules[a].days: Value error, 'soon': write whole days"),
        ("rules: [{class: a, days: true}]", "rules[a].days: Value error, True: write whole days"),
        ("rules: [{class: A b, days: 1}]", "rules[A b].class: String should match pattern"),
        ("rules: [{class: a, case: [open], days: 1}]", "rules[a].case.[0]: Input should be 'none', 'closed' or 'void'"),
        ("rules: [{class: a, day: 1, days: 1}]", "rules[a].day: Extra inputs are not permitted"),
        ("rules: [{days: 1}]", "rules[0].class: Field required"),
        ("rules: [{class: a, days: 1}, {class: a, days: 2}]", "class a is there twice: give each its own name"),
        ("rules: [{class: a, days: 1}, {class: b, events: [x], days: 2}]", "a fits everything, so b never counts"),
        ("rules: [{class: a, case: [void], days: 1}]", "the last, a, does not fit everything"),
        (
            "{rules: [{class: a, days: 1}], case_pictures: [{class: b, case: [void], days: 1}]}",
            "case_pictures: the last, b, does not fit everything: add one without case",
        ),
        (
            "{rules: [{class: a, days: 1}], case_pictures: [{class: b, days: 1}, {class: c, days: 2}]}",
            "case_pictures: b fits everything, so c never counts",
        ),
        (
            "{rules: [{class: a, days: 1}], case_pictures: [{class: a, days: 1}]}",
            "class a is there twice: give each its own name",
        ),
        (
            "{rules: [{class: a, days: 1}], case_pictures: [{class: b, case: [none], days: 1}]}",
            "case_pictures[b].case.[0]: Input should be 'closed' or 'void'",
        ),
        ("rules: [", "FILE:1: no YAML"),
        ("", "FILE: the file: Input should be a valid dictionary"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, told: str) -> None:
    assert told.replace(".[0]", "[0]") in refused(tmp_path, text)
    with pytest.raises(ConfigError, match="see CITYVISION_RETENTION"):
        read_policy(tmp_path / "nowhere.yaml")
