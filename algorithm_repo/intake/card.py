"""The card of a model from elsewhere: one YAML file that says what the ONNX file beside it is."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from algorithm_repo.intake.licence import unfit
from algorithm_repo.intake.reasons import Code, Reason, Refusal, refuse
from contracts.vision import ObjectClass
from models.zoo import Artefact, ArtefactKind, ClassifierSpec, DetectorSpec, SegmenterSpec, ZooFile

Family = Literal["yolox", "omz_ssd", "segmenter", "classifier"]

UNUSED = "unused"
COCO_CLASSES = 80
_DEEPEST = 8
_CLASSES = tuple(member.name.lower() for member in ObjectClass)
_SEMANTIC = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-(0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*))*)?"
    r"(\+[\dA-Za-z-]+(\.[\dA-Za-z-]+)*)?",
    re.ASCII,
)
_ADDRESS = re.compile(r"https?://[\w.-]+(:\d{1,5})?(/[!-~]*)?", re.ASCII)


def _semantic(version: str) -> str:
    if _SEMANTIC.fullmatch(version) is None:
        raise ValueError(f"{version!r} is no semantic version")
    return version


def _address(source: str) -> str:
    if _ADDRESS.fullmatch(source) is None:
        raise ValueError(f"{source!r} is no web address without user name or password")
    return source


def _licence(expression: str) -> str:
    unfit(expression)  # whether it fits is asked where the whole card is judged; here, whether it is one
    return expression


Label = Annotated[str, Field(pattern=r"^[\w][\w .-]*$", max_length=64)]
Labels = Annotated[tuple[Label, ...], Field(min_length=1, max_length=1000)]


class Card(BaseModel):
    """What the uploader says of the model. What a field has to be is its description, and is said with each fault.

    Attributes:
        name, version: together they name this upload.
        licence: of weights and graph; an SPDX expression.
        source: where it was taken from.
        family: by which of the project's readers it is read.
        width, height: of the input, pixels.
        labels: "coco" (yolox); for detectors the classes in the order of the model's numbers; for a segmenter the one
            thing its map shows; for a classifier by output.
        nms_iou: yolox: boxes of one group overlapping more than this are one object.
        margin: classifier: what a crop shows around the box, in sides of the box.
        sha256: of the ONNX file, where the uploader wants it held against.
        note: for people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*$",
        max_length=64,
        description="up to 64 small letters and digits, parted by single . _ or -",
    )
    version: Annotated[str, AfterValidator(_semantic)] = Field(
        max_length=64, description="a semantic version such as 1.4.0"
    )
    licence: Annotated[str, AfterValidator(_licence)] = Field(description="an SPDX expression such as Apache-2.0")
    source: Annotated[str, AfterValidator(_address)] = Field(
        max_length=2000, description="the http or https address it comes from, without user name or password"
    )
    family: Family = Field(description="one of yolox, omz_ssd, segmenter, classifier")
    width: int = Field(ge=16, le=2048, description="the input's width in pixels, 16 to 2048")
    height: int = Field(ge=16, le=2048, description="the input's height in pixels, 16 to 2048")
    labels: Literal["coco"] | Labels | Annotated[dict[str, Labels], Field(min_length=1, max_length=16)] = Field(
        description="a list of labels in the order of the model's numbers (classifier: one list for each output)"
    )
    nms_iou: float = Field(0.5, gt=0, lt=1, description="a share between 0 and 1")
    margin: float = Field(0.5, ge=0, le=4, description="sides of the box, 0 to 4")
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="64 small hexadecimal digits, or leave the line out"
    )
    note: str = Field("", max_length=2000, description="at most 2000 characters")

    @model_validator(mode="after")
    def _labels_fit_family(self) -> Self:
        fault = _label_fault(self)
        if fault is not None:
            raise ValueError(fault)
        return self

    @property
    def classes(self) -> int:
        """How many numbers a detector tells apart."""
        return COCO_CLASSES if self.labels == "coco" else len(self.labels)

    @property
    def heads(self) -> dict[str, tuple[str, ...]]:
        """A classifier's outputs with their labels."""
        return self.labels if isinstance(self.labels, dict) else {}

    def artefact(self, sha256: str) -> Artefact:
        """The entry that the zoo would have for it, by which the project's readers read it."""
        file = ZooFile(path=f"models/{self.name}-{sha256[:8]}.onnx", sha256=sha256)
        detector, segmenter, classifier = None, None, None
        if self.family == "segmenter":
            segmenter = SegmenterSpec(label=self.labels[0] if isinstance(self.labels, tuple) else "")
        elif self.family == "classifier":
            classifier = ClassifierSpec(heads=self.heads, margin=self.margin)
        else:
            used = self.labels if self.labels == "coco" else _used(self.labels)
            detector = DetectorSpec(family=self.family, labels=used, nms_iou=self.nms_iou)
        return Artefact(
            kind=ArtefactKind.MODEL,
            source=self.source,
            licence=self.licence,
            note=self.note,
            files=(file,),
            detector=detector,
            segmenter=segmenter,
            classifier=classifier,
        )


