"""Store of objects: order, parts, empty values, and other outlines."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from mtlaerial.objects import object_store
from mtlaerial.objects.object_store import ObjectStore

CRS = "EPSG:32632"


def values_of(numbers: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "class": np.array(["tree", "building"], dtype=object)[numbers % 2],
        "area": numbers / 3,
        "volume": numbers / 3 * 7,
        "height_median": np.where(numbers % 5, numbers * 0.01, np.nan),
        "touches_edge": numbers % 3 == 0,
    }


def fill(store: ObjectStore, numbers: Any) -> None:
    numbers = np.asarray(numbers)
    store.add(numbers, shapely.box(numbers, 0, numbers + 1, numbers + 1), values_of(numbers))


@pytest.mark.parametrize("on_disk", [False, True])
def test_objects_are_read_in_the_order_of_first_pixels_as_they_were(tmp_path: Path, on_disk: bool) -> None:
    numbers = np.random.default_rng(0).permutation(100)
    with ObjectStore(CRS, tmp_path / "objects.gpkg" if on_disk else None) as store:
        assert [path.suffix for path in tmp_path.iterdir()] == [".sqlite"] * on_disk
        for part in np.split(numbers, [1, 40]):
            fill(store, part)
        frame = store.frame()
        assert (len(store), store.counts()) == (100, {"building": 50, "tree": 50})
    assert list(tmp_path.iterdir()) == []
    ordered = np.arange(100)
    assert frame["id"].tolist() == (ordered + 1).tolist()
    for name, values in values_of(ordered).items():
        np.testing.assert_array_equal(frame[name], values, name)
    assert frame["perimeter"].isna().all(), "a column that was not given"
    assert shapely.equals(frame.geometry, shapely.box(ordered, 0, ordered + 1, ordered + 1)).all()
    assert frame.crs == CRS


def test_parts_end_after_some_objects_or_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store, "BATCH", 30)
    with ObjectStore(CRS) as store:
        assert [len(part) for part in store.parts()] == [0]
        fill(store, np.arange(100))
        assert [len(part) for part in store.parts()] == [30, 30, 30, 10]
        monkeypatch.setattr(object_store, "BATCH_BYTES", 1000)  # a square has 93 bytes
        assert [len(part) for part in store.parts()] == [11] * 9 + [1]


def test_proposed_outlines_are_adopted_with_their_measures_and_mean_height() -> None:
    with ObjectStore(CRS) as store:
        fill(store, np.arange(1, 5))
        for part in store.outlines():
            assert shapely.is_missing(part.proposals).all()
            store.propose(part.firsts[1:3], shapely.buffer(part.polygons[1:3], 1))
        (part,) = store.outlines()
        assert shapely.is_missing(part.proposals).tolist() == [True, False, False, True]
        store.adopt(part.firsts[2:3], np.array([50.0]), np.array([9.0]))
        frame = store.frame()
    assert frame["area"].tolist() == [1 / 3, 2 / 3, 50, 4 / 3]
    assert frame["volume"].tolist() == pytest.approx([7 / 3, 14 / 3, 350, 28 / 3])
    assert frame["perimeter"].tolist()[2] == 9
    assert frame.geometry.area.round(1).tolist() == [2, 3, 17.1, 5]
