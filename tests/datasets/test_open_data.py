"""The specifications of Potsdam, DFC2019 and GeoNRW on generated files in the layouts of the downloads."""

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import rasterio
import rasterio.shutil
from rasterio.errors import NotGeoreferencedWarning

from mtlaerial.config import DatasetSpec, load_dataset
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check import check_dataset
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.reporting.tables import build_documents
from mtlaerial.reporting.tables.render import markdown
from mtlaerial.synthetic.generate import synthesise
from support import tiny
from support.without_torch import needs_torch

Splits = dict[str, tuple[str, ...]]


def as_downloaded(root: Path) -> None:
    """Leave generated files as they are: they have the layout of the download."""


def without_georeference(root: Path) -> None:
    """Write all rasters again without georeference, as those of DFC2019 are."""
    for path in sorted(root.rglob("*.tif")):
        with open_raster(path) as source:
            pixels, tags = source.read(), source.tags()
        tiny.write_raster(path, pixels, pixel=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path, "r+") as target:
                target.update_tags(**tags)


def as_jpeg2000(root: Path) -> None:
    """Convert the images to JPEG 2000 without loss, as those of GeoNRW are."""
    for path in sorted(root.rglob("*_rgb.tif")):
        options = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"}
        rasterio.shutil.copy(path, path.with_suffix(".jp2"), **options)
        path.unlink()


class Imitation(NamedTuple):
    """Tiles of a generated imitation, some of its files, and how it becomes like the download."""

    splits: Splits
    files: tuple[str, ...]
    finish: Callable[[Path], None]


IMITATIONS = {
    "potsdam": Imitation(
        {"train": ("2_10", "6_7"), "test": ("2_13",)},
        (
            "2_Ortho_RGB/top_potsdam_6_7_RGB.tif",
            "1_DSM_normalisation/dsm_potsdam_06_07_normalized_lastools.jpg",
            "1_DSM_normalisation/dsm_potsdam_02_10_normalized_lastools.jpg",
            "5_Labels_all/top_potsdam_2_13_label.tif",
            "5_Labels_all_noBoundary/top_potsdam_2_13_label_noBoundary.tif",
        ),
        as_downloaded,
    ),
    "dfc2019": Imitation(
        {
            "train": ("JAX_004_006", "OMA_132_002"),
            "val": ("JAX_164_001", "OMA_163_003"),
            "test": ("JAX_214_011", "OMA_203_001"),
        },
        ("Track1-RGB/JAX_004_006_RGB.tif", "Track1-Truth/OMA_203_001_AGL.tif", "Track1-Truth/JAX_214_011_CLS.tif"),
        without_georeference,
    ),
    "geonrw": Imitation(
        {
            "train": ("aachen_293_5629", "koeln_352_5644"),
            "val": ("bottrop_358_5709",),
            "test": ("duesseldorf_345_5677", "herne_374_5710", "neuss_336_5672"),
        },
        ("aachen/293_5629_rgb.jp2", "herne/374_5710_dem.tif", "koeln/352_5644_seg.tif", "dgm1/dgm1.tif"),
        as_jpeg2000,
    ),
}


def spec_of(name: str) -> DatasetSpec:
    return load_dataset(tiny.CONFIG / "datasets" / f"{name}.yaml")


def imitate(name: str, root: Path, size: int) -> None:
    """Generate a few tiles of a data set in the layout of its download."""
    spec = spec_of(name).model_copy(update={"splits": IMITATIONS[name].splits})
    synthesise(Dataset(name, spec, root), seed=3, size=size)
    IMITATIONS[name].finish(root)


def downloaded(name: str, root: Path) -> Dataset:
    """Return the data set by its shipped specification; of Potsdam, which names all tiles, with those there."""
    dataset = Dataset.of(tiny.CONFIG / "datasets" / f"{name}.yaml", root)
    if name != "potsdam":
        return dataset
    return Dataset(name, dataset.spec.model_copy(update={"splits": IMITATIONS[name].splits}), root)


