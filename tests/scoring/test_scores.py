"""Scores of a run: sums of confusions and heights by tile and group, and their file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from mtlaerial.config import IGNORED, PredictionSpec, ScoringSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import DataError
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.runs.code_hash import code_hash
from mtlaerial.runs.run import load_description
from mtlaerial.scoring.metrics import MASKS, SUMS, confusion_matrix, height_scores
from mtlaerial.scoring.run_scores import score_run
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.scores_file import load_scores, save_scores
from mtlaerial.tiles.prepare import prepare_tile
from support import tiny
from support.scored_maps import SCORING, Run, truth


def test_without_training_heights_there_is_no_constant_prediction(run: Run, chosen: list[Path]) -> None:
    path = run.folder / "run.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["statistics"]["height"] = None
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    scores = score_run(run.folder, chosen, SCORING)
    assert scores.height("all")
    assert not scores.height("all", "constant")


def test_confusions_are_those_of_the_maps(run: Run, chosen: list[Path], scores: Scores) -> None:
    total = np.zeros((6, 7), int)
    for tile in chosen:
        predicted = truth(run.folder / "maps" / tile.name, "semantics")
        matrix = confusion_matrix(truth(tile, "labels"), predicted, 6)
        np.testing.assert_array_equal(scores.tiles[tile.name].confusion, matrix)
        total += matrix
    np.testing.assert_array_equal(scores.confusion(), total)
    assert total.sum() == sum(int((truth(tile, "labels") != IGNORED).sum()) for tile in chosen)


@pytest.mark.parametrize(
    ("weights", "names", "expected"),
    [
        ("none", None, ()),
        ({"tree": 0}, None, ("tree",)),  # a class that is never trained is left out of a second set by itself
        ({"tree": 0}, ["car"], ("car",)),
        ({"tree": 0}, [], ()),
        ("median_frequency", ["car"], ("car",)),
    ],
)
def test_the_classes_left_out_are_those_never_trained_or_those_of_the_configuration(
    run: Run, chosen: list[Path], weights: Any, names: list[str] | None, expected: tuple[str, ...]
) -> None:
    path = run.folder / "run.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    classes = [entry["name"] for entry in content["statistics"]["classes"]]
    content["plan"]["training"]["class_weights"] = (
        weights if isinstance(weights, str) else dict.fromkeys(classes, 1) | weights
    )
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    scores = score_run(run.folder, chosen[:1], ScoringSpec(without_classes=names))
    assert scores.without_classes == expected
    left = scores.confusion("all")
    left[[classes.index(name) for name in expected]] = 0
    if expected:
        np.testing.assert_array_equal(scores.confusion(f"without {expected[0]}"), left)
    assert len(scores.label_masks) == (4 if expected else 2)


def gathered(run: Run, chosen: list[Path]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return true height, predicted height and class of the cells of all tiles; a class is its cell's centre's."""
    true, predicted, classes = [], [], []
    for tile in chosen:
        true.append(truth(tile, "height").ravel())
        predicted.append(truth(run.folder / "maps" / tile.name, "height").ravel())
        classes.append(truth(tile, "labels")[1::2, 1::2].ravel())
    return np.concatenate(true), np.concatenate(predicted), np.concatenate(classes)


def test_heights_are_scored_overall_by_class_and_by_height(run: Run, chosen: list[Path], scores: Scores) -> None:
    true, predicted, classes = gathered(run, chosen)
    valid = np.isfinite(true)
    groups = {
        "overall": valid,
        "below 2 m": valid & (true < 2),
        "2-5 m": valid & (true >= 2) & (true < 5),
        "from 5 m": valid & (true >= 5),
        **{f"class {name}": valid & (classes == code) for code, name in enumerate(scores.classes)},
    }
    groups = {name: cells for name, cells in groups.items() if cells.any()}
    assert sum(name.startswith("class") for name in groups) > 1
    sums = scores.height("all")
    assert set(groups) <= set(sums)
    for name, cells in groups.items():
        assert sums[name][SUMS.index("cells")] == cells.sum(), name
        error = (predicted - true)[cells].astype(float)
        assert height_scores(sums[name])["MAE"] == pytest.approx(abs(error).mean(), rel=1e-5), name
        assert height_scores(sums[name])["RMSE"] == pytest.approx(np.sqrt((error**2).mean()), rel=1e-5), name
    positive = valid & (true > 0)
    assert scores.height("positive")["overall"][0] == positive.sum()


def test_groups_by_height_add_up(scores: Scores) -> None:
    for mask in MASKS:
        sums = scores.height(mask)
        parts = [sums[name] for name in ("below 2 m", "2-5 m", "from 5 m")]
        np.testing.assert_allclose(np.sum(parts, axis=0), sums["overall"])


def test_the_constant_is_the_median_of_the_training(run: Run, chosen: list[Path], scores: Scores) -> None:
    true, _, _ = gathered(run, chosen)
    statistics = load_description(run.folder).statistics
    assert statistics.height
    baseline = height_scores(scores.height("all", "constant")["overall"])
    assert baseline["MAE"] == pytest.approx(np.nanmean(abs(true - statistics.height.median)), rel=1e-5)


