"""Maps, truth and runs that do not fit together are not scored."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio

from mtlaerial.errors import DataError
from mtlaerial.scoring.run_scores import score_run
from support.scored_maps import SCORING, Run, truth


def test_a_map_on_another_grid_is_refused(run: Run, chosen: list[Path]) -> None:
    run.write(chosen[0], "height", np.zeros((96, 96), np.float32))
    with pytest.raises(DataError, match=r"height\.tif: found 96 x 96 cells; expected 48 x 48"):
        score_run(run.folder, chosen, SCORING)


def test_a_missing_map_is_named(run: Run, chosen: list[Path]) -> None:
    path = run.folder / "maps" / chosen[1].name / "semantics.tif"
    path.unlink()
    with pytest.raises(DataError, match=rf"{chosen[1].name}/semantics\.tif: found no file"):
        score_run(run.folder, chosen, SCORING)


def test_a_height_missing_from_a_map_is_refused(run: Run, chosen: list[Path]) -> None:
    height = truth(run.folder / "maps" / chosen[0].name, "height")
    height[np.isfinite(truth(chosen[0], "height")).nonzero()[0][0]] = np.nan
    run.write(chosen[0], "height", height)
    with pytest.raises(DataError, match="cells without a height"):
        score_run(run.folder, chosen, SCORING)


def test_heights_in_steps_of_a_scale_tag_are_refused(run: Run, chosen: list[Path]) -> None:
    path = run.folder / "maps" / chosen[0].name / "height.tif"
    centimetres = np.round(100 * truth(path.parent, "height")).astype(np.int16)
    run.write(chosen[0], "height", centimetres)
    with rasterio.open(path, "r+") as out:
        out.scales = (0.01,)
    with pytest.raises(DataError, match=r"height\.tif: found values in steps of 0\.01; expected values without scale"):
        score_run(run.folder, chosen, SCORING)


def test_the_no_data_value_of_a_map_is_no_height(run: Run, chosen: list[Path]) -> None:
    path = run.folder / "maps" / chosen[0].name / "height.tif"
    height = truth(path.parent, "height")
    height[np.isfinite(truth(chosen[0], "height")).nonzero()[0][0]] = -9999
    run.write(chosen[0], "height", height)
    with rasterio.open(path, "r+") as out:
        out.nodata = -9999
    with pytest.raises(DataError, match="cells without a height"):
        score_run(run.folder, chosen, SCORING)


@pytest.mark.parametrize(("task", "layer"), [("semantics", "labels"), ("height", "height")])
def test_maps_of_another_place_are_refused(run: Run, chosen: list[Path], task: str, layer: str) -> None:
    run.write(chosen[0], task, truth(chosen[0], layer), shift=0.5)
    with pytest.raises(DataError, match=rf"{task}\.tif: found the place .*Predict again"):
        score_run(run.folder, chosen[:1], SCORING)


def test_maps_in_another_crs_are_refused(run: Run, chosen: list[Path]) -> None:
    run.write(chosen[0], "semantics", truth(chosen[0], "labels"), crs="EPSG:32633")
    with pytest.raises(DataError, match=r"semantics\.tif: found the CRS EPSG:32633; expected EPSG:\d+.*Predict again"):
        score_run(run.folder, chosen[:1], SCORING)


def test_ground_truth_that_changed_since_it_was_prepared_is_refused(
    run: Run, chosen: list[Path], tmp_path: Path
) -> None:
    tile = Path(shutil.copytree(chosen[0], tmp_path / "copy" / chosen[0].name))
    content = bytearray((tile / "height.tif").read_bytes())
    content[-3000:-1000] = bytes(byte ^ 64 for byte in content[-3000:-1000])
    (tile / "height.tif").write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"height\.tif: found SHA-256 .*as when the tile was prepared"):
        score_run(run.folder, [tile], SCORING)


def test_weights_of_another_run_are_not_scored(run: Run, chosen: list[Path]) -> None:
    (run.folder / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(DataError, match=r"model\.safetensors: found SHA-256"):
        score_run(run.folder, chosen, SCORING)
