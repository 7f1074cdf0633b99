"""What a classifier says of whole pictures, against their tags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from algorithm_repo.datasets.pictures import Read, decode
from algorithm_repo.datasets.tags import WHOLE, tagged
from algorithm_repo.datasets.types import Item
from algorithm_repo.judging.int8 import ByClass, Int8Limits
from models.classifier import CropClassifier

_ABOVE_CHANCE = 0.05


def accuracy(classifier: CropClassifier, head: str, items: Sequence[Item], read: Read) -> ByClass:
    """Of each class, the share of its pictures that a classifier as it runs gives it to.

    Args:
        head: whose labels are the tags.
        items: pictures; those without one tag of these are not asked for.
        read: bytes of a picture by SHA-256.

    Raises:
        ValueError: bytes are no picture.
        RunnerError: inference failed.
    """
    labels = classifier.heads[head]
    asked, right = Counter[str](), Counter[str]()
    for item in items:
        tag = tagged(item)
        if tag not in labels or tag is None:
            continue
        said = classifier.classify([classifier.cut(decode(read(item.content)), WHOLE)])[head][0]
        asked[tag] += 1
        right[tag] += labels[int(said.argmax())] == tag
    classes = {tag: round(right[tag] / asked[tag], 4) for tag in labels if asked[tag]}
    return ByClass(figure="accuracy", classes=classes, pictures=asked.total())


def int8_limits(before: ByClass) -> Int8Limits:
    """What INT8 may cost a classifier: one that hardly beats guessing has nothing to compare.

    Args:
        before: accuracy of the network itself; who always says the same is right in one of its classes.
    """
    return Int8Limits(least=min(1.0, 1 / max(1, len(before.classes)) + _ABOVE_CHANCE))
