"""Fetch MapLibre GL JS by npm into the page of the map viewer, with its licence and those of what it bundles.

`make maplibre` runs it. The files are committed, and the wheel has them, so that the viewer works offline.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

VERSION = "6.17.0"
INTEGRITY = "sha512-2chIZwpLGenoUQOcnm9Pk4SLbA8ppNFq8jlpXiq9vcYm3Y1wJ3fc82FL0GLwBaPYJCLzPv/mC46KEupVov75rQ=="
"""Hash of its archive, as npm writes and verifies it."""
FILES = ("dist/maplibre-gl.mjs", "dist/maplibre-gl-worker.mjs", "dist/maplibre-gl.css", "LICENSE.txt")
TARGET = Path(__file__).parents[1] / "src/mtlaerial/viewer/page/vendor/maplibre-gl"
BUNDLED = "BUNDLED-LICENSES.txt"
HEADER = f"Licences of the packages that MapLibre GL JS {VERSION} bundles.\n"


def main(target: Path = TARGET) -> None:
    """Write the files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        packages = install(folder)
        target.mkdir(parents=True, exist_ok=True)
        for file in FILES:
            shutil.copyfile(folder / "node_modules/maplibre-gl" / file, target / Path(file).name)
        (target / BUNDLED).write_text(bundled_licences(folder, packages), encoding="utf-8")


def install(folder: Path) -> dict[str, Any]:
    """Let npm install MapLibre into a folder, without running code of packages; return the entries of its lock."""
    (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", f"maplibre-gl@{VERSION}"]
    subprocess.run(command, cwd=folder, check=True)
    lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    integrity = lock["packages"]["node_modules/maplibre-gl"]["integrity"]
    if integrity != INTEGRITY:
        sys.exit(f"maplibre-gl {VERSION}: found {integrity}; expected {INTEGRITY}")
    return dict(lock["packages"])


def bundled_licences(folder: Path, packages: dict[str, Any]) -> str:
    """Return the licences of the packages beside MapLibre; types are no code."""
    parts = [HEADER]
    for place, entry in sorted(packages.items()):
        name = place.removeprefix("node_modules/")
        if not place or name == "maplibre-gl" or name.startswith("@types/"):
            continue
        files = sorted(path for path in (folder / place).iterdir() if path.name.upper().startswith("LICEN"))
        text = files[0].read_text(encoding="utf-8") if files else "(no licence file in the package)"
        rule = "-" * 80
        parts.append(f"{rule}\n{name} {entry['version']}, {entry['license']}\n\n{text.strip()}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    main()
