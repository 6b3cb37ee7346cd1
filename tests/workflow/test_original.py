"""The original's whole configuration, on generated data in both layouts: every row of the tables is filled."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from mtlaerial.config import merge, read_yaml
from support.paths import ROOT
from support.workplace import Workplace, shorten_original

pytestmark = pytest.mark.workflow
WEIGHTINGS = ("feature_normalisation", "mgda", "mgda_ub", "gradnorm", "gradient_penalty")
BOTH = ("equal", *WEIGHTINGS, "equal_dropout", "equal_noskips")
TASKS = {"semantics": ("semantics",), "height": ("height",), **dict.fromkeys(BOTH, ("semantics", "height"))}
SCORES = {"semantics": ("OA", "AA", "kappa", "mIoU", "F1"), "height": ("MAE", "RMSE", "REL", "delta1")}
DATASETS = ("dfc2018", "vaihingen")
TEST_TILES = 1
"""Test tiles of each data set that is mapped: the figures of all 27 would take most of the time."""


def planned(output: str) -> dict[str, int]:
    """Return the number of jobs of each rule that a dry run prints."""
    table = output.rsplit("Job stats:", 1)[1].split("total", 1)[0]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


def section(heading: str) -> str:
    """Return a section of the page on the reproduction."""
    page = (ROOT / "docs" / "reproduction.md").read_text()
    return page.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return Workplace(tmp_path_factory.mktemp("original") / "place", Path(__file__).with_name("original.yaml"))


@pytest.fixture(scope="module")
def shortened(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Return a workplace whose data sets have a few tiles in each split."""
    place = Workplace(tmp_path_factory.mktemp("shortened") / "place", Path(__file__).with_name("original.yaml"))
    for name in DATASETS:
        shorten_original(place.folder / "config" / "datasets" / f"{name}.yaml")
    return place


@pytest.mark.full("the plan of 14 trainings")
def test_the_plan_is_as_the_documentation_explains(place: Workplace) -> None:
    text = section("3. The jobs")
    rows = re.findall(r"^\| ([\w, ]+?) \| (\d+)(?: each)? \|", text, re.MULTILINE)
    explained = {rule: int(count) for rules, count in rows for rule in rules.split(", ")}
    downloads = {"fetch_pretrained": 1}  # what a network of its full size begins with
    seeds = {"run": {"seeds": [0, 1, 2]}}
    assert planned(place.run("--dry-run", config=seeds).stdout) | downloads == explained | {"synthesise": 2}


def first_hour() -> list[tuple[list[str], int]]:
    """Return each selection of the first hour as arguments of ``--config``, and its number of jobs."""
    text = section("A first hour")
    (first, trial) = re.findall(r"^    snakemake -n --config (.+)$", text, re.MULTILINE)
    (jobs,) = re.findall(r"^\| together \| (\d+) \|", text, re.MULTILINE)
    rows = re.findall(r"^\| `([^`]+)`.*? \| (\d+) \|$", text, re.MULTILINE)
    begun = {"datasets": ["dfc2018"], "methods": ["equal"], "seeds": [0]}
    added = [([f"run={json.dumps(begun | json.loads(f'{{{changes}}}'))}"], int(number)) for changes, number in rows]
    return [(shlex.split(first), int(jobs)), (shlex.split(trial), int(jobs)), *added]


@pytest.mark.full("plans of three commands")
def test_the_first_hour_has_the_jobs_that_the_documentation_says(place: Workplace) -> None:
    arguments, jobs = first_hour()[0]
    counts = planned(place.run("--dry-run", "--config", *arguments).stdout)
    assert sum(counts.values()) == jobs  # synthesise, where a download has fetch_pretrained
    assert counts["train"] == counts["synthesise"] == 1
    parts = re.findall(r"^\| (.+?) \| (\d+) \|", section("A first hour"), re.MULTILINE)
    numbers = [int(number) for part, number in parts if not part.startswith(("`", "together"))]
    assert sum(numbers) == jobs


@pytest.mark.full("four more plans")
@pytest.mark.parametrize("selection", first_hour()[1:], ids=str)
def test_added_rows_have_the_jobs_that_the_documentation_says(
    place: Workplace, selection: tuple[list[str], int]
) -> None:
    counts = planned(place.run("--dry-run", "--config", *selection[0]).stdout)
    assert sum(counts.values()) == selection[1]


@pytest.mark.full("two more plans")
@pytest.mark.parametrize("overlay", ["original_single", "no_skips"])
def test_the_plan_of_an_overlay_is_as_the_documentation_explains(place: Workplace, overlay: str) -> None:
    text = " ".join(section("3. The jobs").split())
    (explained,) = re.findall(rf"`config/{overlay}\.yaml`,?[\w `,]*? (\d+)[;.,]", text)
    whole = {"run": {"seeds": [0, 1, 2]}, "prediction": {"window": 1024}}
    changes = merge(read_yaml(ROOT / "config" / f"{overlay}.yaml"), whole)
    counts = planned(place.run("--dry-run", config=changes).stdout)
    assert sum(counts.values()) - counts["synthesise"] + 1 == int(explained)  # and fetch_pretrained


def require_every_row(place: Workplace, selected: Mapping[str, Iterable[str]]) -> None:
    """Require all scores of some methods on each data set."""
    scores = pd.read_csv(place.folder / "results" / "tables" / "everything.csv")
    whole = scores[(scores.group == "overall") & (scores.pooling == "pooled")]
    for dataset, methods in selected.items():
        for method in methods:
            tasks = TASKS[method]
            rows = whole[(whole.dataset == dataset) & (whole.method == method)]
            assert set(rows["mask"]) >= ({"eroded"} if (dataset, tasks[0]) == ("vaihingen", "semantics") else set())
            for score in (score for task in tasks for score in SCORES[task]):
                assert rows[rows.score == score].n.eq(1).any(), (dataset, method, score)


@pytest.mark.full("the original's every method in one layout, and two kinds in the other")
def test_every_row_is_filled_and_reported(shortened: Workplace) -> None:
    place = shortened
    kinds = ["semantics", "equal_dropout"]
    config = {"datasets": {"vaihingen": {"methods": kinds}}}
    run = place.run(timeout=1800, config=config)
    assert run.returncode == 0, run.stdout[-5000:]
    results = place.folder / "results"
    require_every_row(place, {"dfc2018": TASKS, "vaihingen": kinds})
    for dataset in DATASETS:
        assert "generated" in (results / "tables" / f"{dataset}.md").read_text()
        maps = list((results / dataset / "runs/equal_dropout/seed0").rglob("height_std.tif"))
        assert len(maps) == TEST_TILES
    assert place.planned(config) == []
    report = place.run("--report", "report.html", config=config)  # Snakemake's own, which needs no network
    assert report.returncode == 0, report.stdout
    assert "mgda_ub" in (place.folder / "report.html").read_text()