@pytest.mark.quick_cases(1, "generates a whole layout a case")
@pytest.mark.parametrize("name", ["dfc2019", "geonrw", "potsdam"])
def test_a_generated_layout_is_that_of_the_specification(name: str, tmp_path: Path) -> None:
    imitate(name, tmp_path, size=64)
    for file in IMITATIONS[name].files:
        assert (tmp_path / file).is_file()
    dataset = downloaded(name, tmp_path)
    assert dataset.spec.splits == {split: tuple(sorted(tiles)) for split, tiles in IMITATIONS[name].splits.items()}
    assert dataset.missing() == []
    report = check_dataset(dataset)
    assert [str(finding) for tile in report.tiles for finding in tile.findings if finding.level == "error"] == []
    assert report.ok


@needs_torch
@pytest.mark.full("trains on each layout")
@pytest.mark.parametrize("name", IMITATIONS)
def test_a_layout_goes_from_check_to_tables(name: str, tmp_path: Path) -> None:
    from support.whole_way import trained_and_scored

    imitate(name, tmp_path / "data", size=192)
    dataset = downloaded(name, tmp_path / "data")
    assert check_dataset(dataset).ok
    scores = trained_and_scored(dataset, tmp_path)
    assert set(scores.tiles) == set(IMITATIONS[name].splits["test"])
    assert scores.confusion().any()
    assert scores.height("all")["overall"][0] > 1000
    table = markdown(build_documents([scores])[0])
    assert dataset.spec.title in table
    assert "generated" in table
    for score in ("mIoU (%)", "MAE (m)"):
        assert score in table


def test_potsdam_has_the_tiles_of_the_contest_but_one() -> None:
    splits = spec_of("potsdam").splits
    assert (len(splits["train"]), len(splits["test"])) == (23, 14)
    assert "4_12" not in spec_of("potsdam").tiles


def test_wildcards_that_no_image_matches_are_named(tmp_path: Path) -> None:
    imitate("dfc2019", tmp_path, size=64)
    for path in tmp_path.rglob("OMA_2*_RGB.tif"):
        path.unlink()
    with pytest.raises(
        DataError, match=r"no image of a tile like OMA_2\*; expected some, at Track1-RGB/\{tile\}_RGB.tif"
    ):
        downloaded("dfc2019", tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        downloaded("dfc2019", tmp_path / "nowhere")


def test_wildcards_count_the_files_of_archives(tmp_path: Path) -> None:
    imitate("dfc2019", tmp_path, size=64)
    files = {f"Track1-RGB/{path.name}": path.read_bytes() for path in (tmp_path / "Track1-RGB").iterdir()}
    shutil.rmtree(tmp_path / "Track1-RGB")
    tiny.write_zip(tmp_path / "Train-Track1-RGB.zip", files)
    assert downloaded("dfc2019", tmp_path).spec.splits["test"] == ("JAX_214_011", "OMA_203_001")


def test_tiles_with_wildcards_cannot_be_generated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"JAX_16\*.*names of tiles to generate"):
        synthesise(Dataset("dfc2019", spec_of("dfc2019"), tmp_path), seed=0, size=64)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tile_name": "{row}{column}"}, "tile_name: found '{row}{column}'"),
        ({"tile_name": "{tile}"}, "tile_name: found '{tile}'"),
        ({"tile_name": None}, "{row} in 2_Ortho_RGB"),
        ({"tile_name": "{row}-{column}"}, "the tile 2_10"),
        ({"splits": {"train": [".._10"], "test": ["2_13"]}}, "no dot"),
        ({"splits": {"train": ["2_.."], "test": ["2_13"]}}, "the tile 2_.."),
    ],
)
def test_names_and_patterns_that_do_not_fit_are_refused(changes: dict[str, object], words: str) -> None:
    data = spec_of("potsdam").model_dump(mode="json")
    with pytest.raises(ConfigError) as error:
        DatasetSpec.parse({**data, **changes}, "here")
    assert words in str(error.value)
