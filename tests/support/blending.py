"""Blending of images in memory, by networks without weights."""

import itertools
import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from mtlaerial.prediction.blending.blender import Blender, Network
from mtlaerial.prediction.blending.mixture import Spreads
from mtlaerial.prediction.blending.regrid import Cells
from mtlaerial.prediction.blending.strips import Read, Strip
from mtlaerial.prediction.blending.targets import Target
from mtlaerial.prediction.blending.windows import Layout, even, original

DEVICE = torch.device("cpu")
ORIGINAL, EVEN = original(32, 24), even(32, 8, 4)
LAYOUTS = pytest.mark.parametrize("layout", [ORIGINAL, EVEN], ids=["original", "even"])


def pointwise(windows: Tensor) -> Tensor:
    """Return three channels that depend on nothing but their own pixel."""
    value = windows.float()
    return torch.cat([value * 2 + 1, value.sin(), value[:, :1] ** 2], dim=1)[:, :3]


def picture(rows: int, columns: int, bands: int = 1) -> Tensor:
    return torch.rand(bands, rows, columns, generator=torch.Generator().manual_seed(rows * 1000 + columns)) * 9 + 1


def reader(image: Tensor, nodata: float | None = None) -> Read:
    """Return the reader of an image in memory, whose pixels with the no-data value in all bands are invalid."""
    absent = torch.zeros_like(image[0], dtype=torch.bool)
    if nodata is not None:
        absent = (image.isnan() if math.isnan(nodata) else image == nodata).all(dim=0)

    def read(y: int, x: int, height: int, width: int) -> Strip:
        assert min(y, x) >= 0
        assert y + height <= image.shape[1]
        assert x + width <= image.shape[2]
        invalid = absent[y : y + height, x : x + width]
        return Strip(image[:, y : y + height, x : x + width], invalid if invalid.any() else None)

    return read


def blend(
    image: Tensor,
    places: Sequence[tuple[tuple[float, float, int], tuple[float, float, int]]] = (),
    nodata: float | None = None,
    layout: Layout = EVEN,
    batch: int = 3,
    network: Network = pointwise,
    spreads: Spreads = (),
) -> list[Tensor]:
    """Blend onto grids given per axis as cells per pixel, offset, number of cells; by default the image's own."""
    rows, columns = image.shape[1:]
    channels = network(image[None])[0].shape[0]
    maps, targets = [], []
    for row, column in places or [((1, 0, rows), (1, 0, columns))]:
        written = torch.full((channels, row[2], column[2]), math.inf)
        maps.append(written)

        def write(y: int, x: int, values: Tensor, out: Tensor = written) -> None:
            part = out[:, y : y + values.shape[1], x : x + values.shape[2]]
            assert part.shape == values.shape
            assert torch.isinf(part).all(), "every cell is written once"
            part.copy_(values)

        cells = (Cells.of(row[0], row[1], rows, row[2]), Cells.of(column[0], column[1], columns, column[2]))
        targets.append(Target(slice(0, channels), *cells, write))

    blender = Blender(network, channels, layout, batch, DEVICE, spreads=spreads)
    done = sum(blender.run(reader(image, nodata), rows, columns, targets))
    assert done == blender.count_windows(rows, columns)
    return maps


def cell_means(values: Tensor, row: tuple[float, float, int], column: tuple[float, float, int]) -> Tensor:
    """Return the expected means of a grid's cells over their pixels; NaN pixels are left out."""
    rows = Cells.of(row[0], row[1], values.shape[1], row[2])
    columns = Cells.of(column[0], column[1], values.shape[2], column[2])
    means = torch.full((values.shape[0], row[2], column[2]), math.nan)
    for i, j in itertools.product(range(row[2]), range(column[2])):
        held = values[:, int(rows.first[i]) : int(rows.last[i]), int(columns.first[j]) : int(columns.last[j])]
        means[:, i, j] = held.flatten(1).nanmean(dim=1)
    return means
