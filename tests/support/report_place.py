"""A report of two methods whose maps tests make by hand, from tiles of a generated place."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtlaerial.config import DatasetSpec
from mtlaerial.rasters.geotiff import create_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.reporting.report import DatasetMaps, PredictedMaps, ReportInputs, write_report
from mtlaerial.runs.cost import Cost, PredictionCost
from mtlaerial.runs.run import RunDescription
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.uncertainty import UncertaintySums
from support.sample_figures import description
from support.sample_scores import run, tile

METHODS = ("joint", "uw")
RED, LEFT_GREEN = (255, 0, 0), (0, 255, 0)
SIDE = 240
"""Pixels of a tile of 0.5 m; heights have cells of 1 m."""


@dataclass(frozen=True)
class ReportPlace:
    """Folder of a report, and the page in it."""

    folder: Path

    @property
    def page(self) -> Path:
        """The page."""
        return self.folder / "report.html"


def specification(generated: bool = False, **changes: object) -> DatasetSpec:
    """Return a specification for a report."""
    values = {
        "title": "Small town", "licence": "CC BY 4.0 & more", "citation": "Doe 2020", "obtain": "Ask.",
        "generated": generated, "image": {"files": "{tile}.tif"}, "height": {"files": "{tile}.tif"},
        "splits": {"train": ["a"], "test": ["t0"]},
    }  # fmt: skip
    return DatasetSpec.parse(values | changes, "test")


def write_raster(path: Path, values: np.ndarray, pixel: float = 0.5, **profile: object) -> None:
    """Write a raster of bands, or of one, whose north-west corner is that of all others."""
    from affine import Affine

    bands = values[None] if values.ndim == 2 else values
    grid = Grid("EPSG:32615", Affine(pixel, 0, 500_000, 0, -pixel, 4_000_000), *bands.shape[1:])
    path.parent.mkdir(parents=True, exist_ok=True)
    with create_raster(path, grid, count=len(bands), dtype=bands.dtype, **profile) as out:
        out.write(bands)


def prepared_tile(folder: Path, side: int = SIDE) -> Path:
    """Write a tile: green at the left and red at the right, a house of 8 m in its north-west, no height in one cell."""
    image = np.zeros((3, side, side), np.uint8)
    image[:, :, : side // 2], image[:, :, side // 2 :] = (
        np.array(LEFT_GREEN)[:, None, None],
        np.array(RED)[:, None, None],
    )
    labels = np.zeros((side, side), np.uint8)
    labels[: side // 2, : side // 2] = 1
    height = np.where(labels[::2, ::2] == 1, 8, 0).astype(np.float32)
    height[0, 0] = np.nan
    write_raster(folder / "image.tif", image)
    write_raster(folder / "labels.tif", labels, nodata=255)
    write_raster(folder / "height.tif", height, pixel=1.0, nodata=np.nan)
    return folder


def predicted_maps(folder: Path, shift: float, side: int = SIDE) -> Path:
    """Write the maps of a tile: the house reaches too far south, and all heights are too high by some metres."""
    classes = np.zeros((side, side), np.uint8)
    classes[: 3 * side // 4, : side // 2] = 1
    height = np.where(classes[::2, ::2] == 1, 8, 0).astype(np.float32) + np.float32(shift)
    probabilities = np.stack([np.where(classes == code, 0.75, 0.25) for code in (0, 1)]).astype(np.float32)
    write_raster(folder / "semantics.tif", classes, nodata=255)
    write_raster(folder / "height.tif", height, pixel=1.0, nodata=np.nan)
    write_raster(folder / "height_std.tif", np.full_like(height, 0.5), pixel=1.0, nodata=np.nan)
    write_raster(folder / "semantics_probabilities.tif", probabilities, nodata=np.nan)
    return folder


def described(method: str, **changes: object) -> RunDescription:
    """Return the description of a run of a method on the place."""
    run_of_it = description(**changes)
    return run_of_it.model_copy(update={"plan": run_of_it.plan.model_copy(update={"method": method, "seed": 1})})


def scores_of(method: str, tiles: int, better: float) -> list[Scores]:
    """Return the scores of two seeds of a method on some tiles, with reliability and intervals."""
    reliability = tuple((float(10 * k), 10 * k * (k + 0.5) / 15, 8.0 * k) for k in range(15))
    intervals = {level: {"overall": (100.0, 100.0, share, 200.0)} for level, share in (("50 %", 48.0), ("90 %", 85.0))}
    sums = UncertaintySums(reliability=reliability, intervals=intervals)
    of_seeds = []
    for seed in (1, 2):
        heights = [0.0, 3.0 + better * seed / 4, 6.0 + better]
        entry = tile([[6 + seed, 2, 0], [1, 11, 0]], [0.0, 4.0, 8.0], heights, uncertainty=sums)
        of_seeds.append(run(method, seed, [entry] * tiles))
    return of_seeds


def report_inputs(folder: Path, tiles: int = 2, side: int = SIDE) -> ReportInputs:
    """Write tiles and maps, and return the inputs of their report."""
    names = [f"t{number}" for number in range(tiles)]
    prepared = [prepared_tile(folder / "tiles" / name, side) for name in names]
    maps: dict[str, list[PredictedMaps]] = {}
    scores: list[Scores] = []
    for number, method in enumerate(METHODS):
        of_method = scores_of(method, tiles, 0.8 * number)
        for name in names:
            predicted_maps(folder / method / "maps" / name, 2.0 - number, side)
        maps[method] = [PredictedMaps(folder / method / "maps", described(method), of_method[0])]
        scores += of_method
    keys = [("town", entry.method, entry.seed) for entry in scores]
    return ReportInputs(
        scores=scores,
        datasets={"town": specification()},
        maps={"town": DatasetMaps(prepared, maps)},
        described={key: described(key[1]) for key in keys},
        costs={key: Cost(seconds_per_step=1.5, peak_memory_mb=900, device="CPU") for key in keys},
        prediction_costs={
            key: PredictionCost(seconds=3, mpixel=2, peak_memory_mb=500, device="CPU") for key in keys
        },
        command="snakemake --cores 2",
    )  # fmt: skip


def written_report(folder: Path, tiles: int = 2) -> ReportPlace:
    """Write tiles, maps and report into a folder."""
    place = ReportPlace(folder)
    write_report(report_inputs(folder, tiles), place.page)
    return place
