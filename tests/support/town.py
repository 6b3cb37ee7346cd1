"""A small data set on disk, clean until a test breaks it."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

from mtlaerial.config import DatasetSpec, merge
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check import TileReport, check_tile

SIZE = 64
WEST, NORTH = 500_000.0, 5_400_000.0
COLOURS = np.array([[255, 255, 255], [0, 0, 255], [0, 255, 0]], dtype=np.uint8)
SPEC: dict[str, Any] = {
    "title": "Test town",
    "licence": "CC0",
    "obtain": "Ask the town hall.",
    "gsd": 0.5,
    "crs": "EPSG:32632",
    "image": {"files": ["image/{tile}.tif", "image/{tile}.png"]},
    "height": {"files": "height/{tile}.tif", "nodata": -9999},
    "labels": {
        "files": "labels/{tile}.tif",
        "ignore": [9],
        "classes": [
            {"name": "road", "values": [0], "colour": "#ffffff"},
            {"name": "house", "values": [1], "colour": "#0000ff"},
            {"name": "grass", "values": [2, 3], "colour": "#00ff00"},
        ],
    },
    "splits": {"train": ["a"], "test": ["b"]},
}


class Town:
    """A small data set on disk: tile b lies east of a."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.spec = SPEC
        self.random = np.random.default_rng(0)
        for index, tile in enumerate("ab"):
            west = WEST + index * SIZE * 0.5
            self.write("image", tile, self.image(), west=west)
            self.write("height", tile, self.heights(), gsd=1.0, west=west, nodata=-9999)
            self.write("labels", tile, self.labels(), west=west)

    def image(self, size: int = SIZE) -> np.ndarray:
        return self.random.integers(0, 256, (3, size, size), dtype=np.uint8)

    def heights(self, size: int = SIZE // 2) -> np.ndarray:
        """Half ground at 0, half roofs and crowns up to 30 m."""
        heights = self.random.uniform(0, 30, (size, size)).astype(np.float32)
        heights[: size // 2] = 0
        return heights

    def labels(self, size: int = SIZE) -> np.ndarray:
        return self.random.integers(0, 4, (size, size), dtype=np.uint8)

    def write(
        self,
        layer: str,
        tile: str,
        values: np.ndarray,
        gsd: float = 0.5,
        west: float = WEST,
        north: float = NORTH,
        crs: str | None = "EPSG:32632",
        transform: Affine | None = None,
        **profile: Any,
    ) -> Path:
        values = values if values.ndim == 3 else values[None]
        path = self.root / layer / f"{tile}.tif"
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        count, height, width = values.shape
        transform = transform or Affine(gsd, 0, west, 0, -gsd, north)
        place = {} if crs is None and transform.is_identity else {"crs": crs, "transform": transform}
        shape = {"count": count, "height": height, "width": width, "dtype": values.dtype}
        with (
            warnings.catch_warnings(action="ignore"),
            rasterio.open(path, "w", driver="GTiff", **shape, **place, **profile) as target,
        ):
            target.write(values)
        return path

    def bare(self, layer: str, tile: str, values: np.ndarray, **profile: Any) -> Path:
        """Write a file without georeference."""
        return self.write(layer, tile, values, crs=None, transform=Affine.identity(), **profile)

    def change(self, **sections: Any) -> None:
        self.spec = merge(self.spec, sections)

    @property
    def dataset(self) -> Dataset:
        return Dataset("town", DatasetSpec.parse(self.spec, "town.yaml"), self.root)

    def check(self, tile: str = "a") -> TileReport:
        return check_tile(self.dataset, tile)


def only(level: str, where: Path | str, report: TileReport, *words: str) -> None:
    """Assert that a report has one finding, of the level and place, with the words."""
    assert len(report.findings) == 1, "\n".join(map(str, report.findings))
    finding = report.findings[0]
    assert (finding.level, finding.where) == (level, str(where))
    for word in words:
        assert word in str(finding), f"{word!r} not in {finding}"
    assert finding.found
    assert finding.expected
    assert finding.remedy
    assert report.ok == (level == "warning")
