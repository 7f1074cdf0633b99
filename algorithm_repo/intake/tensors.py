"""Weights and constants: do they lie in the file, and are they as large as they say? Nothing is unpacked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import PurePosixPath, PureWindowsPath

from onnx import TensorProto

from algorithm_repo.intake.graphs import Placed, has_sparse, tensor_attributes
from algorithm_repo.intake.reasons import Code, Reason
from algorithm_repo.intake.types import Limits

# Element type: bytes of one in raw_data, and the list that holds them where there is no raw_data.
_KINDS: dict[int, tuple[int, str]] = {
    TensorProto.FLOAT: (4, "float_data"),
    TensorProto.DOUBLE: (8, "double_data"),
    TensorProto.FLOAT16: (2, "int32_data"),
    TensorProto.BFLOAT16: (2, "int32_data"),
    TensorProto.INT8: (1, "int32_data"),
    TensorProto.INT16: (2, "int32_data"),
    TensorProto.INT32: (4, "int32_data"),
    TensorProto.INT64: (8, "int64_data"),
    TensorProto.UINT8: (1, "int32_data"),
    TensorProto.UINT16: (2, "int32_data"),
    TensorProto.UINT32: (4, "uint64_data"),
    TensorProto.UINT64: (8, "uint64_data"),
    TensorProto.BOOL: (1, "int32_data"),
}
_LISTS = ("float_data", "double_data", "int32_data", "int64_data", "uint64_data", "string_data")
_EXPORT = "export it again"
_INSIDE = "save the model as one file, with its weights inside"


def bytes_of(data_type: int) -> int | None:
    """Bytes of one element; None: a type that is not run here (text, complex numbers, less than 8 bits)."""
    return _KINDS[data_type][0] if data_type in _KINDS else None


def tensor_faults(placed: Placed, limits: Limits) -> Iterator[Reason]:
    """What is wrong with the tensors of one graph."""
    if placed.graph.sparse_initializer:
        yield Reason(
            code=Code.TENSOR_TYPE,
            field=f"{placed.where}.sparse_initializer",
            what="sparse tensors are not run here",
            fix="store them whole",
        )
    for tensor in placed.graph.initializer:
        yield from _faults(tensor, f"{placed.where}.initializer[{tensor.name}]", limits)
    for number, node in enumerate(placed.graph.node):
        where = f"{placed.where}.node[{number}:{node.op_type}]"
        for name, tensor in tensor_attributes(node):
            yield from _faults(tensor, f"{where}.{name}", limits)
        if any(has_sparse(attribute) for attribute in node.attribute):
            yield Reason(
                code=Code.TENSOR_TYPE, field=where, what="sparse tensors are not run here", fix="store them whole"
            )


def _faults(tensor: TensorProto, field: str, limits: Limits) -> Iterator[Reason]:
    """The first fault alone: later ones follow from it."""
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        yield Reason(code=Code.EXTERNAL_DATA, field=field, what=_outside(tensor), fix=_INSIDE)
        return
    kind = _KINDS.get(tensor.data_type)
    if kind is None:
        name = TensorProto.DataType.Name(tensor.data_type) if tensor.data_type in TensorProto.DataType.values() else "?"
        what = f"elements of type {tensor.data_type} ({name}) are not run here"
        yield Reason(code=Code.TENSOR_TYPE, field=field, what=what, fix="use float, float16 or integers")
        return
    if any(side < 0 for side in tensor.dims):
        what = f"a side is negative: {list(tensor.dims)[:8]}"
        yield Reason(code=Code.TENSOR_SHAPE, field=field, what=what, fix=_EXPORT)
        return
    count = 1
    for side in tensor.dims:  # Python's integers do not overflow; every factor counts, a 0 hides none of them
        count *= max(side, 1)
    if count * kind[0] > limits.tensor_bytes:
        what = f"declares {count * kind[0]} bytes, above {limits.tensor_bytes}"
        yield Reason(code=Code.TENSOR_SIZE, field=field, what=what, fix="use a smaller model")
        return
    fault = _data_fault(tensor, 0 if 0 in tensor.dims else count, *kind)
    if fault is not None:
        yield Reason(code=Code.TENSOR_DATA, field=field, what=fault, fix=_EXPORT)


def _outside(tensor: TensorProto) -> str:
    # A path that is no UTF-8 comes as bytes.
    location = os.fsdecode(next((entry.value for entry in tensor.external_data if entry.key == "location"), ""))
    if not location:
        return "its data lie outside the file, and it does not say where"
    if PurePosixPath(location).is_absolute() or PureWindowsPath(location).drive or location.startswith("\\"):
        return f"its data lie outside the file, at an absolute path: {location!r}"
    if ".." in location.replace("\\", "/").split("/"):
        return f"its data lie outside the file, at a path that leaves its folder: {location!r}"
    return f"its data lie in another file: {location!r}"


def _data_fault(tensor: TensorProto, count: int, size: int, own: str) -> str | None:
    """Why the data do not fit the declared number of elements."""
    if tensor.HasField("segment"):
        return "it is a segment of a tensor"
    filled = [name for name in _LISTS if len(getattr(tensor, name))]
    if tensor.HasField("raw_data"):
        if filled:
            return f"its data stand twice: raw_data and {filled[0]}"
        if len(tensor.raw_data) != count * size:
            return f"{len(tensor.raw_data)} bytes of data for {count * size} declared"
        return None
    if filled not in ([], [own]):
        return f"its data stand in {filled[0]}, not in {own}"
    found = len(getattr(tensor, own))
    return None if found == count else f"{found} elements of data for {count} declared"
