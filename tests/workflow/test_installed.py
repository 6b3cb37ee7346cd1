"""The installed wheel, away from the repository: new projects, the workflow, modules, and commands."""

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from support.paths import ROOT
from support.shared import made_once

pytestmark = pytest.mark.full("builds and installs a wheel, and plans workflows from it")
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
MODULE = """
from mtlaerial.config.workflow_folder import workflow_folder

configfile: "study.yaml"

module town:
    snakefile: str(workflow_folder() / "Snakefile")
    config: config["town"]

use rule * from town as town_*

rule mine:
    input: "out/town/tables"
"""
STUDY = "town: {recipe: compact, run: {datasets: [city], methods: [equal], seeds: [0, 1]}, results: out/town}"
Command = Callable[..., str]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built from the source distribution as by `python -m build`."""
    folder = made_once(tmp_path_factory, "wheel", _build)
    return next(folder.glob("*.whl"))


def _build(folder: Path) -> None:
    folder.mkdir()
    backend = "import sys; from hatchling.build import build_sdist; build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", backend, str(folder)], cwd=ROOT, check=True)
    (source,) = folder.glob("*.tar.gz")
    offline = ("--no-deps", "--no-build-isolation", "--no-index")
    subprocess.run([*PIP, "wheel", *offline, "--wheel-dir", str(folder), str(source)], check=True)


@pytest.fixture(scope="session")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the installed wheel."""

    def install(folder: Path) -> None:
        options = ("--no-deps", "--no-index", "--target", str(folder))
        subprocess.run([*PIP, "install", *options, str(wheel)], check=True)

    return made_once(tmp_path_factory, "site", install)


@pytest.fixture
def call(site: Path, tmp_path: Path) -> Command:
    """Return a function that runs a module of the installation in an empty folder and returns what it prints."""
    variables = {**os.environ, "PYTHONPATH": str(site), "COLUMNS": "200"}

    def run(module: str, *arguments: str, folder: str = ".", code: int = 0) -> str:
        command = [sys.executable, "-m", module, *arguments]
        place = tmp_path / folder
        done = subprocess.run(command, cwd=place, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def planned(output: str) -> dict[str, int]:
    """Return the number of jobs of each rule in a plan."""
    table = output[output.index("Job stats:") : output.index("total ")]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


def files_below(folder: str, base: Path = ROOT) -> set[str]:
    """Return the files of a folder of the repository, without compiled ones, as paths below a base."""
    paths = (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(base).as_posix() for path in paths}


def test_the_wheel_holds_the_workflow_and_nothing_else_of_the_repository(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    prefix = "mtlaerial/workflow/"
    workflow = {name for name in names if name.startswith(prefix)}
    expected = {"Snakefile"}.union(*(files_below(folder) for folder in ("config", "profiles", "workflow")))
    assert {name.removeprefix(prefix) for name in workflow} == expected
    assert names - workflow == files_below("src/mtlaerial", ROOT / "src")


def test_an_editable_installation_holds_no_copy_of_the_repository(tmp_path: Path) -> None:
    backend = "import sys; from hatchling.build import build_editable; build_editable(sys.argv[1])"
    subprocess.run([sys.executable, "-c", backend, str(tmp_path)], cwd=ROOT, check=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        assert names == ["_mtlaerial.pth"]
        assert archive.read(names[0]).decode().strip() == str(ROOT / "src")


def test_commands_find_the_workflow_in_the_package(call: Command, site: Path) -> None:
    assert call("mtlaerial", "workflow-path").strip() == str(site / "mtlaerial" / "workflow")
    assert "autzen_r1c2" in call("mtlaerial", "check", "autzen", "--root", ".", code=1)
    assert "vaihingen/equal/seed0" in call("mtlaerial", "status", "--config", "config/config.yaml")


def test_a_new_project_is_planned_once_its_files_are_there(call: Command) -> None:
    call("mtlaerial", "init", "here", "--dataset", "own")
    assert "Data set own (My town): 12 required files are missing." in call("snakemake", "-n", folder="here", code=1)
    call("mtlaerial", "synthesise", "config/datasets/own.yaml", "--out", "datasets/own", "--size", "64", folder="here")
    jobs = planned(call("snakemake", "-n", "--config", 'run={"seeds": [3]}', folder="here"))
    assert (jobs["prepare_tile"], jobs["train"], jobs["score"], jobs["report"]) == (4, 3, 3, 1)


def test_the_workflow_runs_in_another_folder_with_an_overlay(call: Command, site: Path) -> None:
    workflow = site / "mtlaerial" / "workflow"
    overlay = str(workflow / "config" / "demo.yaml")
    jobs = planned(call("snakemake", "-s", str(workflow / "Snakefile"), "-d", "there", "-n", "--configfile", overlay))
    assert (jobs["synthesise"], jobs["train"], jobs["report"]) == (1, 6, 1)


def test_another_snakefile_takes_the_workflow_as_a_module(call: Command, tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(MODULE)
    (tmp_path / "study.yaml").write_text(STUDY)
    jobs = planned(call("snakemake", "-n", "mine"))
    assert (jobs["town_train"], jobs["town_tables"], jobs["mine"]) == (2, 1, 1)
    fewer = planned(call("snakemake", "-n", "mine", "--config", 'town={"run": {"seeds": [5]}}'))
    assert fewer["town_train"] == 1
