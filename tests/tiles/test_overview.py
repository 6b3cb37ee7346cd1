"""Overviews: means over squares, and windows of them under any pose."""

import numpy as np
import pytest
import torch
from torch import Tensor

from mtlaerial.tiles import overview
from mtlaerial.tiles.overview import averaged, overview_window, tile_overview

CPU = torch.device("cpu")


def picture(rows: int, columns: int) -> Tensor:
    return torch.rand(2, rows, columns, generator=torch.Generator().manual_seed(0)) * 200


def mean_of_squares(image: Tensor, scale: int) -> np.ndarray:
    """Return the means square by square, by numpy."""
    bands, rows, columns = image.shape
    means = np.full((bands, -(-rows // scale), -(-columns // scale)), np.nan, np.float32)
    for row, column in np.ndindex(*means.shape[1:]):
        square = image[:, row * scale : (row + 1) * scale, column * scale : (column + 1) * scale].numpy()
        for band, values in enumerate(square):
            if np.isfinite(values).any():
                means[band, row, column] = np.nanmean(values)
    return means


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.float32])
@pytest.mark.parametrize("scale", [2, 4, 8])
def test_cells_are_means_of_squares_also_of_the_last_rows_and_columns(scale: int, dtype: torch.dtype) -> None:
    image = picture(21, 34).to(dtype)
    np.testing.assert_allclose(averaged(image, scale), mean_of_squares(image.float(), scale), rtol=1e-5)


def test_no_data_enters_no_mean() -> None:
    image = picture(16, 24)
    image[:, 3:11, 4:13] = torch.nan
    means = averaged(image, 4)
    assert means.isnan().sum() == 2 * 2  # two squares of either band have no data at all
    np.testing.assert_allclose(means, mean_of_squares(image, 4), rtol=1e-5)


def test_a_tile_is_averaged_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    image = picture(41, 58)
    monkeypatch.setattr(overview, "BLOCK", 16)
    parts = tile_overview(image.permute(1, 2, 0), 4)
    torch.testing.assert_close(parts, averaged(image, 4).permute(1, 2, 0))


def linear(rows: int, columns: int) -> Tensor:
    """Return an overview whose bands are the column and the row of each cell's centre."""
    down, across = torch.meshgrid(torch.arange(rows) + 0.5, torch.arange(columns) + 0.5, indexing="ij")
    return torch.stack([across, down], dim=2)


@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 2, 2.0])
def test_a_window_has_the_values_at_its_pixels(angle: float) -> None:
    matrix = torch.tensor([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], dtype=torch.float32) * 1.1
    centre, (rows, columns) = (31.3, 27.6), (12, 20)
    window = overview_window(linear(60, 70), centre, matrix, (rows, columns), CPU)
    for row, column in ((0, 0), (3, 17), (11, 19)):
        offset = torch.tensor([column + 0.5 - columns / 2, row + 0.5 - rows / 2])
        expected = torch.tensor(centre) + matrix @ offset
        torch.testing.assert_close(window[:, row, column], expected, rtol=0, atol=1e-4)


def test_nothing_is_known_beyond_the_raster_and_at_no_data() -> None:
    raster = linear(10, 12)
    raster[4, 5] = torch.nan
    window = overview_window(raster, (3.0, 2.0), torch.eye(2), (10, 10), CPU)
    unknown = torch.zeros(10, 10, dtype=torch.bool)
    unknown[:3] = unknown[:, :2] = unknown[7, 7] = True
    assert torch.equal(window.isnan().any(dim=0), unknown)
    known = raster[:7, :8].permute(2, 0, 1)
    torch.testing.assert_close(window[:, 3:, 2:], known, rtol=0, atol=1e-5, equal_nan=True)
    assert overview_window(raster, (-40.0, 3.0), torch.eye(2), (6, 6), CPU).isnan().all()


def test_beside_no_data_the_known_neighbours_alone_count() -> None:
    raster = torch.full((6, 6, 1), 7.0)
    raster[:, 3:] = torch.nan
    # The first column's neighbours are a known one and, with 0.3 of the weight, an unknown one.
    window = overview_window(raster, (3.3, 3.0), torch.eye(2), (2, 2), CPU)
    torch.testing.assert_close(window[0], torch.tensor([[7.0, torch.nan]] * 2), equal_nan=True)
