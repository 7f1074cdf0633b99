"""What changed from one version of training data to another, item by item and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from algorithm_repo.datasets.types import Item, Manifest, Source


@dataclass(frozen=True, slots=True)
class Relabelled:
    """The same picture, of which something else is said now."""

    before: Item
    after: Item

    def fields(self) -> list[str]:
        """Names of what changed."""
        changed = [name for name in Item.model_fields if getattr(self.before, name) != getattr(self.after, name)]
        return ["order of labels" if name == "labels" and self.same_labels else name for name in changed]

    @property
    def same_labels(self) -> bool:
        """Whether the labels are the same, in whatever order."""
        before, after = (sorted(x.model_dump_json() for x in one.labels) for one in (self.before, self.after))
        return before == after


HeadPart = Literal["task", "order of classes", "terms"]


@dataclass(frozen=True, slots=True)
class HeadChange:
    """What changed of the whole version: its task, the order of the classes that both have, the terms of a source."""

    what: HeadPart
    how: str


@dataclass(frozen=True, slots=True)
class Diff:
    """Attributes:
    added, removed: items of one version only.
    relabelled: items of both with other labels.
    told_otherwise: items of both, with the same labels, of which something else changed (slices, source, side …).
    classes_added, classes_removed: labels of one version only.
    head: what changed of the whole.
    """

    added: tuple[Item, ...]
    removed: tuple[Item, ...]
    relabelled: tuple[Relabelled, ...]
    told_otherwise: tuple[Relabelled, ...]
    classes_added: tuple[str, ...]
    classes_removed: tuple[str, ...]
    head: tuple[HeadChange, ...]

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
        return _counted(name for one in self.told_otherwise for name in one.fields())

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
        return [*told, *(f"changed the {one.what}: {one.how}" for one in self.head)]


def diff(before: Manifest, after: Manifest) -> Diff:
    """What changed; items are the same by their content."""
    old = {item.content: item for item in before.items}
    new = {item.content: item for item in after.items}
    changed = [Relabelled(old[one], new[one]) for one in old if one in new and old[one] != new[one]]
    return Diff(
        added=tuple(item for one, item in new.items() if one not in old),
        removed=tuple(item for one, item in old.items() if one not in new),
        relabelled=tuple(one for one in changed if not one.same_labels),
        told_otherwise=tuple(one for one in changed if one.same_labels),
        classes_added=tuple(one for one in after.classes if one not in before.classes),
        classes_removed=tuple(one for one in before.classes if one not in after.classes),
        head=tuple(_head(before, after)),
    )


def _head(before: Manifest, after: Manifest) -> Iterator[HeadChange]:
    if before.task != after.task:
        yield HeadChange("task", f"{before.task} → {after.task}")
    both = set(before.classes) & set(after.classes)
    was, now = (", ".join(one for one in order if one in both) for order in (before.classes, after.classes))
    if was != now:
        yield HeadChange("order of classes", f"{was} → {now}")
    for name in sorted(before.sources.keys() & after.sources.keys()):
        old, new = before.sources[name], after.sources[name]
        terms = [field for field in Source.model_fields if getattr(old, field) != getattr(new, field)]
        if terms:
            yield HeadChange("terms", f"{name}: {', '.join(terms)}")


def by_source(items: Iterable[Item]) -> dict[str, int]:
    """How many items come from where."""
    return _counted(item.source for item in items)


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))
