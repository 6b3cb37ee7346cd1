"""A view of the city as the raw values of a data set's files."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import DatasetSpec, HeightSpec, ImageSpec, LabelsSpec, Layer
from mtlaerial.synthetic.city import View
from mtlaerial.synthetic.city.legend import raw_values
from mtlaerial.synthetic.city.noise import uniform
from mtlaerial.synthetic.tile_layout import Place

VOID = 1 / 1500
"""Share of the ground, in cells of 4 m, without data in layers that know a no-data value."""


@dataclass(frozen=True)
class Source:
    """One file, or file per tile, of a layer.

    Attributes
    ----------
    layer, index : str, int
        Which layer, and which of the files that make it up.
    mosaic : bool
        One file for all tiles.
    ratio : int
        Image pixels per pixel of this file, along each axis.
    count, dtype, nodata : int, str, float or None
        Of the file.
    encode : callable
        From a view at the image's resolution, its place in this file's pixels, and the number of the file, to raw
        values of shape (count, rows, columns).
    """

    layer: Layer
    index: int
    mosaic: bool
    ratio: int
    count: int
    dtype: str
    nodata: float | None
    encode: Callable[[View, Place, int], NDArray[Any]]


def sources(spec: DatasetSpec, seed: int, ratios: dict[Layer, int], eight_bit: bool) -> list[Source]:
    """Return all that is to be written for a data set.

    Parameters
    ----------
    spec : DatasetSpec
        What its files hold.
    seed : int
        Of the town.
    ratios : dict
        Image pixels per pixel of each layer.
    eight_bit : bool
        Whether heights go into a format with 8 bits only.
    """
    made = [_image_source(spec.image, seed, spec.gsd or 1.0)]
    if spec.height:
        made += [
            _height_source(spec.height, index, seed, ratios["height"], spec.gsd or 1.0, eight_bit)
            for index in range(len(spec.height.sources))
        ]
    if spec.labels:
        made.append(_labels_source(spec.labels, seed, ratios["labels"], spec.gsd or 1.0))
    if spec.labels and spec.labels.eroded:
        made.append(replace(made[-1], layer="eroded", mosaic=_is_mosaic(spec.labels.eroded.files)))
    return made


def _image_source(spec: ImageSpec, seed: int, gsd: float) -> Source:
    low, high = spec.range
    mixture = _mixture(spec)
    dtype = _image_dtype(spec)

    def encode(view: View, place: Place, number: int) -> NDArray[Any]:
        colour = np.tensordot(mixture, _photograph(view.colour, seed, place, number), axes=(1, 2))
        value = low + (high - low) * colour.clip(0, 1)
        raw = (value if dtype == "float32" else np.round(value)).astype(dtype)
        if spec.nodata is not None:
            raw[0][(raw == spec.nodata).all(axis=0)] += 1 if spec.nodata < high else -1
            raw[:, _voids(seed, 1, place, gsd)] = spec.nodata
        return raw

    return Source("image", 0, _is_mosaic(spec.files), 1, len(mixture), dtype, spec.nodata, encode)


def _image_dtype(spec: ImageSpec) -> str:
    """Return the smallest type that holds the range; fractions and narrow ranges need floating point."""
    values = (*spec.range, *([] if spec.nodata is None else [spec.nodata]))
    if min(values) < 0 or spec.range[1] - spec.range[0] < 16 or max(values) > 65535 or any(v % 1 for v in values):
        return "float32"
    return "uint8" if max(values) <= 255 else "uint16"


def _mixture(spec: ImageSpec) -> NDArray[np.float32]:
    """Return what each band of the file records of red, green, blue and infrared; a band unheard of sees grey."""
    known = (("infra", 3), ("nir", 3), ("red", 0), ("green", 1), ("blue", 2))
    mixture = np.tile(np.array([1 / 3, 1 / 3, 1 / 3, 0], np.float32), (max(spec.bands), 1))
    for band, name in zip(spec.bands, spec.band_names, strict=True):
        seen = next((index for word, index in known if word in name.lower()), None)
        if seen is not None:
            mixture[band - 1] = np.eye(4, dtype=np.float32)[seen]
    return mixture


def _photograph(colour: NDArray[np.float32], seed: int, place: Place, number: int) -> NDArray[np.float32]:
    """Expose: each file has its own brightness, white balance and contrast; the sensor adds noise."""
    flight = np.random.default_rng([seed, 1, number])
    gain = np.float32(flight.uniform(1.06, 1.24)) * flight.uniform(0.96, 1.04, 4).astype(np.float32)
    contrast = np.float32(flight.uniform(0.92, 1.02))
    sensor = np.random.default_rng([seed, 2, place.row, place.column])
    noise = sensor.standard_normal(colour.shape, dtype=np.float32) * np.float32(0.011)
    return np.asarray((colour * gain) ** contrast + noise, np.float32)


def _height_source(spec: HeightSpec, index: int, seed: int, ratio: int, gsd: float, eight_bit: bool) -> Source:
    nodata = spec.nodata
    void = np.float32(np.finfo(np.float32).max) if nodata is None and spec.nodata_above is not None else nodata
    pair = len(spec.sources) == 2

    def encode(view: View, place: Place, number: int) -> NDArray[Any]:
        metres = _mean(view.height, ratio)
        ground = _mean(view.ground, ratio) / np.float32(spec.scale)
        raw = (metres - np.float32(spec.offset)) / np.float32(spec.scale)
        raw = (ground if index else raw + ground) if pair else raw
        if eight_bit:
            raw = np.round(raw).clip(0, 255)
        if void is not None and index == 0:
            raw[_voids(seed, 2, place, gsd * ratio)] = void
        return raw[None].astype("uint8" if eight_bit else "float32")

    mosaic = _is_mosaic(spec.sources[index])
    return Source("height", index, mosaic, ratio, 1, "uint8" if eight_bit else "float32", nodata, encode)


def _mean(values: NDArray[np.float32], ratio: int) -> NDArray[np.float32]:
    rows, columns = values.shape[0] // ratio, values.shape[1] // ratio
    return np.asarray(values.reshape(rows, ratio, columns, ratio).mean(axis=(1, 3)), np.float32)


def _labels_source(spec: LabelsSpec, seed: int, ratio: int, gsd: float) -> Source:
    table = raw_values(spec)
    dtype = "uint8" if table.max() <= 255 else "uint16"

    def encode(view: View, place: Place, number: int) -> NDArray[Any]:
        raw = table[view.kind[ratio // 2 :: ratio, ratio // 2 :: ratio]]
        if spec.ignore:
            raw[_voids(seed, 3, place, gsd * ratio)] = spec.ignore[0]
        return np.asarray(np.moveaxis(raw, -1, 0), dtype)

    return Source("labels", 0, _is_mosaic(spec.files_of("train")), ratio, table.shape[1], dtype, None, encode)


def _voids(seed: int, which: int, place: Place, gsd: float) -> NDArray[np.bool_]:
    """Tell which pixels, of shape (rows, columns), have no data; it depends on where on the ground they are."""
    rows = np.floor((np.arange(place.row, place.row + place.rows) + 0.5) * gsd / 4)
    columns = np.floor((np.arange(place.column, place.column + place.columns) + 0.5) * gsd / 4)
    return np.asarray(uniform(seed, 71, which, rows[:, None], columns) < VOID)


def _is_mosaic(patterns: tuple[str, ...]) -> bool:
    return "{tile}" not in patterns[0]
