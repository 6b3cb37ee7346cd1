"""Catalog of what a folder of maps shows: layers, objects, places, and notes on what is not shown."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import token_hex
from typing import Any

from affine import Affine

from mtlaerial.errors import DataError, UserError
from mtlaerial.rasters.admission import Admitted, opened, require_admitted
from mtlaerial.rasters.formats import VRT
from mtlaerial.rasters.geotiff import reading
from mtlaerial.rasters.grid import Grid
from mtlaerial.viewer.description import describe_layer, describe_place
from mtlaerial.viewer.files import REMEDY, MapFiles, find_maps
from mtlaerial.viewer.layer import Appearance, Layer, appearance_of, rank, title_of
from mtlaerial.viewer.mercator import MERCATOR, Bounds, union
from mtlaerial.viewer.object_layer import ObjectLayer, read_object_layers
from mtlaerial.viewer.plane import plane_transforms
from mtlaerial.viewer.source import Source, admit_inside, place_source

log = logging.getLogger(__name__)
NO_CRS = "Maps without a CRS lie on a plane of their own, not at their place on Earth; its unit is taken for a metre."


@dataclass(frozen=True)
class Raster:
    """A raster that was found, before it has its place."""

    path: Path
    admitted: Admitted
    grid: Grid
    appearance: Appearance


@dataclass
class Catalog:
    """What is shown.

    Attributes
    ----------
    title : str
    layers : dict of str to Layer
        By key, in the order of the page's list.
    objects : dict of str to ObjectLayer
    places : dict of str to tuple of float
        Bounds of each map in metres of Web Mercator.
    notes : list of str
        Sentences for the user.
    start : str
        Of this start of the viewer alone: a part of the addresses of tiles, lest a browser show those that it keeps
        from another one.
    """

    title: str
    layers: dict[str, Layer] = field(default_factory=dict)
    objects: dict[str, ObjectLayer] = field(default_factory=dict)
    places: dict[str, Bounds] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    start: str = field(default_factory=lambda: token_hex(4))

    def as_json(self) -> dict[str, Any]:
        """Return what the page needs to know."""
        return {
            "title": self.title,
            "notes": self.notes,
            "places": [describe_place(name, bounds) for name, bounds in self.places.items()],
            "layers": [{**describe_layer(layer), "start": self.start} for layer in self.layers.values()],
            "objects": [each.as_json() for each in self.objects.values()],
        }


def read_catalog(folder: Path, further: Sequence[Path] = ()) -> Catalog:
    """Return the catalog of a folder, and of further files.

    Files that cannot be shown are left out, with a note.

    Raises
    ------
    DataError
        When nothing can be shown.
    """
    catalog = Catalog(folder.resolve().name or str(folder))
    maps = find_maps(folder, further)
    rasters = {each: list(_readable(each, catalog.notes)) for each in maps}
    planes = plane_transforms(
        {each: first.grid for each, found in rasters.items() if (first := _without_crs(found)) is not None}
    )
    for each, found in rasters.items():
        sources = list(_placed(found, planes.get(each), catalog.notes))
        for raster, source in sources:
            _layer(catalog, raster.appearance, each.name or raster.path.name).sources.append(source)
        if sources and each.name:
            catalog.places[_unused(each.name, catalog.places)] = union([source.bounds for _, source in sources])
        _add_objects(catalog, each, _to_plane(found, planes.get(each)))
    if not catalog.layers:
        raise DataError(folder, f"nothing that can be shown ({catalog.notes[0]})", "at least one map", REMEDY)
    if planes:
        catalog.notes.insert(0, NO_CRS)
    ordered = sorted(catalog.layers.values(), key=lambda layer: rank(layer.appearance))
    catalog.layers = {f"layer{number}": replace(layer, key=f"layer{number}") for number, layer in enumerate(ordered)}
    for note in catalog.notes:
        log.warning(note)
    return catalog


def _readable(files: MapFiles, notes: list[str]) -> Iterator[Raster]:
    for path in files.rasters:
        try:
            yield _read(path, files.root)
        except UserError as error:
            notes.append(f"Left out: {error}")


def _read(path: Path, root: Path) -> Raster:
    admitted = admit_inside(path, root)
    first = min(admitted.files, default=path) if admitted.format is VRT else path
    with reading(path), opened(path, admitted) as dataset:
        require_admitted(dataset, path, admitted)
        return Raster(path, admitted, Grid.of(dataset), appearance_of(dataset, path, first))


def _without_crs(rasters: Iterable[Raster]) -> Raster | None:
    """Return the first raster of a map if it has no CRS, as then none of its layers has one."""
    return next((each for each in rasters if each.grid.crs is None), None)


def _placed(rasters: Iterable[Raster], plane: Affine | None, notes: list[str]) -> Iterator[tuple[Raster, Source]]:
    """Yield rasters with their places; those without a CRS have one on the plane."""
    first = _without_crs(rasters)
    for raster in rasters:
        grid = raster.grid
        crs, transform = grid.crs, grid.transform
        if crs is None:
            assert plane is not None
            assert first is not None
            # Layers of one map may have grids of other pixels: their coordinates lead to their place.
            crs, transform = MERCATOR, plane @ ~first.grid.transform @ grid.transform
        try:
            yield raster, place_source(raster.path, crs, transform, grid, raster.admitted)
        except UserError as error:
            notes.append(f"Left out: {error}")


def _to_plane(rasters: Iterable[Raster], plane: Affine | None) -> Affine | None:
    """Return the transform from the coordinates of a map without a CRS to the plane."""
    first = _without_crs(rasters)
    return None if plane is None or first is None else plane @ ~first.grid.transform


def _layer(catalog: Catalog, appearance: Appearance, place: str) -> Layer:
    """Return the layer that shows rasters of an appearance; a new one if there is none yet."""
    for layer in catalog.layers.values():
        if (joined := layer.appearance.joined(appearance)) is not None:
            layer.appearance = joined
            return layer
    title = title_of(appearance)
    if any(layer.title == title for layer in catalog.layers.values()):
        title = f"{title}, {place}"  # of another legend, as of maps by another run
    layer = Layer(f"layer{len(catalog.layers)}", title, appearance)
    catalog.layers[layer.key] = layer
    return layer


def _add_objects(catalog: Catalog, files: MapFiles, to_plane: Affine | None) -> None:
    for path in files.geopackages:
        try:
            for each in read_object_layers(path, files.root, to_plane):
                key, titles = f"objects{len(catalog.objects)}", [layer.title for layer in catalog.objects.values()]
                place = files.name or path.parent.name
                title = _unused(f"{each.title}, {place}" if each.title in titles else each.title, titles)
                catalog.objects[key] = each.named(key, title)
        except UserError as error:
            catalog.notes.append(f"Left out: {error}")


def _unused(name: str, names: Iterable[str]) -> str:
    """Return a name that is not among some."""
    taken = set(names)
    number = 2
    unused = name
    while unused in taken:
        unused, number = f"{name} ({number})", number + 1
    return unused
