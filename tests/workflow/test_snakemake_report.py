"""Snakemake's own report: tables, figures and the report page, with captions, in figures that fit into the page."""

import re
import zipfile
from pathlib import Path

import pytest
import yaml

from support.paths import ROOT
from support.workplace import Workplace

pytestmark = pytest.mark.workflow


def test_every_caption_is_there_and_used() -> None:
    rules = "".join(path.read_text() for path in [*(ROOT / "workflow/rules").glob("*.smk"), ROOT / "Snakefile"])
    used = set(re.findall(r"report/(\w+\.rst)", rules))
    assert used == {path.name for path in (ROOT / "workflow/report").glob("*.rst")}


@pytest.mark.parametrize("name", ["default", "slurm"])
def test_a_profile_names_the_stylesheet(name: str) -> None:
    profile = yaml.safe_load((ROOT / "profiles" / name / "profile.yaml").read_text())
    assert (ROOT / profile["report-stylesheet"]).is_file()


@pytest.mark.full("a finished workflow, and a report of it")
def test_the_report_has_tables_figures_and_the_page(finished: Workplace, tmp_path: Path) -> None:
    run = finished.run("--nolock", "--report", str(tmp_path / "report.zip"))
    assert run.returncode == 0, run.stdout
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        names = [Path(name).name for name in archive.namelist()]
        page = archive.read("report/report.html").decode()
    assert {"town.csv", "tiles.png", "curves.png", "city_4.png"} <= set(names)
    assert names.count("report.html") == 2
    assert "max-height: calc(100vh" in page
    categories = re.search(r"var categories = (\{.*?\});", page)
    assert all(f'"{name}"' in categories[1] for name in ("Tables", "Summary", "town", "equal", "height"))
