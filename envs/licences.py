"""Print docs/licences.md: the licences of the packages in requirements.lock, as their installed metadata state them.

Packages of requirements-extras.lock take 7 GB and are not installed beside them: their licences are listed here.
"""

import re
from importlib.metadata import Distribution, distribution
from pathlib import Path

from vendor_maplibre import VERSION

LOCK, EXTRAS_LOCK = (Path(__file__).parents[1] / name for name in ("requirements.lock", "requirements-extras.lock"))
FOLDER = "src/mtlaerial/viewer/page/vendor/maplibre-gl"

CHOSEN = {"docutils": "BSD-2-Clause, PSF-2.0 and public domain; its Emacs files under the GPL are not in the wheel"}
"""Packages whose metadata name several licences, with what holds for what is used here."""

OF_EXTRAS = {
    "anyio": "MIT",
    "cuda-bindings": "Apache-2.0",
    "cuda-pathfinder": "Apache-2.0",
    "h11": "MIT License",
    "hatchling": "MIT",
    "hf-xet": "Apache-2.0",
    "httpcore2": "BSD-3-Clause",
    "httpx2": "BSD-3-Clause",
    "huggingface-hub": "Apache Software License",
    "timm": "Apache Software License",
    "tomlkit": "MIT",
    "torch": "as above",
    "torchvision": "BSD",
    "triton": "MIT License",
    "trove-classifiers": "Apache Software License",
    "truststore": "MIT",
}
"""Licences that the metadata of the pinned versions state, of packages that requirements.lock lacks."""
NVIDIA = ("nvidia-", "cuda-toolkit")
"""Beginnings of the names of NVIDIA's libraries, which torch needs for GPUs."""

PAGE = """# Licences of the dependencies

mtlaerial is under the [MIT licence](../LICENSE). These are the packages that `make` installs
([requirements.lock](../requirements.lock)), with the licences that their metadata state; none is under the GPL, LGPL
or AGPL. torch, which is installed before them, is under BSD-3-Clause; its builds for GPUs bring NVIDIA's libraries,
which are under NVIDIA's own terms. Wheels bring compiled libraries with licences of their own, among them GEOS
(LGPL-2.1; in rasterio, shapely and exactextract) and the run-time libraries of GCC (GPL-3.0 with its exception for such
use; in NumPy and SciPy). `make licences` makes this page anew.

| package | version | licence |
|---|---|---|
"""

EXTRAS_PAGE = """
## Encoders of timm and torchvision

The extras `timm` and `torchvision` ([networks.md](networks.md)) are installed on request, and by `make test-extras`
([requirements-extras.lock](../requirements-extras.lock)). These are the packages that they add to those above; torch is
the build there that torchvision's compiled parts need. hatchling, with tomlkit and trove-classifiers, builds mtlaerial
itself, in both environments. Packages of the other extras are in the table above. Published weights have licences of
their own ([pretrained.md](pretrained.md)).

| package | version | licence |
|---|---|---|
"""

VENDORED_PAGE = f"""
## Code of others in the wheel

| package | version | licence |
|---|---|---|
| MapLibre GL JS | {VERSION} | BSD-3-Clause, and those of [what it bundles](../{FOLDER}/BUNDLED-LICENSES.txt): \
BSD, ISC, MIT, Apache-2.0 |

It draws the page of the [map viewer](viewer.md), and lies unchanged, with its licence, in `{FOLDER}`.
"""


def locked(lock: Path = LOCK) -> dict[str, str]:
    """Return the versions of the pinned packages by name."""
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", lock.read_text(encoding="utf-8"), re.MULTILINE))


def licence(package: Distribution) -> str:
    """Return the licence of an installed package: its expression, its classifiers, its field, or its file's title."""
    metadata = package.metadata
    if expression := metadata.get("License-Expression"):
        return expression
    classifiers = metadata.get_all("Classifier", [])
    names = [line.rsplit(" :: ", 1)[-1] for line in classifiers if line.startswith("License :: ")]
    if specific := [name for name in names if name != "OSI Approved"]:
        return ", ".join(specific)
    stated = metadata.get("License") or "UNKNOWN"  # what setuptools wrote where a package stated none
    text = stated if stated != "UNKNOWN" else _file(package)
    return text.strip().splitlines()[0]


def licence_of_extra(name: str) -> str:
    """Return the licence of a package that is not installed here."""
    if name.startswith(NVIDIA):
        return "NVIDIA's own terms"
    if name not in OF_EXTRAS:
        raise SystemExit(f"{name}: no licence is known; look its metadata up, and add it to OF_EXTRAS")
    return OF_EXTRAS[name]


def _file(package: Distribution) -> str:
    paths = [path for path in package.files or [] if path.name.upper().startswith(("LICENSE", "LICENCE"))]
    if not paths:
        raise SystemExit(f"{package.name}: no licence in its metadata and no licence file; look it up and add it here")
    return paths[0].read_text(encoding="utf-8")


def main() -> None:
    """Print the page."""
    print(PAGE, end="")
    for name in locked():
        package = distribution(name)
        print(f"| {name} | {package.version} | {CHOSEN.get(name, licence(package))} |")
    print(EXTRAS_PAGE, end="")
    for name, version in locked(EXTRAS_LOCK).items():
        if name not in locked():
            print(f"| {name} | {version} | {licence_of_extra(name)} |")
    print(VENDORED_PAGE, end="")


if __name__ == "__main__":
    main()
