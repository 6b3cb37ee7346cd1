"""Scores of runs without Snakemake: the same tables, and one sentence where run and data set do not fit."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import rasterio
import torch
import yaml
from typer.testing import CliRunner

from mtlaerial.cli import app
from mtlaerial.config import PredictionSpec, ScoringSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import UserError
from mtlaerial.pipeline.score_runs import score_runs
from mtlaerial.pipeline.scored_run import row_names
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.prediction.settings import scored_prediction
from mtlaerial.reporting.tables import write_tables
from mtlaerial.runs.import_original import import_checkpoint
from mtlaerial.runs.run import load_description
from mtlaerial.scoring.run_scores import score_run
from support import original
from support.small_runs import changed_run
from support.tiny import CONFIG, Folders, write_raster, write_spec


@pytest.fixture
def spec(city: Dataset, tmp_path: Path) -> Path:
    return write_spec(city, tmp_path / "city.yaml")


@pytest.fixture(scope="module")
def expected(run_folder: Path, tiles: Folders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the tables of the workflow's own steps."""
    folder = tmp_path_factory.mktemp("expected")
    run = folder / "run"
    shutil.copytree(run_folder, run)
    Predictor(run).predict_tiles(tiles["test"], run / "maps")
    write_tables([score_run(run, tiles["test"], ScoringSpec(), "fixed split, no buffer")], folder / "tables")
    return folder / "tables"


