"""Layouts of files that the generated town is written in."""

from pathlib import Path

from mtlaerial.config import DatasetSpec, load_dataset

SPECS = Path(__file__).parents[2] / "config" / "datasets"
CLASSES = [
    {"name": "paved", "values": [7, 8], "colour": "#b4b4b4"},
    {"name": "roof", "values": [3], "colour": "#d7191c"},
    {"name": "vegetation", "values": [300], "colour": "#b8e186"},
]
SEED = 5
"""Seed of the town."""


def spec_of(**changes: object) -> DatasetSpec:
    """Return a data set of four tiles in a mosaic with four bands of 16 bits."""
    data = {
        "title": "Town",
        "licence": "none",
        "obtain": "It is generated.",
        "crs": "EPSG:2993",
        "gsd": 0.5,
        "image": {
            "files": "a folder/mosaic.tif",
            "bands": [4, 1, 3],
            "band_names": ["nir", "red", "green"],
            "range": [0, 4000],
            "nodata": 0,
        },
        "height": {"files": "{tile}/height.tif", "scale": 0.01, "offset": -3, "nodata": -1},
        "labels": {"files": "labels.tif", "classes": CLASSES},
        "splits": {"train": ["west"], "test": ["north", "a b"]},
        **changes,
    }
    return DatasetSpec.parse(data, "test")


GRID = {"grid": {"size": [96, 128]}, "splits": {"train": ["r2c2"], "test": ["r1c1", "r1c2"]}}
FOOTPRINTS = {"footprints": {"files": ["areas/tiles.gpkg"], "column": "name"}}
LAYOUTS = {
    "city": (load_dataset(SPECS / "city.yaml"), {"height": 1.0}),
    "dfc2018": (load_dataset(SPECS / "dfc2018.yaml"), {"height": 0.5, "labels": 0.5}),
    "vaihingen": (load_dataset(SPECS / "vaihingen.yaml"), {}),
    "grid": (spec_of(**GRID), {"labels": 1.0}),
    "footprints": (spec_of(**FOOTPRINTS), {"height": 2.0}),
    "geographic": (spec_of(**FOOTPRINTS, crs="EPSG:4326"), {}),
}
