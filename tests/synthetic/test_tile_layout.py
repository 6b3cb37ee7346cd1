"""Places and sizes of the tiles of a generated town."""

from pathlib import Path

import pytest

from mtlaerial.datasets.catalog import Dataset
from mtlaerial.synthetic.file_plan import Plan
from mtlaerial.synthetic.tile_layout import lay_out, tile_sizes
from support.generated_layouts import LAYOUTS, SEED


def test_tiles_begin_where_their_names_say() -> None:
    spec = LAYOUTS["dfc2018"][0]
    sizes = tile_sizes(spec, SEED, (12020, 11920), 0, 1)
    layout = lay_out(Dataset("houston", spec, Path()), sizes)
    for tile, place in layout.places.items():
        west, south = map(float, tile.split("_")[2:])
        assert layout.grid(place, 1).bounds == pytest.approx((west, south, west + 596, south + 601), abs=1e-6)
    plan = Plan(Dataset("houston", spec, Path()), SEED, layout, {"image": 1, "height": 10, "labels": 10}, Path())
    grids = {f.path.name: layout.grid(plan.extent(f), 10) for f in plan.files() if f.source.mosaic}
    whole = (2404, 8344), (271460, 3289689, 275632, 3290891)
    expected = {
        "UH17c_GEF051.tif": whole,
        "UH17_GEG05.tif": whole,
        "Test_Labels.tif": whole,
        "2018_IEEE_GRSS_DFC_GT_TR.tif": ((1202, 4768), (272056, 3289689, 274440, 3290290)),
    }
    assert grids.keys() == expected.keys()
    for name, (size, bounds) in expected.items():
        assert (grids[name].height, grids[name].width) == size
        assert grids[name].bounds == pytest.approx(bounds, abs=1e-6)


def test_each_tile_may_have_a_size_of_its_own() -> None:
    spec = LAYOUTS["vaihingen"][0]
    sizes = tile_sizes(spec, SEED, (2557, 1887), 0.03, 5)
    assert sizes == tile_sizes(spec, SEED, (2557, 1887), 0.03, 5)
    assert sizes != tile_sizes(spec, SEED + 1, (2557, 1887), 0.03, 5)
    assert len(set(sizes.values())) > 25
    for number, side in enumerate((2557, 1887)):
        sides = [size[number] for size in sizes.values()]
        assert not any(length % 5 for length in sides)
        assert 0.97 * side - 5 < min(sides) < 0.99 * side < 1.01 * side < max(sides) < 1.03 * side + 5
    places = list(lay_out(Dataset("vaihingen", spec, Path()), sizes).places.values())
    cells = {(p.row, p.column) for p in places}
    assert len(cells) == len(places)
    for place in places:
        assert not any(
            place.row < row < place.row + place.rows and place.column <= column < place.column + place.columns
            for row, column in cells
        )
