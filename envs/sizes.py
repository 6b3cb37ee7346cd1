"""Sizes of installations: torch, mtlaerial without it, and what each extra adds, from the files of installed packages.

    python envs/sizes.py

prints the numbers of docs/install.md. Run it where the pins of requirements.lock are installed. Extras with a package
that is not installed are left out.
"""

import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TORCH, NONE, DEV = "torch", "none", "dev"
MEBIBYTE = 2**20


def sizes() -> dict[str, int]:
    """Return bytes by name: of torch with what it needs, of an installation without torch, and what each extra adds."""
    torch = closure([Requirement(TORCH)])
    core = closure(map(Requirement, PROJECT["dependencies"])) - torch
    table = {TORCH: size(torch), NONE: size(core)}
    for extra in PROJECT["optional-dependencies"]:
        try:
            added = closure(requirements_of_extra(extra)) - core - torch
        except PackageNotFoundError:
            continue
        if extra != DEV:
            table[extra] = size(added)
    return table


def requirements_of_extra(extra: str) -> Iterator[Requirement]:
    """Yield what an extra requires, and the extras that it names."""
    for requirement in map(Requirement, PROJECT["optional-dependencies"][extra]):
        if requirement.name == PROJECT["name"]:
            for name in requirement.extras:
                yield from requirements_of_extra(name)
        else:
            yield requirement


def closure(requirements: Iterable[Requirement]) -> set[str]:
    """Return the names of required packages and of all that they need on this machine.

    Raises
    ------
    PackageNotFoundError
        When one of them is not installed.
    """
    pending = [(canonicalize_name(entry.name), frozenset(entry.extras)) for entry in requirements]
    seen = set()
    while pending:
        package, extras = pending.pop()
        if (package, extras) not in seen:
            seen.add((package, extras))
            needed = map(Requirement, distribution(package).requires or [])
            pending += [
                (canonicalize_name(entry.name), frozenset(entry.extras)) for entry in needed if _applies(entry, extras)
            ]
    return {str(package) for package, _ in seen}


def _applies(requirement: Requirement, extras: Iterable[str]) -> bool:
    """Return whether a requirement of a package that is installed with extras holds on this machine."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in (*extras, ""))


def size(packages: Iterable[str]) -> int:
    """Return the bytes of packages' files, as far as they exist."""
    files = (file for package in packages for file in distribution(package).files or [])
    paths = (Path(str(file.locate())) for file in files)
    return sum(path.stat().st_size for path in paths if path.is_file())


def main() -> None:
    """Print the numbers."""
    for name, count in sizes().items():
        print(f"{name:<14} {count / MEBIBYTE:6.0f} MiB")


if __name__ == "__main__":
    main()
