"""`inspect`: may this model run here?

An upload is copied into a private folder, read there by two processes of their own (first looked at, then run), and
the folder is removed, whatever comes of it.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from algorithm_repo.intake.card import Card, parse_card
from algorithm_repo.intake.job import Job, Stage
from algorithm_repo.intake.magic import disguise
from algorithm_repo.intake.reasons import Code, Refusal, refuse, stop_at
from algorithm_repo.intake.sandbox import ask
from algorithm_repo.intake.types import Limits, Report, StaticFigures, TrialFigures
from contracts.errors import ModelMissing
from store.lockers import private_folder

DEFAULT_LIMITS = Limits()


def inspect(onnx_path: Path, card_path: Path, limits: Limits = DEFAULT_LIMITS) -> Report:
    """Looks at an upload and tries it. Blocks for up to twice `limits.wall_s`; safe to call from several threads.

    Nothing is registered, and nothing is left behind: who goes on with the file holds it against `Report.sha256`.

    Args:
        onnx_path: the model.
        card_path: the YAML that describes it (see `algorithm_repo.intake.card.Card`).
        limits: what it may take.

    Raises:
        ModelMissing: one of the files cannot be read.
        RunnerError: no process could be started to look at it.
    """
    try:
        return examine(*read_files(onnx_path, card_path, limits), limits)
    except Refusal as refusal:
        return Report(accepted=False, reasons=refusal.reasons)


def read_files(onnx_path: Path, card_path: Path, limits: Limits = DEFAULT_LIMITS) -> tuple[bytes, bytes]:
    """Model and card as bytes; of a file that is too large no more than shows it.

    Raises:
        Refusal: one of them is no regular file.
        ModelMissing: one of them cannot be read.
    """
    card = _read(card_path, limits.card_bytes, "card")
    return _read(onnx_path, limits.file_bytes, "file"), card


def examine(data: bytes, card_data: bytes, limits: Limits = DEFAULT_LIMITS) -> Report:
    """The same of an upload that is in memory.

    Args:
        data: the ONNX file.
        card_data: the YAML that describes it.
        limits: what it may take.

    Raises:
        RunnerError: no process could be started to look at it.
    """
    told = Report(accepted=False)
    try:
        _bounded(card_data, limits.card_bytes, Code.CARD_TOO_BIG, "card")
        card = parse_card(card_data)
        told = told.model_copy(update={key: getattr(card, key) for key in ("name", "version", "family", "licence")})
        _bounded(data, limits.file_bytes, Code.TOO_BIG, "file")
        sha256 = hashlib.sha256(data).hexdigest()
        told = told.model_copy(update={"sha256": sha256})
        _same_file(data, sha256, card)
        with private_folder("intake") as folder:
            model = folder / "model.onnx"
            model.write_bytes(data)
            job = Job(stage=Stage.CHECK, model=model, sha256=sha256, card=card, limits=limits)
            told = told.model_copy(update={"static": _static(job, folder)})
            job = job.model_copy(update={"stage": Stage.TRIAL})
            told = told.model_copy(update={"trial": _trial(job, folder)})
    except Refusal as refusal:
        return told.model_copy(update={"reasons": refusal.reasons})
    return told.model_copy(update={"accepted": True})


def _read(path: Path, most: int, field: str) -> bytes:
    """The file, where it is one, up to a byte more than it may have; a pipe or a device is never waited for."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as source:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise refuse(Code.NOT_A_FILE, field, f"{path.name} is no regular file", "name the file itself")
            return source.read(most + 1)
    except IsADirectoryError as error:
        raise refuse(Code.NOT_A_FILE, field, f"{path.name} is a folder", "name the file itself") from error
    except OSError as error:
        raise ModelMissing(f"{path} cannot be read: {error.strerror}") from error


def _bounded(data: bytes, most: int, code: Code, field: str) -> None:
    if len(data) > most:
        raise refuse(code, field, f"it is larger than {most} bytes", "use a smaller one")


def _same_file(data: bytes, sha256: str, card: Card) -> None:
    """Whether it is the file that the card tells of, and looks like one of its kind."""
    if not data:
        raise refuse(Code.EMPTY, "file", "the file is empty", "upload it again")
    if (reason := disguise(data)) is not None:
        stop_at([reason])
    if card.sha256 not in (None, sha256):
        what = f"the file's SHA-256 is {sha256}, the card says {card.sha256}"
        raise refuse(Code.HASH, "card.sha256", what, "upload the file that the card was written for")


def _static(job: Job, folder: Path) -> StaticFigures:
    figures = _answered(job, folder)
    if not isinstance(figures, StaticFigures):
        raise refuse(Code.NO_ANSWER, job.stage, "its process answered something else")
    return figures


def _trial(job: Job, folder: Path) -> TrialFigures:
    figures = _answered(job, folder)
    if not isinstance(figures, TrialFigures):
        raise refuse(Code.NO_ANSWER, job.stage, "its process answered something else")
    return figures


def _answered(job: Job, folder: Path) -> StaticFigures | TrialFigures | None:
    answer = ask(job, folder)
    stop_at(answer.reasons)
    return answer.figures
