"""Which files of a data set hold which tile, and where in them it lies."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import geopandas as gpd
from affine import Affine
from rasterio.crs import CRS
from rasterio.errors import CRSError

from mtlaerial.config import TASKS, TILE_LAYERS, DatasetSpec, Layer, Task, load_dataset
from mtlaerial.config.layers import Patterns
from mtlaerial.config.names import numbers
from mtlaerial.datasets.archives import Archive
from mtlaerial.datasets.paths import spelled
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.raster import Grid, open_raster

NOTE = "GENERATED.txt"
"""The file in a data set's folder that says that its files are generated, and that they are complete."""


@dataclass(frozen=True)
class Missing:
    """A file that should be there."""

    layer: str
    tile: str
    accepted: Patterns
    looked_for: tuple[Path, ...]
    """Where, by the accepted patterns; the first is where it should be put."""


@dataclass(frozen=True)
class Dataset:
    """A data set's specification together with the folder its files are in."""

    name: str
    spec: DatasetSpec
    root: Path

    @classmethod
    def of(cls, path: Path, root: Path, name: str = "", generated: bool = False) -> "Dataset":
        """Read a specification; of generated files it is one of a generated data set, whatever it says.

        Parameters
        ----------
        path : Path
            The specification.
        root : Path
            The folder with the files.
        name : str, optional
            By default the specification's.
        generated : bool
            The files are generated, or will be.

        Raises
        ------
        ConfigError
            When the specification is missing or wrong.
        """
        spec = load_dataset(path)
        known = generated or (root / NOTE).exists()
        return cls(name or path.stem, spec.as_generated() if known else spec, root)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that it has ground truth for."""
        present = {"semantics": self.spec.labels, "height": self.spec.height}
        return tuple(task for task in TASKS if present[task] is not None)

    @cached_property
    def crs(self) -> CRS | None:
        """The CRS that the specification asks for; None where it leaves that to the images.

        Raises
        ------
        ConfigError
            When there is no such CRS.
        """
        try:
            return CRS.from_user_input(self.spec.crs) if self.spec.crs else None
        except CRSError:
            raise ConfigError("crs", self.spec.crs or "", "a CRS such as EPSG:2993", "Correct crs.") from None

    @cached_property
    def archives(self) -> tuple[Archive, ...]:
        """The archives that it is given out in, whether they are there or not."""
        return tuple(Archive(spec, self.root) for spec in self.spec.archives)

    @cached_property
    def provided(self) -> dict[Path, Path]:
        """The files that archives hold, unpacked or not, and for each the mark that its archive is unpacked.

        Raises
        ------
        DataError
            When an archive that is there cannot be unpacked.
        """
        return {path: archive.mark for archive in reversed(self.archives) for path in archive.provided}

    @cached_property
    def _provided_folders(self) -> frozenset[Path]:
        return frozenset(folder for path in self.provided for folder in path.parents)

    def exists(self, path: Path) -> bool:
        """Tell whether a file is there, or in an archive that is there."""
        return path in self.provided or path.exists()

    def candidates(self, layer: Layer, tile: str) -> tuple[tuple[Path, ...], ...]:
        """Return, for each file that makes up the layer, its accepted paths in the order of preference."""
        return tuple(
            tuple(path for pattern in accepted for path in self.paths(pattern, tile))
            for accepted in self.patterns(layer, tile)
        )

    def paths(self, pattern: str, tile: str) -> tuple[Path, ...]:
        """Return where a pattern looks for the file of a tile: in each folder of the specification."""
        file = Path(pattern.replace("{tile}", tile))
        # Names of tiles are as they are: a_1 is not a1.
        shared = file.parent if file.parent == Path(pattern).parent else Path()
        return tuple(
            spelled(self.root, Path(folder, shared), self._provided_folders) / file.relative_to(shared)
            for folder in self.spec.folders
        )

    def patterns(self, layer: Layer, tile: str) -> tuple[Patterns, ...]:
        """Return, for each file that makes up the layer, its accepted patterns in the order of preference."""
        spec, split = self.spec, self.spec.split_of(tile)
        eroded = spec.labels.eroded if spec.labels and split != "train" else None
        return {
            "image": (spec.image.files,),
            "height": spec.height.sources if spec.height else (),
            "labels": (spec.labels.files_of(split),) if spec.labels else (),
            "eroded": (eroded.files,) if eroded else (),
        }[layer]

    def files(self, layer: Layer, tile: str) -> tuple[Path, ...]:
        """Return the files that make up a layer of a tile; none where the layer is absent.

        Height given as surface and ground has two. A required file that is missing is returned under its preferred
        path, so that whoever opens it says so.
        """
        found = [next((path for path in paths if self.exists(path)), None) for paths in self.candidates(layer, tile)]
        if None in found and self.may_lack(layer, tile):
            return ()
        preferred = [paths[0] for paths in self.candidates(layer, tile)]
        return tuple(path or other for path, other in zip(found, preferred, strict=True))

    def may_lack(self, layer: Layer, tile: str) -> bool:
        """Tell whether a layer is optional for a tile."""
        section = {"height": self.spec.height, "labels": self.spec.labels}.get(layer)
        named = section is not None and bool({tile, self.spec.split_of(tile)} & set(section.optional))
        return named or layer == "eroded"

    def obtain(self, layer: str) -> str:
        """Return where and how to get a layer, where that is not where the rest comes from; else an empty string."""
        section = {"height": self.spec.height, "labels": self.spec.labels}.get(layer)
        return section.obtain if section else ""

    def missing(self) -> list[Missing]:
        """Return every required file that is not there."""
        gaps = [
            Missing(layer, tile, accepted, paths)
            for tile in self.spec.tiles
            for layer in TILE_LAYERS
            for accepted, paths in zip(self.patterns(layer, tile), self.candidates(layer, tile), strict=True)
            if not self.may_lack(layer, tile) and not any(map(self.exists, paths))
        ]
        return gaps if self.spec.footprints is None else gaps + self._missing_footprints()

    def _missing_footprints(self) -> list[Missing]:
        paths, accepted = self.footprint_paths, self.spec.footprints.files if self.spec.footprints else ()
        return [] if any(map(self.exists, paths)) else [Missing("footprints", "all", accepted, paths)]

    @property
    def footprint_paths(self) -> tuple[Path, ...]:
        """Accepted paths of the vector file with the tiles' footprints; none where tiles are not cut by footprints."""
        patterns = self.spec.footprints.files if self.spec.footprints else ()
        return tuple(path for pattern in patterns for path in self.paths(pattern, "all"))

    def corner(self, tile: str) -> tuple[float, float] | None:
        """Return west and south of a tile in the unit of its CRS as its name says; None where names say nothing.

        Raises
        ------
        ConfigError
            When the name is not like ``image.corner``.
        """
        if self.spec.image.corner is None:
            return None
        place = numbers(self.spec.image.corner, tile)
        return float(place["west"]), float(place["south"])

    def image_window(self, tile: str) -> tuple[Path, int, int, Grid]:
        """Return the image file of a tile, the row and column in it where the tile begins, and the tile's grid.

        Raises
        ------
        DataError, ConfigError
            When the file cannot be read, or the tile is not in it.
        """
        path = self.files("image", tile)[0]
        with open_raster(path) as source:
            grid = self._placed(Grid.of(source))
        if self.spec.grid:
            row, column, height, width = self._grid_cell(tile, path, grid)
        elif self.spec.footprints:
            row, column, height, width = self._footprint(tile, path, grid)
        else:
            row, column, height, width = 0, 0, grid.height, grid.width
        return path, row, column, grid.window(row, column, height, width)

    def layer_window(self, path: Path, image: Grid) -> tuple[int, int, Grid]:
        """Return the row and column in a layer's file where a tile begins, and the layer's grid there.

        A file without georeference covers just the same ground as the image.
        """
        with open_raster(path) as source:
            grid = Grid.of(source)
        if not grid.georeferenced:
            scale = Affine.scale(image.width / grid.width, image.height / grid.height)
            return 0, 0, Grid(image.crs, image.transform @ scale, grid.height, grid.width)
        row, column, height, width = grid.covering(image)
        return row, column, grid.window(row, column, height, width)

    def _placed(self, grid: Grid) -> Grid:
        """Give an image without georeference pixels of the specified size, and the specified CRS where it has none."""
        crs = grid.crs or self.crs
        if grid.georeferenced:
            return Grid(crs, grid.transform, grid.height, grid.width)
        gsd = self.spec.gsd or 1.0
        return Grid(crs, Affine.scale(gsd, -gsd), grid.height, grid.width)

    def _grid_cell(self, tile: str, path: Path, grid: Grid) -> tuple[int, int, int, int]:
        assert self.spec.grid is not None
        cell = numbers(self.spec.grid.name, tile)
        rows, columns = self.spec.grid.size
        row, column = (cell["row"] - 1) * rows, (cell["column"] - 1) * columns
        if not (0 <= row < grid.height and 0 <= column < grid.width):
            size = f"{grid.height} x {grid.width} pixels"
            raise DataError(path, f"{size}, which end before tile {tile}", "the tile inside", "Correct splits or grid.")
        return row, column, min(rows, grid.height - row), min(columns, grid.width - column)

    def _footprint(self, tile: str, path: Path, grid: Grid) -> tuple[int, int, int, int]:
        bounds = self._footprint_bounds.get(tile)
        if bounds is None:
            known = ", ".join(sorted(self._footprint_bounds))
            raise DataError("footprints", f"the tiles {known}", f"the tile {tile}", "Correct splits or footprints.")
        west, south, east, north = bounds
        left, top = ~grid.transform @ (west, north)
        right, bottom = ~grid.transform @ (east, south)
        row, column = max(0, round(top)), max(0, round(left))
        height, width = min(grid.height, round(bottom)) - row, min(grid.width, round(right)) - column
        if height <= 0 or width <= 0:
            raise DataError(path, f"bounds {grid.bounds}", f"tile {tile} at {bounds}", "Correct the footprints.")
        return row, column, height, width

    @cached_property
    def _footprint_bounds(self) -> dict[str, tuple[float, float, float, float]]:
        spec = self.spec.footprints
        assert spec is not None
        paths = self.footprint_paths
        path = next((p for p in paths if p.exists()), None)
        if path is None:
            raise DataError(paths[0], "no file", " or ".join(map(str, paths)), self.spec.obtain)
        try:
            frame = gpd.read_file(path)
        except Exception as error:
            raise DataError(path, str(error), "a vector file", "Get the file anew.") from None
        if spec.column not in frame:
            found = f"the columns {', '.join(map(str, frame.columns))}"
            raise DataError(path, found, f"a column {spec.column}", "Correct footprints.column.")
        if self.spec.crs and frame.crs:
            frame = frame.to_crs(self.spec.crs)
        return {str(name): tuple(shape.bounds) for name, shape in zip(frame[spec.column], frame.geometry, strict=True)}
