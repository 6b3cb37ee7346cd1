"""Scripts and styles of Visdom's page: downloaded by Visdom itself, or taken from npm packages."""

import json
import subprocess
import tarfile
import tempfile
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Literal

from mtlaerial.config import Section, read_yaml
from mtlaerial.errors import DownloadError, UserError
from mtlaerial.system.files import writing

Source = Literal["visdom", "npm"]
MISSING = "Install Node.js with npm, or run it where there is internet, without --assets npm."


class Package(Section):
    """An npm package and the files needed from it."""

    integrity: str
    """Hash of its archive, as npm writes it."""
    files: dict[str, str]
    """From the path of a file in the package to its path in Visdom's folder."""


def packages() -> dict[str, Package]:
    """Return the packages by name and version."""
    path = Path(__file__).with_name("assets.yaml")
    return {name: Package.parse(entry, f"{path}, {name}") for name, entry in read_yaml(path).items()}


def provide_assets(source: Source) -> None:
    """Install the scripts and styles of Visdom's page unless they are complete.

    Raises
    ------
    DownloadError
        When a file cannot be downloaded, or differs from the published one.
    UserError
        When Visdom's folder cannot be written to, or npm is missing.
    """
    from visdom.utils.shared_utils import get_visdom_path

    static, visdom_version = Path(get_visdom_path("static")), version("visdom")
    if _complete(static, visdom_version):
        return
    try:
        if source == "npm":
            _from_npm(static)
        else:
            _from_internet()
        # Visdom downloads its scripts again at its start unless this file names its version.
        (static / "version.built").write_text(visdom_version, encoding="utf-8")
    except PermissionError as error:
        remedy = "Run it as the owner of this Python once."
        raise UserError(error.filename, "no permission to write", "Visdom's own folder", remedy) from None
    if not _complete(static, visdom_version):
        raise _no_internet("incomplete")


def _complete(static: Path, visdom_version: str) -> bool:
    """Return whether all files exist, and were installed for this version of Visdom."""
    built = static / "version.built"
    packaged = (package.files.values() for package in packages().values())
    paths = [static / path for path in chain.from_iterable(packaged)]
    complete = all(path.is_file() and path.stat().st_size for path in paths)
    return complete and built.is_file() and built.read_text(encoding="utf-8").strip() == visdom_version


def _from_internet() -> None:
    import requests
    from visdom.server.build import download_scripts

    try:
        download_scripts()
    except requests.RequestException as error:
        raise _no_internet(type(error).__name__) from None


def _no_internet(reason: str) -> DownloadError:
    remedy = "Without internet, take npm packages: mtlaerial dashboard --assets npm."
    return DownloadError("the scripts of Visdom's page", reason, "the internet, where Visdom gets them", remedy)


def _from_npm(static: Path) -> None:
    needed = packages()
    with tempfile.TemporaryDirectory() as folder:
        for name, (archive, integrity) in _pack(list(needed), Path(folder)).items():
            package = needed[name]
            if integrity != package.integrity:
                raise DownloadError(f"npm package {name}", integrity, package.integrity, "Look at npm's registry.")
            with tarfile.open(archive) as source:
                for inside, target in package.files.items():
                    _extract(source, f"package/{inside}", static / target)


def _pack(names: list[str], folder: Path) -> dict[str, tuple[Path, str]]:
    """Return archive and integrity of packages, which npm downloads and verifies without running their code."""
    command = ["npm", "pack", "--json", "--silent", "--ignore-scripts", "--pack-destination", str(folder), *names]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise UserError("npm", "no such program", "npm, which gets the scripts of Visdom's page", MISSING) from None
    except subprocess.CalledProcessError as error:
        reason = (error.stderr or error.stdout).strip() or f"exit code {error.returncode}"
        remedy = "Look at npm's registry and network: npm ping."
        raise DownloadError("npm pack", reason, "the scripts of Visdom's page", remedy) from None
    packed = json.loads(done.stdout)
    return {f"{one['name']}@{one['version']}": (folder / one["filename"], one["integrity"]) for one in packed}


def _extract(archive: tarfile.TarFile, inside: str, target: Path) -> None:
    member = archive.extractfile(inside)
    assert member  # the integrity of the archive was compared
    with member, writing(target) as path:
        path.write_bytes(member.read())
