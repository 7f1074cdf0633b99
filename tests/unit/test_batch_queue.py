"""Cross-camera batching and shedding: what is promised, for any order of events."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pipeline.batch import BatchTime, LookQueue, Take, WaitingLook
from tests.effort import examples


def _time(each: float, size: int = 1) -> BatchTime:
    time = BatchTime()
    time.observe(size, each * size)
    return time


def _look(camera: str, deadline: float, camera_class: int = 2, payload: int = 0) -> WaitingLook[int]:
    return WaitingLook(camera, camera_class, deadline, payload)


def _names(looks: tuple[WaitingLook[int], ...]) -> list[str]:
    return [look.camera for look in looks]


def test_a_newer_look_takes_the_older_ones_place() -> None:
    queue: LookQueue[int] = LookQueue(max_batch=4, time=_time(0.01))
    assert queue.offer(_look("a", 5.0, payload=1), 0.0) is None
    queue.offer(_look("b", 6.0), 0.5)
    superseded = queue.offer(_look("a", 7.0, payload=2), 2.0)
    assert superseded is not None
    assert superseded.payload == 1
    take = queue.take(2.0)
    # "a" has waited longer than "b": a newer picture does not send it back.
    assert [(look.camera, look.payload) for look in take.batch] == [("a", 2), ("b", 0)]
    assert queue.counts("a").superseded == 1
    assert queue.counts("b").superseded == 0


def test_earliest_deadline_first() -> None:
    queue: LookQueue[int] = LookQueue(max_batch=2, time=_time(0.01))
    for camera, deadline in (("a", 3.0), ("b", 1.0), ("c", 2.0)):
        queue.offer(_look(camera, deadline), 0.0)
    assert _names(queue.take(0.0).batch) == ["b", "c"]
    assert _names(queue.take(0.0).batch) == ["a"]


def test_waits_for_company_until_the_first_deadline_needs_it() -> None:
    queue: LookQueue[int] = LookQueue(max_batch=3, linger=10.0, time=_time(0.1))
    queue.offer(_look("a", 1.0), 0.0)
    first = queue.take(0.0)
    assert first.batch == ()
    assert first.wait_until == pytest.approx(0.895)
    queue.offer(_look("b", 2.0), 0.1)
    assert queue.take(0.5).wait_until == pytest.approx(0.795)  # two take longer than one
    assert _names(queue.take(0.8).batch) == ["a", "b"]


def test_a_full_batch_goes_at_once_and_a_lone_one_after_linger() -> None:
    queue: LookQueue[int] = LookQueue(max_batch=2, linger=0.05, time=_time(0.01))
    queue.offer(_look("a", 9.0), 0.0)
    assert queue.take(0.01).wait_until == pytest.approx(0.05)
    assert _names(queue.take(0.05).batch) == ["a"]
    queue.offer(_look("a", 9.0), 1.0)
    queue.offer(_look("b", 9.0), 1.0)
    assert _names(queue.take(1.0).batch) == ["a", "b"]


def test_the_lowest_class_is_shed_first() -> None:
    queue: LookQueue[int] = LookQueue(max_batch=1, time=_time(0.1))
    for number, camera_class in enumerate([3, 1, 2, 3, 1, 2, 1]):
        queue.offer(_look(f"c{number}", 0.45, camera_class), 0.0)
    take = queue.take(0.0)  # room for four
    assert sorted(_names(take.shed)) == ["c0", "c2", "c3"]
    kept = [*_names(take.batch)]
    while (more := queue.take(0.0)).batch:
        kept += _names(more.batch)
    assert {"c1", "c4", "c6"} <= set(kept)
    assert queue.counts("c0").shed == 1
    assert queue.counts("c0").superseded == 0


def test_within_a_class_cameras_take_turns_being_shed() -> None:
    queue: LookQueue[int] = LookQueue(max_batch=1, time=_time(0.5))
    for round_number in range(30):
        now = float(round_number)
        for camera in "abc":
            queue.offer(_look(camera, now + 1.0, 3), now)  # three wanted, two possible
        while queue.take(now).batch:
            pass
    counts = [queue.counts(camera).shed for camera in "abc"]
    assert sum(counts) == 30
    assert max(counts) - min(counts) <= 1


def test_too_slow_for_anybody_still_works_for_the_highest_class() -> None:
    queue: LookQueue[int] = LookQueue(max_batch=1, time=_time(3.0))
    for number in range(20):
        now = 3.0 * number
        for camera, camera_class in (("low", 3), ("high", 1)):
            queue.offer(_look(camera, now + 1.0, camera_class), now)
        assert queue.take(now).batch
    assert queue.counts("high").taken >= 19
    assert queue.counts("high").shed == 0


def test_too_slow_for_equals_serves_them_in_turn() -> None:
    queue: LookQueue[int] = LookQueue(max_batch=1, time=_time(3.0))
    for number in range(20):
        now = 3.0 * number
        for camera in "ab":
            queue.offer(_look(camera, now + 1.0), now)
        assert queue.take(now).batch
    assert queue.counts("a").taken == queue.counts("b").taken == 10


def test_forgotten_cameras_leave_nothing() -> None:
    queue: LookQueue[int] = LookQueue(max_batch=2, time=_time(0.01))
    queue.offer(_look("a", 1.0), 0.0)
    queue.forget(["a", "never-seen"])
    assert queue.take(0.0) == Take((), (), None)
    assert queue.counts("a").taken == 0


def test_batch_time_is_not_moved_by_one_stall() -> None:
    time = BatchTime(initial=0.02)
    assert time.seconds(4) == pytest.approx(0.08)
    for seconds in (0.1, 0.1, 9.0):
        time.observe(4, seconds)
    assert time.seconds(4) == pytest.approx(0.1)
    assert time.seconds(2) == pytest.approx(0.1)  # on a GPU a smaller batch is hardly faster
    assert time.seconds(8) == pytest.approx(0.2)


@pytest.mark.parametrize(("max_batch", "linger"), [(0, 0.0), (1, -1.0)])
def test_nonsense_is_refused(max_batch: int, linger: float) -> None:
    with pytest.raises(ValueError, match="LookQueue"):
        LookQueue(max_batch=max_batch, linger=linger)


_looks = st.lists(st.tuples(st.floats(0.01, 3.0), st.integers(1, 3)), min_size=1, max_size=25)


@settings(max_examples=examples(200), deadline=None)
@given(_looks, st.integers(1, 8), st.floats(0.005, 0.3))
def test_what_is_kept_is_on_time_and_what_fits_is_kept(
    looks: list[tuple[float, int]], max_batch: int, each: float
) -> None:
    queue: LookQueue[int] = LookQueue(max_batch=max_batch, time=_time(each, max_batch))
    for number, (deadline, camera_class) in enumerate(looks):
        queue.offer(_look(f"c{number:02}", deadline, camera_class), 0.0)
    take = queue.take(0.0)
    shed_first, shed, run, missed, now = take.shed, list(take.shed), list(take.batch), [], 0.0
    while take.batch:
        now += each * len(take.batch)
        missed += [look for look in take.batch if now > look.deadline + 1e-9]
        take = queue.take(now)
        shed += take.shed
        run += take.batch
    assert run
    assert len(run) + len(shed) == len(looks)
    # Late are only those that would have been late with the machine to themselves.
    assert all(look.deadline < each + 1e-9 for look in missed)
    if len(looks) * each <= min(deadline for deadline, _ in looks):
        assert shed == []
    # Nobody was shed to make room for a lower class.
    for victim in shed_first:
        before = [look for look in run if (look.deadline, look.camera) <= (victim.deadline, victim.camera)]
        assert all(look.camera_class <= victim.camera_class for look in before)


class _Queue(RuleBasedStateMachine):
    """Any order of offers, takes and departures: one look a camera at most, none lost, none doubled."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: LookQueue[int] = LookQueue(max_batch=3, linger=0.2, time=_time(0.05, 3))
        self.now = 0.0
        self.offered = 0
        self.ended: list[int] = []

    @rule(camera=st.sampled_from("abcdef"), camera_class=st.integers(1, 3), slack=st.floats(-0.1, 2.0))
    def offer(self, camera: str, camera_class: int, slack: float) -> None:
        old = self.queue.offer(WaitingLook(camera, camera_class, self.now + slack, self.offered), self.now)
        self.offered += 1
        if old is not None:
            self.ended.append(old.payload)

    @rule(step=st.floats(0, 1))
    def take(self, step: float) -> None:
        self.now += step
        take = self.queue.take(self.now)
        assert len(take.batch) <= 3
        assert len({look.camera for look in take.batch}) == len(take.batch)
        assert take.wait_until is None or take.wait_until > self.now
        assert (take.wait_until is None) == (bool(take.batch) or len(self.queue) == 0)
        self.ended += [look.payload for look in (*take.batch, *take.shed)]

    @precondition(lambda self: len(self.queue) > 0)
    @rule()
    def drain(self) -> None:
        for _ in range(20):
            self.now += 1.0
            take = self.queue.take(self.now)
            self.ended += [look.payload for look in (*take.batch, *take.shed)]
        assert len(self.queue) == 0

    @invariant()
    def every_look_is_somewhere_once(self) -> None:
        assert len(self.ended) == len(set(self.ended))
        assert len(self.ended) + len(self.queue) == self.offered


TestQueue = _Queue.TestCase
TestQueue.settings = settings(max_examples=examples(60), stateful_step_count=40, deadline=None)