def _used(labels: tuple[str, ...] | dict[str, tuple[str, ...]]) -> dict[int, str]:
    return {number: label for number, label in enumerate(labels) if label != UNUSED}


def _label_fault(card: Card) -> str | None:
    labels = card.labels
    if card.family == "classifier":
        return None if isinstance(labels, dict) else "a classifier has a list of labels for each of its outputs"
    if isinstance(labels, dict):
        return f"{card.family} has one list of labels"
    if card.family == "segmenter":
        return None if labels != "coco" and len(labels) == 1 else "a segmenter's map shows one thing: one label"
    if labels == "coco":
        return None if card.family == "yolox" else "an Open Model Zoo detector needs its own labels"
    unknown = [label for label in labels if label not in (*_CLASSES, UNUSED)]
    if unknown:
        return f"{unknown[0]!r} is no class; write one of {', '.join(_CLASSES)}, or {UNUSED}"
    return None if _used(labels) else "no label is used"


def parse_card(data: bytes) -> Card:
    """A card from its bytes. Every scalar is read as text, so that nothing in the file is executed or computed.

    Raises:
        Refusal: it is no plain YAML (without aliases, anchors, tags, deep nesting), or fields are wrong; names each.
    """
    try:
        content = _plain_yaml(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise refuse(Code.CARD_YAML, "card", "it is no UTF-8 text", "save it as UTF-8") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = "" if mark is None else f", line {mark.line + 1}"
        raise refuse(Code.CARD_YAML, f"card{line}", f"no YAML: {getattr(error, 'problem', None) or 'odd characters'}",
                     "correct that line") from error  # fmt: skip
    try:
        card = Card.model_validate(content)
    except ValidationError as error:
        raise Refusal(_faults(error)) from error
    if (why := unfit(card.licence)) is not None:
        raise refuse(
            Code.LICENCE,
            "card.licence",
            f"{card.licence} does not fit use with an AGPL-3.0-or-later work: {why}",
            "upload a model whose licence fits; docs/intake.md names those that do",
        )
    return card


def _plain_yaml(text: str) -> object:
    """Looks at the events before anything is built: an alias multiplies, a tag names a type, depth exhausts a stack."""
    depth, documents = 0, 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        where = "card" if event.start_mark is None else f"card, line {event.start_mark.line + 1}"
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise refuse(Code.CARD_ALIAS, where, "anchors and aliases (& and *) are not read", "write it out")
        if (tag := getattr(event, "tag", None)) is not None:
            raise refuse(Code.CARD_TAG, where, f"the tag {tag} is not read", "write plain values without tags")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if depth > _DEEPEST or documents > 1:
            raise refuse(Code.CARD_YAML, where, "nested too deep, or several documents", "write one flat document")
    return yaml.load(text, Loader=_OneOfEach)


class _OneOfEach(yaml.BaseLoader):
    """Text, lists and mappings alone; a key that stands twice is a fault rather than the last one winning."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        keys = [getattr(key, "value", None) for key, _ in node.value]
        for number, key in enumerate(keys):
            if not isinstance(key, str) or key in keys[:number]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice or is no text", node.value[number][0].start_mark
                )
        return super().construct_mapping(node, deep)


def _faults(error: ValidationError) -> list[Reason]:
    faults = []
    seen = set()
    for one in error.errors(include_url=False, include_input=False):
        if one["loc"] == () and one["type"] == "model_type":
            needed = [name for name, known in Card.model_fields.items() if known.is_required()]
            fix = f"write the fields {', '.join(needed)}, a line each"
            return [Reason(code=Code.CARD_FIELD, field="card", what="it holds no fields", fix=fix)]
        name = str(one["loc"][0]) if one["loc"] else "labels"  # the one check of the whole card is that of labels
        if name in seen:  # a union says once for each of its members what it is not
            continue
        seen.add(name)
        known = Card.model_fields.get(name)
        fix = "leave it out" if known is None else f"write {known.description}"
        faults.append(Reason(code=Code.CARD_FIELD, field=f"card.{name}", what=one["msg"], fix=fix))
    return faults
