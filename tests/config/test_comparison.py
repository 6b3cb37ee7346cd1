"""The shipped comparison of weightings: fair, with power, and with weights that no tested tile chose."""

import pytest

from mtlaerial.config import load_dataset
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.config.recipe_overlay import merge_files
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.pipeline.decisive_params import Decisive
from mtlaerial.pipeline.power_notes import power_notes
from mtlaerial.pipeline.project import Project
from mtlaerial.reporting.folds import Evaluation, pool_folds
from mtlaerial.reporting.tables.comparison import compare
from mtlaerial.scoring.finished_row import load_row
from support import tiny
from support.paths import ROOT

FILES = [tiny.CONFIG / name for name in ("config.yaml", "comparison.yaml")]
CHOICE = [*FILES, tiny.CONFIG / "comparison_weight.yaml"]
CITIES = ("city_hard", "city_hard_weight")


@pytest.fixture
def projects(monkeypatch: pytest.MonkeyPatch) -> tuple[Project, Project]:
    """Return the comparison, and the choice of its constant weight."""
    monkeypatch.chdir(ROOT)
    return Project.of(merge_files(FILES)), Project.of(merge_files(CHOICE))


def test_rows_of_the_comparison_differ_in_tasks_and_weighting_alone(projects: tuple[Project, Project]) -> None:
    comparison, _ = projects
    config = comparison.config
    assert len(config.run.seeds) == 8
    for name in config.run.datasets:
        methods = config.selected(name)
        assert set(methods) <= set(config.run.methods)
        assert len({recipe_in_force(config, {}, method).model_dump_json() for method in methods}) == 1
        assert len({config.methods[method].model for method in methods}) == 1
        assert {"semantics", "height", "equal", "rlw", "uw", "upgrad"} <= set(methods)
    assert config.methods["uw"].weighting.model_dump()["learning_rate"] == 0.025


def test_design_detects_its_margin(projects: tuple[Project, Project]) -> None:
    comparison, _ = projects
    assert list(power_notes(comparison)) == []
    assert comparison.config.run.comparison.margin == 0.05


def test_constant_weight_is_chosen_on_tiles_that_are_not_compared(projects: tuple[Project, Project]) -> None:
    comparison, choice = projects
    compared, chosen = (set().union(*map(places, each.sources.values())) for each in projects)
    assert len(compared) == 15 + 18
    assert len(chosen) == 5 + 18
    assert not compared & chosen
    compared_city, chosen_city = (
        each.config.datasets[name].generate for each, name in zip(projects, CITIES, strict=True)
    )
    assert compared_city
    assert chosen_city
    assert compared_city.seed != chosen_city.seed
    assert compared_city.model_copy(update={"seed": chosen_city.seed}) == chosen_city
    assert {choice.config.methods[name].weighting.name for name in choice.config.run.methods} == {"equal", "fixed"}
    assert choice.config.training == comparison.config.training
    assert choice.config.models["d3net"] == comparison.config.models["d3net"]


@pytest.mark.parametrize(
    ("name", "of_choice"), [("autzen_columns", "autzen_column_1"), ("city_hard", "city_hard_weight")]
)
def test_constant_weight_is_the_best_of_the_recorded_choice(
    name: str, of_choice: str, projects: tuple[Project, Project]
) -> None:
    comparison, choice = projects
    recorded = [load_row(path).scores for path in (ROOT / "docs/data/comparison_weight").glob(f"{of_choice}.*/*.json")]
    tables = Decisive(choice).tables()[of_choice]
    pooled = pool_folds(recorded, {of_choice: Evaluation(folds=tables["folds"], protocol=tables["protocol"])})
    effects = {method: each.difference.effect for method, each in compare(pooled, "equal").items()}
    assert set(effects) == set(choice.config.run.methods) - {"equal"}
    best = max(effects, key=lambda method: effects[method])
    expected = {best} if effects[best] > 0 else set()
    assert effects.keys() & set(comparison.config.selected(name)) == expected


@pytest.mark.parametrize(
    ("part", "whole"), [("autzen_columns", "autzen"), ("autzen_column_1", "autzen"), ("city_18_areas", "city_18")]
)
def test_parts_are_described_like_the_whole(part: str, whole: str) -> None:
    specs = [load_dataset(tiny.CONFIG / "datasets" / f"{name}.yaml") for name in (part, whole)]
    described, expected = (spec.model_dump(exclude={"title", "splits", "areas"}) for spec in specs)
    assert described == expected
    assert set(specs[0].tiles) <= set(specs[1].tiles)


def places(dataset: Dataset) -> set[str]:
    """Return folder and name of each tile."""
    return {f"{dataset.root}/{tile}" for tile in dataset.spec.tiles}
