"""Print docs/licences.md: the licences of the packages in requirements.lock, as their installed metadata state them."""

import re
from importlib.metadata import Distribution, distribution
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements.lock"

CHOSEN = {"docutils": "BSD-2-Clause, PSF-2.0 and public domain; its Emacs files under the GPL are not in the wheel"}
"""Packages whose metadata name several licences, with what holds for what is used here."""

PAGE = """# Licences of the dependencies

mtlaerial is under the [MIT licence](../LICENSE). These are the packages that `make` installs
([requirements.lock](../requirements.lock)), with the licences that their metadata state; none is under the GPL, LGPL
or AGPL. torch, which is installed before them, is under BSD-3-Clause; its builds for GPUs bring NVIDIA's libraries,
which are under NVIDIA's own terms. Wheels bring compiled libraries with licences of their own, among them GEOS
(LGPL-2.1; in rasterio and shapely) and the run-time libraries of GCC (GPL-3.0 with its exception for such use; in NumPy
and SciPy). `make licences` makes this page anew.

| package | version | licence |
|---|---|---|
"""


def locked() -> list[str]:
    """Return the names of the pinned packages."""
    return re.findall(r"^([\w.-]+)==", LOCK.read_text(encoding="utf-8"), re.MULTILINE)


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


if __name__ == "__main__":
    main()
