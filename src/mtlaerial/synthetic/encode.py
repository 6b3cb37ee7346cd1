"""Encoding of views of the city as raw values of a data set's files, the inverse of decoding."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import DatasetSpec, HeightSpec, ImageSpec, LabelsSpec, Layer, NoiseSpec
from mtlaerial.config.tile_fields import is_per_tile
from mtlaerial.synthetic.city import View
from mtlaerial.synthetic.city.legend import class_codes, class_values, raw_values
from mtlaerial.synthetic.city.noise import uniform
from mtlaerial.synthetic.layer_noise import class_shifts, height_noise, noise_bounds, normal
from mtlaerial.synthetic.tile_layout import Place

VOID_SHARE = 1 / 1500
"""Share of the ground without data, in layers with a no-data value."""
VOID_SIZE = 4
"""Side of a cell without data, in metres."""


@dataclass(frozen=True)
class Source:
    """A file of a layer, or a file per tile.

    Attributes
    ----------
    layer, index : str, int
        The layer, and the number of the file among those of the layer.
    mosaic : bool
        Whether one file holds all tiles.
    ratio : int
        Image pixels per pixel of this file, along each axis.
    count, dtype, nodata : int, str, float or None
        Bands, dtype and no-data tag of the file.
    encode : callable
        Function of a view at the image's resolution, its place in pixels of this file, the number of the file's first
        tile, and the noise of the view's tile; returns raw values of shape (count, rows, columns).
    """

    layer: Layer
    index: int
    mosaic: bool
    ratio: int
    count: int
    dtype: str
    nodata: float | None
    encode: Callable[[View, Place, int, NoiseSpec], NDArray[Any]]


def sources(spec: DatasetSpec, seed: int, ratios: dict[Layer, int], eight_bit: bool) -> list[Source]:
    """Return the files of all layers of a data set, in the order in which a tile's are written.

    Parameters
    ----------
    spec : DatasetSpec
        Layers, raw values and patterns of the files.
    seed : int
        Seed of the town.
    ratios : dict
        Image pixels per pixel of each layer.
    eight_bit : bool
        Whether heights are written with 8 bits.
    """
    gsd = spec.gsd or 1.0
    layers = [_image_source(spec.image, seed, gsd)]
    if spec.height:
        ratio, files = ratios["height"], range(len(spec.height.sources))
        layers += [_height_source(spec.height, index, seed, ratio, gsd, eight_bit) for index in files]
    if spec.labels:
        layers.append(_labels_source(spec.labels, seed, ratios["labels"], gsd))
    if spec.labels and spec.labels.eroded:
        layers.append(replace(layers[-1], layer="eroded", mosaic=_is_mosaic(spec.labels.eroded.files)))
    return layers


def _image_source(spec: ImageSpec, seed: int, gsd: float) -> Source:
    low, high = spec.range
    mixture = _band_mixture(spec)
    dtype = _image_dtype(spec)

    def encode(view: View, place: Place, number: int, noise: NoiseSpec) -> NDArray[Any]:
        colour = np.tensordot(mixture, _photograph(view.colour, seed, place, number), axes=(1, 2))
        if noise.image:
            colour += np.float32(noise.image) * np.stack([normal(seed, band, place) for band in range(len(colour))])
        value = low + (high - low) * colour.clip(0, 1)
        raw = (value if dtype == "float32" else np.round(value)).astype(dtype)
        if spec.nodata is not None:
            # A pixel with data that happens to have the no-data value in all bands is moved off it.
            raw[0][(raw == spec.nodata).all(axis=0)] += 1 if spec.nodata < high else -1
            raw[:, _void_mask(seed, 1, place, gsd)] = spec.nodata
        return raw

    return Source("image", 0, _is_mosaic(spec.files), 1, len(mixture), dtype, spec.nodata, encode)


def _image_dtype(spec: ImageSpec) -> str:
    """Return the smallest dtype for the range; fractions, negative and narrow ranges need floating point."""
    values = [*spec.range] if spec.nodata is None else [*spec.range, spec.nodata]
    if min(values) < 0 or spec.range[1] - spec.range[0] < 16 or max(values) > 65535 or any(v % 1 for v in values):
        return "float32"
    return "uint8" if max(values) <= 255 else "uint16"


def _band_mixture(spec: ImageSpec) -> NDArray[np.float32]:
    """Return the weights of red, green, blue and infrared in each band of the file, by its name; grey by default."""
    # "infra" first: "near infrared" contains "red".
    spectral_index = (("infra", 3), ("nir", 3), ("red", 0), ("green", 1), ("blue", 2))
    mixture = np.tile(np.array([1 / 3, 1 / 3, 1 / 3, 0], np.float32), (max(spec.bands), 1))
    for band, name in zip(spec.bands, spec.band_names, strict=True):
        matches = (index for word, index in spectral_index if word in name.lower())
        index = next(matches, None)
        if index is not None:
            mixture[band - 1] = np.eye(4, dtype=np.float32)[index]
    return mixture


def _photograph(colour: NDArray[np.float32], seed: int, place: Place, number: int) -> NDArray[np.float32]:
    """Simulate exposure: brightness, white balance and contrast per file, and sensor noise."""
    flight = np.random.default_rng([seed, 1, number])
    gain = np.float32(flight.uniform(1.06, 1.24)) * flight.uniform(0.96, 1.04, 4).astype(np.float32)
    contrast = np.float32(flight.uniform(0.92, 1.02))
    sensor = np.random.default_rng([seed, 2, place.row, place.column])
    noise = sensor.standard_normal(colour.shape, dtype=np.float32) * np.float32(0.011)
    return np.asarray((colour * gain) ** contrast + noise, np.float32)


def _height_source(spec: HeightSpec, index: int, seed: int, ratio: int, gsd: float, eight_bit: bool) -> Source:
    """Return the file of heights, or with two sources that of the surface (index 0) or of the ground (1)."""
    void: float | None = spec.nodata
    if void is None and spec.nodata_above is not None:
        void = float(np.finfo(np.float32).max)
    pair = len(spec.sources) == 2
    dtype = "uint8" if eight_bit else "float32"
    bounds = noise_bounds(spec, eight_bit)

    def encode(view: View, place: Place, number: int, noise: NoiseSpec) -> NDArray[Any]:
        # height = (surface - ground) * scale + offset, so that the offset belongs to the surface.
        ground = _block_mean(view.ground, ratio) / np.float32(spec.scale)
        metres = _block_mean(view.height, ratio)
        if noise.height:
            metres += height_noise(seed, noise.height, metres, bounds, place)
        height = (metres - np.float32(spec.offset)) / np.float32(spec.scale)
        raw = height
        if pair:
            raw = ground if index else height + ground
        if eight_bit:
            raw = np.round(raw).clip(0, 255)
        if void is not None and index == 0:
            raw[_void_mask(seed, 2, place, gsd * ratio)] = void
        return raw[None].astype(dtype)

    return Source("height", index, _is_mosaic(spec.sources[index]), ratio, 1, dtype, spec.nodata, encode)


def _block_mean(values: NDArray[np.float32], ratio: int) -> NDArray[np.float32]:
    """Return the means of blocks of ``ratio`` x ``ratio`` pixels."""
    rows, columns = values.shape[0] // ratio, values.shape[1] // ratio
    return np.asarray(values.reshape(rows, ratio, columns, ratio).mean(axis=(1, 3)), np.float32)


def _labels_source(spec: LabelsSpec, seed: int, ratio: int, gsd: float) -> Source:
    table, classes = raw_values(spec), class_values(spec)
    code_of_kind = class_codes(spec)
    dtype = "uint8" if table.max() <= 255 else "uint16"

    def encode(view: View, place: Place, number: int, noise: NoiseSpec) -> NDArray[Any]:
        kind = view.kind[ratio // 2 :: ratio, ratio // 2 :: ratio]  # nearest: classes have no mean
        raw = table[kind]
        if noise.labels:
            shift = class_shifts(seed, noise.labels, len(classes), place, gsd * ratio)
            wrong = (shift > 0) & (code_of_kind[kind] >= 0)  # what has no class stays without one
            raw[wrong] = classes[(code_of_kind[kind] + shift)[wrong] % len(classes)]
        if spec.ignore:
            raw[_void_mask(seed, 3, place, gsd * ratio)] = spec.ignore[0]
        return np.asarray(np.moveaxis(raw, -1, 0), dtype)

    return Source("labels", 0, _is_mosaic(spec.files_of("train")), ratio, table.shape[1], dtype, None, encode)


def _void_mask(seed: int, key: int, place: Place, gsd: float) -> NDArray[np.bool_]:
    """Return the mask of pixels without data, shape (rows, columns): random cells of the ground, so that tiles agree.

    ``key`` is a number of the layer, so that each has its own voids.
    """
    rows = np.floor((np.arange(place.row, place.row + place.rows) + 0.5) * gsd / VOID_SIZE)
    columns = np.floor((np.arange(place.column, place.column + place.columns) + 0.5) * gsd / VOID_SIZE)
    return np.asarray(uniform(seed, 71, key, rows[:, None], columns) < VOID_SHARE)


def _is_mosaic(patterns: tuple[str, ...]) -> bool:
    return not is_per_tile(patterns[0])
