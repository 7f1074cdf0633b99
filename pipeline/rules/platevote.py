"""The number plate of one vehicle as several readings of it agree.

Each position of the text is voted on by itself, weighted by the scores of the readings, among readings of the length
that weighs most. How many readings are made is bounded: a parked car does not become more legible with time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from contracts.senses import PlateRead

MOST_GOOD = 8
MOST_TRIES = 20
SPACING_S = 1.0  # readings closer together see the same noise
_GOOD = 0.5  # score of a reading that counts as good
_SURE = 0.5  # score of a vote below which the plate is not told
_FEWEST = 3  # tries before a plate is called unreadable


@dataclass(frozen=True, slots=True)
class PlateVotes:
    """Readings of one vehicle's plate.

    Attributes:
        reads: (text, score) of those that said something, the newest last.
        tries: how many were made.
        last: stream time of the last one, s; None before the first.
    """

    reads: tuple[tuple[str, float], ...] = ()
    tries: int = 0
    last: float | None = None

    @property
    def good(self) -> int:
        """Readings that count as good."""
        return sum(score >= _GOOD for _, score in self.reads)

    @property
    def enough(self) -> bool:
        """Nothing more is to be read."""
        return self.good >= MOST_GOOD or self.tries >= MOST_TRIES

    def due(self, time: float, every: float) -> bool:
        """Whether the plate is to be read in the look at stream time `time`; a look 10 % early counts."""
        return not self.enough and (self.last is None or time - self.last >= 0.9 * max(every, SPACING_S))

    def with_read(self, read: PlateRead, time: float) -> PlateVotes:
        """The votes after one more try."""
        reads = self.reads
        if read.text:
            reads = (*reads, (read.text, round(read.score, 4)))
            if len(reads) > MOST_GOOD:  # the worst gives way
                worst = min(range(len(reads)), key=lambda i: reads[i][1])
                reads = reads[:worst] + reads[worst + 1 :]
        return replace(self, reads=reads, tries=self.tries + 1, last=time)

    @property
    def plate(self) -> str | None:
        """As `Subject.plate`: the text, "" for unreadable, None while too little was tried."""
        text, score = vote(self.reads)
        if text and score >= _SURE:
            return text
        return "" if self.tries >= _FEWEST else None

    @property
    def score(self) -> float | None:
        """As `Subject.plate_score`; None without a text."""
        return round(vote(self.reads)[1], 3) if self.plate else None


def vote(reads: Iterable[tuple[str, float]]) -> tuple[str, float]:
    """The text that readings agree on, and how sure that is, 0..1; ("", 0.0) without any.

    The score is the share of all weight behind the character that is least agreed on, times the best score among the
    readings (ten poor readings of one still car share their error).
    """
    lengths: defaultdict[int, float] = defaultdict(float)
    kept = [(text, score) for text, score in reads if text]
    for text, score in kept:
        lengths[len(text)] += score
    total = sum(lengths.values())
    if total <= 0:
        return "", 0.0
    length = max(lengths, key=lambda n: (lengths[n], n))
    characters, weakest = [], 1.0
    for i in range(length):
        weights: defaultdict[str, float] = defaultdict(float)
        for text, score in kept:
            if len(text) == length:
                weights[text[i]] += score
        best = max(weights, key=lambda c: (weights[c], c))
        characters.append(best)
        weakest = min(weakest, weights[best] / total)
    return "".join(characters), weakest * max(score for _, score in kept)
