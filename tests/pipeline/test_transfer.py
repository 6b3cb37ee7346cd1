"""Maps of another data set by a run, in the classes of that data set."""

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio

from mtlaerial.config import DatasetSpec, PredictionSpec, ScoringSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import DataError
from mtlaerial.pipeline.transfer import predict_elsewhere, transferred
from mtlaerial.prediction.image_options import ImageOptions
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.reporting.transfers import RESAMPLED
from mtlaerial.runs.run import load_description
from mtlaerial.scoring.run_scores import score_maps
from mtlaerial.synthetic.generate import synthesise
from mtlaerial.tiles.prepare import prepare_tile
from support.tiny import Folders

PREDICTION = PredictionSpec(window=64, stride=48, activation="softmax")
CODES = (2, 0, 1, 1)
"""Of the first four classes of the city in the other one; the last two keep their places after the three."""


def other_spec(city: Dataset) -> tuple[DatasetSpec, tuple[int, ...]]:
    """Return a specification with five classes for the city's six, of which two are one, and their codes."""
    labels = city.spec.labels
    assert labels is not None
    first, second, third, fourth, *rest = labels.classes
    merged = third.model_copy(update={"name": "green", "values": (*third.values, *fourth.values)})
    classes = (second, merged, first, *rest)
    spec = city.spec.model_copy(update={"title": "Other", "labels": labels.model_copy(update={"classes": classes})})
    return spec, (*CODES, 3, 4)


def test_maps_and_scores_are_in_the_classes_of_the_tested_data_set(
    city: Dataset, run_folder: Path, tiles: Folders, tmp_path: Path
) -> None:
    spec, codes = other_spec(city)
    predict_elsewhere(run_folder, PREDICTION, "other", spec, codes, tiles["test"], tmp_path / "maps")
    Predictor(run_folder, PREDICTION).predict_tiles(tiles["test"], tmp_path / "own")
    tile = tiles["test"][0].name
    with (
        rasterio.open(tmp_path / "own" / tile / "semantics.tif") as own,
        rasterio.open(tmp_path / "maps" / tile / "semantics.tif") as mapped,
    ):
        table = np.array([*codes, *[255] * 250], np.uint8)
        np.testing.assert_array_equal(mapped.read(), table[own.read()])
        assert [mapped.tags()[f"CLASS_{code}"] for code in range(5)] == list(spec.class_names)
        assert "CLASS_5" not in mapped.tags()
        assert mapped.tags()["RUN_ID"] == own.tags()["RUN_ID"]
        assert (mapped.crs, mapped.transform) == (own.crs, own.transform)
    assert (tmp_path / "own" / tile / "height.tif").read_bytes() == (
        tmp_path / "maps" / tile / "height.tif"
    ).read_bytes()
    assert json.loads((tmp_path / "maps" / RESAMPLED).read_text())["tiles"] == {}

    run = load_description(run_folder)
    row = transferred(run, "other", spec, codes)
    assert (row.plan.dataset, row.plan.method, row.statistics.title) == ("other", "equal (city)", "Other")
    pixels = [entry.pixels for entry in run.statistics.classes]
    assert [entry.pixels for entry in row.statistics.classes] == [
        pixels[1],
        pixels[2] + pixels[3],
        pixels[0],
        *pixels[4:],
    ]
    scores = score_maps(row, tmp_path / "maps", tiles["test"], ScoringSpec(without_classes=()))
    assert scores.classes == spec.class_names
    assert len(scores.confusion()) == 5


@pytest.mark.full("predicts an image of another pixel size twice")
def test_finer_images_are_resampled_and_mapped_on_the_grid_of_the_truth(
    city: Dataset, run_folder: Path, tmp_path: Path
) -> None:
    spec = city.spec.model_copy(update={"gsd": 0.25, "splits": {"train": ("a",), "test": ("b",)}})
    fine = Dataset("fine", spec, tmp_path / "fine")
    synthesise(fine, seed=5, size=256, ground_truth_gsd={"height": 1.0})
    prepare_tile(fine, "b", tmp_path / "tiles/b")
    predict_elsewhere(run_folder, PREDICTION, "fine", spec, tuple(range(6)), [tmp_path / "tiles/b"], tmp_path / "maps")
    assert json.loads((tmp_path / "maps" / RESAMPLED).read_text()) == {"trained": 0.5, "tiles": {"b": 0.25}}
    options = ImageOptions(resample=True)
    Predictor(run_folder, PREDICTION).predict_image(fine.files("image", "b")[0], tmp_path / "image", options=options)
    with (
        rasterio.open(tmp_path / "maps/b/height.tif") as cells,
        rasterio.open(tmp_path / "image/height.tif") as pixels,
    ):
        assert (cells.shape, pixels.shape) == ((64, 64), (256, 256))
        heights, scaled = cells.read(1), pixels.read(1) * pixels.scales[0]
    means = scaled.reshape(64, 4, 64, 4).mean(axis=(1, 3))
    positive = heights > 0.05  # maps of images have no heights below 0
    assert positive.mean() > 0.2
    # Of the image's map pixels are interpolated before they are averaged: alike, not equal.
    assert np.corrcoef(heights[positive], means[positive])[0, 1] > 0.9
    assert np.abs(heights - means)[positive].mean() < 0.1 * heights[positive].mean()


def test_tiles_that_the_run_has_seen_are_refused(
    city: Dataset, run_folder: Path, tiles: Folders, tmp_path: Path
) -> None:
    codes = tuple(range(6))
    with pytest.raises(DataError, match="was trained on"):
        predict_elsewhere(run_folder, PREDICTION, "other", city.spec, codes, tiles["train"], tmp_path)
