"""The catalogue of a data set's files: paths of each layer of each tile."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from rasterio.crs import CRS

from mtlaerial.config import PREPARED_LAYERS, DatasetSpec, Generation, Layer, Split, Task, load_dataset
from mtlaerial.config.hold_out import fold_of, with_validation_tiles
from mtlaerial.config.layers import Patterns
from mtlaerial.datasets.archives import Archive
from mtlaerial.datasets.generation_note import generation_described, is_generated
from mtlaerial.datasets.layer_patterns import layer_patterns, sources_of
from mtlaerial.datasets.places import Places
from mtlaerial.datasets.tile_listing import has_wildcards, require_listed, with_listed_tiles
from mtlaerial.datasets.tile_names import parse_tile_name
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.system.absence import NOTHING, absence


@dataclass(frozen=True)
class Missing:
    """A required file that does not exist."""

    layer: str
    tile: str
    accepted: Patterns
    looked_for: tuple[Path, ...]
    """Paths that the accepted patterns allow; the first is the preferred one."""


@dataclass(frozen=True)
class Dataset:
    """A data set: its specification and the folder of its files, whose folders are looked up once."""

    name: str
    spec: DatasetSpec
    root: Path

    @classmethod
    def of(cls, path: Path, root: Path, name: str = "", generation: Generation | None = None) -> "Dataset":
        """Read a data set's specification; mark it as generated if its files are.

        Parameters
        ----------
        path : Path
            The specification, a YAML file.
        root : Path
            The folder of the files.
        name : str, optional
            By default the stem of ``path``.
        generation : Generation, optional
            How the files will be generated; otherwise, if they have been, their note says it.

        Raises
        ------
        ConfigError
            When the specification is missing or invalid, or names of tiles to generate have wildcards.
        DataError
            When names of tiles have wildcards that no image matches.
        """
        spec = load_dataset(path)
        if generation:
            require_listed(spec)
        elif has_wildcards(spec):
            files = cls(name or path.stem, spec, root)
            files.require_root()
            spec = with_listed_tiles(spec, root, files.provided, str(path))
        if generation or is_generated(root):
            spec = spec.as_generated(generation.description if generation else generation_described(root))
        return cls(name or path.stem, spec, root)

    def fold(self, area: str, hold_out: Sequence[str] = (), key: str = "hold_out") -> "Dataset":
        """Return the data set with an area for testing and all others for training, named ``NAME.AREA``.

        Parameters
        ----------
        area : str
        hold_out : sequence of str
            Tiles for validation, in the folds that do not test them.
        key : str
            The key that lists them, for messages.

        Raises
        ------
        ConfigError
            When there is no such area, or a tile of ``hold_out`` is none.
        """
        validated = [tile for tile in hold_out if self.spec.area_of(tile) != area]
        spec = with_validation_tiles(fold_of(self.spec, area), validated, key)
        return replace(self, name=f"{self.name}.{area}", spec=spec)

    def require_root(self) -> None:
        """Refuse a root that is no folder, in one sentence instead of one for each missing file.

        Raises
        ------
        DataError
        """
        if not self.root.is_dir():
            content = "a file" if self.root.exists() else "no such folder"
            if (absent := absence(self.root)) != NOTHING:
                content = absent
            expected = f"the folder with the files of {self.name}"
            raise DataError(self.root, content, expected, f"Correct the path. {self.spec.obtain}")

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks with ground truth in the data set."""
        return self.spec.tasks

    @cached_property
    def crs(self) -> CRS | None:
        """The specified CRS; None where the images decide.

        Raises
        ------
        ConfigError
            When the CRS does not exist.
        """
        try:
            return CRS.from_user_input(self.spec.crs) if self.spec.crs else None
        except ValueError:  # CRSError is one, and a code such as EPSG:3263l raises it too
            raise ConfigError("crs", self.spec.crs or "", "a CRS such as EPSG:2993", "Correct crs.") from None

    @cached_property
    def archives(self) -> tuple[Archive, ...]:
        """The archives that the data set is published as, downloaded or not."""
        return tuple(Archive(spec, self.root) for spec in self.spec.archives)

    @cached_property
    def provided(self) -> dict[Path, Path]:
        """For each file from an archive, unpacked or still to be, the path of its archive's mark.

        Raises
        ------
        DataError
            When an existing archive cannot be unpacked.
        """
        # Reversed: of a file in several archives, the first archive's mark counts.
        return {path: archive.mark for archive in reversed(self.archives) for path in archive.provided}

    @cached_property
    def places(self) -> Places:
        """The places of the files.

        Raises
        ------
        DataError
            When an existing archive cannot be unpacked.
        """
        return Places(self.root, self.spec.folders, self.provided, sources_of(self.spec), self.spec.tile_name or "")

    def require_one_place(self) -> None:
        """Refuse files of a layer in two folders that could both be meant.

        Raises
        ------
        DataError
        """
        _ = self.places.deeper

    def exists(self, path: Path) -> bool:
        """Tell whether a file exists, or will once the archives are unpacked."""
        return self.places.exists(path)

    @cached_property
    def _split_by_tile(self) -> dict[str, Split]:
        # Looked up for each file of each tile: in lists, 20,000 tiles would take a minute.
        return self.spec.split_by_tile()

    def split_of(self, tile: str) -> Split:
        """Return the split that a tile belongs to; of areas, which are all tested, ``test``.

        Raises
        ------
        ConfigError
            When there is no such tile.
        """
        if tile not in self._split_by_tile:
            expected = f"one of {', '.join(self.spec.tiles)}"
            raise ConfigError("splits", f"no tile {tile}", expected, "Correct the tile's name.")
        return self._split_by_tile[tile]

    def candidates(self, layer: Layer, tile: str) -> tuple[tuple[Path, ...], ...]:
        """Return the accepted paths of each file of a layer, preferred ones first."""
        return tuple(self.places.candidates((layer, accepted), tile) for accepted in self.patterns(layer, tile))

    def patterns(self, layer: Layer, tile: str) -> tuple[Patterns, ...]:
        """Return the accepted patterns of each file of a layer, preferred ones first; empty for an absent layer."""
        return layer_patterns(self.spec, layer, self.split_of(tile))

    def files(self, layer: Layer, tile: str) -> tuple[Path, ...]:
        """Return the files of a layer of a tile; none where the layer is absent.

        Height given as surface and ground has two. For a missing required file, the preferred path is returned, so that
        opening it raises the error.
        """
        candidates = self.candidates(layer, tile)
        existing = [next(filter(self.exists, paths), None) for paths in candidates]
        if None in existing and self.may_lack(layer, tile):
            return ()
        return tuple(path or paths[0] for path, paths in zip(existing, candidates, strict=True))

    def may_lack(self, layer: Layer, tile: str) -> bool:
        """Tell whether a layer is optional for a tile."""
        section = {"height": self.spec.height, "labels": self.spec.labels}.get(layer)
        optional = section is not None and not {tile, self.split_of(tile)}.isdisjoint(section.optional)
        return optional or layer == "eroded"

    def obtain(self, layer: str) -> str:
        """Return a layer's own instructions for getting it; empty where it comes with the data set."""
        section = {"height": self.spec.height, "labels": self.spec.labels}.get(layer)
        return section.obtain if section else ""

    def missing(self) -> list[Missing]:
        """Return all required files that do not exist."""
        gaps = [
            Missing(layer, tile, accepted, paths)
            for tile in self.spec.tiles
            for layer in PREPARED_LAYERS
            for accepted, paths in zip(self.patterns(layer, tile), self.candidates(layer, tile), strict=True)
            if not self.may_lack(layer, tile) and not any(map(self.exists, paths))
        ]
        footprints = self.spec.footprints
        if footprints and not any(map(self.exists, self.footprint_paths)):
            gaps.append(Missing("footprints", "all", footprints.files, self.footprint_paths))
        return gaps

    @cached_property
    def incomplete(self) -> bool:
        """Whether a required file was missing when this was first asked."""
        return bool(self.missing())

    @property
    def footprint_paths(self) -> tuple[Path, ...]:
        """Accepted paths of the vector file with the tiles' footprints; empty where tiles are not cut by footprints."""
        footprints = self.spec.footprints
        return self.places.candidates(("footprints", footprints.files), "all") if footprints else ()

    def corner(self, tile: str) -> tuple[float, float] | None:
        """Return west and south of a tile, in units of the CRS, from its name; None where names have no coordinates.

        Raises
        ------
        ConfigError
            When the name does not match ``image.corner``.
        """
        if self.spec.image.corner is None:
            return None
        place = parse_tile_name(self.spec.image.corner, tile)
        return float(place["west"]), float(place["south"])
