"""Data sets with areas: their folds in a project, what folds share, and a fold trained alone."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.config import DatasetSpec, load_dataset, load_project
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.pipeline.context_params import Context, dataset_in
from mtlaerial.pipeline.decisive_params import Decisive
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.single_run import SingleRun, _prepare, train_single
from mtlaerial.runs.status import training_states
from support import tiny

LABELS = tiny.city_spec().model_dump(mode="json")["labels"]
AREAS = {"north": ["city_1"], "mid": ["city_2"], "south": ["city_3", "city_4"]}


def specification(folder: Path, **changes: Any) -> Path:
    """Write the specification of a data set with three areas."""
    spec = tiny.city_spec().model_dump(mode="json")
    path = folder / "town.yaml"
    path.write_text(yaml.safe_dump({**spec, "splits": {}, "areas": AREAS, **changes}, sort_keys=False))
    return path


def project(folder: Path, entry: dict[str, Any] | None = None, **changes: Any) -> Project:
    return Project.of(configuration(folder, entry, **changes))


def configuration(folder: Path, entry: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    spec = specification(folder, **changes)
    return {
        "run": {"datasets": ["town"], "methods": ["metres"], "seeds": [0]},
        "results": str(folder / "results"),
        "datasets": {"town": {"spec": str(spec), "root": str(folder / "data"), **(entry or {})}},
        "models": {"net": tiny.MODEL},
        "methods": {"metres": {"tasks": ["height"], "model": "net"}},
        "training": tiny.TRAINING,
    }


def test_each_area_is_tested_by_a_training_on_all_others(tmp_path: Path) -> None:
    town = project(tmp_path)
    assert town.runs() == [("town.north", "metres"), ("town.mid", "metres"), ("town.south", "metres")]
    assert town.datasets["town.mid"].spec.splits == {"train": ("city_1", "city_3", "city_4"), "test": ("city_2",)}
    tested = [tile for fold in town.datasets.values() for tile in fold.spec.splits["test"]]
    assert sorted(tested) == sorted(town.sources["town"].spec.tiles)
    assert [town.plan(name, "metres", 0).dataset for name in town.datasets] == list(town.datasets)
    assert town.source("town.mid") == "town"


def test_changes_for_a_data_set_apply_to_its_folds(tmp_path: Path) -> None:
    entry = {"recipe": {"training": {"batch": 3}}, "overrides": {"metres": {"training": {"epochs": 7}}}}
    town = project(tmp_path, entry)
    for fold in town.datasets:
        training = town.plan(fold, "metres", 0).training
        assert (training.batch, training.epochs) == (3, 7)


def test_a_tile_is_prepared_once_for_all_folds_and_for_each_with_a_buffer(tmp_path: Path) -> None:
    town = project(tmp_path)
    assert {town.tile_source(fold, tile) for fold in town.datasets for tile in town.sources["town"].spec.tiles} == {
        "town"
    }
    apart = project(tmp_path, buffer=10.0)
    assert apart.tile_source("town.mid", "city_1") == "town.mid"
    assert apart.tile_source("town.mid", "city_2") == "town"
    params = Decisive(apart).prepare_tile("town.mid", "city_1")
    assert (params["buffer"], params["held_out"]) == (10.0, ["city_2"])
    shared = Decisive(apart).prepare_tile("town", "city_2")
    assert (shared["buffer"], shared["held_out"]) == (0.0, [])
    assert shared == Decisive(town).prepare_tile("town", "city_2")


def test_params_of_folds_are_plain_data_and_complete(tmp_path: Path) -> None:
    town = project(tmp_path, buffer=10.0)
    context = json.loads(json.dumps(Context(town).prepare_tile("town.mid", "city_1")))
    assert dataset_in(context) == town.datasets["town.mid"]
    tables = json.loads(json.dumps(Decisive(town).tables()))
    assert tables["town"]["folds"] == ["town.north", "town.mid", "town.south"]
    assert tables["town"]["protocol"] == "3 areas, each tested by a training on all others, buffer 10 m"


def test_tiles_held_out_validate_where_they_are_not_tested(tmp_path: Path) -> None:
    town = project(tmp_path, {"hold_out": ["city_1"]})
    assert [fold.spec.splits.get("val", ()) for fold in town.datasets.values()] == [(), ("city_1",), ("city_1",)]
    with pytest.raises(ConfigError, match=r"datasets\.town\.hold_out: found the tile nowhere"):
        project(tmp_path, {"hold_out": ["nowhere"]})


def test_a_fold_is_no_data_set(tmp_path: Path) -> None:
    data = configuration(tmp_path)
    data["datasets"]["town.mid"] = {"spec": "other.yaml", "root": "other"}
    with pytest.raises(ConfigError, match=r"a fold town\.mid; expected a name that no data set has"):
        Project.of(data)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"splits": {"train": ["city_1"]}}, "found both; expected one of them"),
        ({"areas": {}}, "found neither"),
        ({"areas": {"all": ["a", "b"]}}, "found one area; expected two or more"),
        ({"areas": {"n": ["a", "b"], "s": ["b"]}}, "the tile b 2 times"),
        ({"areas": {"test": ["a"], "s": ["b"]}}, "an area named test"),
        ({"areas": {"n/m": ["a"], "s": ["b"]}}, "n/m"),
        ({"areas": {"n": [], "s": ["b"]}}, "areas.n"),
        ({"labels": {**LABELS, "files": {"train": "a.tif", "test": "b.tif"}}}, "expected the same files for all tiles"),
        ({"areas": {"csv": "areas.csv"}}, "a CSV of areas"),
    ],
)
def test_areas_that_cannot_be_tested_in_turn_are_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load_dataset(specification(tmp_path, **changes))


def test_areas_are_read_from_a_table(tmp_path: Path) -> None:
    (tmp_path / "areas.csv").write_text("area,tile\nnorth,a\nsouth,b\nnorth,c\n")
    spec = load_dataset(specification(tmp_path, areas={"csv": "areas.csv"}))
    assert spec.areas == {"north": ("a", "c"), "south": ("b",)}
    assert DatasetSpec.parse(spec.model_dump(mode="json"), "again") == spec


def test_the_status_shows_each_fold(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(configuration(tmp_path)))
    names = [status.name for status in training_states(load_project(path))]
    assert names == [f"town.{area}/metres/seed0" for area in AREAS]


def test_a_fold_is_trained_alone_by_its_area(tmp_path: Path, city: Any) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(configuration(tmp_path)))
    folder = (specification(tmp_path), city.root, tmp_path / "run", [path])
    with pytest.raises(ConfigError, match=r"areas: found north, mid, south; expected one.*--area"):
        train_single(SingleRun(*folder, "metres"))
    with pytest.raises(ConfigError, match="found no area east; expected one of north, mid, south"):
        train_single(SingleRun(*folder, "metres", area="east"))
    train_single(SingleRun(*folder, "metres", area="mid"))
    described = yaml.safe_load((tmp_path / "run/run.yaml").read_text())
    assert sorted(described["statistics"]["tiles"]) == ["city_1", "city_3", "city_4"]
    assert described["plan"]["dataset"] == "town.mid"


def test_a_training_alone_has_the_changes_for_the_data_set_of_its_name(tmp_path: Path, city: Any) -> None:
    """As in the workflow; those for a data set of another name are not taken."""
    changes = {"recipe": {"training": {"batch": 3}}, "overrides": {"metres": {"training": {"epochs": 7}}}}
    path, budgets = tmp_path / "config.yaml", []
    for name in ("town", "village"):
        config = configuration(tmp_path)
        config["datasets"] = {"town": config["datasets"]["town"]}
        config["datasets"].setdefault(name, dict(config["datasets"]["town"])).update(changes)
        path.write_text(yaml.safe_dump(config))
        spec, folder = tmp_path / "town.yaml", tmp_path / "run"
        training = _prepare(SingleRun(spec, city.root, folder, [path], "metres", area="mid")).plan.training
        budgets.append((training.batch, training.epochs))
    assert budgets == [(3, 7), (2, 3)]


def test_changes_by_an_entry_of_another_name_are_said_not_to_count(
    tmp_path: Path, city: Any, caplog: pytest.LogCaptureFixture
) -> None:
    path, config = tmp_path / "config.yaml", configuration(tmp_path)
    entry = config["datasets"].pop("town")
    config["run"]["datasets"] = ["village"]
    for changes in ({}, {"recipe": {"training": {"batch": 3}}}):
        config["datasets"]["village"] = entry | changes
        path.write_text(yaml.safe_dump(config))
        single = SingleRun(tmp_path / "town.yaml", city.root, tmp_path / "run", [path], "metres", area="mid")
        assert _prepare(single).plan.training.batch == 2
        assert ("recipe and overrides of village" in caplog.text) is bool(changes)


def test_a_training_alone_notes_a_task_without_ground_truth_once(
    tmp_path: Path, city: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    path, config = tmp_path / "config.yaml", configuration(tmp_path)
    config["methods"]["metres"] = {"tasks": ["semantics", "height"], "model": "net"}
    path.write_text(yaml.safe_dump(config))
    spec = specification(tmp_path, labels=None)
    _prepare(SingleRun(spec, city.root, tmp_path / "run", [path], "metres", area="mid"))
    assert caplog.text.count("Without semantics, of which town.mid has no ground truth: metres.") == 1


@pytest.mark.full("several data sets are prepared")
def test_shared_tiles_of_another_fold_or_buffer_are_not_taken(tmp_path: Path, city: Any) -> None:
    """A training tile's truth depends on the area that is left out, as soon as there is a buffer."""
    path, shared = tmp_path / "config.yaml", tmp_path / "tiles"

    def train(area: str, **changes: Any) -> None:
        path.write_text(yaml.safe_dump(configuration(tmp_path)))
        spec = specification(tmp_path, **changes)
        _prepare(SingleRun(spec, city.root, tmp_path / area, [path], "metres", area=area, tiles=shared))

    train("mid", buffer=10.0)
    train("mid", buffer=10.0)
    for area, changes in (("south", {"buffer": 10.0}), ("mid", {"buffer": 5.0}), ("mid", {})):
        with pytest.raises(DataError, match="one of the same keys and files"):
            train(area, **changes)
