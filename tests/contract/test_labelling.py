"""Labelling on a real Postgres and a folder of objects: answered, reviewed, tested, measured, frozen, exchanged."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from algorithm_repo.archive import media
from algorithm_repo.archive import service as archive
from algorithm_repo.datasets.types import Box, Polygon, Source, Tag
from algorithm_repo.formats.types import Picture
from algorithm_repo.labelling import answers, exchange, freeze, measured, projects
from algorithm_repo.labelling.exchange import Format
from algorithm_repo.labelling.types import ItemState, NewAnswer, NewProject, NewReview, Said, Suggestion
from algorithm_repo.training import classifyjob
from algorithm_repo.training.ultra_settings import ClassifySettings
from contracts.errors import ConfigError, Forbidden
from store.objects import DiskObjects
from tests.contract.labelling_scene import ALL, CITY, accepted, car, labelled, picture, project

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def objects(tmp_path: Path) -> DiskObjects:
    return DiskObjects(tmp_path / "objects")


def test_labelled_by_one_and_reviewed_by_another(engine: Engine, objects: DiskObjects) -> None:
    with engine.begin() as connection:
        made, (first, second, third) = project(connection, objects)
        assert [one.id for one in projects.queue(connection, made.id, "lin", ALL, False)] == [first, second, third]
        answer = labelled(connection, first, "lin", car())
        assert (answer.who, answer.labels, answer.spent_s) == ("lin", (car(),), 4.5)
        assert [one.id for one in projects.queue(connection, made.id, "lin", ALL, False)] == [second, third]
        assert [one.id for one in projects.queue(connection, made.id, "chen", ALL, True)] == [first]
        assert projects.queue(connection, made.id, "lin", ALL, True) == []
        with pytest.raises(Forbidden, match="a second person"):
            accepted(connection, first, answer, "lin")
        final = accepted(connection, first, answer, "chen", car(0.15))
        item = projects.item(connection, first, ALL)
        assert item is not None
        assert (item.state, item.final) == (ItemState.ACCEPTED, final.id)
        assert [(one.said, one.who, one.about) for one in answers.of_item(connection, first)] == [
            (Said.LABELS, "lin", None),
            (Said.ACCEPTED, "chen", answer.id),
        ]
        assert answers.finals(connection, [item])[first].labels == (car(0.15),)
        with pytest.raises(ConfigError, match="is accepted already"):
            labelled(connection, first, "wu", car())
        assert projects.counts(connection, made.id, ALL) == {
            ItemState.OPEN: 2,
            ItemState.LABELLED: 0,
            ItemState.REJECTED: 0,
            ItemState.ACCEPTED: 1,
        }


def test_rejected_comes_back_to_others_than_who_rejected(engine: Engine, objects: DiskObjects) -> None:
    with engine.begin() as connection:
        made, (first, *_) = project(connection, objects, 1)
        answer = labelled(connection, first, "lin", car())
        no = NewReview(answer=answer.id, accepted=False, note="the bus behind it", key="reject-01")
        answers.review(connection, first, no, "chen")
        assert [one.id for one in projects.queue(connection, made.id, "lin", ALL, False)] == [first]
        assert projects.queue(connection, made.id, "chen", ALL, False) == []
        again = labelled(connection, first, "lin", car(), car(0.5, "bus"))
        with pytest.raises(ConfigError, match="does not wait for a review"):
            accepted(connection, first, answer, "chen")
        accepted(connection, first, again, "chen")
        assert answers.of_item(connection, first)[1].note == "the bus behind it"


def test_what_was_rejected_waits_for_nobody_and_counts_for_nobody(engine: Engine, objects: DiskObjects) -> None:
    with engine.begin() as connection:
        made, (first, *_) = project(connection, objects, 1)
        bad = labelled(connection, first, "lin", car())
        answers.review(connection, first, NewReview(answer=bad.id, accepted=False, note="no", key="reject-01"), "chen")
        good = labelled(connection, first, "wu", car(0.2))
        assert answers.waiting(connection, [first]) == [good]
        assert projects.queue(connection, made.id, "wu", ALL, True) == [], "their own alone waits"
        assert [one.id for one in projects.queue(connection, made.id, "zhao", ALL, True)] == [first]
        with pytest.raises(ConfigError, match="does not wait for a review"):
            accepted(connection, first, bad, "zhao")
        accepted(connection, first, good, "zhao")


def test_of_two_people_one_who_was_rejected_labels_again(engine: Engine, objects: DiskObjects) -> None:
    with engine.begin() as connection:
        made, (first, *_) = project(connection, objects, 1, people=2)
        bad = labelled(connection, first, "lin", car())
        labelled(connection, first, "chen", car(0.2))
        answers.review(connection, first, NewReview(answer=bad.id, accepted=False, note="no", key="reject-01"), "zhao")
        labelled(connection, first, "chen", car(0.3))
        item = projects.item(connection, first, ALL)
        assert item is not None
        assert item.state is ItemState.OPEN, "one of two"
        due = {who: projects.queue(connection, made.id, who, ALL, False) for who in ("lin", "chen", "zhao", "wu")}
        assert {who for who, found in due.items() if found} == {"lin", "wu"}
        labelled(connection, first, "lin", car(0.3))
        item = projects.item(connection, first, ALL)
        assert item is not None
        assert item.state is ItemState.LABELLED


def test_an_answer_counts_once_and_stays(engine: Engine, objects: DiskObjects) -> None:
    with engine.begin() as connection:
        _, (first, second, _) = project(connection, objects)
        new = NewAnswer(labels=(car(),), key="the-same-key")
        once = answers.submit(connection, first, new, "lin")
        assert answers.submit(connection, first, new, "lin") == once
        assert len(answers.of_item(connection, first)) == 1
        with pytest.raises(ConfigError, match="was given under it"):
            answers.submit(connection, second, new, "lin")
    for what in ("UPDATE label_answers SET who = 'wu'", "DELETE FROM label_answers", "TRUNCATE label_answers CASCADE"):
        with pytest.raises(ProgrammingError, match="corrected by another one"), engine.begin() as connection:
            connection.execute(text(what))


def test_what_does_not_fit_the_project_is_refused(engine: Engine, objects: DiskObjects) -> None:
    with engine.begin() as connection:
        made, (first, *_) = project(connection, objects, 1, kinds=("box",))
        with pytest.raises(ConfigError, match=r"labels\[0\]\.label: 'tram'"):
            labelled(connection, first, "lin", car(label="tram"))
        with pytest.raises(ConfigError, match=r"labels\[0\]\.kind: cars takes no tag"):
            answers.save_draft(connection, first, "lin", (Tag(label="car"),), 1)
        with pytest.raises(ConfigError, match="there is a project 'cars' already"):
            projects.create(connection, NewProject(name="cars", classes=("car",)), "lin")
        other = exchange.Import(Source(name="photos", licence="MIT"), "lin")
        with pytest.raises(ConfigError, match="'photos' is known on other terms"):
            exchange.take(connection, objects, made, "7.jpg", picture(7), None, other)
        with pytest.raises(ConfigError, match=r"no\.jpg: neither JPEG nor PNG"):
            exchange.take(connection, objects, made, "no.jpg", b"\xff\xd8\xff no", None, exchange.Import(CITY, "lin"))
        assert exchange.take(connection, objects, made, "x", picture(0), None, exchange.Import(CITY, "lin")) is None


def test_a_draft_is_never_replaced_by_an_older_one(engine: Engine, objects: DiskObjects) -> None:
    with engine.begin() as connection:
        _, (first, *_) = project(connection, objects, 1)
        assert answers.save_draft(connection, first, "lin", (car(),), 20)
        assert not answers.save_draft(connection, first, "lin", (), 10)
        (kept,) = answers.drafts(connection, [first], "lin")[first]
        assert Box.model_validate(kept) == car()
        assert answers.drafts(connection, [first], "chen") == {}
        answer = labelled(connection, first, "lin", car())
        assert answers.drafts(connection, [first], "lin") == {}
        answers.save_draft(connection, first, "chen", (car(),), 30)
        accepted(connection, first, answer, "chen")
        assert answers.drafts(connection, [first], "chen") == {}


def test_two_label_on_their_own_and_how_far_they_agree_is_measured(engine: Engine, objects: DiskObjects) -> None:
    with engine.begin() as connection:
        made, (first, second) = project(connection, objects, 2, people=2)
        labelled(connection, first, "lin", car(), Tag(label="bus"))
        item = projects.item(connection, first, ALL)
        assert item is not None
        assert item.state is ItemState.OPEN, "one of two"
        answer = labelled(connection, first, "chen", car(0.13), Tag(label="bus"))
        labelled(connection, second, "lin", car())
        labelled(connection, second, "chen", car(0.1, "bus"))
        accepted(connection, first, answer, "lin")
        found = {(one.of, one.one, one.other): one for one in measured.measured(connection, made.id, ALL)}
        both = found["people", "chen", "lin"]
        assert both.pictures == 2
        assert both.iou == pytest.approx((0.27 / 0.33 + 1) / 2)
        assert both.f1 == pytest.approx(0.5)
        assert found["review", "chen", ""].iou == 1.0
        assert found["review", "lin", ""].iou == pytest.approx(0.27 / 0.33)


def test_a_hidden_test_looks_like_any_other_picture_and_measures(engine: Engine, objects: DiskObjects) -> None:
    with engine.begin() as connection:
        made, (first, second) = project(connection, objects, 2)
        with pytest.raises(ConfigError, match="is not accepted"):
            projects.hide(connection, first, True)
        accepted(connection, first, labelled(connection, first, "lin", car()), "chen")
        projects.hide(connection, first, True)
        assert [one.id for one in projects.queue(connection, made.id, "wu", ALL, False)] == [first, second]
        assert [one.id for one in projects.queue(connection, made.id, "lin", ALL, False)] == [second], "knows it"
        assert [one.id for one in projects.queue(connection, made.id, "chen", ALL, False)] == [second]
        labelled(connection, first, "wu", car(0.4))
        assert [one.id for one in projects.queue(connection, made.id, "wu", ALL, False)] == [second]
        item = projects.item(connection, first, ALL)
        assert item is not None
        assert answers.finals(connection, [item])[first].labels == (car(),), "a test changes nothing"
        found = {(one.of, one.one): one for one in measured.measured(connection, made.id, ALL)}
        assert (found["test", "wu"].pictures, found["test", "wu"].f1) == (1, 0.0)
        assert found["review", "lin"].f1 == 1.0


def test_what_is_accepted_is_frozen_and_its_child_keeps_the_sides(engine: Engine, objects: DiskObjects) -> None:
    with engine.begin() as connection:
        made, numbers = project(connection, objects, 12)
        with pytest.raises(ConfigError, match="no picture is accepted"):
            freeze.freeze(connection, objects, made.id, ALL, "lin")
        for number in numbers[:8]:
            accepted(connection, number, labelled(connection, number, "lin", car()), "chen")
        done = freeze.freeze(connection, objects, made.id, ALL, "lin", note="the first", seed=3)
        assert (done.version.items, done.version.author, done.version.name) == (8, "lin", "cars")
        assert done.left_out == ()
        parent = archive.load(connection, objects, done.version.digest)
        assert parent.frozen
        assert parent.sources == {"photos": CITY}
        assert all(one.labels == (car(),) for one in parent.items)
        for number in numbers[8:]:
            accepted(connection, number, labelled(connection, number, "wu"), "chen")
        lost = projects.item(connection, numbers[11], ALL)
        assert lost is not None
        objects.delete(lost.key)
        grown = freeze.freeze(connection, objects, made.id, ALL, "wu")
        child = archive.load(connection, objects, grown.version.digest)
        assert child.parent == parent.digest
        assert len(child.items) == 11
        assert [(one.item.name, one.why) for one in grown.left_out] == [("11.jpg", "its picture was deleted")]
        sides = {one.content: one.side for one in child.items}
        assert all(sides[one.content] == one.side for one in parent.items)
        assert sum(one.labels == () for one in child.items) == 3, "nothing to see is a label too"
        again = freeze.freeze(connection, objects, made.id, ALL, "lin", note="nothing is new", seed=5)
        assert (again.version, again.unchanged, grown.unchanged) == (grown.version, True, False)
        assert [one.digest for one in archive.listed(connection, "cars")] == [child.digest, parent.digest]


def test_tags_that_were_frozen_are_what_a_classifier_trains_on(
    engine: Engine, objects: DiskObjects, tmp_path: Path
) -> None:
    with engine.begin() as connection:
        made, numbers = project(connection, objects, 16, task="classify", kinds=("tag",), classes=("wet", "dry"))
        for place, number in enumerate(numbers):
            tag = Tag(label="wet" if place % 2 else "dry")
            accepted(connection, number, labelled(connection, number, "lin", tag), "chen")
        done = freeze.freeze(connection, objects, made.id, ALL, "lin", seed=3)
        version = archive.load(connection, objects, done.version.digest)
    job = tmp_path / "job"
    settings = ClassifySettings(size=64)
    assert classifyjob.lay(job, version, lambda content: media.read(objects, content), settings) == ()
    laid = {path.stem: path.parent for path in (job / "data").rglob("*.png")}
    trained = {one.content: one for one in version.items if one.side in ("train", "val")}
    assert laid.keys() == trained.keys()
    for content, folder in laid.items():
        (label,) = trained[content].labels
        assert (folder.parent.name, int(folder.name)) == (trained[content].side, ("wet", "dry").index(label.label))


@pytest.mark.parametrize("form", ["coco", "cvat", "yolo"])
def test_what_was_labelled_reads_back_equal(engine: Engine, objects: DiskObjects, form: Format) -> None:
    outline = Polygon(label="bus", points=((0.1, 0.1), (0.5, 0.2), (0.3, 0.6)))
    with engine.begin() as connection:
        made, (first, second, third) = project(connection, objects)
        accepted(connection, first, labelled(connection, first, "lin", car(), car(0.5, "bus")), "chen")
        accepted(connection, second, labelled(connection, second, "lin", outline), "chen")
        accepted(connection, third, labelled(connection, third, "lin"), "chen")
        files = exchange.exported(connection, made.id, ALL, form)
        texts = dict(files.texts) if form != "yolo" else {**files.texts, **dict.fromkeys(files.media, b"")}
        found = exchange.read(form, texts)
        assert found.classes == ("car", "bus")
        pictures = {one.file.rpartition("/")[2]: one for one in found.pictures}
        back = {name: one.labels for name, one in pictures.items()}
        assert back == {"0.jpg": (car(), car(0.5, "bus")), "1.jpg": (outline,), "2.jpg": ()}
        again = projects.create(connection, NewProject(name="again", classes=found.classes), "wu")
        how = exchange.Import(CITY, "wu", by="another tool")
        number = exchange.take(connection, objects, again, "0.jpg", picture(0), pictures["0.jpg"], how)
        assert number is not None
        item = projects.item(connection, number, ALL)
        assert item is not None
        assert item.state is ItemState.OPEN, "what another tool says counts only once somebody takes it over"
        assert item.suggested == tuple(Suggestion(by="another tool", label=one) for one in back["0.jpg"])
        assert exchange.zipped(files.texts) == exchange.zipped(files.texts)


def test_labels_of_people_elsewhere_wait_for_a_review_here(engine: Engine, objects: DiskObjects) -> None:
    with engine.begin() as connection:
        made, _ = project(connection, objects, 0)
        said = Picture("a.jpg", (car(),))
        number = exchange.take(connection, objects, made, "a.jpg", picture(9), said, exchange.Import(CITY, "wu"))
        assert number is not None
        (waiting,) = projects.queue(connection, made.id, "chen", ALL, True)
        assert (waiting.id, waiting.suggested) == (number, ())
        assert answers.newest(connection, [number])[0].who == "wu"