def test_scores_of_tiles_add_up_to_those_of_all(run: Run, chosen: list[Path], scores: Scores) -> None:
    parts = [score_run(run.folder, [tile], SCORING) for tile in chosen]
    np.testing.assert_array_equal(sum(part.confusion() for part in parts), scores.confusion())
    for name, sums in scores.height("all").items():
        np.testing.assert_allclose(sum(part.height("all")[name] for part in parts), sums)


def test_scores_survive_a_file(scores: Scores, tmp_path: Path) -> None:
    save_scores(scores, tmp_path / "scores.json")
    assert load_scores(tmp_path / "scores.json") == scores
    assert scores.scoring_code == code_hash("scoring")
    assert scores.height_unit == SCORING.error_unit


def test_scores_name_the_weighting(run: Run, chosen: list[Path], scores: Scores) -> None:
    assert scores.weighting == load_description(run.folder).plan.weighting.name
    path = run.folder / "run.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**content, "imported": "a checkpoint"}), encoding="utf-8")
    assert score_run(run.folder, chosen[:1], SCORING).weighting == "unknown"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"format": 2, "dataset": "town"}', "found title: Field required"),
        ('{"dataset": "town"}', "found format 1, which an older mtlaerial wrote; expected format 2"),
        ('{"format": 9}', "found format 9, which a newer mtlaerial wrote"),
        ("[]", "expected scores of this version"),
        ('{"format": 2, ', "expected scores of this version. Delete the file"),
    ],
)
def test_scores_of_another_version_are_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "scores.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as error:
        load_scores(tmp_path / "scores.json")
    assert words in str(error.value)
    assert "scores.json: found" in str(error.value)


def test_protocol_and_recipe_go_with_the_scores(run: Run, chosen: list[Path]) -> None:
    scores = score_run(run.folder, chosen[:1], SCORING, "fixed split of tiles")
    plan = load_description(run.folder).plan
    assert (scores.protocol, scores.network, scores.training) == ("fixed split of tiles", plan.model, plan.training)


def test_a_class_missing_from_a_map_is_wrong(run: Run, chosen: list[Path]) -> None:
    run.write(chosen[0], "semantics", np.full((96, 96), IGNORED, np.uint8))
    confusion = np.array(score_run(run.folder, chosen[:1], SCORING).tiles[chosen[0].name].confusion)
    assert confusion[:, :6].sum() == 0
    assert confusion[:, 6].sum() == (truth(chosen[0], "labels") != IGNORED).sum()


@pytest.mark.parametrize(("layer", "empty"), [("labels", "confusion"), ("height", "height")])
def test_a_tile_without_truth_has_no_scores(
    run_folder: Path, city: Dataset, tmp_path: Path, layer: str, empty: str
) -> None:
    dataset = Dataset("city", tiny.city_spec(**{layer: None}), city.root)
    prepare_tile(dataset, "city_4", tmp_path / "city_4")
    run = Run(tmp_path, run_folder)
    Predictor(run_folder, PredictionSpec(window=64, stride=48)).predict_tiles([tmp_path / "city_4"], tmp_path / "maps")
    tile_scores = score_run(run.folder, [tmp_path / "city_4"], SCORING).tiles["city_4"]
    assert {name for name in ("confusion", "height") if not getattr(tile_scores, name)} == {empty}


@pytest.mark.quick_cases(3, "predicts a tile a case")
@pytest.mark.parametrize("shift", [0.0, 0.2, 0.25, 0.5, 0.7])
@pytest.mark.parametrize("pixel", [0.5, 0.85, 2.0, 0.2])
def test_truth_on_any_grid_can_be_predicted_and_scored(
    run_folder: Path, city: Dataset, tmp_path: Path, shift: float, pixel: float
) -> None:
    source = city.files("image", "city_4")[0]
    with open_raster(source) as opened:
        image, place = opened.read(), opened.transform
    image[:, 30:50, 41:60] = 0
    dataset = Dataset(
        "city",
        tiny.city_spec(image={"files": "image/{tile}.tif", "nodata": 0}, labels=None, height={"files": "height.tif"}),
        tmp_path,
    )
    tiny.write_raster(tmp_path / "image" / "city_4.tif", image, west=place.c, north=place.f, nodata=0)
    cells = np.random.default_rng(0).random((round(60 / pixel), round(60 / pixel))).astype(np.float32)
    tiny.write_raster(tmp_path / "height.tif", cells, pixel, place.c - 4 + shift, place.f + 4 - shift / 2)
    prepare_tile(dataset, "city_4", tmp_path / "city_4")
    Predictor(run_folder, PredictionSpec(window=64, stride=48)).predict_tiles([tmp_path / "city_4"], tmp_path / "maps")
    run = Run(tmp_path, run_folder)
    sums = score_run(run.folder, [tmp_path / "city_4"], SCORING).height("all")["overall"]
    area = 48.0**2 - 10 * 9.5
    assert sums[SUMS.index("cells")] * pixel**2 == pytest.approx(area, rel=0.08)
