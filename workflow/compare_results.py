"""Compare two folders of results, byte by byte where results must be equal.

``python workflow/compare_results.py RESULTS OTHER`` lists the files that differ, or that only one folder has, and ends
with exit code 1 where there are any. Versions, hashes of code, timings and logs are left out: the same configuration on
the same machine gives everything else again.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import yaml
from PIL import Image
from safetensors import safe_open

SKIPPED_FOLDERS = {"logs", "benchmarks", "dashboard", "tensorboard"}
SKIPPED_FILES = {"cost.json", "prediction_cost.json", "report.html", "progress.jsonl", ".snakemake_timestamp"}
"""Files that hold timings or times, or that Snakemake leaves."""
SOFTWARE = {"mtlaerial", "code", "scoring_code", "sha256", "sources"}
"""Keys that hold the version of the package and the hash of its code, hashes of files that have these, or times of
raw files; what is hashed is compared itself."""


def main(arguments: list[str]) -> int:
    """Compare, and print what differs."""
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    first, second = map(Path, arguments)
    names = sorted(_files(first) | _files(second))
    if not names:
        print(f"{first} and {second}: found no results; expected two folders that the workflow wrote.", file=sys.stderr)
        return 2
    differences = {name: problem for name in names if (problem := difference(first / name, second / name))}
    for name, problem in differences.items():
        print(f"{name}: {problem}")
    kinds = Counter(Path(name).suffix for name in names if name not in differences)
    equal = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    print(f"{len(differences)} files differ, {sum(kinds.values())} are equal ({equal})")
    return int(bool(differences))


def difference(first: Path, second: Path) -> str:
    """Return how two files differ, empty where they are equal."""
    for path in (first, second):
        if not path.exists():
            return f"not in {path.parent}"
    if first.read_bytes() == second.read_bytes():
        return ""
    content = CONTENTS.get(first.suffix)
    if content is None:
        return "other bytes"
    return "" if content(first) == content(second) else "another content"


def _files(folder: Path) -> set[str]:
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in paths if not _is_skipped(path)}


def _is_skipped(path: Path) -> bool:
    hidden = path.name in SKIPPED_FILES or path.suffix == ".lock"
    return hidden or not SKIPPED_FOLDERS.isdisjoint(path.parts)


def _without_software(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_software(value) for key, value in data.items() if key not in SOFTWARE}
    return data


def _json(path: Path) -> Any:
    return _without_software(json.loads(path.read_text(encoding="utf-8")))


def _yaml(path: Path) -> Any:
    return _without_software(yaml.safe_load(path.read_text(encoding="utf-8")))


def _weights(path: Path) -> Any:
    with safe_open(path, framework="np") as file:
        texts = {key: _without_software(json.loads(text)) for key, text in (file.metadata() or {}).items()}
        tensors = {key: _array(file.get_tensor(key)) for key in file.keys()}  # noqa: SIM118  # no mapping
    return texts, tensors


def _raster(path: Path) -> Any:
    with rasterio.open(path) as file:
        tags = {key: value for key, value in file.tags().items() if key not in ("MTLAERIAL", "RUN_ID")}
        return str(file.profile), file.descriptions, tags, _array(file.read())


def _picture(path: Path) -> Any:
    with Image.open(path) as picture:
        return _array(np.asarray(picture))


def _array(array: Any) -> tuple[str, tuple[int, ...], bytes]:
    return str(array.dtype), array.shape, array.tobytes()


CONTENTS: dict[str, Callable[[Path], Any]] = {
    ".json": _json,
    ".yaml": _yaml,
    ".safetensors": _weights,
    ".tif": _raster,
    ".png": _picture,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
