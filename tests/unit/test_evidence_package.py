"""Evidence packages: whatever is changed in one, `check` says so and names the file."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from cityvision.cli import cli
from contracts.errors import ConfigError
from governance import package
from governance.package import MANIFEST, SIGNATURE, Content, PackageFault
from governance.signing import Ed25519Signer
from tests.effort import examples

CITY, OTHER = Ed25519Signer("the city's secret"), Ed25519Signer("somebody else's")
CONTENTS = [
    Content("event.json", (b'{"id": "x"}',), "the event"),
    Content("evidence/decision.jpg", (bytes(range(256)),) * 4, "decision"),
    Content("evidence/clip.mp4", (b"clip" * 250,) * 2, "clip"),
]
FILES = [content.name for content in CONTENTS]


def packed(signer: Ed25519Signer = CITY) -> dict[str, bytes]:
    """A good package as its files."""
    target = io.BytesIO()
    package.write(target, "5f" * 16, CONTENTS, "wang", "a court asked", 1_790_000_000.0, signer)
    with zipfile.ZipFile(target) as made:
        return {name: made.read(name) for name in made.namelist()}


GOOD = packed()


def check(folder: Path, files: dict[str, bytes], key: str | None = CITY.public, twice: str = "") -> package.Manifest:
    path = folder / "package.zip"
    with zipfile.ZipFile(path, "w") as made:
        for name, data in files.items():
            made.writestr(name, data)
        if twice:
            with pytest.warns(UserWarning, match="Duplicate name"):
                made.writestr(twice, b"another")
    return package.check(path, key)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packages")


def test_a_package_is_what_was_signed(folder: Path) -> None:
    manifest = check(folder, GOOD)
    assert (manifest.event, manifest.exported_by, manifest.purpose) == ("5f" * 16, "wang", "a court asked")
    assert [file.name for file in manifest.files] == FILES
    assert check(folder, GOOD, None) == manifest


@settings(max_examples=examples(60))
@given(name=st.sampled_from([*FILES, MANIFEST, SIGNATURE]), at=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_bit_that_is_changed_is_found(folder: Path, name: str, at: float, bit: int) -> None:
    data = bytearray(GOOD[name])
    data[int(at * len(data))] ^= 1 << bit
    with pytest.raises((PackageFault, ConfigError)) as found:
        check(folder, {**GOOD, name: bytes(data)})
    if name in FILES:
        assert found.value.message == f"{name} was altered"


@settings(max_examples=examples(150))
@given(at=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_bit_of_the_file_itself_is_found_or_changes_nothing(folder: Path, at: float, bit: int) -> None:
    """Dates and flags of the ZIP are not signed, and say nothing; whatever else is hit is told, never a traceback."""
    check(folder, GOOD)
    path = folder / "package.zip"
    data = bytearray(path.read_bytes())
    data[int(at * len(data))] ^= 1 << bit
    path.write_bytes(bytes(data))
    try:
        found = package.check(path, CITY.public)
    except (PackageFault, ConfigError):
        return
    with zipfile.ZipFile(path) as packed:
        there = {file.name: packed.read(file.name) for file in found.files}
    assert there == {one.name: b"".join(one.pieces) for one in CONTENTS}


def test_what_stands_beside_the_files_is_not_accepted(folder: Path) -> None:
    check(folder, GOOD)
    with zipfile.ZipFile(folder / "package.zip", "a") as packed:
        packed.comment = b"by the way"
    with pytest.raises(PackageFault, match="not signed"):
        package.check(folder / "package.zip")


@pytest.mark.parametrize("where", ["before", "between", "after", "comment"])
def test_bytes_that_nobody_signed_do_not_hide_in_the_file(folder: Path, where: str) -> None:
    """A ZIP may hold anything before, between and behind what it lists, and readers pass over it."""
    path = folder / "package.zip"
    with path.open("wb") as file:
        if where == "before":
            file.write(b"hidden")
        with zipfile.ZipFile(file, "w") as made:
            for name, data in GOOD.items():
                made.writestr(name, data)
                if where == "between" and name == MANIFEST:
                    file.write(b"hidden")
                    made.start_dir = file.tell()
                if where == "comment":
                    made.getinfo(name).comment = b"hidden"
        if where == "after":
            file.write(b"hidden")
    with pytest.raises(PackageFault, match="not signed"):
        package.check(path, CITY.public)


def test_nothing_is_signed_that_was_altered_in_the_store() -> None:
    altered = Content("evidence/decision.jpg", (b"other ", b"bytes"), "decision", "ad6f" * 16)
    with pytest.raises(PackageFault, match=r"decision\.jpg is not what was captured"):
        package.write(io.BytesIO(), "5f" * 16, [altered], "wang", "a court asked", 1e9, CITY)


@pytest.mark.parametrize("name", [*FILES, MANIFEST, SIGNATURE])
def test_what_is_missing_added_or_doubled_is_named(folder: Path, name: str) -> None:
    with pytest.raises(PackageFault, match="missing"):
        check(folder, {key: data for key, data in GOOD.items() if key != name})
    with pytest.raises(PackageFault, match=r"added|doubled"):
        check(folder, GOOD, twice=name)
    with pytest.raises(PackageFault, match=r"note\.txt was added"):
        check(folder, {**GOOD, "note.txt": b""})


def test_whose_signature_it_is_matters_where_a_key_is_given(folder: Path) -> None:
    forged = packed(OTHER)
    assert check(folder, forged, None).public_key == OTHER.public
    with pytest.raises(PackageFault, match="another key"):
        check(folder, forged)
    told = json.loads(forged[MANIFEST])
    claimed = json.dumps({**told, "public_key": CITY.public}).encode()
    with pytest.raises(PackageFault, match="signature does not fit"):
        check(folder, {**forged, MANIFEST: claimed})
    unknown = json.dumps({**told, "algorithm": "sm2"}).encode()
    with pytest.raises(ConfigError, match="not known here"):
        check(folder, {**forged, MANIFEST: unknown}, None)


def test_what_is_no_package_is_told_as_such(folder: Path) -> None:
    path = folder / "some.zip"
    path.write_bytes(b"no zip at all")
    with pytest.raises(PackageFault, match=r"some\.zip cannot be read"):
        package.check(path)


def test_the_command_needs_nothing_but_the_file(folder: Path) -> None:
    check(folder, GOOD)
    ran = CliRunner().invoke(cli, ["evidence", "verify", str(folder / "package.zip"), "--key", CITY.public])
    assert ran.exit_code == 0, ran.output
    assert "3 files as they were signed; signed with that key" in ran.output
