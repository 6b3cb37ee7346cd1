"""Maps of an earlier prediction in the folders of a region: none is left beside newer ones, or shown by the index."""

from pathlib import Path

import numpy as np
import pytest

from mtlaerial.config import PredictionSpec
from mtlaerial.errors import DataError
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.regions.index import index_sheets
from mtlaerial.regions.mapping_job import map_sheets
from mtlaerial.regions.planning import plan_region
from mtlaerial.regions.region import Region
from support import tiny


@pytest.fixture
def image(place: dict, tmp_path: Path) -> Path:
    return tiny.write_raster(tmp_path / "image.tif", np.full((3, 40, 40), 100, np.uint8), **place)


def mapped(predictor: Predictor, image: Path, folder: Path) -> Region:
    """Map an image as one sheet, and return its region."""
    region = plan_region([image], predictor.description, 512)
    map_sheets(predictor, region, region.sheets, folder / "jobs/0.json")
    return region


def files(folder: Path, ending: str) -> list[str]:
    return sorted(path.stem for path in folder.glob(f"*.{ending}"))


def test_layers_that_are_not_asked_for_again_are_gone(predictor: Predictor, image: Path, tmp_path: Path) -> None:
    folder, prediction = tmp_path / "map", predictor.prediction.model_dump()
    more = Predictor(predictor.folder, PredictionSpec.parse({**prediction, "layers": ["probabilities"]}, "prediction"))
    index_sheets(mapped(more, image, folder), folder, "a run")
    assert files(folder, "vrt") == ["height", "semantics", "semantics_probabilities"]
    index_sheets(mapped(predictor, image, folder), folder, "a run")
    assert files(folder / "sheets/r0000_c0000", "tif") == ["height", "semantics"]
    assert "semantics_probabilities" not in files(folder / "sheets/r0000_c0000", "qml")
    assert files(folder, "vrt") == ["height", "semantics"]


def test_a_sheet_that_lost_its_image_has_no_maps(
    predictor: Predictor, image: Path, place: dict, tmp_path: Path
) -> None:
    mapped(predictor, image, tmp_path / "map")
    tiny.write_raster(image, np.zeros((3, 40, 40), np.uint8), **place)
    mapped(predictor, image, tmp_path / "map")
    assert [path.name for path in (tmp_path / "map/sheets/r0000_c0000").iterdir()] == ["empty.json"]


def test_an_index_does_not_outlive_a_sheet_that_it_shows(predictor: Predictor, image: Path, tmp_path: Path) -> None:
    folder = tmp_path / "map"
    index_sheets(mapped(predictor, image, folder), folder, "a run")
    mapped(predictor, image, folder)
    assert files(folder, "vrt"), "nothing was mapped again"
    image.write_bytes(image.read_bytes() + bytes(1))
    region = plan_region([image], predictor.description, 512)
    image.unlink()
    with pytest.raises(DataError, match="sheets without a map"):
        map_sheets(predictor, region, region.sheets, folder / "jobs/0.json")
    assert files(folder, "vrt") == files(folder, "json") == []
