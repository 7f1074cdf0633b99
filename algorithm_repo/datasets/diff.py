"""What changed from one version of training data to another, item by item and in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from algorithm_repo.datasets.types import Item, Manifest


@dataclass(frozen=True, slots=True)
class Relabelled:
    """The same picture, of which something else is said now."""

    before: Item
    after: Item


@dataclass(frozen=True, slots=True)
class Diff:
    """Attributes:
    added, removed: items of one version only.
    relabelled: items of both with other labels.
    told_otherwise: items of both, with the same labels, of which something else changed (slices, source, side …).
    classes_added, classes_removed: labels of one version only.
    """

    added: tuple[Item, ...]
    removed: tuple[Item, ...]
    relabelled: tuple[Relabelled, ...]
    told_otherwise: tuple[Relabelled, ...]
    classes_added: tuple[str, ...]
    classes_removed: tuple[str, ...]

    def words(self) -> list[str]:
        """A line for each kind of change; none where nothing changed."""
        told = []
        for word, items in (("added", self.added), ("removed", self.removed)):
            if items:
                told.append(f"{word} {len(items)} items: {_by_source(items)}")
        if self.relabelled:
            told.append(f"relabelled {len(self.relabelled)} items: {_labels(self.relabelled)}")
        if self.told_otherwise:
            told.append(f"changed {len(self.told_otherwise)} items otherwise: {_fields(self.told_otherwise)}")
        for word, classes in (("added", self.classes_added), ("removed", self.classes_removed)):
            if classes:
                told.append(f"{word} classes: {', '.join(classes)}")
        return told


def diff(before: Manifest, after: Manifest) -> Diff:
    """What changed; items are the same by their content."""
    old = {item.content: item for item in before.items}
    new = {item.content: item for item in after.items}
    changed = [Relabelled(old[one], new[one]) for one in old if one in new and old[one] != new[one]]
    return Diff(
        added=tuple(item for one, item in new.items() if one not in old),
        removed=tuple(item for one, item in old.items() if one not in new),
        relabelled=tuple(one for one in changed if one.before.labels != one.after.labels),
        told_otherwise=tuple(one for one in changed if one.before.labels == one.after.labels),
        classes_added=tuple(one for one in after.classes if one not in before.classes),
        classes_removed=tuple(one for one in before.classes if one not in after.classes),
    )


def _by_source(items: tuple[Item, ...]) -> str:
    return ", ".join(f"{count} of {source}" for source, count in sorted(Counter(i.source for i in items).items()))


def _labels(changed: tuple[Relabelled, ...]) -> str:
    """By how much each label's count grew or shrank; labels that only moved are counted as such."""
    counts: Counter[str] = Counter()
    moved = 0
    for one in changed:
        before, after = Counter(x.label for x in one.before.labels), Counter(x.label for x in one.after.labels)
        moved += before == after
        counts.update(after)
        counts.subtract(before)
    told = [f"{label} {count:+d}" for label, count in sorted(counts.items()) if count]
    if moved:
        told.append(f"{moved} with the same labels elsewhere")
    return ", ".join(told)


def _fields(changed: tuple[Relabelled, ...]) -> str:
    names = Counter(
        name
        for one in changed
        for name in Item.model_fields
        if name != "labels" and getattr(one.before, name) != getattr(one.after, name)
    )
    return ", ".join(f"{name} of {count}" for name, count in sorted(names.items()))
