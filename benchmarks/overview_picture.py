"""Draw what comes of one image: classes, heights, and buildings in three dimensions.

python benchmarks/overview_picture.py --images images/*.tif --maps results/map --model buildings.city.json \
    --window WEST SOUTH EAST NORTH --out docs/images/overview.webp

``--maps`` has ``semantics.vrt`` and ``height.vrt`` of a mapped region (docs/regions.md), ``--model`` its buildings.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import rasterio
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from object_pictures import save, triangulated
from rasterio.merge import merge
from rasterio.windows import from_bounds

ROOF, WALL = "#d7191c", "#f5d0a9"
HIGHEST = 20.0
"""Metres at the upper end of the colours of heights."""


def draw_image(axis: Axes, paths: list[Path], window: list[float]) -> None:
    """Draw the part of the images in a window."""
    pixels, _ = merge(paths, bounds=tuple(window), indexes=[1, 2, 3])
    axis.imshow(np.moveaxis(pixels, 0, -1))
    axis.set_title("one aerial image")


def draw_classes(axis: Axes, path: Path, window: list[float]) -> None:
    """Draw classes with the colours and names of the map."""
    with rasterio.open(path) as source:
        codes = source.read(1, window=from_bounds(*window, source.transform))
        colours = source.colormap(1)
        first = next(iter((path.parent / "sheets").glob("*/semantics.tif")))
    with rasterio.open(first) as sheet:
        names = {int(key[6:]): name for key, name in sheet.tags().items() if key.startswith("CLASS_")}
    table = np.full((256, 3), 255, np.uint8)
    for code in names:
        table[code] = colours[code][:3]
    axis.imshow(table[codes])
    axis.set_title("classes")
    patches = [Patch(color=table[code] / 255, label=name) for code, name in sorted(names.items())]
    axis.legend(handles=patches, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=3, fontsize=7, frameon=False)


def draw_heights(axis: Axes, path: Path, window: list[float]) -> None:
    """Draw heights in metres."""
    with rasterio.open(path) as source:
        heights = source.read(1, window=from_bounds(*window, source.transform), masked=True) * source.scales[0]
    shown = axis.imshow(heights, vmin=0, vmax=HIGHEST, cmap="viridis")
    axis.set_title("heights")
    place = axis.inset_axes((0.1, -0.09, 0.8, 0.05))
    axis.figure.colorbar(shown, cax=place, orientation="horizontal", label="m above ground", extend="max")


def draw_ground(axis: Any, paths: list[Path], window: list[float]) -> None:
    """Draw the images as the ground of a view in three dimensions."""
    west, south, east, north = window
    pixels, _ = merge(paths, bounds=tuple(window), indexes=[1, 2, 3], res=((east - west) / 220, (north - south) / 200))
    rows, columns = pixels.shape[1:]
    xs, ys = np.meshgrid(np.linspace(west, east, columns + 1), np.linspace(north, south, rows + 1))
    faces = np.moveaxis(pixels, 0, -1) / 255
    axis.plot_surface(xs, ys, np.zeros_like(xs), facecolors=faces, rcount=rows, ccount=columns, shade=False, zorder=0)


def draw_buildings(axis: Any, path: Path, window: list[float]) -> None:
    """Draw the solids that lie in a window, seen from the south-west."""
    model = json.loads(path.read_text(encoding="utf-8"))
    scale, shift = (np.array(model["transform"][key]) for key in ("scale", "translate"))
    vertices = np.array(model["vertices"]) * scale + shift
    west, south, east, north = window
    for entry in model["CityObjects"].values():
        geometry = entry["geometry"][0]
        surfaces = [[vertices[ring] for ring in surface] for surface in geometry["boundaries"][0]]
        centre = np.vstack([ring for surface in surfaces for ring in surface]).mean(axis=0)
        if not (west < centre[0] < east and south < centre[1] < north):
            continue
        for surface, kind in zip(surfaces, geometry["semantics"]["values"][0], strict=True):
            name = geometry["semantics"]["surfaces"][kind]["type"]
            if name != "GroundSurface":
                faces, order = triangulated(surface, name), 2 if name == "RoofSurface" else 1
                colour = ROOF if name == "RoofSurface" else WALL
                axis.add_collection3d(Poly3DCollection(faces, facecolors=colour, edgecolors=colour, zorder=order))
    axis.set(xlim=(west, east), ylim=(south, north), zlim=(0, HIGHEST))
    axis.set_box_aspect((east - west, north - south, HIGHEST), zoom=1.4)
    axis.view_init(elev=48, azim=-105)
    axis.set_axis_off()
    axis.set_title("buildings")


def main() -> None:
    """Draw the four panels."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, nargs="+", required=True, help="orthophotos")
    parser.add_argument("--maps", type=Path, required=True, help="folder of a mapped region")
    parser.add_argument("--model", type=Path, required=True, help="city model of its buildings")
    parser.add_argument("--window", type=float, nargs=4, required=True, help="west, south, east, north")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    figure = plt.figure(figsize=(15, 4.4))
    figure.subplots_adjust(left=0.005, right=0.995, bottom=0.14, top=0.93, wspace=0.02)
    flat = [figure.add_subplot(1, 4, number) for number in (1, 2, 3)]
    for axis in flat:
        axis.set_axis_off()
    draw_image(flat[0], options.images, options.window)
    draw_classes(flat[1], options.maps / "semantics.vrt", options.window)
    draw_heights(flat[2], options.maps / "height.vrt", options.window)
    solid = figure.add_subplot(1, 4, 4, projection="3d", computed_zorder=False)
    draw_ground(solid, options.images, options.window)
    draw_buildings(solid, options.model, options.window)
    save(figure, options.out)


if __name__ == "__main__":
    main()
