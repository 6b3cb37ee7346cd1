"""Files of installed Python packages, found without importing the packages."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path


def package_file(package: str, path: str) -> Path | None:
    """Return the place of a file of an installed package; None where the package is not installed.

    Parameters
    ----------
    package : str
        The name by which pip installs it.
    path : str
        The file's path, as the package lists it.
    """
    try:
        installed = distribution(package)
    except PackageNotFoundError:
        return None
    return Path(str(installed.locate_file(path)))
