"""A data set with areas in the workflow: a run per fold, tiles and checks for all, one table."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from support.workplace import Workplace

pytestmark = pytest.mark.workflow
AREAS = {"north": ["city_1", "city_2"], "south": ["city_3", "city_4"]}
ONE: dict[str, Any] = {
    "run": {"methods": ["equal"], "seeds": [0]},
    "training": {"epochs": 1, "selection": "last"},
}


def set_areas(place: Workplace, buffer: float) -> None:
    data = yaml.safe_load(place.spec.read_text())
    data.pop("splits", None)
    place.spec.write_text(yaml.safe_dump({**data, "areas": AREAS, "buffer": buffer}, sort_keys=False))


def number(messages: list[str], first: str) -> int:
    return sum(message.startswith(first) for message in messages)


@pytest.mark.full("two plans by Snakemake")
def test_folds_share_checks_and_tiles_but_those_with_a_buffer(tmp_path: Path) -> None:
    place = Workplace(tmp_path / "place")
    set_areas(place, buffer=0)
    messages = place.planned(ONE)
    numbers = {verb: number(messages, f"{verb} ") for verb in ("Checking", "Preparing", "Training", "Scoring")}
    assert numbers == {"Checking": 4 + 1, "Preparing": 4, "Training": 2, "Scoring": 2}
    assert {"Training equal on city.north, seed 0", "Training equal on city.south, seed 0"} <= set(messages)
    set_areas(place, buffer=5)
    apart = place.planned(ONE)
    assert number(apart, "Preparing ") == 8
    assert number(apart, "Checking ") == 5
    assert number(apart, "Locating ") == 2


@pytest.mark.full("a real workflow of two folds, twice")
def test_one_table_pools_the_folds(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "place")
    set_areas(place, buffer=0)
    run = place.run(config=ONE)
    assert run.returncode == 0, run.stdout
    results = place.folder / "results"
    assert sorted(path.name for path in (results / "town/tiles").iterdir()) == [*AREAS["north"], *AREAS["south"]]
    table = (results / "tables/town.md").read_text().replace("\\", "")
    assert "2 areas, each tested by a training on all others, no buffer" in table
    assert "4 test tiles, pooled" in table
    scores = pd.read_csv(results / "tables/scores.csv")
    assert set(scores["dataset"]) == {"town"}
    page = (results / "report.html").read_text()
    assert "2 areas, each tested by a training on all others, no buffer" in page
    assert "town.north: " in page
    assert place.planned(ONE) == []
    set_areas(place, buffer=5)
    again = place.run(config=ONE)
    assert again.returncode == 0, again.stdout
    assert "buffer 5 m" in (results / "tables/town.md").read_text()
    assert sorted(path.name for path in (results / "town.north/tiles").iterdir()) == AREAS["south"]
    note = "The buffer of 5 m takes"
    assert note in (results / "report.html").read_text()
    assert place.planned(ONE) == []
