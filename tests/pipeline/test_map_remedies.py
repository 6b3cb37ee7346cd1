"""The remedies in refusals of a region's images work as they are printed: keys of the section, or commands."""

import re
from pathlib import Path
from typing import Any

import pytest
import rasterio
import yaml
from click.testing import CliRunner
from rasterio.rio.main import main_group

from mtlaerial.config.mapping import MapSpec
from mtlaerial.errors import MismatchError
from mtlaerial.pipeline.region_plan import planned_region
from mtlaerial.pipeline.region_run import RegionRun
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.regions.index import index_sheets
from mtlaerial.regions.region import Region
from mtlaerial.regions.sheet_maps import SheetMapper
from support.refused_images import REFUSED, printed, write_refused

KEYS = r"map\.(\w+): (\[[^]]*\]|true)"
"""Keys with their values, as refusals print them."""
MENDED = ("GSD", "degrees", "rotated", "south up", "uint16", "reflectances")
"""Faults that a command mends in the file itself."""
QUICK = ("GSD", "uint16")


def section(run_folder: Path, image: Path, fault: str, **changes: Any) -> dict[str, Any]:
    numbers = REFUSED[fault].get("numbers")
    bands = {"bands": [int(number) for number in numbers.split(",")]} if numbers else {}
    prediction = {"blend": "even", "window": 64, "stride": 48}
    return {"run": str(run_folder), "images": [str(image)], "sheet": 512, "prediction": prediction, **bands, **changes}


def run_rio(error: MismatchError) -> None:
    """Run the command in a refusal, which writes a new file."""
    outcome = CliRunner().invoke(main_group, printed(f"{error}\n", r"rio (?:warp|convert)")[1:])
    assert outcome.exit_code == 0, outcome.output


def mapped(keys: dict[str, Any], folder: Path) -> None:
    """Plan a region and map it; some heights have to be there."""
    spec = MapSpec.parse(keys, "map")
    planned_region(spec, folder / "region.json")
    region, run = Region.load(folder / "region.json"), RegionRun.of(spec)
    mapper = SheetMapper(Predictor(run.folder, run.prediction), region, folder / "sheets")
    assert mapper.map(region.sheets) == []
    assert index_sheets(region, folder, "a run") == 1
    with rasterio.open(folder / "height.vrt") as heights:
        assert (heights.read(1) != heights.nodata).any()


@pytest.mark.parametrize(
    "fault", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.full("two are quick")) for name in REFUSED]
)
def test_the_keys_that_a_refusal_prints_work(fault: str, tmp_path: Path, run_folder: Path) -> None:
    image = write_refused(tmp_path / "my ortho.tif", REFUSED[fault])
    keys = section(run_folder, image, fault)
    for _ in range(5):
        try:
            mapped(keys, tmp_path / "map")
            break
        except MismatchError as error:
            if found := re.search(KEYS, error.remedy):
                keys[found[1]] = yaml.safe_load(found[2])
            else:
                run_rio(error)
                keys["images"] = [str(image.with_name("my ortho_new.tif"))]
    else:
        pytest.fail(f"refused after five remedies: {keys}")
    assert keys != section(run_folder, image, fault), "it was never refused"


@pytest.mark.full("one case of each kind is quick above")
@pytest.mark.parametrize("fault", MENDED)
def test_the_command_that_mends_an_image_works(fault: str, tmp_path: Path, run_folder: Path) -> None:
    image = write_refused(tmp_path / "my ortho.tif", REFUSED[fault])
    with pytest.raises(MismatchError) as refused:
        mapped(section(run_folder, image, fault), tmp_path / "map")
    run_rio(refused.value)
    mapped(section(run_folder, image.with_name("my ortho_new.tif"), fault), tmp_path / "map")


def test_refusals_name_no_options_of_another_command(tmp_path: Path, run_folder: Path) -> None:
    for number, fault in enumerate(REFUSED):
        image = write_refused(tmp_path / f"{number}.tif", REFUSED[fault])
        with pytest.raises(MismatchError) as refused:
            planned_region(MapSpec.parse(section(run_folder, image, fault), "map"), tmp_path / f"{number}.json")
        assert not re.search(r"--(bands|range|resample|gsd)\b", str(refused.value)), refused.value
