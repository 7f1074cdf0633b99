"""Why an upload is refused: a code for programs, the place, what is wrong and what to do, for people."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from contracts.errors import ModelError

# A hostile file may have a fault in each of its nodes; the first ones are enough to mend it.
MOST_REASONS = 20
_LONGEST = 400


class Code(StrEnum):
    """One word a kind of fault. They are part of the interface: none is renamed."""

    # the file as bytes
    NOT_A_FILE = "not_a_file"
    EMPTY = "empty"
    TOO_BIG = "too_big"
    PICKLE = "pickle"
    TORCH = "torch"
    ZIP = "zip"
    OTHER_FORMAT = "other_format"
    NOT_ONNX = "not_onnx"
    HASH = "hash"
    # the card
    CARD_TOO_BIG = "card_too_big"
    CARD_YAML = "card_yaml"
    CARD_ALIAS = "card_alias"
    CARD_TAG = "card_tag"
    CARD_FIELD = "card_field"
    LICENCE = "licence"
    # the graph, unexecuted
    IR_VERSION = "ir_version"
    OPSET = "opset"
    METADATA = "metadata"
    FUNCTIONS = "functions"
    TRAINING = "training"
    NODES = "nodes"
    NESTING = "nesting"
    CUSTOM_OP = "custom_op"
    UNKNOWN_OP = "unknown_op"
    CONTROL_FLOW = "control_flow"
    RANDOM_OP = "random_op"
    EXTERNAL_DATA = "external_data"
    TENSOR_TYPE = "tensor_type"
    TENSOR_SHAPE = "tensor_shape"
    TENSOR_SIZE = "tensor_size"
    TENSOR_DATA = "tensor_data"
    DUPLICATE_NAME = "duplicate_name"
    MISSING_INPUT = "missing_input"
    CYCLE = "cycle"
    ORDER = "order"
    INPUT = "input"
    OUTPUT = "output"
    INVALID = "invalid"
    SIZE_BOMB = "size_bomb"
    # the trial
    CANNOT_RUN = "cannot_run"
    NOT_FINITE = "not_finite"
    OUT_OF_RANGE = "out_of_range"
    NOT_DETERMINISTIC = "not_deterministic"
    BATCH_DIFFERS = "batch_differs"
    # the process it was looked at in
    OUT_OF_MEMORY = "out_of_memory"
    OUT_OF_TIME = "out_of_time"
    OUT_OF_CPU = "out_of_cpu"
    KILLED = "killed"
    CRASHED = "crashed"
    NO_ANSWER = "no_answer"


def _plain(text: object) -> object:
    """What comes out of a foreign file reaches terminals and pages: nothing in it may steer them, or be endless."""
    if not isinstance(text, str):
        return text
    shown = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text[: _LONGEST + 1])
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


Plain = Annotated[str, BeforeValidator(_plain)]


class Reason(BaseModel):
    """One fault.

    Attributes:
        code: its kind.
        field: where: a field of the card ("card.licence"), a part of the graph ("graph.initializer[w]"), or the file.
        what: what is wrong, in one line of printable characters.
        fix: what whoever made the upload can do about it; may be empty.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Code
    field: Plain
    what: Plain
    fix: Plain = ""

    def __str__(self) -> str:
        return f"{self.field}: {self.what}" + (f"; {self.fix}" if self.fix else "")


class ModelRefused(ModelError):
    """A model from elsewhere did not pass its checks; nothing of it is kept."""


class Refusal(ModelRefused):
    """An upload is refused, with every reason that was found before looking further made no sense.

    Args:
        reasons: at least one; those past the twentieth are dropped.
    """

    def __init__(self, reasons: Iterable[Reason]) -> None:
        self.reasons = tuple(reasons)[:MOST_REASONS]
        super().__init__("; ".join(str(reason) for reason in self.reasons))


def refuse(code: Code, field: str, what: str, fix: str = "") -> Refusal:
    """A refusal for one reason, to be raised."""
    return Refusal([Reason(code=code, field=field, what=what, fix=fix)])


def stop_at(reasons: Iterable[Reason]) -> None:
    """Goes on where there is none.

    Raises:
        Refusal: there is one.
    """
    found = []
    for reason in reasons:
        found.append(reason)
        if len(found) == MOST_REASONS:
            break
    if found:
        raise Refusal(found)
