"""The loop itself, in its order. Each step finds what an earlier run has done, so that one goes on from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from algorithm_repo.archive import service as archive
from algorithm_repo.datasets.alike import Pair
from algorithm_repo.datasets.diff import diff
from algorithm_repo.datasets.types import Item, Manifest, Mask
from algorithm_repo.judging.gate import Verdict, judged
from algorithm_repo.judging.masks import Overlap
from algorithm_repo.registry import ledger
from algorithm_repo.registry import service as registry
from algorithm_repo.registry.types import AlgorithmVersion, ModelRef
from cityvision.commands.algo import told as ledger_words
from cityvision.loop import card, data, heads, registering, verdicts
from cityvision.loop.cameras import LoopCamera
from cityvision.loop.city import City
from cityvision.loop.data import Photos
from cityvision.loop.heads import Bench
from cityvision.loop.page import page
from cityvision.loop.progress import Shown
from cityvision.loop.rolling import Rolling
from cityvision.loop.types import ENGINEER, ROLE, Head, LoopResult, LoopSettings, Versions, fallen
from contracts.errors import ServiceError
from pool.reader import cameras_of

_PICTURES = 4  # better and worse each, on a card


@dataclass(frozen=True, slots=True)
class _Standing:
    """A network that something is compared with: its training and what it makes of the photos of the test side."""

    title: str
    head: Head
    model: ModelRef
    overlaps: Sequence[Overlap]


@dataclass(frozen=True, slots=True)
class _Judged:
    """A candidate with what the gate said of it."""

    version: AlgorithmVersion
    verdict: Verdict
    standing: _Standing
    card: str


class Loop:
    """One run on a running city.

    Args:
        photos: the real ones.
        shown: cameras, of which the wet ones show photos that no version has.
        at: where heads are trained.
        folder: for the cards and the last page.
        place: puts the cameras into the pool; called once the parent runs, so that every event is the parent's.
    """

    def __init__(
        self,
        city: City,
        photos: Photos,
        shown: Sequence[LoopCamera],
        at: Bench,
        settings: LoopSettings,
        folder: Path,
        progress: Shown,
        place: Callable[[], object],
    ) -> None:
        self._city, self._photos, self._cameras, self._at = city, photos, shown, at
        self._settings, self._folder, self._show, self._place = settings, folder, progress, place
        self._test: tuple[Item, ...] = tuple(item for item in photos.whole.items if item.side == "test")

    def run(self) -> LoopResult:
        """Everything, from the photos to the last line of the ledger.

        Raises:
            LoopStopped, TrainingFailed: it was stopped; the next run goes on.
            ModelRefused: the check refuses what was trained here.
        """
        self._keep_photos()
        before = data.beginning(self._photos)
        self._keep(before, data.alike(self._photos, before))
        parent = self._parent(before)
        self._open_cameras()
        brought = verdicts.collect(self._city, self._cameras, parent.model.sha256, self._settings.patience_s)
        self._show.say(f"{brought.count} verdicts became labelled pictures")
        grown, alike = data.grown(self._photos, before, brought.pictures, brought.looks)
        self._keep(grown, alike)
        self._show.say(f"new version of data {grown.digest[:12]}: {'; '.join(diff(before, grown).words())}")
        candidate = self._judge("candidate", grown, parent)
        promoted, why = self._roll(candidate)
        wrong = data.spoilt(grown, self._settings.wrong, self._settings.seed, self._city.read, self._city.keep)
        self._keep(wrong, alike)
        spoilt = self._judge("spoilt", wrong, candidate.standing if promoted else parent)
        alone, _ = data.grown(self._photos, before, None, {})
        versions = _versions(before, grown, wrong, alone)
        return self._end(parent, candidate, spoilt, why, versions, brought.count)

    def _keep_photos(self) -> None:
        for item in self._photos.whole.items:
            masks = [label.sha256 for label in item.labels if isinstance(label, Mask)]
            self._city.keep(self._photos.files[item.content].read_bytes(), ".jpg", "image/jpeg")
            for sha256 in masks:
                self._city.keep(self._photos.files[sha256].read_bytes())
        self._show.say(f"{len(self._photos.whole.items)} real photos, {len(self._test)} of them held out")

    def _keep(self, version: Manifest, alike: Sequence[Pair]) -> None:
        with self._city.transaction() as connection:
            archive.keep(connection, self._city.objects, version, alike, ENGINEER)

    def _parent(self, before: Manifest) -> _Standing:
        head = self._trained("parent", before)
        model, _ = registering.take_in(self._city, head)
        version = registering.ship(self._city, model)
        overlaps = heads.measured(self._city, model, self._test)
        if registering.standing(self._city) == model:
            if not self._city.until(lambda: self._city.runs(ROLE) == {model.sha256}, self._settings.patience_s):
                raise ServiceError("no worker runs the parent", "see the logs of rollout and worker-1 below logs")
            self._show.say(f"parent {version.version} in production")
        return _Standing(f"parent {version.version}", head, model, overlaps)

    def _open_cameras(self) -> None:
        self._place()
        if not self._city.until(self._in_pool, self._settings.patience_s):
            raise ServiceError("the cameras did not come into the pool", "see the log of pool-sync below logs")

    def _in_pool(self) -> bool:
        with self._city.transaction() as connection:
            return {camera.id for camera in self._cameras} <= cameras_of(connection).keys()

    def _trained(self, name: str, version: Manifest) -> Head:
        with self._show.training(name, self._at.settings.steps) as told:
            head = heads.trained(self._city, self._at, version, told)
        photos = sum(item.side == "train" for item in version.items)
        self._show.say(f"{name}: trained on {photos} photos, {self._at.settings.steps} steps")
        return head

    def _judge(self, name: str, version: Manifest, other: _Standing) -> _Judged:
        """Trains, takes in, measures and judges a candidate, and acts on the gate's word."""
        head = self._trained(name, version)
        model, report = registering.take_in(self._city, head)
        entered = registering.enter(self._city, model, report, f"the loop's {name}")
        overlaps = heads.measured(self._city, model, self._test)
        verdict = judged(other.overlaps, overlaps, self._settings.limits, self._settings.seed)
        mine = _Standing(f"{name} {entered.version}", head, model, overlaps)
        page = self._card(mine, other, version, verdict)
        (self._folder / f"{name}.html").write_bytes(page)
        settled = registering.settle(self._city, entered, verdict, page)
        low, high = verdict.gain_ci95
        words = f"IoU {verdict.before:.3f} → {verdict.after:.3f}, gain {low:+.3f} to {high:+.3f}"
        self._show.say(f"{mine.title} against {other.title}: {words}: {'; '.join(verdict.reasons) or 'it may go on'}")
        return _Judged(settled, verdict, mine, f"{name}.html")

    def _card(self, mine: _Standing, other: _Standing, version: Manifest, verdict: Verdict) -> bytes:
        facts = {
            "network": f"{mine.model.name}, SHA-256 {mine.model.sha256}",
            "data": f"{version.digest}, a child of {version.parent}",
            "training": f"{mine.head.run}, {self._at.settings}",
            "compared with": f"{other.title}, on {len(self._test)} photos that neither was trained on",
            "licence": "decoder AGPL-3.0-or-later, trunk YOLOX-nano Apache-2.0; the photos state none",
        }
        curves = {other.title: other.head.curve, mine.title: mine.head.curve}
        changed = card.changes(self._test, other.overlaps, mine.overlaps, _PICTURES)
        both = [heads.segmenter_of(self._city, one.model) for one in (other, mine)]
        try:
            pictures = [(one, card.picture(one.item, both, self._city.read)) for one in changed]
            paces = dict(zip(curves, card.paced(self._test, both[0], both[1], self._city.read), strict=True))
        finally:
            for one in both:
                one.close()
        return card.card(mine.title, facts, verdict, curves, paces, pictures)

    def _roll(self, candidate: _Judged) -> tuple[bool, str]:
        if not candidate.verdict.passed:
            return False, "; ".join(candidate.verdict.reasons)
        cameras = [camera.id for camera in self._cameras if camera.water]
        rolling = Rolling(self._city, candidate.version, cameras, self._settings, self._show.say)
        promoted, why = rolling.go()
        return promoted, "" if promoted else why

    def _end(
        self, parent: _Standing, candidate: _Judged, spoilt: _Judged, why: str, versions: Versions, brought: int
    ) -> LoopResult:
        with self._city.transaction() as connection:
            lines = ledger.verify(connection)
            known = {one.id: one for one in registry.listed(connection, candidate.version.algorithm)}
            told = [ledger_words(line, known) for line in ledger.of_versions(connection, list(known))]
        self._show.say(f"ledger: {lines} lines, the chain holds")
        path = self._folder / "loop.html"
        result = LoopResult(
            promoted=not why,
            spoilt_refused=not spoilt.verdict.passed,
            before=candidate.verdict.before,
            after=candidate.verdict.after,
            gain_ci95=candidate.verdict.gain_ci95,
            reasons=(why,) if why else (),
            spoilt_after=spoilt.verdict.after,
            spoilt_slices=fallen(spoilt.verdict, self._settings.limits),
            spoilt_reasons=spoilt.verdict.reasons,
            verdicts=brought,
            versions=versions,
            ledger_lines=lines,
            steps=self._at.settings.steps,
            limits=self._settings.limits,
            seconds=self._show.seconds,
            card=str(path),
        )
        cards = [(one.standing.title, one.card) for one in (candidate, spoilt)]
        path.write_text(page(result, self._show.steps, told, cards), encoding="utf-8")
        return result


def _versions(before: Manifest, grown: Manifest, wrong: Manifest, alone: Manifest) -> Versions:
    right = {item.content: item.labels for item in grown.items}
    return Versions(
        parent=before.digest,
        candidate=grown.digest,
        spoilt=wrong.digest,
        without_verdicts=alone.digest,
        parent_photos=sum(item.side == "train" for item in before.items),
        candidate_photos=sum(item.side == "train" for item in grown.items),
        test_photos=sum(item.side == "test" for item in grown.items),
        wrong_labels=sum(item.labels != right[item.content] for item in wrong.items),
    )