def test_score_gives_the_workflow_s_tables_to_the_byte(
    city: Dataset, spec: Path, run_folder: Path, expected: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(run_folder, run)
    result = CliRunner().invoke(app, ["score", str(run), str(spec), "--root", str(city.root)])
    assert result.exit_code == 0, result.output
    tables = run / "scores" / "city" / "tables"
    assert {path.name for path in tables.iterdir()} == {path.name for path in expected.iterdir()}
    for path in expected.iterdir():
        assert (tables / path.name).read_bytes() == path.read_bytes(), path.name
    lines = [line.split() for line in result.output.splitlines()]
    # Of the next table, which is wider, the columns are in parts.
    scores, *_ = (tables / "city.md").read_text().split("\n\nGenerated data:")
    rows = re.findall(r"(?m)^\| (\w.*) \|$", scores.replace("\\", ""))
    assert len(rows) > 5
    assert all(row.replace("|", " ").split() in lines for row in rows)
    assert "\\" not in result.output


def test_a_data_set_of_heights_alone_scores_the_heights_of_a_run_of_both(
    city: Dataset, run_folder: Path, expected: Path, tmp_path: Path
) -> None:
    data = city.spec.model_dump(mode="json", exclude_none=True, exclude={"labels"})
    spec = tmp_path / "elsewhere.yaml"
    spec.write_text(yaml.safe_dump({**data, "title": "Elsewhere"}))
    (scores,) = score_runs([run_folder], spec, city.root, tmp_path / "out")
    assert (scores.dataset, scores.title, scores.method) == ("elsewhere", "Elsewhere", "equal (city)")
    assert not scores.confusion().any()
    assert scores.height("all")["overall"][0] > 0


@pytest.mark.full("predicts with the original's wide decoder")
def test_runs_of_another_implementation_are_rows_beside_ours(
    city: Dataset, spec: Path, run_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    weights = original.weights(original.shapes((6, 1), True))
    torch.save({"state_dict": weights}, tmp_path / "d3net.pth.tar")
    import_checkpoint(tmp_path / "d3net.pth.tar", spec, tmp_path / "original", height_unit=20)
    scores = score_runs([run_folder, tmp_path / "original"], spec, city.root, tmp_path / "out", blend="original")
    assert [run.method for run in scores] == ["equal", "original (imported)"]
    assert {run.prediction.blend for run in scores} == {"original"}
    table = (tmp_path / "out" / "tables" / "city.md").read_text()
    assert " equal " in table
    assert " original (imported)" in table
    assert "imported: recipe and training tiles not known" in table
    assert caplog.text.count("whether it was trained or selected on test tiles could not be told") == 1
    assert {path.name for path in (tmp_path / "out" / "runs").iterdir()} == {"1_equal_seed0", "2_original_imported"}


def test_runs_are_scored_by_the_windows_that_are_asked_for(
    city: Dataset, spec: Path, run_folder: Path, tmp_path: Path
) -> None:
    (scores,) = score_runs([run_folder], spec, city.root, tmp_path / "out", blend="even")
    configured = load_description(run_folder).plan.prediction
    assert (configured.blend, scores.prediction.blend, scores.prediction.stride) == ("original", "even", 1184)


def test_the_original_s_protocol_has_the_windows_of_the_data_set_and_a_sigmoid() -> None:
    fitted = PredictionSpec.fitted()
    recipe = PredictionSpec(stride=1024)
    prediction = scored_prediction(fitted, "original", recipe)
    assert (prediction.blend, prediction.window, prediction.stride) == ("original", 1024, 1024)
    assert prediction.activation == "sigmoid"
    assert scored_prediction(fitted, "original", fitted).stride == 256
    assert scored_prediction(fitted, None, recipe) == fitted


def test_files_of_training_tiles_are_not_needed(city: Dataset, spec: Path, run_folder: Path, tmp_path: Path) -> None:
    for layer in ("images", "height", "labels"):
        (tmp_path / "files" / layer).mkdir(parents=True)
        shutil.copy(city.root / layer / "city_4.tif", tmp_path / "files" / layer)
    (scores,) = score_runs([run_folder], spec, tmp_path / "files", tmp_path / "out")
    assert set(scores.tiles) == {"city_4"}


def test_files_without_georeference_score_like_those_with_one(
    city: Dataset, spec: Path, run_folder: Path, tmp_path: Path
) -> None:
    for layer in ("images", "height", "labels"):
        with rasterio.open(city.root / layer / "city_4.tif") as source:
            write_raster(tmp_path / "bare" / layer / "city_4.tif", source.read(), pixel=0)
    bare = score_runs([run_folder], spec, tmp_path / "bare", tmp_path / "out")
    placed = score_runs([run_folder], spec, city.root, tmp_path / "placed")
    assert bare[0].tiles["city_4"].confusion == placed[0].tiles["city_4"].confusion
    assert bare[0].tiles["city_4"].height == placed[0].tiles["city_4"].height


CLASSES = [{"name": name, "values": [code], "colour": "#000000"} for code, name in enumerate(("road", "house"), 1)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": {"classes": CLASSES}}, ("key labels.classes", "road, house", "impervious, building")),
        (
            {"image": {"band_names": ["nir", "red", "green"]}},
            ("key image.band_names", "nir, red, green", "red, green, b"),
        ),
        ({"image": {"range": [0, 127]}}, ("key image.range", "[0.0, 127.0]", "[0, 255]")),
        ({"splits": {"test": []}}, ("key splits.test", "no tiles")),
        ({"splits": {"train": ["city_4"], "test": ["city_1"]}}, ("city_1", "was trained on, as city_1")),
    ],
    ids=["classes", "bands", "range", "no test tiles", "trained tile"],
)
def test_a_run_and_a_data_set_that_do_not_fit_are_told_in_a_sentence(
    city: Dataset, run_folder: Path, tmp_path: Path, changes: dict[str, Any], words: tuple[str, ...]
) -> None:
    spec = write_spec(city, tmp_path / "city.yaml", **changes)
    with pytest.raises(UserError) as error:
        score_runs([run_folder], spec, city.root, tmp_path / "out")
    for word in words:
        assert word in str(error.value)
    assert not (tmp_path / "out" / "tables").exists()


def test_images_of_another_pixel_size_are_refused(city: Dataset, spec: Path, run_folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(run_folder, run)
    data = yaml.safe_load((run / "run.yaml").read_text())
    data["statistics"]["gsd"] = 0.2
    (run / "run.yaml").write_text(yaml.safe_dump(data))
    with pytest.raises(UserError, match=r"image of city_4: found pixels of 0\.5 x 0\.5 m; expected about 0\.2"):
        score_runs([run], spec, city.root, tmp_path / "out")


def test_earlier_tables_are_not_replaced_and_no_run_counts_twice(
    city: Dataset, spec: Path, run_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="given twice"):
        score_runs([run_folder, run_folder], spec, city.root, tmp_path / "out")
    (tmp_path / "out" / "tables").mkdir(parents=True)
    with pytest.raises(UserError, match=r"tables of an earlier scoring; .* add --replace"):
        score_runs([run_folder], spec, city.root, tmp_path / "out")
    earlier = tmp_path / "out" / "tables" / "town.md"
    earlier.touch()
    score_runs([run_folder], spec, city.root, tmp_path / "out", replace=True)
    assert (tmp_path / "out" / "tables" / "city.md").exists()
    assert not earlier.exists()


def test_only_runs_that_differ_in_the_seed_alone_share_a_row(run_folder: Path) -> None:
    run = load_description(run_folder)

    def changed(seed: int, epochs: int = 3, dataset: str = "city") -> Any:
        training = run.plan.training.model_copy(update={"epochs": epochs})
        plan = run.plan.model_copy(update={"seed": seed, "training": training, "dataset": dataset})
        return run.model_copy(update={"plan": plan})

    folders = [Path("a"), Path("b"), Path("c")]
    assert row_names(folders, [changed(0), changed(1), changed(2)], ["city"]) == ["equal"] * 3
    assert row_names(folders, [changed(0), changed(1, epochs=9), changed(2)], ["city"]) == ["a", "b", "c"]
    assert row_names(folders[:2], [changed(0), changed(0)], ["city"]) == ["a", "b"]
    assert row_names(folders[:2], [changed(0), changed(0, dataset="town")], ["city"]) == ["equal", "equal (town)"]


def test_ensembles_that_predict_differently_share_no_row(run_folder: Path) -> None:
    run = load_description(run_folder)

    def ensemble(seed: int, views: tuple[str, ...] = ()) -> Any:
        prediction = run.plan.prediction.model_copy(update={"views": views})
        plan = run.plan.model_copy(update={"method": "mean", "seed": seed, "prediction": prediction})
        return run.model_copy(update={"plan": plan, "members": {Path("member"): run}})

    folders = [Path("a"), Path("b")]
    assert row_names(folders, [ensemble(0), ensemble(1)], ["city"]) == ["mean", "mean"]
    assert row_names(folders, [ensemble(0), ensemble(1, ("mirror",))], ["city"]) == ["a", "b"]


def test_the_configuration_s_scoring_decides_before_the_recipe(
    city: Dataset, spec: Path, run_folder: Path, tmp_path: Path
) -> None:
    overlay = tmp_path / "bins.yaml"
    overlay.write_text("scoring: {height_bins: [3, 9], error_unit: 5}\n")
    configs = [CONFIG / "config.yaml", overlay]
    (scores,) = score_runs([run_folder], spec, city.root, tmp_path / "out", configs=configs)
    assert "3-9 m" in scores.height("all")
    assert scores.height_unit == 5


def test_the_overrides_of_method_and_data_set_decide_the_scores_as_in_the_workflow(
    city: Dataset, spec: Path, run_folder: Path, tmp_path: Path
) -> None:
    entry = {"spec": str(spec), "root": str(city.root), "recipe": {"scoring": {"error_unit": 5}}}
    method = {"overrides": {"scoring": {"height_bins": [3, 9]}}}
    overlay = tmp_path / "overrides.yaml"
    overlay.write_text(yaml.safe_dump({"datasets": {"city": entry}, "methods": {"equal": method}}))
    (scores,) = score_runs([run_folder], spec, city.root, tmp_path / "out", configs=[CONFIG / "config.yaml", overlay])
    assert "3-9 m" in scores.height("all")
    assert scores.height_unit == 5


def test_a_method_that_the_configuration_lacks_is_told_and_scored_without_overrides(
    city: Dataset, spec: Path, run_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = changed_run(run_folder, tmp_path / "run", method="mine")
    (scores,) = score_runs([run], spec, city.root, tmp_path / "out", configs=[CONFIG / "config.yaml"])
    assert scores.method == "mine"
    assert "The configuration has no method mine" in caplog.text


@pytest.mark.full("predicts the test tile once more")
def test_score_prints_a_second_set_of_scores_without_a_class(city: Dataset, run_folder: Path, tmp_path: Path) -> None:
    spec = write_spec(city, tmp_path / "city.yaml", recipe={"scoring": {"without_classes": ["water"]}})
    where = ["--root", str(city.root), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, ["score", str(run_folder), str(spec), *where])
    assert result.exit_code == 0, result.output
    assert "OA, without water (%)" in result.output
    assert "means are over the other" in " ".join(result.output.split())


def test_score_refuses_to_leave_out_what_is_no_class(city: Dataset, run_folder: Path, tmp_path: Path) -> None:
    spec = write_spec(city, tmp_path / "city.yaml", recipe={"scoring": {"without_classes": ["watr"]}})
    message = rf"scoring\.without_classes: found 'watr' for {spec}; expected names .*Did you mean water\?"
    with pytest.raises(UserError, match=message):
        score_runs([run_folder], spec, city.root, tmp_path / "out")
