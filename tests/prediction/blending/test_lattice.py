"""Windows on a lattice: a part of a raster equals the same part of the whole, to the bit."""

import numpy as np
import pytest
import torch
from torch import Tensor

from mtlaerial.config import PredictionSpec
from mtlaerial.prediction.blending.blender import Blender
from mtlaerial.prediction.blending.lattice import Lattice
from mtlaerial.prediction.blending.regrid import Cells
from mtlaerial.prediction.blending.strips import Strip
from mtlaerial.prediction.blending.targets import Target

SIZE = 190
GENERATOR = torch.Generator().manual_seed(5)
IMAGE = torch.rand(1, SIZE, SIZE, generator=GENERATOR)
KERNEL = torch.rand(2, 1, 5, 5, generator=GENERATOR)


def network(windows: Tensor) -> Tensor:
    """Return outputs that depend on the surroundings and on the place in the window, as those of networks do."""
    ramp = torch.linspace(0, 1, windows.shape[-1])
    return torch.nn.functional.conv2d(windows, KERNEL, padding=2) * (1 + ramp)


def read(row: int, column: int, rows: int, columns: int) -> Strip:
    """Return a part of the image; beyond its end pixels are invalid."""
    image = torch.full((1, rows, columns), 0.5)
    invalid = torch.ones(rows, columns, dtype=torch.bool)
    part = IMAGE[:, row : row + rows, column : column + columns]
    image[:, : part.shape[1], : part.shape[2]] = part
    invalid[: part.shape[1], : part.shape[2]] = False
    return Strip(image, invalid if invalid.any() else None)


def predicted(lattice: Lattice, rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
    """Return the blended values of a part of the image."""
    (top, bottom), (left, right) = lattice.span(*rows), lattice.span(*columns)
    values = np.full((2, rows[1] - rows[0], columns[1] - columns[0]), np.nan, np.float32)

    def write(row: int, column: int, block: Tensor) -> None:
        values[:, row : row + block.shape[1], column : column + block.shape[2]] = block

    down = Cells.of(1, top - rows[0], bottom - top, rows[1] - rows[0])
    across = Cells.of(1, left - columns[0], right - left, columns[1] - columns[0])
    target = Target(slice(0, 2), down, across, write)
    blender = Blender(network, 2, lattice.layout, batch=1, device=torch.device("cpu"))

    def read_span(row: int, column: int, height: int, width: int) -> Strip:
        return read(row + top, column + left, height, width)

    for _ in blender.run(read_span, bottom - top, right - left, [target]):
        pass
    return values


@pytest.mark.parametrize("blend", ["even", "original"])
@pytest.mark.parametrize(("window", "stride"), [(64, 48), (64, 16), (32, 32)])
def test_a_part_equals_that_part_of_the_whole_to_the_bit(blend: str, window: int, stride: int) -> None:
    prediction = PredictionSpec.parse({"window": window, "stride": stride, "blend": blend}, "prediction")
    lattice = Lattice.of(prediction)
    whole = predicted(lattice, (0, SIZE), (0, SIZE))
    assert np.isfinite(whole).all()
    for rows, columns in [((0, 70), (0, SIZE)), ((70, 190), (33, 101)), ((48, 49), (189, 190)), ((64, 128), (64, 128))]:
        part = predicted(lattice, rows, columns)
        assert np.array_equal(part, whole[:, slice(*rows), slice(*columns)])


def test_a_span_has_every_window_that_covers_a_pixel_and_no_other() -> None:
    for window, stride in [(8, 8), (8, 6), (8, 3), (32, 5)]:
        lattice = Lattice(window, stride, torch.ones(window))
        for start in range(60):
            for stop in range(start + 1, 70, 7):
                first, end = lattice.span(start, stop)
                starts = {first + at for at in lattice.layout(end - first).starts}
                covering = {at for at in range(0, 200, stride) if at < stop and at + window > start}
                assert starts == covering
