"""Tasks beside the original's two, the package's own and those of another package, from training to tables."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
import torch

from mtlaerial.config import PredictionSpec, ScoringSpec, task_entry
from mtlaerial.config.tasks import FURTHER, TASKS
from mtlaerial.dashboard.curves import panels
from mtlaerial.dashboard.picture import draw
from mtlaerial.dashboard.samples import choose, predict
from mtlaerial.errors import ConfigError
from mtlaerial.export import export_run
from mtlaerial.figures import conflict_figure, curves_figure, map_figure
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.reporting.tables import CONSTANT, collect, write_tables
from mtlaerial.runs.history_columns import LEVELS
from mtlaerial.runs.run import load_description, read_description, save_description
from mtlaerial.runs.text import describe_run
from mtlaerial.scoring.height_truth import HeightTruth
from mtlaerial.scoring.run_scores import score_run
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.scores_file import load_scores, save_scores
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.tiles.tile import load_tiles
from mtlaerial.training.train import train
from support import tiny
from support.task_package import COVER, documented_entry_points, documented_modules, installed
from support.tiny import Folders

pytestmark = pytest.mark.full("seven trainings and their maps")
ALL = (*TASKS, *FURTHER, "ndsm", "cover", "relief")
METHODS = {
    "equal": (ALL, "equal"),
    "mgda": (ALL, "mgda"),
    "edges": (("edges",), "equal"),
    "ndsm": (("ndsm",), "equal"),
    "relief": (("relief",), "equal"),
    "cover": (("cover",), "equal"),
    "both": (("semantics", "height"), "equal"),
}
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Place:
    """Trained runs of all methods with maps and scores, and the test tile."""

    folder: Path
    tile: Path

    def run(self, method: str) -> Path:
        return self.folder / method

    def map(self, method: str, name: str) -> np.ndarray:
        with rasterio.open(self.run(method) / "maps" / self.tile.name / f"{name}.tif") as raster:
            return raster.read(1)

    def truth(self, layer: str) -> np.ndarray:
        with rasterio.open(self.tile / f"{layer}.tif") as raster:
            return raster.read(1)

    def scores(self) -> list[Scores]:
        return [load_scores(self.run(method) / "scores.json") for method in METHODS]


def pooled(scores: list[Scores]) -> pd.Series:
    """Return the pooled scores over all cells by method, group and score."""
    long = collect(scores)
    chosen = long[(long["pooling"] == "pooled") & (long["mask"] == "all")]
    return chosen.set_index(["method", "group", "score"])["value"]


@pytest.fixture(scope="module")
def place(tiles: Folders, statistics: Statistics, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("third_task")
    modules = {**documented_modules(), "cover_task": COVER}
    (folder / "package").mkdir()
    with installed(folder / "package", modules, *documented_entry_points(), "cover = cover_task:COVER"):
        for method, (tasks, weighting) in METHODS.items():
            plan = tiny.run_plan(tasks, weighting={"name": weighting}, learning_rate=1e-2, epoch_patches=16)
            passes = 2 if "ndsm" in tasks else 0
            prediction = PredictionSpec(window=64, stride=32, dropout_passes=passes)
            plan = plan.model_copy(update={"method": method, "prediction": prediction})
            train(tiny.job(plan, statistics, tiles["train"], tiles["val"], folder / method))
            save_description(folder / method, plan, statistics)
            Predictor(folder / method).predict_tiles(tiles["test"], folder / method / "maps")
            save_scores(score_run(folder / method, tiles["test"], ScoringSpec()), folder / method / "scores.json")
        yield Place(folder, tiles["test"][0])


@pytest.mark.parametrize("method", ["equal", "mgda"])
def test_history_has_columns_of_every_task_and_pair(method: str, place: Place) -> None:
    history = pd.read_csv(place.run(method) / "history.csv")
    kinds = ("loss", "weight", "norm_features", "norm_parameters")
    columns = {f"{kind}_{task}" for kind in kinds for task in ALL}
    columns |= {"val_OA", "val_mIoU", "val_MAE", "val_RMSE", "val_ndsm_MAE", "val_ndsm_RMSE", "val_cover_mIoU"}
    columns |= {f"cosine_{level}_{pair}" for level in LEVELS for pair in ("semantics_height", "ndsm_cover")}
    columns |= {"constant_ndsm_MAE", "constant_cover_OA", "val_edges_MAE", "constant_edges_MAE", "val_relief_MAE"}
    assert columns <= set(history.columns)
    last = history.iloc[-1]
    assert np.isfinite(last[sorted(columns)].astype(float)).all()
    # Metres, as those of height: of centimetres the error would be a hundred times that of the median height.
    assert last["val_ndsm_MAE"] < 10 * last["constant_ndsm_MAE"]
    assert last["constant_ndsm_MAE"] == last["constant_MAE"]


def test_weights_are_chosen_by_all_tasks(place: Place) -> None:
    last = pd.read_csv(place.run("equal") / "history.csv").iloc[-1]
    skills = [last["val_mIoU"], last["val_cover_mIoU"]]
    lengths = ("MAE", "edges_MAE", "ndsm_MAE", "relief_MAE")
    skills += [1 - last[f"val_{key}"] / last[f"constant_{key}"] for key in lengths]
    assert last["val_score"] == pytest.approx(np.mean(skills), rel=1e-4)


def test_maps_have_names_units_and_colours_of_their_tasks(place: Place) -> None:
    folder = place.run("equal") / "maps" / place.tile.name
    names = {"semantics", "height", "height_std", "ndsm", "ndsm_std", "cover", "edges", "edges_std", "relief"}
    assert {path.stem for path in folder.glob("*.tif")} == names
    with rasterio.open(folder / "ndsm.tif") as raster, rasterio.open(folder / "height.tif") as metres:
        assert (raster.units, raster.descriptions) == (("centimetre",), ("height above ground",))
        assert raster.transform == metres.transform
        assert metres.units == ("metre",)
    with rasterio.open(folder / "cover.tif") as raster:
        assert raster.colormap(1)[0] == rasterio.open(folder / "semantics.tif").colormap(1)[0]
        assert raster.descriptions == ("land cover",)
    ratio = np.nanmedian(abs(place.map("equal", "ndsm"))) / np.nanmedian(abs(place.map("equal", "height")))
    assert 10 < ratio < 1000
    assert np.nanmax(place.map("equal", "ndsm_std")) > 0


def test_scores_of_each_task_are_those_of_its_own_map(place: Place) -> None:
    rows = pooled(place.scores())
    true = place.truth("height")
    for method in ("equal", "mgda", "ndsm"):
        expected = np.nanmean(abs(0.01 * place.map(method, "ndsm") - true))
        assert rows[method, "ndsm: overall", "MAE"] == pytest.approx(expected, rel=1e-5)
    edges = HeightTruth(place.tile, task_entry("edges"))(0, len(true))
    expected = np.nanmean(abs(place.map("mgda", "edges") - edges))
    assert rows["mgda", "edges: overall", "MAE"] == pytest.approx(expected, rel=1e-5)
    assert rows[CONSTANT, "edges: overall", "MAE"] == pytest.approx(np.nanmean(edges), rel=1e-5)
    expected = np.nanmean(abs(place.map("equal", "height") - true))
    assert rows["equal", "overall", "MAE"] == pytest.approx(expected, rel=1e-5)
    labels = place.truth("labels")
    right = (labels == place.map("mgda", "cover"))[labels < 255].mean()
    assert rows["mgda", "cover: overall", "OA"] == pytest.approx(right)
    assert rows["ndsm", "overall", "seam ndsm"] > 0


def test_no_column_mixes_two_tasks(place: Place) -> None:
    long = collect(place.scores())
    leading = long[long["group"] == "overall"]
    assert not set(leading[leading["method"] == "ndsm"]["score"]) & {"MAE", "RMSE", "PFA"}
    assert not set(leading[leading["method"] == "cover"]["score"]) & {"OA", "mIoU", "mIoU-3"}
    assert set(leading[leading["score"] == "mIoU-3"]["method"]) == {"equal", "mgda", "both", CONSTANT}
    constant = pooled(place.scores())[CONSTANT]
    assert constant["ndsm: overall", "MAE"] == constant["overall", "MAE"]
    assert constant["cover: overall", "OA"] == constant["overall", "OA"]
    assert not constant.index.duplicated().any()


def test_tables_show_further_tasks_with_their_names(place: Place, tmp_path: Path) -> None:
    write_tables(place.scores(), tmp_path)
    text = (tmp_path / "city.md").read_text(encoding="utf-8")
    assert "ndsm: nDSM heights" in text
    assert "ndsm: MAE (m)" in text
    assert "cover: mIoU (%)" in text
    wide = pd.read_csv(tmp_path / "city.csv").set_index("method")
    assert np.isnan(wide.loc["ndsm", "MAE (m)"])
    assert np.isfinite(wide.loc["ndsm", "ndsm: MAE (m)"])
    every = pd.read_csv(tmp_path / "everything.csv")
    assert set(every[(every["group"] == "ndsm: overall") & (every["score"] == "MAE")]["unit"]) == {"m"}
    compared = pd.read_csv(tmp_path / "city_weightings.csv").query("baseline == 'equal'")
    assert compared[["baseline", "method"]].to_numpy().tolist() == [["equal", "mgda"]]  # not with other tasks


def test_a_run_of_a_further_task_alone_has_tables(place: Place, tmp_path: Path) -> None:
    write_tables([run for run in place.scores() if run.method == "ndsm"], tmp_path)
    wide = pd.read_csv(tmp_path / "city.csv")
    assert {"ndsm: MAE (m)", "ndsm: PFA (%)"} <= set(wide.columns)
    assert "MAE (m)" not in wide.columns
    assert "No scores of" not in (tmp_path / "city.md").read_text(encoding="utf-8")


def test_gain_is_the_mean_over_all_tasks(place: Place) -> None:
    baselines = {"semantics": "both", "height": "both", **{task: task for task in ALL[2:]}}
    runs = {run.method: run for run in place.scores()}
    alone = [runs["both"].model_copy(update={"method": task, "tasks": (task,)}) for task in TASKS]
    rows = pooled([*place.scores(), *alone])
    gains = []
    for task, method in baselines.items():
        group = "overall" if task in TASKS else f"{task}: overall"
        score, sign = ("mIoU", 1) if task in ("semantics", "cover") else ("MAE", -1)
        single = rows[method, group, score]
        gains.append(sign * (rows["equal", group, score] - single) / single)
    assert rows["equal", "overall", "delta-m"] == pytest.approx(np.mean(gains))


def test_the_run_describes_its_tasks(place: Place) -> None:
    lines = dict(line.split(maxsplit=1) for line in describe_run(place.run("equal")).splitlines())
    assert lines["ndsm"].startswith("centimetres above ground; ")
    assert lines["height"].startswith("metres above ground; ")
    assert lines["cover"] == lines["classes"]


def test_exported_networks_have_their_outputs(place: Place, tmp_path: Path) -> None:
    path = export_run(place.run("mgda"), "pt2", tmp_path / "four.pt2")
    image = torch.rand(1, 3, 64, 96) * 255
    outputs = torch.export.load(path).module()(image)
    assert list(outputs) == list(ALL)
    torch.testing.assert_close(outputs["cover"].sum(dim=1), torch.ones(1, 64, 96))
    described = json.loads((tmp_path / "four.pt2.json").read_text(encoding="utf-8"))["properties"]["mlm:output"]
    texts = {output["name"]: (output["description"], output["tasks"]) for output in described}
    assert texts["ndsm"] == ("Centimetres above ground.", ["regression"])
    assert texts["cover"][1] == ["semantic-segmentation"]
    run = Predictor(place.run("mgda"), PredictionSpec.fitted())
    maps = run.network(image)[0]
    torch.testing.assert_close(outputs["ndsm"][0], maps[run.network.slice_of("ndsm")], rtol=1e-4, atol=1e-2)


def test_figures_and_dashboard_draw_all_tasks(
    place: Place, tiles: Folders, statistics: Statistics, tmp_path: Path
) -> None:
    run = load_description(place.run("equal"))
    histories = {"seed 0": pd.read_csv(place.run("equal") / "history.csv")}
    figure = map_figure(place.tile, place.run("equal") / "maps" / place.tile.name, run, tmp_path / "map.png")
    titles = [axes.get_title() for axes in figure.axes]
    assert {"true height", "predicted nDSM", "nDSM error", "nDSM uncertainty", "height uncertainty"} <= set(titles)
    assert {"true height edges", "predicted relief"} <= set(titles)
    assert {"wrong classes", "wrong land cover"} <= set(titles)
    assert conflict_figure(histories, run, tmp_path / "conflict.png")
    drawn = {axes.get_title() for axes in curves_figure(histories, [run], tmp_path / "curves.png").axes}
    assert {"training loss of ndsm", "validation of ndsm", "validation of cover"} <= drawn
    shown = panels(run.plan.training, run.plan.tasks, validated=True)
    assert len(shown["cosine_features_semantics_height"].columns) == 15
    network = Predictor(place.run("equal"), PredictionSpec.fitted()).network
    patches = choose(load_tiles(tiles["val"], CPU, 0), ALL, 1, 64, 32)
    predictions = predict(network, patches, CPU)
    heights = [np.median(abs(predictions[0][task])) for task in ("height", "ndsm")]
    assert 0.1 < heights[1] / heights[0] < 10  # both in metres
    assert draw(patches, predictions, statistics, "after epoch 3")


def test_a_run_without_the_package_of_its_task_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [path for path in sys.path if "third_task" not in path])
    task_entry.cache_clear()
    with pytest.raises(ConfigError, match=r"run.yaml, key plan.tasks.3: found 'ndsm'; expected one of .* Install"):
        read_description(place.run("equal"))
    task_entry.cache_clear()
