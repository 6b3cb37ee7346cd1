"""Draw objects: two kinds of footprints over orthophotos, and a city model in three dimensions.

python benchmarks/object_pictures.py --images autzen_r2c3.tif autzen_r3c3.tif --objects buildings.gpkg regular.gpkg \
    --labels "along pixels" regularised --detail W S E N --out docs/images/objects.webp \
    --model buildings.city.json docs/images/city_model.webp
"""

import argparse
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import rasterio
import shapely
from matplotlib.axes import Axes
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from PIL import Image
from shapely.geometry import box

FIRST, SECOND = "#E69F00", "#56B4E9"
"""Okabe and Ito's colours."""
COLOURS = {"RoofSurface": "#D55E00", "WallSurface": "#cccccc"}


def draw_footprints(images: list[Path], objects: list[Path], labels: list[str], detail: list[float], out: Path) -> None:
    """Draw outlines over images, and a part of them enlarged, with the heights of the first ones."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 6), width_ratios=[1, 2], layout="constrained")
    for axis in axes:
        for path in images:
            with rasterio.open(path) as source:
                west, south, east, north = source.bounds
                axis.imshow(np.moveaxis(source.read([1, 2, 3]), 0, -1), extent=(west, east, south, north))
        for path, colour, label in zip(objects, (FIRST, SECOND), labels, strict=True):
            frame = gpd.read_file(path)
            frame.boundary.plot(ax=axis, color=colour, linewidth=1.2, label=label)
        axis.set_axis_off()
    left, right = axes
    bounds = np.array([source_bounds(path) for path in images])
    left.set(xlim=(bounds[:, 0].min(), bounds[:, 2].max()), ylim=(bounds[:, 1].min(), bounds[:, 3].max()))
    west, south, east, north = detail
    right.set(xlim=(west, east), ylim=(south, north))
    gpd.GeoSeries([box(*detail)]).boundary.plot(ax=left, color="white", linewidth=1)
    right.legend(loc="lower right", fontsize=8)
    label_heights(right, gpd.read_file(objects[0]), detail)
    save(figure, out)


def source_bounds(path: Path) -> tuple[float, ...]:
    """Return west, south, east and north of a raster."""
    with rasterio.open(path) as source:
        return tuple(source.bounds)


def label_heights(axis: Axes, frame: gpd.GeoDataFrame, detail: list[float]) -> None:
    """Write the median height into each object of a part."""
    inside = frame[frame.representative_point().within(box(*detail))]
    for point, height in zip(inside.representative_point(), inside["height_median"], strict=True):
        axis.text(
            point.x, point.y, f"{height:.1f} m", color="white", ha="center", va="center", fontsize=8, weight="bold"
        )


def draw_model(path: Path, out: Path) -> None:
    """Draw the solids of a city model, seen from the south-west."""
    model = json.loads(path.read_text(encoding="utf-8"))
    vertices = np.array(model["vertices"]) * model["transform"]["scale"]
    figure = plt.figure(figsize=(10, 5.6), layout="constrained")
    axis: Any = figure.add_subplot(projection="3d")
    for entry in model["CityObjects"].values():
        geometry = entry["geometry"][0]
        for surface, kind in zip(geometry["boundaries"][0], geometry["semantics"]["values"][0], strict=True):
            name = geometry["semantics"]["surfaces"][kind]["type"]
            if name != "GroundSurface":
                triangles = triangulated([vertices[ring] for ring in surface], name)
                axis.add_collection3d(
                    Poly3DCollection(triangles, facecolors=COLOURS[name], edgecolors=COLOURS[name], linewidths=0.2)
                )
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    axis.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), zlim=(low[2], high[2]))
    axis.set_box_aspect(np.ptp(vertices, axis=0), zoom=1.5)
    axis.view_init(elev=35, azim=-120)
    axis.set_axis_off()
    save(figure, out)


def triangulated(rings: list[np.ndarray], name: str) -> list[np.ndarray]:
    """Return a surface as triangles, which may have holes if it is level; Matplotlib's faces have none."""
    if name == "WallSurface":
        return rings
    polygon = shapely.Polygon(rings[0][:, :2], [ring[:, :2] for ring in rings[1:]])
    triangles = shapely.constrained_delaunay_triangles(polygon).geoms
    height = rings[0][0, 2]
    return [np.insert(shapely.get_coordinates(triangle)[:3], 2, height, axis=1) for triangle in triangles]


def save(figure: Any, path: Path) -> None:
    """Write a figure as WebP."""
    figure.savefig(path.with_suffix(".png"), dpi=110)
    plt.close(figure)
    Image.open(path.with_suffix(".png")).convert("RGB").save(path, quality=80, method=6)
    path.with_suffix(".png").unlink()


def main() -> None:
    """Draw the footprints, and the city model where one is given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, nargs="+", required=True, help="orthophotos")
    parser.add_argument("--objects", type=Path, nargs=2, required=True, help="two GeoPackages of objects")
    parser.add_argument("--labels", nargs=2, required=True, help="what they are")
    parser.add_argument("--model", type=Path, nargs=2, help="city model of buildings, and its picture")
    parser.add_argument("--detail", type=float, nargs=4, required=True, help="west, south, east, north of a part")
    parser.add_argument("--out", type=Path, required=True, help="picture of the footprints")
    options = parser.parse_args()
    draw_footprints(options.images, options.objects, options.labels, options.detail, options.out)
    if options.model:
        draw_model(*options.model)


if __name__ == "__main__":
    main()
