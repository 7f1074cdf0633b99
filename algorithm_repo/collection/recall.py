"""How much of what there is production finds: an estimate from random moments at which it said nothing. Pure.

Watched time has two strata: while an event of the type stands, and while none does. What people said of events tells
what share of the first is real; random moments that people labelled tell in what share of the second something was
there all the same. Recall is the real time of the first over the real time of both (Cochran, Sampling Techniques, 3rd
edition, chapter 5: stratified sampling for proportions).

Both shares have the exact interval of Clopper and Pearson (Biometrika 26, 1934) at 97.5 %, so that both hold together
at 95 % at least (Bonferroni); recall falls with one and grows with the other, so its interval is between their ends.

What is assumed: moments are drawn evenly over the watched time and are far enough apart to be independent; people see
in one picture whether it was there; events that nobody judged are as often real as those that were; real events and
false ones last alike. It is recall of time: of events too as far as missed ones last as long as found ones.
"""

from __future__ import annotations

from scipy.special import betaincinv

from algorithm_repo.collection.types import Known, RecallEstimate, Why

LEVEL = 0.95
_EACH = 1 - (1 - LEVEL) / 2


def interval(count: int, of: int, level: float = LEVEL) -> tuple[float, float]:
    """The exact interval (Clopper-Pearson) of a share.

    Args:
        count: 0..`of`.
        level: 0..1, how surely the share lies within.

    Raises:
        ValueError: there is nothing to count.
    """
    if not 0 <= count <= of or of < 1:
        raise ValueError(f"count: {count} of {of}")
    tail = (1 - level) / 2
    low = 0.0 if count == 0 else float(betaincinv(count, of - count + 1, tail))
    high = 1.0 if count == of else float(betaincinv(count + 1, of - count, 1 - tail))
    return low, high


def estimate(known: Known) -> RecallEstimate:
    """The recall in production, or what is missing to say it."""
    why = _missing(known)
    if why:
        return _told(known, None, None, None, why)
    silent_h = max(known.watched_h - known.alerted_h, 0.0)
    missed = known.missed / known.moments
    least, most = interval(known.missed, known.moments, _EACH)
    if known.judged == 0:  # no event stood: of real time nothing was found
        real, worst, best = 0.0, 0.0, 0.0
    else:
        real = known.real / known.judged
        worst, best = interval(known.real, known.judged, _EACH)
    hours = known.alerted_h
    middle = _recall(hours * real, silent_h * missed)
    low, high = _recall(hours * worst, silent_h * most), _recall(hours * best, silent_h * least)
    return _told(known, middle, min(low, middle), max(high, middle), "")


def _missing(known: Known) -> Why:
    if known.moments == 0:
        return "no_moments"
    if known.events > 0 and known.judged == 0:
        return "none_judged"
    if known.missed == 0 and (known.real == 0 or known.alerted_h <= 0):
        return "nothing_there"
    return ""


def _recall(found_h: float, missed_h: float) -> float:
    """Of nothing at all nothing was found."""
    there = found_h + missed_h
    return found_h / there if there > 0 else 0.0


def _told(known: Known, recall: float | None, low: float | None, high: float | None, why: Why) -> RecallEstimate:
    hours = {"watched_h": round(known.watched_h, 3), "alerted_h": round(known.alerted_h, 3)}
    return RecallEstimate(**(known.model_dump() | hours), recall=recall, low=low, high=high, why=why)
