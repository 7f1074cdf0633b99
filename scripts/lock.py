"""Writes `requirements/*.txt`: exact versions of everything that is installed, from the ranges in `pyproject.toml`.

    .venv/bin/python scripts/lock.py            keeps every version that still fits
    .venv/bin/python scripts/lock.py --upgrade  takes the newest that fit

Each file holds only what the ones before it do not. No hashes, addresses or paths: where the packages come from is
the business of pip's own settings.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
# file -> extra of pyproject.toml; each builds on those before it
FILES = {"base": None, "dev": "dev", "bench": "bench"}
# The peers of `bench` ask for opencv-python, which would overwrite the same module of opencv-python-headless.
LEFT_OUT = {"bench": {"opencv-python"}}


def wanted(extra: str | None) -> list[str]:
    """The ranges that `pyproject.toml` states for an extra, or for the package itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ranges: list[str] = project["dependencies"] if extra is None else project["optional-dependencies"][extra]
    return ranges


def resolve(ranges: list[str], pins: dict[str, str]) -> dict[str, str]:
    """What pip would install for `ranges` in an empty environment: name -> version."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints, tempfile.NamedTemporaryFile() as report:
        constraints.writelines(f"{name}=={version}\n" for name, version in pins.items())
        constraints.flush()
        command = ["install", "-qq", "--dry-run", "--ignore-installed", "--report", report.name]
        subprocess.run([sys.executable, "-m", "pip", *command, "-c", constraints.name, *ranges], check=True)
        found = json.loads(Path(report.name).read_text())["install"]
    return {item["metadata"]["name"].lower().replace("_", "-"): item["metadata"]["version"] for item in found}


def read(path: Path) -> dict[str, str]:
    """Pins of one lock file: name -> version."""
    if not path.exists():
        return {}
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("==", 1) for line in lines)


def main() -> None:
    done: dict[str, str] = {}
    for name, extra in FILES.items():
        path = FOLDER / f"{name}.txt"
        kept = {} if "--upgrade" in sys.argv else read(path)
        # Versions without the local part ("+cpu"): which build of a version is the machine's affair.
        found = {
            n: v.split("+")[0] for n, v in resolve(wanted(None) + (wanted(extra) if extra else []), kept | done).items()
        }
        new = {n: v for n, v in found.items() if n not in done and n not in LEFT_OUT.get(name, set())}
        head = f"# Written by scripts/lock.py from pyproject.toml ({extra or 'dependencies'}); do not edit.\n"
        path.write_text(head + "".join(f"{n}=={v}\n" for n, v in sorted(new.items())))
        sys.stderr.write(f"{path.relative_to(ROOT)}: {len(new)} packages\n")
        done |= new


if __name__ == "__main__":
    main()
