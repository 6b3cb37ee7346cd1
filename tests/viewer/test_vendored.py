"""Files of the page: the vendored ones with their licences, as published, and all of them in the wheel."""

import importlib.util
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.paths import ROOT

PAGE = ROOT / "src/mtlaerial/viewer/page"
VENDORED = PAGE / "vendor/maplibre-gl"
SCRIPTS = sorted(PAGE.glob("*.js"))


def test_maplibre_has_its_licence_beside_it() -> None:
    licence = (VENDORED / "LICENSE.txt").read_text(encoding="utf-8")
    assert "MapLibre contributors" in licence
    assert "Redistribution and use in source and binary forms" in licence
    bundled = (VENDORED / "BUNDLED-LICENSES.txt").read_text(encoding="utf-8")
    assert all(name in bundled for name in ("earcut", "gl-matrix", "kdbush", "@mapbox/vector-tile", "pbf"))
    assert "MapLibre GL JS" in (ROOT / "docs/licences.md").read_text(encoding="utf-8")


def test_the_page_names_files_that_ship_with_it() -> None:
    text = (PAGE / "index.html").read_text(encoding="utf-8")
    named = re.findall(r'(?:href|src)="page/([^"]+)"', text)
    assert len(named) > 4
    assert all((PAGE / name).is_file() for name in named)
    for script in SCRIPTS:
        imported = re.findall(r'from "\./([^"]+)"', script.read_text(encoding="utf-8"))
        assert all((PAGE / name).is_file() for name in imported), script


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_short(script: Path) -> None:
    assert len(script.read_text(encoding="utf-8").splitlines()) < 200


@pytest.mark.full("starts Node for each script")
@pytest.mark.skipif(shutil.which("node") is None, reason="no Node.js: apt-get install nodejs")
def test_scripts_are_valid(tmp_path: Path) -> None:
    for script in SCRIPTS:
        module = shutil.copy(script, tmp_path / f"{script.stem}.mjs")
        subprocess.run(["node", "--check", str(module)], check=True, capture_output=True)


@pytest.mark.full("fetches MapLibre")
@pytest.mark.skipif(shutil.which("npm") is None, reason="no npm: apt-get install npm")
def test_the_vendored_files_are_the_published_ones(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("vendor_maplibre", ROOT / "envs/vendor_maplibre.py")
    assert spec
    assert spec.loader
    vendor = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(vendor)
    vendor.install(tmp_path)
    for file in vendor.FILES:
        published = tmp_path / "node_modules/maplibre-gl" / file
        assert published.read_bytes() == (VENDORED / Path(file).name).read_bytes(), file


@pytest.mark.full("builds a wheel")
def test_the_wheel_has_the_page(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(tmp_path),
    ]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    files = {path.relative_to(ROOT / "src").as_posix() for path in PAGE.rglob("*") if path.is_file()}
    assert len(files) > 14
    assert files <= names
