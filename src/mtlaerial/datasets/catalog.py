"""Which files of a data set hold which tile."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rasterio.crs import CRS
from rasterio.errors import CRSError

from mtlaerial.config import TASKS, TILE_LAYERS, DatasetSpec, Layer, Task, load_dataset
from mtlaerial.config.layers import Patterns
from mtlaerial.datasets.archives import Archive
from mtlaerial.datasets.folder_spelling import spelled
from mtlaerial.datasets.tile_names import numbers
from mtlaerial.errors import ConfigError

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
