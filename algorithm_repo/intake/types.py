"""What goes into an inspection and what comes out of it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from algorithm_repo.intake.reasons import Reason, Refusal


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Frozen):
    """How much an upload may take. The defaults let through a network of 30 million parameters.

    Attributes:
        file_bytes: of the ONNX file.
        card_bytes: of the card.
        nodes: of the graph and all graphs inside it.
        depth: of graphs inside graphs (the branches of an If).
        tensor_bytes: of one weight, or of one tensor while one picture is looked at.
        metadata_bytes: of all texts that say something about the model.
        memory_bytes: address space of the process (Python and OpenVINO take 0.7 GB of it before any model).
        cpu_s: CPU time of that process, s.
        wall_s: time it may take in all, s.
    """

    file_bytes: int = Field(128 << 20, gt=0)
    card_bytes: int = Field(64 << 10, gt=0)
    nodes: int = Field(20_000, gt=0)
    depth: int = Field(3, ge=0, le=20)
    tensor_bytes: int = Field(256 << 20, gt=0)
    metadata_bytes: int = Field(64 << 10, ge=0)
    memory_bytes: int = Field(2 << 30, gt=0)
    cpu_s: int = Field(60, gt=0)
    wall_s: float = Field(60.0, gt=0)


class StaticFigures(_Frozen):
    """What the graph says of itself.

    Attributes:
        parameters: numbers among its weights, without indices and shapes.
        nodes: of all graphs.
        opset, ir_version: of the file.
    """

    parameters: int
    nodes: int
    opset: int
    ir_version: int


class TrialFigures(_Frozen):
    """What running it took.

    Attributes:
        ms_per_picture: median, one thread of this machine, ms.
        peak_memory_bytes: resident memory of the whole process at its highest, Python and OpenVINO included.
    """

    ms_per_picture: float
    peak_memory_bytes: int


class Answer(_Frozen):
    """What a child process says of an upload: figures, or why not."""

    figures: StaticFigures | TrialFigures | None = None
    reasons: tuple[Reason, ...] = ()


class Report(_Frozen):
    """What became of an upload.

    Attributes:
        accepted: it may be registered.
        reasons: why not; empty where it is accepted.
        name, version, family, licence: as its card says; None where the card could not be read.
        sha256: of the ONNX file, lower-case hex; None where it was not read to its end.
        static, trial: figures, as far as it came.
    """

    accepted: bool
    reasons: tuple[Reason, ...] = ()
    name: str | None = None
    version: str | None = None
    family: str | None = None
    licence: str | None = None
    sha256: str | None = None
    static: StaticFigures | None = None
    trial: TrialFigures | None = None

    def demand_accepted(self) -> None:
        """For callers that go on only with what was accepted.

        Raises:
            Refusal: it was not.
        """
        if not self.accepted:
            raise Refusal(self.reasons)
