"""Weights of cells."""

from mtlaerial.rasters.grid import area_weights


def test_cells_of_one_size_have_weights_of_exactly_one() -> None:
    assert area_weights([0.25, 0.25 * (1 + 1e-9)]).tolist() == [1, 1]
    assert area_weights([1.0, 0.25]).tolist() == [4, 1]
    assert area_weights([]).tolist() == []
