"""What changed from one version of training data to another, item by item and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from algorithm_repo.datasets.types import Item, Manifest


@dataclass(frozen=True, slots=True)
class Relabelled:
    """The same picture, of which something else is said now."""

    before: Item
    after: Item

    def fields(self) -> list[str]:
        """Names of what changed."""
        return [name for name in Item.model_fields if getattr(self.before, name) != getattr(self.after, name)]


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

    def label_changes(self) -> dict[str, int]:
        """By how much the count of each label grew or shrank in relabelled items; what did not is left out."""
        counts: Counter[str] = Counter()
        for one in self.relabelled:
            counts.update(x.label for x in one.after.labels)
            counts.subtract(x.label for x in one.before.labels)
        return {label: count for label, count in sorted(counts.items()) if count}

    @property
    def moved(self) -> int:
        """Relabelled items that have the same labels elsewhere."""
        return sum(
            Counter(x.label for x in one.before.labels) == Counter(x.label for x in one.after.labels)
            for one in self.relabelled
        )

    def field_changes(self) -> dict[str, int]:
        """Of how many items each field changed, among those that were told otherwise."""
        return _counted(name for one in self.told_otherwise for name in one.fields() if name != "labels")

    def words(self) -> list[str]:
        """A line for each kind of change; none where nothing changed."""
        told = []
        for word, items in (("added", self.added), ("removed", self.removed)):
            if items:
                counts = ", ".join(f"{count} of {source}" for source, count in by_source(items).items())
                told.append(f"{word} {len(items)} items: {counts}")
        if self.relabelled:
            labels = [f"{label} {count:+d}" for label, count in self.label_changes().items()]
            if self.moved:
                labels.append(f"{self.moved} with the same labels elsewhere")
            told.append(f"relabelled {len(self.relabelled)} items: {', '.join(labels)}")
        if self.told_otherwise:
            fields = ", ".join(f"{name} of {count}" for name, count in self.field_changes().items())
            told.append(f"changed {len(self.told_otherwise)} items otherwise: {fields}")
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


def by_source(items: Iterable[Item]) -> dict[str, int]:
    """How many items come from where."""
    return _counted(item.source for item in items)


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))
