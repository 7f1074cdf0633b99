"""What a file is by its first bytes, where it is no ONNX file: so that the refusal can say it. Nothing is opened."""

from __future__ import annotations

from algorithm_repo.intake.reasons import Code, Reason

_EXPORT = "export it to ONNX where it was trained; pickled and packed formats are never opened here"
# The pickle of the number with which files of torch.save began before they were zip archives.
_OLD_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_OTHER = (
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x89HDF", "an HDF5 file (Keras)"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"#!", "a script"),
    (b"<?xml", "an XML file (OpenVINO IR?)"),
    (b"<!doctype", "a web page, perhaps that of a failed download"),
    (b"<html", "a web page, perhaps that of a failed download"),
    (b"version https://git-lfs", "a Git LFS pointer in place of the file"),
)


def disguise(data: bytes) -> Reason | None:
    """Why these bytes are no ONNX file, where their beginning tells; None: look further.

    Args:
        data: of the file; the first 4 KB and the last byte are enough.
    """
    head = data[:4096]
    if head.startswith(_OLD_TORCH) or (head.startswith(b"PK\x03\x04") and b"data.pkl" in head):
        return Reason(code=Code.TORCH, field="file", what="this is a torch file, which holds a pickle", fix=_EXPORT)
    if head.startswith(b"PK"):
        return Reason(code=Code.ZIP, field="file", what="this is a zip archive", fix="upload the ONNX file itself")
    if _pickled(data):
        return Reason(code=Code.PICKLE, field="file", what="this is a pickle", fix=_EXPORT)
    lower = head[:64].lstrip().lower()
    found = next((name for magic, name in _OTHER if head.startswith(magic) or lower.startswith(magic)), None)
    if head[4:8] == b"TFL3":
        found = "a TensorFlow Lite file"
    if head[8:10] == b'{"':
        found = "a safetensors file"
    if found is None:
        return None
    return Reason(code=Code.OTHER_FORMAT, field="file", what=f"this is {found}", fix="upload an ONNX file")


def _pickled(data: bytes) -> bool:
    if data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return True
    # Protocols 0 and 1 have no mark: a printable opcode first, STOP last. No ONNX file begins with these.
    return data[:1] in (b"(", b"c", b"]", b"}") and data[-1:] == b"." and data[1:2].isascii() and b"\n" in data[:256]
