"""axe-core, which finds faults of accessibility: from npm, with its version and hash pinned here."""

import base64
import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

VERSION = "4.14.1"
INTEGRITY = "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
"""Hash of its archive, as npm writes it."""
GRAVE = ("serious", "critical")
RUN = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"


def fetch_axe(folder: Path) -> None:
    """Write ``axe.min.js`` into a folder that does not exist yet; skip the test where npm is missing.

    npm downloads the archive and runs none of its code.
    """
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm, which gets axe-core: apt-get install npm")
    folder.mkdir(parents=True)
    command = [npm, "pack", "--silent", "--ignore-scripts", f"axe-core@{VERSION}"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (archive,) = folder.glob("*.tgz")
    digest = f"sha512-{base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()}"
    assert digest == INTEGRITY, f"axe-core {VERSION}: found {digest}; expected {INTEGRITY}"
    with tarfile.open(archive) as source:
        member = source.extractfile("package/axe.min.js")
        assert member
        (folder / "axe.min.js").write_bytes(member.read())


def grave_faults(page: Any, script: Path) -> list[str]:
    """Return the serious and critical faults of accessibility of a page that a browser shows, with their elements."""
    page.evaluate(script.read_text(encoding="utf-8"))  # not as an element, which a page's content policy may refuse
    faults = [fault for fault in page.evaluate(RUN) if fault["impact"] in GRAVE]
    return [f"{fault['id']}: {', '.join(node['html'][:120] for node in fault['nodes'][:3])}" for fault in faults]
