"""Uncertainty in the scores of a run: from its maps, its calibration and the truth of a tile."""

from pathlib import Path

import numpy as np
import pytest

from mtlaerial.calibration.record import Calibration, ClassCalibration, ErrorScale, HeightCalibration
from mtlaerial.config import ScoringSpec
from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import map_raster
from mtlaerial.runs.run import load_description
from mtlaerial.scoring import tile_uncertainty
from mtlaerial.scoring.run_scores import score_maps
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.scores_file import load_scores, save_scores
from mtlaerial.scoring.uncertainty import uncertainty_scores
from support.maps_by_hand import write_map
from support.tiny import Folders

SPEC = ScoringSpec(height_bins=(2.0,))
HEIGHTS = HeightCalibration(
    scale=ErrorScale(kind="deviation", offset=0.5, unknown=0.75, cells=20),
    edges=(2.0,),
    levels=(0.5, 0.9),
    factors=((0.5, 2.0), (0.5, 3.0)),
    units=((20, 20), (10, 10)),
    cell_side=60.0,
    notes=("A note.",),
)
CLASSES = ClassCalibration(temperature=2.0, cells=20, pixels=100, likelihood_before=1.0, likelihood_after=0.9)


@pytest.fixture
def maps(tiles: Folders, tmp_path: Path) -> Path:
    """Return maps of the test tile: heights 1 m too high where predicted below 2 m, else 2.5 m; one class is likely."""
    (tile,) = tiles["test"]
    folder = tmp_path / "maps" / tile.name
    heights, labels = (np.array(map_raster(tile / f"{layer}.tif")) for layer in ("height", "labels"))
    predicted = np.where(heights + 1 < 2, heights + 1, heights + 2.5).astype(np.float32)
    write_map(folder / "height.tif", predicted, tile / "height.tif")
    write_map(folder / "height_std.tif", np.ones_like(predicted), tile / "height.tif")
    write_map(folder / "semantics.tif", labels, tile / "labels.tif")
    codes = np.arange(6)[:, None, None]
    write_map(folder / "semantics_probabilities.tif", np.where(codes == labels, 0.75, 0.05), tile / "labels.tif")
    return tmp_path / "maps"


def calibration_of(run: Path) -> Calibration:
    description = load_description(run)
    return Calibration(
        run=description.sha256,
        predictor="single",
        prediction=description.plan.prediction,
        tiles={"city_3": "0"},
        classes={"semantics": CLASSES},
        heights={"height": HEIGHTS},
    )


def scored(run: Path, maps: Path, tiles: Folders, calibration: Calibration | None) -> Scores:
    return score_maps(load_description(run), maps, tiles["test"], SPEC, calibration=calibration)


def by_name(scores: Scores) -> dict[tuple[str, str], float]:
    return {(group, score): value for group, score, value in uncertainty_scores(scores.uncertainty())}


def test_coverage_and_width_are_those_of_the_bin_of_predicted_height(
    run_folder: Path, maps: Path, tiles: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tile_uncertainty, "ROWS", 50)  # several blocks
    scores = scored(run_folder, maps, tiles, calibration_of(run_folder))
    values = by_name(scores)
    for group, width in (("predicted below 2 m", 6.0), ("predicted from 2 m", 9.0)):
        assert values[group, "coverage 50 %"] == 0
        assert values[group, "coverage 90 %"] == 1  # 1 m within 2 x 1.5 m, 2.5 m within 3 x 1.5 m
        assert values[group, "width 90 %"] == pytest.approx(width)
    sums = scores.uncertainty().intervals["90 %"]
    heights = map_raster(tiles["test"][0] / "height.tif")
    assert sums["overall"][0] == np.isfinite(heights).sum() == sum(sums[f"{bin} 2 m"][0] for bin in ("below", "from"))
    assert scores.calibration == ("Calibrated on 1 validation tile, in cells of at least 60 m.", "A note.")
    save_scores(scores, tmp_path / "scores.json")
    assert load_scores(tmp_path / "scores.json") == scores


def test_probabilities_are_scored_at_the_temperature(run_folder: Path, maps: Path, tiles: Folders) -> None:
    before = by_name(scored(run_folder, maps, tiles, None))
    assert before["overall", "ECE"] == pytest.approx(0.25)  # all right, and 0.75 sure
    assert ("overall", "ECE before calibration") not in before
    after = by_name(scored(run_folder, maps, tiles, calibration_of(run_folder)))
    assert after["overall", "ECE before calibration"] == before["overall", "ECE"]
    root = np.sqrt([0.75, 0.05])
    assert after["overall", "ECE"] == pytest.approx(1 - root[0] / (root[0] + 5 * root[1]), abs=1e-6)


def test_without_a_calibration_there_are_orders_of_errors_and_no_intervals(
    run_folder: Path, maps: Path, tiles: Folders
) -> None:
    scores = scored(run_folder, maps, tiles, None)
    assert scores.calibration == ()
    assert scores.uncertainty().intervals == {}
    # One deviation for all cells: they count as in random order.
    assert by_name(scores)["overall", "AUSE, RMSE"] > 0


def test_maps_without_deviation_and_probabilities_are_scored_as_before(
    run_folder: Path, maps: Path, tiles: Folders, tmp_path: Path
) -> None:
    for name in ("height_std", "semantics_probabilities"):
        (maps / tiles["test"][0].name / f"{name}.tif").unlink()
    save_scores(scored(run_folder, maps, tiles, None), tmp_path / "scores.json")
    text = (tmp_path / "scores.json").read_text()
    assert "uncertainty" not in text
    assert "calibration" not in text


def test_a_calibration_of_other_weights_is_refused(run_folder: Path, maps: Path, tiles: Folders) -> None:
    other = calibration_of(run_folder).model_copy(update={"run": "f" * 64})
    with pytest.raises(
        DataError, match="calibration: found one made with weights of SHA-256 ffffffffffff…, and the run"
    ):
        scored(run_folder, maps, tiles, other)
